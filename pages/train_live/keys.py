"""What Train live remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from core.data.pairs import MiningKind
from ui.keys import Key

LABELS = Key("labels", False, url=True)
TRAILS = Key("trails", False, url=True)
PRESENT = Key("present", False, url=True)  # shown to a class: no text box, no settings, larger type
SET_TEXT = Key("set_text", "")  # a built-in set as the text box shows it
PANEL = Key("panel", "Progress", url=True)
SUGGESTED = Key[tuple[str, ...]]("suggested", ())  # settings that the chosen set brought
PAIR_UPLOAD = Key("pair_upload", "replace")  # or "add": what an uploaded file of pairs does
LOOKED_AT = Key("looked_at", "")  # the uploader whose file a dialog shows
FILE_OPEN, PAIRS_OPEN = Key("file_open", False), Key("pairs_open", False)
EARLIER_TEXT = Key("earlier_text", "")  # what a copy or an upload replaced in the text area
PAIR_SET = Key("pair_set", "")  # the set that the typed pairs are about
PAIR_DRAFTS = Key[tuple[tuple[str, str], ...]]("pair_drafts", ())  # typed pairs of the other sets
MINE_KIND = Key[MiningKind]("mine_kind", "both", url=True)
RUN_CARD = Key("run_card", 0)
RUN_CARD_FLIPPED = Key("run_card_flipped", "")
MATRIX = Key("matrix_which", "now")
BEFORE_AFTER = Key("before_after_view", "side by side")
UNPROBED = Key("unprobed", "")  # the run whose everyday pairs could not be measured
