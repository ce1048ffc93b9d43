"""The side panel of a page: two or three of its flashcards, flippable in place."""

from __future__ import annotations

import random
from collections.abc import Sequence

import streamlit as st

from core.cards import built_in
from core.cards.types import Card
from ui import learner
from ui.cards import display
from ui.messages import as_written

CARDS_SHOWN = 3


def of_page(path: str) -> None:
    """Cards of the page with this URL path; nothing where no deck has any."""
    panel("Cards of this page", built_in.cards_for_page(path, CARDS_SHOWN), path)


def panel(title: str, cards: Sequence[Card], where: str) -> None:
    """Some cards under a title; nothing without cards. `where` tells panels apart."""
    if not cards:
        return
    st.markdown(f"**{title}**")
    for card in cards:
        flippable(card, key=f"panel {where} {card.id}")
    learner.study_link("Study these and more")


def of_deck(key: str, seed: str) -> tuple[Card, ...]:
    """A few cards of one deck, the same ones for the same seed; none of a deck that is not there."""
    cards = next((deck.cards for deck in built_in.load_decks() if deck.key == key), ())
    return tuple(random.Random(f"{key}:{seed}").sample(cards, min(CARDS_SHOWN, len(cards))))


def flippable(card: Card, key: str) -> None:
    """A card whose answer unfolds in place."""
    with st.container(border=True):
        st.markdown(f"**{as_written(card.question)}**")
        with st.expander("Show the answer"):
            display.answer(card)
        if "?" in card.live:  # without settings it would only open the page the reader is on
            display.live_link(card, key=f"{key} live")
