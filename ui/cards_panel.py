"""The side panel of a page: two or three of its flashcards, flippable in place."""

from __future__ import annotations

import streamlit as st

from core.cards import shipped
from core.cards.types import Card
from ui import card_text, learner

CARDS_SHOWN = 3


def show(path: str) -> None:
    """Cards of the page with this URL path; nothing where no deck has any."""
    cards = shipped.cards_for_page(path, CARDS_SHOWN)
    if not cards:
        return
    st.markdown("**Cards of this page**")
    for card in cards:
        flippable(card, key=f"panel {path} {card.id}")
    learner.study_link("Study these and more")


def flippable(card: Card, key: str) -> None:
    """A card whose answer unfolds in place."""
    with st.container(border=True):
        st.markdown(f"**{card_text.plain(card.question)}**")
        with st.expander("Show the answer"):
            card_text.answer(card)
        if "?" in card.live:  # without settings it would only open the page the reader is on
            card_text.live_link(card, key=f"{key} live")
