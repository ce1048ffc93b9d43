"""Pure figures of the pages about vectors and similarity.

Blue is large or ours, grey is for reference; signed values run from vermillion over pale to blue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.types import FloatArray, IntArray
from ui.figures import BEFORE, DIVERGING, DOTTED, NOW, PUSH, _figure, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

AMOUNT = ((0.0, "rgba(0,114,178,0.05)"), (1.0, NOW))  # none to much; readable on light and on dark
STRIP_COLUMNS = 32
ROW_PIXELS = 22
MOST_TOKENS = 48  # rows with a label that can still be read
MOST_LABELLED_CELLS = 24
BAR = {"thickness": 10, "outlinewidth": 0}


def _rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Name the rows of a heat map or of bars, the first on top."""
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(names))),
        ticktext=[short(name, 18) for name in names],
        tickfont={"size": 12},
        showgrid=False,
        zeroline=False,
    )


def token_vectors(hidden: FloatArray, pieces: Sequence[str]) -> go.Figure:
    """The vectors of the tokens at one layer, a row each, (l, d)."""
    import plotly.graph_objects as go

    names = list(pieces)[:MOST_TOKENS]
    reach = float(np.percentile(np.abs(hidden), 99)) or 1.0  # a few huge values would make the rest pale
    figure = _figure(110 + ROW_PIXELS * len(names), hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=hidden[: len(names)],
            zmin=-reach,
            zmax=reach,
            colorscale=[list(stop) for stop in DIVERGING],
            colorbar={**BAR, "title": {"text": "value", "side": "right"}},
            customdata=np.repeat([[short(n)] for n in names], hidden.shape[1], axis=1),
            hovertemplate="%{customdata}, number %{x}: %{z:.3f}<extra></extra>",
        )
    )
    _rows(figure, names)
    figure.update_xaxes(title="number of the vector", showgrid=False, zeroline=False)
    return figure


def token_layers(
    values: FloatArray, pieces: Sequence[str], title: str, most: float | None = None
) -> go.Figure:
    """A cosine distance of each token (row) after each layer (column); values (L + 1, l), nan stays empty.

    The darkest colour stands for `most` and above; without it, for the largest value.
    """
    import plotly.graph_objects as go

    names = list(pieces)[:MOST_TOKENS]
    z = np.asarray(values, float).T[: len(names)]
    figure = _figure(110 + ROW_PIXELS * len(names), hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=[[None if np.isnan(v) else v for v in row] for row in z.tolist()],
            zmin=0.0,
            zmax=max(float(np.nanmax(z, initial=0.0)) if most is None else most, 0.02),
            colorscale=[list(stop) for stop in AMOUNT],
            colorbar={**BAR, "title": {"text": title, "side": "right"}},
            customdata=np.repeat([[short(n)] for n in names], z.shape[1], axis=1),
            hovertemplate="%{customdata}, layer %{x}: %{z:.4f}<extra></extra>",
            hoverongaps=False,
            xgap=1,
            ygap=1,
        )
    )
    _rows(figure, names)
    figure.update_xaxes(title="layer (0: the input)", dtick=1, showgrid=False, zeroline=False)
    return figure


def token_shares(shares: FloatArray, pieces: Sequence[str]) -> go.Figure:
    """What each token adds to the pooled vector, as bars, with the even share for reference."""
    import plotly.graph_objects as go

    names = list(pieces)[:MOST_TOKENS]
    figure = _figure(90 + ROW_PIXELS * len(names), hovermode="closest", showlegend=False)
    figure.add_trace(
        go.Bar(
            x=shares[: len(names)],
            y=list(range(len(names))),
            orientation="h",
            marker_color=NOW,
            customdata=[short(n) for n in names],
            hovertemplate="%{customdata}: %{x:.1%}<extra></extra>",
        )
    )
    figure.add_vline(x=1 / max(len(shares), 1), line=DOTTED)
    _rows(figure, names)
    figure.update_xaxes(title="share (dotted: even)", tickformat=".0%")
    return figure


def strip(vector: FloatArray, title: str = "value") -> go.Figure:
    """All numbers of one vector as a block of cells, read like text: left to right, top to bottom."""
    import plotly.graph_objects as go

    rows = -(-len(vector) // STRIP_COLUMNS)
    cells = np.full(rows * STRIP_COLUMNS, np.nan)
    cells[: len(vector)] = vector
    number = np.arange(rows * STRIP_COLUMNS).reshape(rows, STRIP_COLUMNS)
    reach = float(np.nanmax(np.abs(cells), initial=0.0)) or 1.0
    figure = _figure(60 + 18 * rows, hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=cells.reshape(rows, STRIP_COLUMNS),
            zmin=-reach,
            zmax=reach,
            colorscale=[list(stop) for stop in DIVERGING],
            colorbar={**BAR, "title": {"text": title, "side": "right"}},
            customdata=number,
            hovertemplate="number %{customdata}: %{z:.4f}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.update_yaxes(autorange="reversed", visible=False)
    figure.update_xaxes(visible=False)
    return figure


def mask(values: IntArray, pieces: Sequence[Sequence[str]], names: Sequence[str]) -> go.Figure:
    """An attention mask (n, l): blue cells are read, empty ones are padding."""
    import plotly.graph_objects as go

    few = values.shape[1] <= MOST_LABELLED_CELLS
    figure = _figure(70 + 44 * len(names), hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=values,
            zmin=0,
            zmax=1,
            colorscale=[[0.0, "rgba(138,143,152,0.18)"], [1.0, "rgba(0,114,178,0.45)"]],
            showscale=False,
            text=[[short(p, 10) for p in row] for row in pieces],
            texttemplate="%{text}" if few else None,
            textfont={"size": 11},
            hovertemplate="place %{x}: %{text}, mask %{z}<extra></extra>",
            xgap=2,
            ygap=4,
        )
    )
    _rows(figure, names)
    figure.update_xaxes(title="place in the batch", showgrid=False, zeroline=False)
    return figure


def measure_matrix(
    values: FloatArray, texts: Sequence[str], title: str, *, closer_is_low: bool, blocks: Sequence[int] = ()
) -> go.Figure:
    """A square table of comparisons (n, n), dark blue where alike; `blocks` are sizes of groups to frame."""
    import plotly.graph_objects as go

    n = len(texts)
    names = [short(t, 28) for t in texts]
    scale = [[1 - at, colour] for at, colour in reversed(AMOUNT)] if closer_is_low else [*map(list, AMOUNT)]
    signed = not closer_is_low and float(values.min(initial=0.0)) < -0.05 * float(values.max(initial=1.0))
    reach = float(np.abs(values).max(initial=0.0)) or 1.0
    figure = _figure(150 + min(ROW_PIXELS * n, 620), hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=values,
            zmin=-reach if signed else min(0.0, float(values.min(initial=0.0))),
            zmax=reach,
            colorscale=[list(stop) for stop in DIVERGING] if signed else scale,
            colorbar={**BAR, "title": {"text": title, "side": "right"}},
            customdata=[[(a, b) for b in names] for a in names],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>" + title + " %{z:.3f}<extra></extra>",
        )
    )
    edge = -0.5
    for size in blocks:
        line = {"color": BEFORE, "width": 2}
        figure.add_shape(type="rect", x0=edge, x1=edge + size, y0=edge, y1=edge + size, line=line)
        edge += size
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, tickfont={"size": 11})
    labels = {"tickvals": list(range(n)), "ticktext": names} if n <= 40 else {"showticklabels": False}
    figure.update_yaxes(**labels)
    figure.update_xaxes(showgrid=False, zeroline=False, showticklabels=False)
    return figure


def rank_lines(names: Sequence[str], ranks: dict[str, IntArray], marked: int | None) -> go.Figure:
    """One line a sentence through its places under each measure; the marked sentence is blue."""
    import plotly.graph_objects as go

    figure = _figure(110 + 28 * len(names), showlegend=False, hovermode="closest")
    x = list(range(len(ranks)))
    for i, name in enumerate(names):
        y = [int(values[i]) for values in ranks.values()]
        strong = i == marked or len(set(y)) > 1
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                mode="lines+markers+text",
                text=[*[None] * (len(x) - 1), short(name, 30)],
                textposition="middle right",
                line={"color": NOW if i == marked else BEFORE, "width": 3 if strong else 1.5},
                marker={"size": 8},
                customdata=[short(name, 70)] * len(x),
                hovertemplate="%{customdata}<br>place %{y}<extra></extra>",
                cliponaxis=False,
            )
        )
    figure.update_yaxes(autorange="reversed", tickvals=list(range(1, len(names) + 1)), title="place")
    figure.update_yaxes(showgrid=False, zeroline=False)
    figure.update_xaxes(
        tickvals=x,
        ticktext=list(ranks),
        side="top",
        range=[-0.2, len(x) + 1.1],
        showgrid=False,
        zeroline=False,
    )
    return figure


def same_or_alike(names: Sequence[str], same: FloatArray, different: FloatArray) -> go.Figure:
    """Two marks a row: the cosine with what means the same (blue disc) and what looks alike (red diamond)."""
    import plotly.graph_objects as go

    rows = list(range(len(names)))
    figure = _figure(120 + 34 * len(names), hovermode="closest")
    for row, a, b in zip(rows, same.tolist(), different.tolist()):
        line = {"color": PUSH if b >= a else BEFORE, "width": 2}
        figure.add_shape(type="line", x0=a, x1=b, y0=row, y1=row, line=line, layer="below")
    for title, values, colour, symbol in (
        ("means the same", same, NOW, "circle"),
        ("only looks alike", different, PUSH, "diamond"),
    ):
        figure.add_trace(
            go.Scatter(
                x=values.tolist(),
                y=rows,
                mode="markers",
                name=title,
                marker={"size": 12, "color": colour, "symbol": symbol},
                customdata=[short(n, 80) for n in names],
                hovertemplate="%{customdata}<br>" + title + ": %{x:.3f}<extra></extra>",
            )
        )
    figure.update_yaxes(autorange="reversed", tickvals=rows, ticktext=[short(n, 30) for n in names])
    figure.update_xaxes(title="cosine with the sentence")
    return figure


def shares_wrong(found: dict[str, dict[str, tuple[int, int]]]) -> go.Figure:
    """How often each model is wrong, kind by kind, as bars from 0 to 100%. {model: {kind: (wrong, of)}}."""
    import plotly.graph_objects as go

    names = list(next(iter(found.values())))
    figure = _figure(110 + 24 * len(names) * len(found), hovermode="closest", barmode="group")
    for (model, counts), colour in zip(found.items(), (NOW, "#E69F00")):
        figure.add_trace(
            go.Bar(
                x=[bad / count for bad, count in counts.values()],
                y=list(range(len(names))),
                orientation="h",
                name=model,
                marker_color=colour,
                text=[f"{bad} of {count}" for bad, count in counts.values()],
                textposition="auto",
                customdata=names,
                hovertemplate="%{customdata}: %{x:.0%}<extra></extra>",
            )
        )
    _rows(figure, names)
    figure.update_xaxes(title="looks alike beats means the same", tickformat=".0%", range=[0, 1])
    return figure
