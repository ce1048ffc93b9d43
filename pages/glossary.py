"""Glossary: every term in one sentence, and a map of how the concepts hang together."""

from __future__ import annotations

import streamlit as st

from ui import glossary, kit

kit.opening(
    "glossary",
    "Every term of this app in one sentence, with its formula, where to see it at work, its cards and "
    "where it comes from.",
)
found = glossary.glossary()
glossary.open_link(found)
main, side = kit.side_by_side()
with side:
    glossary.cards(found)
with main:
    whole = glossary.around_one_term(found)
if whole:
    glossary.all_terms(found)
st.space("small")
glossary.entries(found, glossary.search(found))
