"""The panel beside the map: curves, the hardest pairs with both models' scores, and the card of the moment.

A run's messages move it (core/runs/messages.py), on the connection that the map listens to as well; at rest
it shows what the page gave it, and follows the map's slider.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.runs.encoding import pack
from core.runs.messages import ShownPairs, contents
from core.types import Run
from ui.boards import scripts

_PROJECT, _NAME = "embedding-lab-live", "panel"
_HTML = '<div class="live-panel" data-testid="live-panel"></div>'


def panel(
    *,
    key: str,
    run: Run,
    scores: Mapping[tuple[int, int], float],
    moment: dict[str, Any] | None,
    channel: dict[str, Any] | None,
    present: bool = False,
    can_keep: bool = False,
    text_beside: bool = True,
) -> str | None:
    """Draw the panel; returns the key of the moment whose card is to be kept, when that was pressed.

    `run` may be one that has not begun: a single snapshot of the base model. `scores` are the
    cross-encoder's, by rows of the sentence set; `moment` is a Moment as messages carry it; `channel`
    ui/runs/push.py's address of the run while it changes; `text_beside`: a text box stands on the page that
    the switch of a phone can show.
    """
    pairs = ShownPairs.of(run) if run.snapshots else None
    header, arrays = contents(run, "", pairs, history=True)
    texts = run.sentences.texts
    rows = [] if pairs is None else pairs.rows.tolist()
    header |= {
        "channel": channel,
        "texts": {str(i): texts[i] for pair in rows for i in pair},
        "scores": [None if (score := scores.get((a, b))) is None else float(score) for a, b in rows],
        "ids": [[run.sentences.ids[i] for i in pair] for pair in rows],
        "moment": moment,
        "present": present,
        "canKeep": can_keep,
        "textBeside": text_beside,
    }
    scripts.ensure(_PROJECT, Path(__file__).parent, _NAME)
    result = _component()(key=key, data=pack(header, arrays), on_keep_change=_nothing)
    kept = getattr(result, "keep", None)
    return kept if isinstance(kept, str) else None


def _nothing() -> None: ...


@cache
def _component() -> Any:
    return st.components.v2.component(f"{_PROJECT}.{_NAME}", html=_HTML, css="panel.css", js="panel.js")
