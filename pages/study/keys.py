"""What Study cards remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

VIEW = Key("study", "Study", url=True)
DECK = Key("study_deck", "all", url=True)
MODE = Key("study_mode", "flip", url=True)
SURE = Key("study_sure", False, url=True)  # ask for confidence before the flip
NEXT = Key[str | None]("study_next", None)  # a card to show before all others, after an undo
EXTRA = Key("study_extra", 0)  # new cards asked for beyond today's plan
SEARCH = Key("study_search", "", url=True)
CARD = Key[str | None]("study_card", None)  # the card open in Browse
PASTED = Key("study_pasted", "")
