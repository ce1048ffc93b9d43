"""Pure figures of the pages about the cross-encoder: places, attention, words, costs, learning.

Blue is the bi-encoder and orange the cross-encoder wherever both are drawn; line style and marker differ too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.types import FloatArray, IntArray
from ui.figures import BEFORE, NOW, PUSH, _figure, name_columns, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from core.retrieval.costs import CostCurve, PublishedCost, Timings
    from core.training.race import Evaluation

BI, CROSS = NOW, "#E69F00"
ATTENTION = ((0.0, "rgba(0,114,178,0.04)"), (1.0, NOW))  # readable on light and on dark
WORDS_LABELLED = 48


def ranks(names: Sequence[str], bi: IntArray, cross: IntArray) -> go.Figure:
    """One line a candidate from its place under the bi-encoder to its place under the cross-encoder."""
    import plotly.graph_objects as go

    n = len(names)
    figure = _figure(90 + 30 * n, showlegend=False, hovermode="closest")
    for name, a, b in zip(names, bi.tolist(), cross.tolist()):
        moved = a != b
        figure.add_trace(
            go.Scatter(
                x=[0, 1],
                y=[a, b],
                mode="lines+markers+text",
                text=[None, short(name, 44)],
                textposition="middle right",
                line={"color": CROSS if moved else BEFORE, "width": 3 if moved else 1.5},
                marker={"size": 8, "color": [BI, CROSS] if moved else BEFORE},
                customdata=[short(name, 80)] * 2,
                hovertemplate="%{customdata}" + f"<br>bi-encoder: {a}, cross-encoder: {b}<extra></extra>",
                cliponaxis=False,
            )
        )
    figure.update_yaxes(autorange="reversed", tickvals=list(range(1, n + 1)), title="place", showgrid=False)
    figure.update_xaxes(tickvals=[0, 1], ticktext=["cosine", "cross"], range=[-0.15, 3.2], side="top")
    figure.update_xaxes(showgrid=False, zeroline=False)
    return figure


def sigmoid(logits: FloatArray, names: Sequence[str]) -> go.Figure:
    """The curve from logit to score, with the given pairs on it."""
    import plotly.graph_objects as go

    widest = max(6.0, float(np.abs(logits).max(initial=0.0)) + 1.0)
    x = np.linspace(-widest, widest, 121)
    figure = _figure(300, showlegend=False, hovermode="closest")
    figure.add_trace(
        go.Scatter(x=x, y=1 / (1 + np.exp(-x)), mode="lines", line={"color": BEFORE}, hoverinfo="skip")
    )
    figure.add_trace(
        go.Scatter(
            x=logits.tolist(),
            y=(1 / (1 + np.exp(-logits.astype(float)))).tolist(),
            mode="markers",
            marker={"size": 10, "color": CROSS, "line": {"width": 1, "color": BEFORE}},
            customdata=[short(name, 80) for name in names],
            hovertemplate="%{customdata}<br>logit %{x:.2f}, score %{y:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="logit")
    figure.update_yaxes(title="score", range=[-0.03, 1.03])
    return figure


def attention(weights: FloatArray, looking: Sequence[str], looked_at: Sequence[str]) -> go.Figure:
    """A heat map (rows, columns): the token of the row looks at the token of the column."""
    import plotly.graph_objects as go

    rows, columns = weights.shape
    figure = _figure(140 + 26 * min(rows, 34), hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=weights,
            x=list(range(columns)),
            y=list(range(rows)),
            zmin=0.0,
            colorscale=[list(stop) for stop in ATTENTION],
            colorbar={"title": {"text": "weight", "side": "right"}, "thickness": 10, "outlinewidth": 0},
            xgap=1,
            ygap=1,
            customdata=[[(short(a), short(b)) for b in looked_at] for a in looking],
            hovertemplate="%{customdata[0]} looks at %{customdata[1]}<br>weight %{z:.3f}<extra></extra>",
        )
    )
    for update, names, title in (
        (figure.update_xaxes, looked_at, "looked at"),
        (figure.update_yaxes, looking, "looking"),
    ):
        few = len(names) <= WORDS_LABELLED
        ticks = {"tickvals": list(range(len(names))), "ticktext": [short(name, 16) for name in names]}
        update(title=title, showgrid=False, zeroline=False, **(ticks if few else {"showticklabels": False}))
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(side="top", tickangle=-45)
    return figure


def word_bars(words: Sequence[str], segments: Sequence[int], drops: FloatArray, title: str) -> go.Figure:
    """One bar a word: blue to the right raised the value, vermillion to the left lowered it."""
    import plotly.graph_objects as go

    figure = _figure(80 + 24 * len(words), hovermode="closest", showlegend=False)
    names = [f"{'AB'[segment]} · {short(word, 24)}" for word, segment in zip(words, segments)]
    figure.add_trace(
        go.Bar(
            x=drops.tolist(),
            y=list(range(len(words))),
            orientation="h",
            marker_color=[NOW if value >= 0 else PUSH for value in drops],
            customdata=names,
            hovertemplate="%{customdata}<br>%{x:+.3f}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", tickvals=list(range(len(words))), ticktext=names)
    figure.update_xaxes(title=title, zeroline=True)
    return figure


def costs(curve: CostCurve, published: PublishedCost, largest: int) -> go.Figure:
    """Seconds against the number of sentences, both axes logarithmic: measured solid, projected dashed."""
    import plotly.graph_objects as go

    figure = _figure(430, hovermode="closest")
    sides = (
        ("bi-encoder", BI, "circle", curve.bi, curve.bi_seconds),
        ("cross-encoder", CROSS, "square", curve.cross, curve.cross_seconds),
    )
    for name, colour, symbol, measured, project in sides:
        found: Timings = measured
        figure.add_trace(
            go.Scatter(
                x=list(found.texts),
                y=list(found.seconds),
                name=f"{name}, measured",
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"symbol": symbol, "size": 7},
                hovertemplate="%{x} sentences<br>%{y:.3g} s measured<extra></extra>",
            )
        )
        start = found.texts[-1]
        if start < largest:
            n: list[int] = np.unique(np.geomspace(start, largest, 30).round().astype(int)).tolist()
            figure.add_trace(
                go.Scatter(
                    x=n,
                    y=[found.seconds[-1], *(project(v) for v in n[1:])],
                    name=f"{name}, projected",
                    mode="lines",
                    line={"color": colour, "width": 2, "dash": "dash"},
                    hovertemplate="%{x} sentences<br>%{y:.3g} s projected<extra></extra>",
                )
            )
    for name, seconds, symbol in (
        ("published: cross", published.cross_seconds, "square-open"),
        ("published: bi", published.bi_seconds, "circle-open"),
    ):
        figure.add_trace(
            go.Scatter(
                x=[2, published.texts],
                y=[seconds, seconds],
                name=name,
                mode="lines+markers",
                line={"color": BEFORE, "width": 1.5, "dash": "dot"},
                marker={"symbol": symbol, "size": [0, 10]},
                hovertemplate=f"{published.source}<br>%{{y:,.0f}} s for {published.texts:,}<extra></extra>",
            )
        )
    figure.update_xaxes(type="log", title="sentences", tickvals=[2, 10, 100, 1000, 10_000])
    times = {"1 ms": 1e-3, "10 ms": 1e-2, "0.1 s": 0.1, "1 s": 1, "10 s": 10, "2 min": 120, "1 h": 3600}
    times |= {"1 day": 86_400, "10 days": 864_000}
    figure.update_yaxes(type="log", tickvals=list(times.values()), ticktext=list(times))
    return figure


def race(bi: Sequence[Evaluation], cross: Sequence[Evaluation], measure: str, against: str) -> go.Figure:
    """Held-out accuracy or AUC of both against seconds of training or steps."""
    import plotly.graph_objects as go

    figure = _figure(320, hovermode="closest")
    for name, laps, colour, symbol, dash in (
        ("bi-encoder", bi, BI, "circle", "solid"),
        ("cross-encoder", cross, CROSS, "square", "dash"),
    ):
        figure.add_trace(
            go.Scatter(
                x=[getattr(lap, against) for lap in laps],
                y=[getattr(lap, measure) for lap in laps],
                name=name,
                mode="lines+markers",
                line={"color": colour, "width": 2, "dash": dash},
                marker={"symbol": symbol, "size": 7},
                customdata=[lap.step for lap in laps],
                hovertemplate=f"{name}, step %{{customdata}}<br>%{{x:.1f}}: %{{y:.3f}}<extra></extra>",
            )
        )
    figure.update_xaxes(title="seconds of training" if against == "seconds" else "step", rangemode="tozero")
    label = "held-out accuracy" if measure == "accuracy" else "held-out AUC"
    figure.update_yaxes(title=label, range=[0.0, 1.02])
    return figure


def quality(names: Sequence[str], values: Mapping[str, Sequence[float]]) -> go.Figure:
    """Grouped bars: one group a measure, one bar a way of searching."""
    import plotly.graph_objects as go

    figure = _figure(280, barmode="group", hovermode="closest")
    for (name, column), colour, pattern in zip(values.items(), (BEFORE, BI, CROSS), ("", "", "/")):
        figure.add_trace(
            go.Bar(
                x=list(range(len(names))),
                y=list(column),
                name=name,
                marker={"color": colour, "pattern": {"shape": pattern}},
                text=[f"{value:.2f}" for value in column],
                textposition="outside",
                cliponaxis=False,
                customdata=list(names),
                hovertemplate=f"{name}<br>%{{customdata}} %{{y:.3f}}<extra></extra>",
            )
        )
    name_columns(figure, names)
    figure.update_yaxes(range=[0, 1.1], tickvals=[0, 0.5, 1])
    return figure
