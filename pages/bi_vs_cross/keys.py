"""What "Bi- vs cross-encoder" remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from core.training.controls import BY_FIELD
from ui.keys import Key

VIEW = Key("bvc", "Rank", url=True)
QUERY = Key("bvc_query", "A woman is slicing a tomato.", url=True)
CANDIDATES = Key(
    "bvc_candidates",
    "A man is slicing a tomato.\nSomeone cuts a tomato into pieces.\nA woman is slicing an onion.\n"
    "The tomato grows in a garden.\nTomatoes are cheap this week.\nThe stock market fell today.",
    url=True,
)
LEFT = Key("bvc_a", "The river rose after the heavy rain.", url=True)
RIGHT = Key("bvc_b", "Rain made the water in the river higher.", url=True)
LAYER = Key("bvc_layer", "average", url=True)
HEAD = Key("bvc_head", "average", url=True)
LOOK = Key("bvc_look", "A looks at B", url=True)
SPECIAL = Key("bvc_special", False, url=True)
GUESS_RANK = Key[str | None]("bvc_guess_rank", None, url=True)
GUESS_ORDER = Key[str | None]("bvc_guess_order", None, url=True)
GUESS_COST = Key[str | None]("bvc_guess_cost", None, url=True)
GUESS_RACE = Key[str | None]("bvc_guess_race", None, url=True)
MEASUREMENT = Key("bvc_measurement", 0)
SET = Key("bvc_set", "negation", url=True)
OWN = Key("bvc_own", "", url=True)
STEPS = Key("bvc_steps", 60, url=True, low=10, high=200)
RATE = Key("bvc_rate", 1e-4, url=True)
LOSS = Key("bvc_loss", "contrastive", url=True)
PAIRS = Key("bvc_pairs", 80, url=True, low=20, high=200)
TRAINED = Key("bvc_layers", 2, url=True, low=1, high=6)
SEED = Key("bvc_seed", 7, url=True, low=BY_FIELD["seed"].least, high=BY_FIELD["seed"].most)
MEASURE = Key("bvc_measure", "Accuracy", url=True)
AGAINST = Key("bvc_against", "Seconds", url=True)
RACE = Key[str | None]("bvc_race", None, url=True)  # the run of the race on the page
