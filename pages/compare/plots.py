"""Plotly figures of the Compare page: margins before and after. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.types import FloatArray
from ui.figures import DOTTED, binned, histogram

if TYPE_CHECKING:
    import plotly.graph_objects as go


def margins(before: FloatArray | None, after: FloatArray | None) -> go.Figure:
    """How far held-out pairs are on the right side of the threshold, under A and B; below 0 is wrong."""
    samples = {name: np.asarray(v) for name, v in (("A", before), ("B", after)) if v is not None}
    figure = histogram(binned(samples), x_title="margin (cosine); below 0 the pair is told wrong")
    figure.add_vline(x=0, line=DOTTED)
    return figure
