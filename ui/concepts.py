"""Small things that several concept pages need: one idea at a time, a model to choose, a chart, examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import state
from ui.tables import safe_table

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLAIN = {"displayModeBar": False}


def view(options: Sequence[str], key: state.Key[str], label: str) -> str:
    """Which part of the page to show; what is not chosen is not computed."""
    chosen = st.segmented_control(
        label,
        list(options),
        default=key.default,
        required=True,
        label_visibility="collapsed",
        **state.bound(key),
    )
    return chosen if chosen in options else key.default


def model(key: state.Key[str], seed: state.Key[int]) -> tuple[str, int]:
    """A base model, and the seed of its weights where they are random."""
    from core.models import registry

    rows = registry.available()
    left, right = st.columns([0.7, 0.3], vertical_alignment="bottom")
    chosen = left.selectbox(
        "Model",
        list(rows),
        index=list(rows).index(key.default),
        format_func=lambda k: rows[k].title,
        **state.bound(key),
    )
    chosen = chosen if chosen in rows else key.default
    if not rows[chosen].random:
        return chosen, 0
    number = right.number_input("Seed of the weights", *seed.bounds, value=seed.default, **state.bound(seed))
    return chosen, int(number)


def chart(figure: go.Figure, key: str, says: str) -> None:
    """A Plotly figure without its toolbar; `says` is read out instead of the picture."""
    st.plotly_chart(figure, key=key, config=PLAIN, alt=says)


def examples(key: state.Key[str], texts: dict[str, str]) -> None:
    """Buttons that put a text into a text area."""
    with st.container(horizontal=True, gap="small"):
        for name, text in texts.items():
            st.button(name, key=f"{key.name} {name}", on_click=state.setter(key, text), type="secondary")


def twin(columns: Mapping[str, Any], *, key: str, name: str, title: str = "The same as a table") -> None:
    """The numbers of the figure above, folded away: to read, to sort, to take along."""
    with st.expander(title):
        safe_table(columns, key=key, name=name)
