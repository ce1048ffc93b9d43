"""What Home remembers of a visit (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

FIRST = Key("first_sentences", "")
