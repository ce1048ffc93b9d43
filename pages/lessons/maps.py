"""Several flat maps side by side: other seeds, other layouts, random vectors beside the sentences."""

from __future__ import annotations

import streamlit as st

from core.lessons import evidence
from core.lessons.preparation import Prepared
from core.lessons.types import Projection
from ui import kit
from ui.charts import chart
from ui.figures.maps import SYMBOLS, flat_map
from ui.messages import as_written
from ui.tables import folded_table

BESIDE = 2  # maps in a row
HEIGHT = 280
LAYOUTS = {"equilibrium": "Neighbour map", "umap": "UMAP", "pca": "PCA"}


def caption(projection: Projection, seed: int) -> str:
    """How a map was made, in a few words; PCA knows neither neighbours nor seed."""
    made = "" if projection.layout == "pca" else f", {projection.neighbours} neighbours, seed {seed}"
    of = "random vectors" if projection.of == "random" else "the sentences"
    return f"{LAYOUTS[projection.layout]} of {of}{made}"


def beside(projections: tuple[Projection, ...], prepared: Prepared, seed: int, key: str) -> None:
    """Each map with how it was made; colours and shapes are the groups, and the pointer reads a point."""
    drawn, _ = evidence.project(projections, evidence.base(prepared, kit.ask), seed, kit.ask)
    texts, groups = prepared.sentences.texts, [g or "" for g in prepared.sentences.groups]
    for first in range(0, len(drawn), BESIDE):
        row = zip(st.columns(BESIDE), projections[first : first + BESIDE], drawn[first : first + BESIDE])
        for i, (column, projection, xy) in enumerate(row, start=first + 1):
            said = caption(projection, seed + projection.seed)
            random = projection.of == "random"
            names = [f"random vector {n}" for n in range(1, len(xy) + 1)] if random else texts
            with column:
                st.caption(f"Map {i}: {said}")
                figure = flat_map(xy, names, groups=() if random else groups, height=HEIGHT)
                chart(figure, f"{key} map {i}", f"A flat map. {said}.")
    kinds = zip(dict.fromkeys(prepared.sentences.groups), SYMBOLS.values())
    st.caption(
        as_written("Groups: " + ", ".join(f"{symbol}: {group}" for group, symbol in kinds if group) + ".")
    )
    columns = {"sentence": list(texts), "group": groups}
    folded_table(columns, key=f"{key} sentences", name="lesson-sentences", title="The sentences")
