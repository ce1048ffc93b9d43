"""The side panel of a page: two or three of its flashcards, flippable in place."""

from __future__ import annotations

import streamlit as st

from core.cards import shipped
from ui import pages

CARDS_SHOWN = 3


def show(path: str) -> None:
    """Cards of the page with this URL path; nothing where no deck has any."""
    cards = shipped.cards_for_page(path, CARDS_SHOWN)
    if not cards:
        return
    st.markdown("**Cards of this page**")
    for card in cards:
        with st.container(border=True):
            st.markdown(card.question)
            with st.expander("Show the answer"):
                st.markdown(card.answer)
                if card.wrong:
                    st.caption(card.wrong)
    study = next(p for p in pages.PAGES if p.url_path == "study")
    pages.link(study, "Study these and more")
