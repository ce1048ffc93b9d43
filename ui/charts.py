"""Plotly figures on a page: without a toolbar, read out as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLAIN = {"displayModeBar": False}


def chart(figure: go.Figure, key: str, says: str, **more: Any) -> None:
    """A figure; `says` is read out instead of the picture."""
    st.plotly_chart(figure, key=key, alt=says, **{"config": PLAIN} | more)
