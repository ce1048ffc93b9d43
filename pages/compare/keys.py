"""What Compare runs remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from typing import Any

from ui.keys import Key

A = Key("cmp_a", "", url=True)  # "run:ID" or "base:KEY"
B = Key("cmp_b", "", url=True)
A_STEP = Key("cmp_a_step", 0, url=True)
B_STEP = Key("cmp_b_step", 0, url=True)
NEXT = Key[tuple[str, int, str, int]]("cmp_next", ("", 0, "", 0))  # the sides that a tried remedy asks for
MAP = Key("cmp_map", "Side by side", url=True)
EVERY_ARROW = Key("cmp_arrows", False, url=True)
SHUFFLE_SEED = Key("cmp_shuffle", 0, url=True, low=0, high=9999)
BLEND = Key("cmp_blend", 0.5, url=True, low=0.0, high=1.0)
LAST = Key[tuple[tuple[str, int], ...]]("cmp_last", ())  # (run id, its newest step when last shown)
VIEW = Key("cmp", "What changed?", url=True)
TEXT = Key("cmp_text", "", url=True)  # the sentence typed now
GUESS = Key[str | None]("cmp_guess", None, url=True)
SELECTED = Key[tuple[str, ...]]("cmp_selected", ())  # on both maps
SEEN = Key[tuple[Any, ...]]("cmp_seen", ((), ()))  # what each map said last
PINNED = Key[tuple[str, ...]]("cmp_pinned", ())
KEEP_TITLES = Key[tuple[tuple[str, str], ...]]("keep_titles", ())  # (run id, title) of opened runs
KEEP_TYPED = Key[Any](
    "keep_typed", None
)  # title and note at a click, for the download made outside the script
KEEP_BASE_OPEN = Key("keep_base_open", False)
KEEP_SAID = Key[tuple[str, str] | None]("keep_said", None)  # ("done" or "wrong", a sentence)
