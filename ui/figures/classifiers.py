"""Figures of the classification and contrast pages: pure functions from plain values to Plotly figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.concepts.classification import CurvePoint
from core.types import FloatArray, IntArray
from ui.figures import BEFORE, DOTTED, NOW, PALETTE, _figure, name_columns, short

if TYPE_CHECKING:
    import plotly.graph_objects as go


def learning_curves(curves: Mapping[str, Sequence[CurvePoint]], chance: float) -> go.Figure:
    """Mean accuracy by labelled sentences a class; bars reach from the worst to the best draw."""
    import plotly.graph_objects as go

    figure = _figure(320)
    for (name, points), colour, dash in zip(curves.items(), PALETTE, ("solid", "dash", "dot")):
        mean = [p.mean for p in points]
        figure.add_trace(
            go.Scatter(
                x=[p.per_class for p in points],
                y=mean,
                name=name,
                mode="lines+markers",
                line={"color": colour, "width": 2, "dash": dash},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [p.high - p.mean for p in points],
                    "arrayminus": [p.mean - p.low for p in points],
                    "thickness": 1.2,
                    "width": 4,
                },
                hovertemplate="%{y:.2f}",
            )
        )
    figure.add_hline(chance, line=DOTTED, annotation_text="chance", annotation_position="bottom left")
    sizes = sorted({p.per_class for points in curves.values() for p in points})
    figure.update_xaxes(title="labelled sentences per class", type="log", tickvals=sizes, ticktext=sizes)
    figure.update_yaxes(title="accuracy on test sentences", range=[0, 1.04])
    return figure


def confusion(table: IntArray, classes: Sequence[str]) -> go.Figure:
    """True classes in rows, what they were taken for in columns; the counts stand in the cells."""
    import plotly.graph_objects as go

    names = [short(c, 24) for c in classes]
    n = len(names)
    figure = _figure(130 + 34 * n, hovermode="closest")
    share = table / table.sum(axis=1, keepdims=True).clip(1)
    figure.add_trace(
        go.Heatmap(
            z=share,
            x=list(range(n)),
            y=list(range(n)),
            zmin=0,
            zmax=1,
            colorscale=[[0, "rgba(0,114,178,0)"], [1, NOW]],
            customdata=[[(a, b, int(count)) for b, count in zip(names, row)] for a, row in zip(names, table)],
            hovertemplate="is %{customdata[0]}<br>taken for %{customdata[1]}<br>%{customdata[2]}"
            "<extra></extra>",
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    for i in range(n):
        for j in range(n):  # on strong blue white can be read, else the theme's own colour
            font = {"color": "white"} if share[i, j] > 0.5 else {}
            figure.add_annotation(x=j, y=i, text=str(int(table[i, j])), showarrow=False, font=font)
    figure.update_xaxes(
        title="taken for",
        tickvals=list(range(n)),
        ticktext=names,
        showgrid=False,
        zeroline=False,
        tickangle=0 if n < 4 else -50,  # slanted to the left they stay within the figure
    )
    figure.update_yaxes(
        title="is",
        tickvals=list(range(n)),
        ticktext=names,
        showgrid=False,
        zeroline=False,
        autorange="reversed",
    )
    return figure


def pairs_of_bars(
    names: Sequence[str],
    values: Mapping[str, Sequence[float] | FloatArray],
    *,
    y_title: str,
    colours: tuple[str, ...] = (BEFORE, NOW),
    height: int = 280,
) -> go.Figure:
    """For every name one bar a series, by default grey first, blue second."""
    import plotly.graph_objects as go

    figure = _figure(height, barmode="group", hovermode="closest")
    for (series, numbers), colour in zip(values.items(), colours):
        figure.add_trace(
            go.Bar(
                x=list(range(len(names))),
                y=list(numbers),
                name=series,
                marker_color=colour,
                text=[f"{v:.2f}" for v in numbers],
                textposition="outside",
                cliponaxis=False,
                customdata=[short(n) for n in names],
                hovertemplate="%{customdata}<br>%{y:.3f}",
            )
        )
    name_columns(figure, [short(n) for n in names])
    figure.update_yaxes(title=y_title, range=[0, 1.1])
    return figure
