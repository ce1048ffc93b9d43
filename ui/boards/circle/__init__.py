"""The sandbox board: a canvas with a circle or sphere whose points can be dragged.

Mount `board` outside the ticking fragment; inside it `feed` hands over the newest points. The picture is
drawn in the browser, all numbers come from Python: a drag asks for the gradient of the new place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.concepts import sandbox
from core.concepts.sandbox import Floats, Observation
from core.runs.encoding import pack
from ui.boards import scripts
from ui.boards.moving_map import component

_PROJECT, _NAME = "embedding-lab-sandbox", "board"
_HTML = '<div class="sandbox" data-testid="sandbox"></div>'


@dataclass(frozen=True, slots=True)
class Drag:
    """A point that was put somewhere: its row and its new coordinates (d,). `serial` counts the drags."""

    row: int
    at: tuple[float, ...]
    serial: int


def board(
    *,
    key: str,
    z: Floats,
    seen: Observation,
    reference: float,
    groups: Sequence[int],
    step: int,
    serial: int,
    born: int,
) -> Drag | None:
    """Draw points (n, 2 or 3) with their motion and their pairs; what was dragged, if anything.

    `reference` is the gradient whose arrow has full length. `serial` is that of the last drag handled.
    `born` grows with every new picture: the browser may get those of board and feed in either order.
    """
    component.ensure_scripts()  # the board's scripts import some of the moving map's
    scripts.ensure(_PROJECT, Path(__file__).parent, _NAME)
    data = _packed(key, z, seen, reference, step, serial, born, groups)
    raw = _component()(key=key, data=data, on_moved_change=_nothing)
    return read_drag(getattr(raw, "moved", None), z.shape)


def feed(
    *,
    key: str,
    board_key: str,
    z: Floats,
    seen: Observation,
    reference: float,
    step: int,
    serial: int,
    born: int,
) -> None:
    """Hand a board its next points; arguments as for `board`."""
    component.mount_feed(key=key, data=_packed(board_key, z, seen, reference, step, serial, born, None))


def read_drag(value: Any, shape: tuple[int, ...]) -> Drag | None:
    """The browser's message as a Drag, or None when it is not one: it comes from outside."""
    if not isinstance(value, dict):
        return None
    row, at, serial = value.get("row"), value.get("at"), value.get("serial")
    if not isinstance(row, int) or not 0 <= row < shape[0] or not isinstance(serial, int):
        return None
    if not isinstance(at, list | tuple) or len(at) != shape[1]:
        return None
    if not all(isinstance(v, int | float) and np.isfinite(v) for v in at) or not any(at):
        return None
    return Drag(row, tuple(float(v) for v in at), serial)


def _packed(
    key: str,
    z: Floats,
    seen: Observation,
    reference: float,
    step: int,
    serial: int,
    born: int,
    groups: Sequence[int] | None,
) -> bytes:
    header: dict[str, Any] = {
        "board": key,
        "step": step,
        "reference": reference,
        "serial": serial,
        "born": born,
    }
    header |= {} if groups is None else {"groups": list(groups)}
    parts = sandbox.contributions(z, seen)  # (k, 2, d)
    return pack(
        header,
        {
            "z": z.astype(np.float32),
            "motion": (-seen.gradient).astype(np.float32),
            "pairs": seen.pairs,
            "forces": seen.forces.astype(np.float32),
            "parts": parts.reshape(len(parts), -1).astype(np.float32),
        },
    )


def _nothing() -> None: ...


@cache
def _component() -> Any:
    return st.components.v2.component(f"{_PROJECT}.{_NAME}", html=_HTML, css="board.css", js="board.js")
