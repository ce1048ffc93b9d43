"""A flat map as a pure figure: points on a plane without axes, by group or by trust."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.types import FloatArray
from ui.figures import BEFORE, NOW, PALETTE, PUSH, _figure, short

if TYPE_CHECKING:
    import plotly.graph_objects as go


SYMBOLS = {
    "circle": "circles",
    "diamond": "diamonds",
    "square": "squares",
    "triangle-up": "triangles",
    "cross": "crosses",
    "x": "x",
    "star": "stars",
    "pentagon": "pentagons",
}  # of the groups in the order of their first mention, and what they are called


def flat_map(
    xy: FloatArray,
    texts: Sequence[str],
    *,
    groups: Sequence[str] = (),
    trust: FloatArray | None = None,
    chosen: int | None = None,
    ringed: Sequence[int] = (),
    height: int = 330,
) -> go.Figure:
    """Points on a plane without axes, coloured by group or by trust; the chosen one joined to the ringed."""
    import plotly.graph_objects as go

    figure = _figure(height, showlegend=False, hovermode="closest")
    names = [short(t, 70) for t in texts]
    if chosen is not None:
        for row in ringed:
            x, y = xy[[chosen, row]].T.tolist()
            line = {"color": BEFORE, "width": 1}
            figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip"))
    marker: dict[str, object] = {"size": 8}
    symbols = tuple(SYMBOLS)
    kinds = list(dict.fromkeys(groups))
    if trust is not None:
        marker |= {
            "color": trust,
            "colorscale": [[0, PUSH], [0.5, "#E8E4DC"], [1, NOW]],
            "cmin": 0,
            "cmax": 1,
        }
        marker["line"] = {"color": BEFORE, "width": 0.5}
    elif kinds:
        marker["color"] = [PALETTE[kinds.index(g) % len(PALETTE)] for g in groups]
        marker["symbol"] = [symbols[kinds.index(g) % len(symbols)] for g in groups]
    else:
        marker["color"] = NOW
    extra = (
        [f"<br>trust {t:.0%}" for t in trust] if trust is not None else [f"<br>{short(g)}" for g in groups]
    )
    figure.add_trace(
        go.Scatter(
            x=xy[:, 0].tolist(),
            y=xy[:, 1].tolist(),
            mode="markers",
            marker=marker,
            customdata=[n + e for n, e in zip(names, extra or [""] * len(names))],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    if chosen is not None:
        for rows, size, width in (([chosen], 18, 3), (list(ringed), 15, 1.5)):
            circle = {"size": size, "symbol": "circle-open", "color": PUSH, "line": {"width": width}}
            x, y = xy[rows].T.tolist()
            figure.add_trace(go.Scatter(x=x, y=y, mode="markers", marker=circle, hoverinfo="skip"))
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure
