"""The map of concepts as a Plotly figure: terms as named points, relations as lines. No Streamlit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.glossary import ConceptMap
from ui.figures import BEFORE, NOW, _figure, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

LINE = "rgba(138,143,152,0.35)"


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
                x += [place[a][0], place[b][0], None]
                y += [place[a][1], place[b][1], None]
        figure.add_trace(
            go.Scatter(x=x, y=y, mode="lines", line={"color": colour, "width": width}, hoverinfo="skip")
        )
    figure.add_trace(
        go.Scatter(
            x=[xy[0] for xy in found.places],
            y=[xy[1] for xy in found.places],
            mode="markers+text",
            text=[short(term.name) for term in found.terms],
            textposition=["middle right" if themes else _beside(*xy) for xy in found.places],
            textfont={"size": 11 if themes else 13},
            marker={
                "size": [14 if term.key == chosen else 9 for term in found.terms],
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


def _beside(x: float, y: float) -> str:
    """Where the name of a point of the ring has room."""
    if abs(x) < 0.2:
        return "bottom center" if y <= 0 else "top center"
    return "top center" if y > 0.1 else "bottom center"
