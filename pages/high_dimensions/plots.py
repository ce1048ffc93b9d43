"""Pure figures of "High dimensions": how distances concentrate, and points on a flat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.types import FloatArray
from ui.figures import BEFORE, DOTTED, NOW, PALETTE, PUSH, _figure, short

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


def flat_map(
    xy: FloatArray,
    texts: Sequence[str],
    *,
    groups: Sequence[str] = (),
    trust: FloatArray | None = None,
    chosen: int | None = None,
    ringed: Sequence[int] = (),
) -> go.Figure:
    """Points on a plane without axes, coloured by group or by trust; the chosen one joined to the ringed."""
    import plotly.graph_objects as go

    figure = _figure(330, showlegend=False, hovermode="closest")
    names = [short(t, 70) for t in texts]
    if chosen is not None:
        for row in ringed:
            x, y = xy[[chosen, row]].T.tolist()
            line = {"color": BEFORE, "width": 1}
            figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip"))
    marker: dict[str, object] = {"size": 8}
    symbols = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star", "pentagon")
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
