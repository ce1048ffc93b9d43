"""Plotly figures of the Compare page: neighbours kept, and margins before and after. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.types import FloatArray
from ui.figures import DOTTED, NOW, _figure, binned, histogram

if TYPE_CHECKING:
    import plotly.graph_objects as go


def overlaps(counts: Sequence[int]) -> go.Figure:
    """How many sentences kept 0, 1, ... of their neighbours."""
    import plotly.graph_objects as go

    figure = _figure(200, showlegend=False, hovermode="closest", clickmode="event+select")
    hover = "%{y} sentences kept %{x}<extra></extra>"
    figure.add_trace(
        go.Bar(x=list(range(len(counts))), y=list(counts), marker_color=NOW, hovertemplate=hover)
    )
    figure.update_xaxes(title="neighbours kept", dtick=1)
    figure.update_yaxes(title="sentences", rangemode="tozero", nticks=4, tickformat="d")
    return figure


def margins(before: FloatArray | None, after: FloatArray | None) -> go.Figure:
    """How far held-out pairs are on the right side of the threshold, under A and B; below 0 is wrong."""
    samples = {name: np.asarray(v) for name, v in (("A", before), ("B", after)) if v is not None}
    figure = histogram(binned(samples), x_title="margin (cosine); below 0 the pair is told wrong")
    figure.add_vline(x=0, line=DOTTED)
    return figure
