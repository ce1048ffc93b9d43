"""Mounts the browser components of the moving map."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from ui.boards import scripts

_PROJECT = "embedding-lab"
_BOARD, _PROGRESS = "moving-map", "run-progress"
_FOLDER = Path(__file__).parent

# The scripts build everything inside this element; user text never passes through HTML.
_BOARD_HTML = '<div class="moving-map" data-testid="moving-map"></div>'
_PROGRESS_HTML = '<div class="run-progress" data-testid="run-progress"></div>'


def mount_board(*, key: str, data: bytes) -> Any:
    """Mount the canvas. The result has `selected`, `hovered` (state) and `action` (trigger)."""
    ensure_scripts()
    return _board()(
        key=key,
        data=data,
        # Naming the callbacks makes the result always carry these attributes.
        on_selected_change=_nothing,
        on_hovered_change=_nothing,
        on_action_change=_nothing,
    )


def mount_progress(*, key: str, data: dict[str, Any]) -> None:
    """Mount a progress line. It has the script run again when the run is in another phase than `data`."""
    ensure_scripts()
    _progress()(key=key, data=data, on_phase_change=_nothing)


def mount_feed(*, key: str, data: bytes) -> None:
    """Mount the messenger, which draws nothing and takes no room."""
    _feed()(key=key, data=data)


def _nothing() -> None: ...


@cache
def _board() -> Any:
    return st.components.v2.component(
        f"{_PROJECT}.{_BOARD}", html=_BOARD_HTML, css="board.css", js="board.js"
    )


@cache
def _progress() -> Any:
    return st.components.v2.component(
        f"{_PROJECT}.{_PROGRESS}", html=_PROGRESS_HTML, css="progress.css", js="progress.js"
    )


@cache
def _feed() -> Any:
    # Inline, for all its few hundred bytes a tick: for a script given by path Streamlit adds a new script
    # element to the page at every tick and waits for it, for an inline one it reuses the module.
    source = (_FOLDER / "frontend" / "feed.js").read_text("utf-8")
    return st.components.v2.component(f"{_PROJECT}.moving-map-feed", js=_without_comments(source))


def _without_comments(source: str) -> str:
    """Whole-line comments and indentation are for readers of the file, not for every tick."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def ensure_scripts() -> None:
    """For whoever mounts a script that imports some of these."""
    scripts.ensure(_PROJECT, _FOLDER, _BOARD, _PROGRESS)
