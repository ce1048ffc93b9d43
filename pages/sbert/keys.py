"""What SBERT's objective remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

VIEW = Key("sb", "Two passes", url=True)
PREMISE = Key("sb_a", "A man in a red jacket is repairing a bicycle in the street.", url=True)
HYPOTHESIS = Key("sb_b", "Someone is fixing a bike outdoors.", url=True)
SOURCE = Key("sb_pairs", "Built-in pairs", url=True)
TEXT = Key("sb_text", "")  # the learner's own pairs with their class; packed into the link
MODES = Key[tuple[str, ...]]("sb_modes", ("u,v", "|u-v|", "u*v", "u,v,|u-v|"), url=True)
STEPS = Key("sb_steps", 30, url=True, low=5, high=100)
RATE = Key("sb_rate", 2e-4, url=True)
LAYERS = Key("sb_layers", 2, url=True, low=1, high=6)
SEEDS = Key("sb_seeds", 1, url=True, low=1, high=5)
SEED = Key("sb_seed", 7, url=True, low=0, high=10_000)
# The ids of the trainings that are compared.
RUNS = {what: Key[tuple[str, ...]](f"sb_runs_{what}", (), url=True) for what in ("concatenation", "pooling")}
GUESSES = {
    name: Key[str | None](f"sb_guess_{name}", None, url=True)
    for name in ("swap", "data", "concatenation", "pooling")
}
