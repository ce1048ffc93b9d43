"""Pure figures of the pages about SBERT's objective and about fine-tuning gone wrong.

Blue is what was trained now, grey is before training or for reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.types import FloatArray
from ui.figures import BEFORE, DIVERGING, DOTTED, NOW, PALETTE, PUSH, _figure, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

CLASS_COLOURS = (PALETTE[0], PALETTE[1], PALETTE[5])  # entailment, neutral, contradiction


def _rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Name the rows 0, 1, ..., the first on top."""
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5],
        tickvals=list(range(len(names))),
        ticktext=list(names),
        showgrid=False,
        zeroline=False,
    )


def _stroke(figure: go.Figure, x: float, row: int, colour: str) -> None:
    """An upright stroke across a row, for a mean."""
    line = {"color": colour, "width": 3}
    figure.add_shape(type="line", x0=x, x1=x, y0=row - 0.32, y1=row + 0.32, line=line)


def parts(rows: Mapping[str, FloatArray]) -> go.Figure:
    """Vectors (d,) as strips under each other, one colour scale for all."""
    import plotly.graph_objects as go

    names, z = list(rows), np.stack(list(rows.values()))
    reach = float(np.percentile(np.abs(z), 99)) or 1.0
    figure = _figure(70 + 44 * len(names), hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=z,
            zmin=-reach,
            zmax=reach,
            colorscale=[list(stop) for stop in DIVERGING],
            colorbar={"thickness": 10, "outlinewidth": 0},
            ygap=4,
            hovertemplate="number %{x}: %{z:.3f}<extra></extra>",
        )
    )
    _rows(figure, names)
    figure.update_xaxes(title="number of the vector", showgrid=False, zeroline=False)
    return figure


def by_class(
    values: FloatArray, labels: Sequence[int], names: Sequence[str], texts: Sequence[str]
) -> go.Figure:
    """One dot a pair on a cosine axis, a row for each class, with the mean as an upright stroke."""
    import plotly.graph_objects as go

    figure = _figure(60 + 60 * len(names), hovermode="closest", showlegend=False)
    label = np.asarray(labels)
    for i, name in enumerate(names):
        rows = np.flatnonzero(label == i)
        if not len(rows):
            continue
        spread = (np.arange(len(rows)) % 5 - 2) * 0.07
        figure.add_trace(
            go.Scatter(
                x=values[rows],
                y=i + spread,
                mode="markers",
                marker={"size": 8, "color": CLASS_COLOURS[i], "opacity": 0.7},
                customdata=[short(texts[r], 90) for r in rows.tolist()],
                hovertemplate="%{customdata}<br>cosine %{x:.3f}<extra>" + name + "</extra>",
            )
        )
        mean = float(values[rows].mean())
        _stroke(figure, mean, i, CLASS_COLOURS[i])
    _rows(figure, names)
    figure.update_xaxes(title="cosine of premise and hypothesis")
    return figure


def compared(
    before: Mapping[str, float | None],
    after: Mapping[str, Sequence[float]],
    *,
    x_title: str,
    before_name: str,
    lowest: float,
    reference: float | None = None,
) -> go.Figure:
    """A row for each choice: a grey ring before training, a blue dot for each seed, a stroke at their mean.

    The axis runs from 0 to 1, and further down to `lowest` where a value is below 0. `reference` draws an
    upright dotted line, chance for example.
    """
    import plotly.graph_objects as go

    names = list(after)
    figure = _figure(80 + 40 * len(names), hovermode="closest")
    place = {name: i for i, name in enumerate(names)}
    known = [n for n in names if before.get(n) is not None]
    figure.add_trace(
        go.Scatter(
            x=[before[n] for n in known],
            y=[place[n] for n in known],
            mode="markers",
            name=before_name,
            marker={"size": 12, "color": BEFORE, "symbol": "circle-open", "line": {"width": 2}},
            hovertemplate="%{x:.3f}<extra>" + before_name + "</extra>",
        )
    )
    dots = [(value, place[n]) for n in names for value in after.get(n, ())]
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in dots],
            y=[y for _, y in dots],
            mode="markers",
            name="after training, one dot a seed",
            marker={"size": 11, "color": NOW, "opacity": 0.75},
            hovertemplate="%{x:.3f}<extra>after training</extra>",
        )
    )
    for name in names:
        if after.get(name):
            mean = float(np.mean(after[name]))
            _stroke(figure, mean, place[name], NOW)
    if reference is not None:
        figure.add_vline(x=reference, line=DOTTED)
    _rows(figure, names)
    shown = [v for v in (*before.values(), *(x for x, _ in dots)) if v is not None]
    figure.update_xaxes(title=x_title, range=[lowest if min(shown, default=0.0) < 0 else -0.02, 1.02])
    figure.update_layout(showlegend=True)
    return figure


def chances(names: Sequence[str], values: FloatArray) -> go.Figure:
    """The classifier's answer: a bar a class, together 1."""
    import plotly.graph_objects as go

    figure = _figure(60 + 32 * len(names), hovermode="closest", showlegend=False)
    figure.add_trace(
        go.Bar(
            x=values,
            y=list(range(len(names))),
            orientation="h",
            marker_color=list(CLASS_COLOURS),
            customdata=list(names),
            hovertemplate="%{customdata}: %{x:.1%}<extra></extra>",
        )
    )
    _rows(figure, names)
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    return figure


def two_runs(
    lines: Mapping[str, tuple[Sequence[int], Sequence[float | None]]],
    *,
    y_title: str,
    last_step: int,
) -> go.Figure:
    """One reading over the steps of the broken run (vermillion, solid) and the sound one (blue, dashed)."""
    import plotly.graph_objects as go

    figure = _figure(250)
    for (name, (steps, values)), colour, dash in zip(lines.items(), (PUSH, NOW), ("solid", "dash")):
        figure.add_trace(
            go.Scatter(
                x=list(steps),
                y=list(values),
                name=name,
                mode="lines+markers",
                line={"color": colour, "width": 2, "dash": dash},
                marker={"size": 5},
                hovertemplate="%{y:.3f}",
            )
        )
    figure.update_xaxes(title="step", range=[0, last_step], rangemode="tozero")
    figure.update_yaxes(title=y_title, nticks=6)
    return figure
