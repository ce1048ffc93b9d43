"""The map of concepts as a Plotly figure: terms as named points, relations as lines. No Streamlit."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from core.concepts.glossary import ConceptMap
from ui.figures import BEFORE, NOW, _figure, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

LINE = "rgba(138,143,152,0.35)"
LINE_OF_NAME = 15  # characters
COLUMN = 24  # characters of a name that fit beside a point of the whole map
NAME = (0.55, 0.16)  # half the width and height that the name in the middle of the small map takes


def concept_map(
    found: ConceptMap, chosen: str, *, themes: tuple[str, ...] = (), height: int = 360
) -> go.Figure:
    """Points in the map's own positions; the chosen term and its relations are blue.

    With `themes`, the columns of the whole map are named above it.
    """
    import plotly.graph_objects as go

    place = {term.key: xy for term, xy in zip(found.terms, found.places)}
    figure = _figure(height, hovermode="closest", showlegend=False, dragmode="pan" if themes else False)
    for touched, colour, width in ((False, LINE, 1), (True, NOW, 2)):
        x: list[float | None] = []
        y: list[float | None] = []
        for a, b in found.edges:
            if (chosen in (a, b)) is touched:
                ends = (place[a], place[b]) if themes else _from_name(place[a], place[b])
                x += [ends[0][0], ends[1][0], None]
                y += [ends[0][1], ends[1][1], None]
        figure.add_trace(
            go.Scatter(x=x, y=y, mode="lines", line={"color": colour, "width": width}, hoverinfo="skip")
        )
    figure.add_trace(
        go.Scatter(
            x=[xy[0] for xy in found.places],
            y=[xy[1] for xy in found.places],
            mode="markers+text",
            text=[short(term.name, COLUMN) if themes else _in_lines(term.name) for term in found.terms],
            textposition=["middle right" if themes else _beside(*xy) for xy in found.places],
            textfont={"size": 11 if themes else 13},
            marker={
                # In the small map the chosen term's name itself stands in the middle.
                "size": [(14 if themes else 0) if term.key == chosen else 9 for term in found.terms],
                "color": [NOW if term.key == chosen else BEFORE for term in found.terms],
            },
            customdata=[term.key for term in found.terms],
            hovertext=[short(term.sentence, 200) for term in found.terms],
            hovertemplate="%{hovertext}<extra></extra>",
            selected={"marker": {"opacity": 1.0}},
            unselected={"marker": {"opacity": 1.0}},
            cliponaxis=False,
        )
    )
    for number, theme in enumerate(themes):
        figure.add_annotation(
            x=number, y=1.04, text=f"<b>{short(theme)}</b>", showarrow=False, xanchor="left", xshift=-6
        )
    reach = (-0.1, len(themes) - 0.1) if themes else (-1.9, 1.9)
    figure.update_xaxes(visible=False, range=list(reach), fixedrange=not themes)
    figure.update_yaxes(visible=False, range=[-0.02, 1.08] if themes else [-1.35, 1.35], fixedrange=True)
    return figure


def _from_name(a: tuple[float, float], b: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """A line's two ends, the one in the middle drawn back to where the name there ends."""
    if (0.0, 0.0) not in (a, b):
        return a, b
    x, y = b if a == (0.0, 0.0) else a
    back = 1.0 / max(((x / NAME[0]) ** 2 + (y / NAME[1]) ** 2) ** 0.5, 1.0)
    return (x * back, y * back), (x, y)


def _in_lines(name: str) -> str:
    """A name broken into short lines: on a phone, neighbours on the ring stand close."""
    return "<br>".join(short(line) for line in textwrap.wrap(name, LINE_OF_NAME))


def _beside(x: float, y: float) -> str:
    """Where the name of a point of the ring has room; the middle one stands where it is."""
    if (x, y) == (0.0, 0.0):
        return "middle center"
    return "top center" if y > 0.1 else "bottom center"
