"""Pure functions from data to Plotly figures. No Streamlit here, so a notebook can use them too.

Colours carry the same meaning everywhere: blue is now, ours, pulling together; vermillion pushes apart;
grey is before or for reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.text import isolated
from core.types import FloatArray, IntArray

if TYPE_CHECKING:
    import plotly.graph_objects as go

NOW, PUSH, BEFORE = "#0072B2", "#D55E00", "#8A8F98"
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F")
DOTTED = {"color": BEFORE, "width": 1, "dash": "dot"}  # a line for reference
DIVERGING = ((0.0, PUSH), (0.5, "#F4F4F2"), (1.0, NOW))
SHORT = 32  # characters of a sentence on an axis


def short(text: str, limit: int = SHORT) -> str:
    """The beginning of a sentence, safe for Plotly, which reads a little HTML in its labels."""
    cut = text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
    return isolated(cut).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _figure(height: int, **layout: object) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        dragmode=False,
    )
    figure.update_layout(**layout)
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def name_columns(figure: go.Figure, names: Sequence[str]) -> None:
    """Name the places 0, 1, ... of the horizontal axis. Names that stand there themselves would be taken for
    numbers or dates where they look like some, and equal ones for one."""
    places = list(range(len(names)))
    figure.update_xaxes(tickvals=places, ticktext=list(names), range=[-0.5, len(names) - 0.5])


def curve(
    steps: Sequence[int],
    lines: Mapping[str, Sequence[float | None]],
    *,
    x_title: str = "step",
    y_range: tuple[float, float] | None = None,
    last_step: int | None = None,
    marker: int | None = None,
    height: int = 200,
) -> go.Figure:
    """One line per name over the training steps; `marker` draws an upright line at a step."""
    import plotly.graph_objects as go

    figure = _figure(height, showlegend=len(lines) > 1)
    few = len(steps) < 3
    for (name, values), colour, dash in zip(lines.items(), PALETTE, ("solid", "dash", "dot", "dashdot")):
        figure.add_trace(
            go.Scatter(
                x=list(steps),
                y=[None if v is None or not np.isfinite(v) else v for v in values],
                name=name,
                mode="lines+markers" if few else "lines",
                line={"color": colour, "width": 2, "dash": dash},
                hovertemplate="%{y:.3f}",
            )
        )
    figure.update_xaxes(title=x_title, range=[0, last_step] if last_step else None, rangemode="tozero")
    figure.update_yaxes(range=list(y_range) if y_range else None, nticks=5)
    if marker is not None:
        figure.add_vline(x=marker, line=DOTTED)
    return figure


def matrix(
    values: FloatArray,
    texts: Sequence[str],
    *,
    low: float = -1.0,
    high: float = 1.0,
    title: str = "cosine",
    height: int = 520,
) -> go.Figure:
    """A square heat map (n, n). Colours diverge around 0: blue positive, vermillion negative."""
    import plotly.graph_objects as go

    n = len(texts)
    names = [short(t) for t in texts]
    figure = _figure(height, hovermode="closest")
    figure.add_trace(
        go.Heatmap(
            z=values,
            x=list(range(n)),
            y=list(range(n)),
            zmin=low,
            zmax=high,
            zmid=0.0 if low < 0 < high else None,
            colorscale=[list(stop) for stop in DIVERGING],
            colorbar={"title": {"text": title, "side": "right"}, "thickness": 10, "outlinewidth": 0},
            customdata=[[(a, b) for b in names] for a in names],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>" + title + " %{z:.3f}<extra></extra>",
        )
    )
    ticks = (
        {"tickvals": list(range(n)), "ticktext": names, "tickfont": {"size": 10}}
        if n <= 40
        else {"showticklabels": False}
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, **ticks)
    figure.update_xaxes(showgrid=False, zeroline=False, showticklabels=False)
    return figure


def bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    x_title: str,
    height: int | None = None,
    ticks: Sequence[str] | None = None,
) -> go.Figure:
    """Horizontal bars from zero: blue to the left pulls (negative), vermillion to the right pushes.

    `ticks` stand beside the bars; without them the beginnings of the names do.
    """
    import plotly.graph_objects as go

    figure = _figure(height or 60 + 24 * len(names), hovermode="closest")
    figure.add_trace(
        go.Bar(
            x=list(values),
            y=list(range(len(names))),
            orientation="h",
            marker_color=[NOW if v < 0 else PUSH for v in values],
            customdata=[short(n, 160) for n in names],
            hovertemplate="%{customdata}<br>%{x:.4f}<extra></extra>",
        )
    )
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(names))),
        ticktext=list(ticks) if ticks is not None else [short(n, 44) for n in names],
    )
    figure.update_xaxes(title=x_title, zeroline=True)
    return figure


def histogram(bins: Bins, *, x_title: str, height: int = 240) -> go.Figure:
    """Overlaid histograms of the named samples."""
    import plotly.graph_objects as go

    figure = _figure(height, barmode="overlay")
    x = ((bins.edges[:-1] + bins.edges[1:]) / 2).tolist()
    width = np.diff(bins.edges).tolist()
    for (name, found), colour in zip(bins.counts.items(), (BEFORE, NOW, PALETTE[1], PALETTE[2])):
        more = {"name": name, "marker_color": colour, "opacity": 0.6}
        figure.add_trace(go.Bar(x=x, y=found.tolist(), width=width, **more))
    figure.update_xaxes(title=x_title, hoverformat=".3f")
    figure.update_yaxes(title="pairs", nticks=4)
    return figure


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Edges (bins + 1,) that all samples share, and how many values of each sample fall between two."""

    edges: FloatArray
    counts: Mapping[str, IntArray]

    def columns(self, what: str) -> dict[str, Any]:
        """The numbers of `histogram` as a table's columns."""
        between = {f"{what}, from": self.edges[:-1], "to": self.edges[1:]}
        return between | {f"pairs, {name}": count for name, count in self.counts.items()}


def binned(samples: Mapping[str, FloatArray], bins: int = 24) -> Bins:
    """Equally wide bins over all samples."""
    every = np.concatenate([np.zeros(0), *(np.asarray(v, float).ravel() for v in samples.values())])
    low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    middle, half = (low + high) / 2, max(high - low, bins * 1e-3) / 2 * (1 + 1e-9)  # no extreme falls out
    edges: Any = np.linspace(middle - half, middle + half, bins + 1)
    return Bins(edges, {name: np.histogram(values, edges)[0] for name, values in samples.items()})
