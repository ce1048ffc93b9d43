"""The views of the study page, what stands there before a name is chosen, and who is studying."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.cards import shipped
from core.storage import Learner
from ui import card_text, cards_panel, learner, state, study, study_browse, study_decks, study_progress
from ui.shelf import Shelf

SAMPLE = "temperature"  # a word of the sample card's title

VIEWS: dict[str, Callable[[Shelf], None]] = {
    "Study": study.session,
    "Browse": study_browse.show,
    "Progress": study_progress.show,
    "Decks": study_decks.show,
}


def welcome() -> None:
    """What is there to study, with one card to try."""
    decks = shipped.load_decks()
    cards = shipped.all_cards(decks)
    st.markdown(f"{len(cards)} cards in {len(decks)} decks are ready. Here is one of them:")
    sample = next((card for card in cards if SAMPLE in card.title.casefold()), cards[0])
    with st.container(width=640):
        cards_panel.flippable(sample, key="sample")


def show(view: str, shelf: Shelf) -> None:
    """One view, below what a button's callback had to say."""
    if said := state.get(state.STUDY_SAID):
        st.info(card_text.plain(said), icon=":material/info:")
        state.put(state.STUDY_SAID, None)
    VIEWS[view](shelf)


def who_is_here(who: Learner) -> None:
    """The learner's name, and what the address means."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="who"):
        st.caption(f"Studying as {card_text.plain(who.name)}. Bookmark this page: its address is your key.")
        st.button("Switch learner", type="tertiary", key="leave", on_click=learner.leave)
    state.put_in_link(state.LEARNER, state.get(state.LEARNER))
