"""Pure figures of "High dimensions": how distances concentrate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ui.figures import DOTTED, NOW, _figure

if TYPE_CHECKING:
    import plotly.graph_objects as go


def concentration(dims: Sequence[int], ratios: Sequence[float], here: int) -> go.Figure:
    """Farthest over nearest against the number of dimensions, both on logarithmic axes."""
    import plotly.graph_objects as go

    figure = _figure(300, showlegend=False, hovermode="closest")
    figure.add_trace(
        go.Scatter(
            x=list(dims),
            y=list(ratios),
            mode="lines+markers",
            line={"color": NOW, "width": 2},
            marker={"size": [13 if d == here else 7 for d in dims], "color": NOW},
            hovertemplate="%{x} dimensions: farthest is %{y:.2f} times nearest<extra></extra>",
        )
    )
    figure.add_hline(y=1, line=DOTTED)
    figure.update_xaxes(type="log", title="dimensions", tickvals=[2, 8, 32, 128, 384, 1536])
    ticks = [1, 2, 3, 5, 10, 20, 50, 100, 200]
    figure.update_yaxes(type="log", title="farthest / nearest", tickvals=ticks)
    return figure
