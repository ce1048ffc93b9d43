"""What Similarity remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

VIEW = Key("sim", "Matrix", url=True)
TEXT = Key(
    "sim_text",
    "The cat sleeps on the sofa.\nShare prices fell on Monday.\nShe bakes bread every morning.\n"
    "A kitten naps on the couch.\nThe central bank raised its rates.\nThe dog barks at the postman.\n"
    "The oven smells of fresh rolls.\nStocks lost value this week.\nAdd a pinch of salt to the dough.",
    url=True,
)
MODEL = Key("sim_model", "minilm-l6", url=True)
SEED = Key("sim_seed", 7, url=True, low=0, high=9999)
UNIT = Key("sim_unit", True, url=True)
MEASURE = Key("sim_measure", "cosine", url=True)
ORDER = Key("sim_order", "typed", url=True)
GROUPS = Key("sim_clusters", 3, url=True, low=1)
ANCHOR = Key("sim_anchor", 1, url=True)  # places in the list, from 1
STRETCHED = Key("sim_stretched", 2, url=True)
FACTOR = Key("sim_factor", 1.0, url=True, low=0.2, high=5.0)
KIND = Key("sim_kind_shown", "Negation", url=True)
OWN = Key(
    "sim_own",
    "The lift is out of order. | The elevator does not work. | The lift is in order.\n"
    "I lent her my bike. | She borrowed my bike. | She lent me her bike.",
    url=True,
)
GUESS_SIGN = Key[str | None]("sim_guess_sign", None, url=True)
GUESS_ORDER = Key[str | None]("sim_guess_order", None, url=True)
GUESS_KIND = Key[str | None]("sim_guess_kind", None, url=True)
