"""What Glossary remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from ui.keys import Key

SEARCH = Key("glossary_search", "", url=True)
TERM = Key("term", "embedding", url=True)
MAP = Key("glossary_map", "Around one term", url=True)
