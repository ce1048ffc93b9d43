"""Registers the browser components with Streamlit and mounts them.

Apart because it is the only place that knows how Streamlit finds a component's files. Streamlit reads the
folder of a component from the manifest of an installed package; this app runs from a plain checkout, so we
hand the same manifest to the running server ourselves. The browser then loads the scripts once, by URL,
as ordinary ES modules, and a tick does not send them again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

_PROJECT = "embedding-lab"
_BOARD, _PROGRESS = "moving-map", "run-progress"
_FOLDER = Path(__file__).parent

# The scripts build everything inside this element; user text never passes through HTML.
_BOARD_HTML = '<div class="moving-map" data-testid="moving-map"></div>'
_PROGRESS_HTML = '<div class="run-progress" data-testid="run-progress"></div>'


def mount_board(*, key: str, data: bytes) -> Any:
    """Mount the canvas. The result has `selected`, `hovered` (state) and `action` (trigger)."""
    _ensure_manifest()
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
    _ensure_manifest()
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


def _ensure_manifest() -> None:
    """Tell the running server where the scripts lie (AppTest starts a new server for each test)."""
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(f"{_PROJECT}.{_BOARD}") is None:
        parts = [ComponentConfig(name=name, asset_dir="frontend") for name in (_BOARD, _PROGRESS)]
        manager.register_from_manifest(ComponentManifest(_PROJECT, "1", parts), _FOLDER)
