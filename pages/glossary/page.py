"""Glossary: every term in one sentence, and a map of how the concepts hang together."""

from __future__ import annotations

import streamlit as st

from pages.glossary import views
from ui import kit

kit.opening(
    "glossary",
    "Every term of this app in one sentence, with its formula, where to see it at work, its cards and "
    "where it comes from.",
)
found = views.glossary()
views.open_link(found)
main, side = kit.side_by_side()
with side:
    views.cards(found)
with main:
    whole = views.around_one_term(found)
if whole:
    views.all_terms(found)
st.space("small")
views.entries(found, views.search(found))
