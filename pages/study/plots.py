"""Pure figures of the study page: what comes back when, how much was remembered, what would be forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ui.figures import BEFORE, DOTTED, NOW, _figure

if TYPE_CHECKING:
    import plotly.graph_objects as go


def forecast(days: Sequence[tuple[date, int]]) -> go.Figure:
    """Cards due on each day to come; the first bar holds what is overdue as well."""
    import plotly.graph_objects as go

    figure = _figure(220, showlegend=False)
    figure.add_trace(
        go.Bar(
            x=[day for day, _ in days],
            y=[count for _, count in days],
            marker_color=NOW,
            hovertemplate="%{y} due<extra></extra>",
        )
    )
    figure.update_yaxes(title="cards due", rangemode="tozero", nticks=5, tickformat="d")
    figure.update_xaxes(tickformat="%d %b", nticks=8)
    return figure


def predictions(weeks: Mapping[date, Sequence[bool]]) -> go.Figure:
    """How many predictions of each week agreed with what was measured, and how many did not."""
    import plotly.graph_objects as go

    figure = _figure(220, barmode="stack")
    for name, colour, wanted in (("agreed", NOW, True), ("came out differently", BEFORE, False)):
        counts = [sum(right == wanted for right in found) for found in weeks.values()]
        figure.add_trace(go.Bar(x=list(weeks), y=counts, name=name, marker_color=colour))
    figure.update_yaxes(title="predictions", rangemode="tozero", nticks=5, tickformat="d")
    figure.update_xaxes(title="week from", tickformat="%d %b", nticks=8)
    return figure


def retention(weeks: Sequence[tuple[date, float | None]], wanted: float) -> go.Figure:
    """Share of reviews remembered in each week, with the share that FSRS aims at."""
    import plotly.graph_objects as go

    figure = _figure(220, showlegend=False)
    figure.add_trace(
        go.Scatter(
            x=[day for day, _ in weeks],
            y=[None if share is None else 100 * share for _, share in weeks],
            mode="lines+markers",
            line={"color": NOW, "width": 2},
            connectgaps=True,
            hovertemplate="%{y:.0f}% remembered<extra></extra>",
        )
    )
    _wanted(figure, wanted)
    figure.update_xaxes(title="week from", tickformat="%d %b", nticks=8)
    return figure


def forgetting(days: Sequence[int], shares: Sequence[float], wanted: float) -> go.Figure:
    """Expected share of the learned cards still remembered after so many days without a review."""
    import plotly.graph_objects as go

    figure = _figure(220, showlegend=False)
    figure.add_trace(
        go.Scatter(
            x=list(days),
            y=[100 * share for share in shares],
            mode="lines",
            line={"color": NOW, "width": 2},
            hovertemplate="%{y:.0f}% after %{x} days<extra></extra>",
        )
    )
    _wanted(figure, wanted)
    figure.update_xaxes(title="days without a review")
    return figure


def _wanted(figure: go.Figure, wanted: float) -> None:
    figure.add_hline(
        y=100 * wanted,
        line=DOTTED,
        annotation={"text": f"aim {100 * wanted:.0f}%", "font": {"color": BEFORE}},
    )
    figure.update_yaxes(title="remembered, %", range=[0, 103], nticks=6)
