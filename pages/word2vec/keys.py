"""What Word2Vec remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

VIEW = Key("w2v", "Neighbours", url=True)
SOURCE = Key("w2v_from", "grammar", url=True)
TEXT = Key("w2v_text", "")  # the learner's own text; packed into the link
DIMENSIONS = Key("w2v_dimensions", 50, url=True, low=2, high=200)
WINDOW = Key("w2v_window", 4, url=True, low=1, high=10)
NEGATIVES = Key("w2v_negatives", 5, url=True, low=0, high=20)
SUBSAMPLE = Key("w2v_subsample", 0.01, url=True)
EPOCHS = Key("w2v_epochs", 20, url=True, low=1, high=200)
RATE = Key("w2v_rate", 0.05, url=True)
SEED = Key("w2v_seed", 7, url=True, low=0, high=10_000)
SHOWN = Key("w2v_shown", 80, url=True, low=20, high=200)
FORCES = Key("w2v_forces", False, url=True)
WORD = Key("w2v_word", "", url=True)  # "" is the first choice of the text
ANALOGY = Key("w2v_analogy", "", url=True)  # three words; "" is the first choice of the text
AT = Key("w2v_at", "")  # how far the run had come when the link was made
RUN = Key[str | None]("w2v_run", None, url=True)  # the run on the page
GUESSES = {name: Key[str | None](f"w2v_guess_{name}", None, url=True) for name in ("neighbour", "collapse")}
