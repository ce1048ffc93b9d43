"""What From text to vector remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from core.models.settings import OWN
from ui.keys import Key

VIEW = Key("ttv", "Word pieces", url=True)
TEXT = Key("ttv_text", "The ferrywoman's unflappable dog watched the river bank.", url=True)
OTHER = Key("ttv_other", "The ferrywoman's unflappable dog watched the savings bank.", url=True)
MODEL = Key("ttv_model", "minilm-l6", url=True)
SEED = Key("ttv_seed", 7, url=True, low=0, high=9999)
LAYER = Key("ttv_layer", 6, url=True, low=0)
POOLING = Key("ttv_pooling", OWN, url=True)
GUESS_PIECES = Key[str | None]("ttv_guess_pieces", None, url=True)
GUESS_LAYERS = Key[str | None]("ttv_guess_layers", None, url=True)
GUESS_POOLING = Key[str | None]("ttv_guess_pooling", None, url=True)
GUESS_NUMBERS = Key[str | None]("ttv_guess_numbers", None, url=True)
GUESS_CHANGE = Key[str | None]("ttv_guess_change", None, url=True)
