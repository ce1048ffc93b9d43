"""An element that shows only a lost connection, and has the script run again when a room has changed.

It hears the room's topic (core/classroom/topics.py); nothing asks the server at intervals.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from ui.boards import scripts
from ui.boards.moving_map import component

_PROJECT, _NAME = "embedding-lab-room", "listener"
_HTML = '<p class="room-listener" role="status" data-testid="room-listener"></p>'
_CSS = ".room-listener { margin: 0; color: var(--st-text-color); font-family: var(--st-font); }"


def listen(
    *, key: str, topic: str, pushed: bool, counts: Literal["version", "news"], at: int, gap: float
) -> None:
    """Have the script run again when the room's number in `counts` is no longer `at`; after what only
    `news` counts, `gap` seconds after the last time at the earliest."""
    scripts.ensure(_PROJECT, Path(__file__).parent, _NAME)
    component.ensure_scripts()  # the channel is the moving map's
    data = {"channel": {"topic": topic, "pushed": pushed}, "counts": counts, "at": at, "gap": gap}
    _component()(key=key, data=data, on_changed_change=_nothing)


def _nothing() -> None: ...


@cache
def _component() -> Any:
    return st.components.v2.component(f"{_PROJECT}.{_NAME}", html=_HTML, css=_CSS, js="listener.js")
