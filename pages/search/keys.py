"""What Search remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

VIEW = Key("search", "Search", url=True)
CORPUS = Key("search_corpus", "Built-in passages", url=True)
TEXT = Key("search_text", "")  # the learner's own passages; often too long for a link
ANSWERS = Key("search_answers", "")  # questions about them, with known answers
QUERY = Key("search_query", "Is the hidden half of the Moon always dark?", url=True)
SHOWN = Key("search_shown", 5, url=True, low=3, high=20)
DEPTH = Key("search_depth", 20, url=True, low=5, high=100)
AT = Key("search_at", 5, url=True, low=1, high=20)
GUESS = Key[str | None]("search_guess", None, url=True)
GUESS_BEST = Key[str | None]("search_guess_best", None, url=True)
STOPPED = Key("search_stopped", False)
FOLDER = Key[str | None]("search_folder", None, visit=True)  # of an uploaded collection
MODEL = Key("search_model", "minilm-l6", url=True)  # that embeds it
ERROR = Key[str | None]("search_error", None)
