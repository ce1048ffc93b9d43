"""What High dimensions remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from core.concepts.high_dimensions import FEWEST_POINTS, MOST_POINTS
from ui.keys import Key

VIEW = Key("hd", "Distances", url=True)
POINTS = Key("hd_points", 100, url=True, low=FEWEST_POINTS, high=MOST_POINTS)
SEED = Key("hd_seed", 7, url=True, low=0, high=9999)
CLOUD = Key("hd_cloud", "cube", url=True)
DIM = Key("hd_dim", 384, url=True)
SET = Key("hd_set", "bank_intents", url=True)
TEXT = Key("hd_text", "", url=True)
NEIGHBOURS = Key("hd_neighbours", 10, url=True, low=2, high=50)
MAP_SEED = Key("hd_map_seed", 7, url=True, low=0, high=9999)
COLOUR = Key("hd_colour", "group", url=True)
LOOK = Key("hd_look", "umap", url=True)
POINT = Key("hd_point", 1, url=True)  # place in the list, from 1
GUESS_RATIO = Key[str | None]("hd_guess_ratio", None, url=True)
GUESS_REAL = Key[str | None]("hd_guess_real", None, url=True)
GUESS_MAP = Key[str | None]("hd_guess_map", None, url=True)
