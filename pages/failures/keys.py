"""What Fine-tuning gone wrong remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

WHAT = Key("gw", "collapse", url=True)
SOURCE = Key("gw_text_from", "Built-in sentences", url=True)
TEXT = Key("gw_text", "")  # the learner's own grouped sentences; packed into the link
SEED = Key("gw_seed", 7, url=True, low=0, high=10_000)
EXPERIMENTS = ("collapse", "negatives", "rate", "forgetting", "overfitting")
RUNS = {name: Key[tuple[str, ...]](f"gw_runs_{name}", (), url=True) for name in EXPERIMENTS}  # broken, sound
GUESSES = {name: Key[str | None](f"gw_guess_{name}", None, url=True) for name in EXPERIMENTS}
