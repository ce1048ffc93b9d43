"""The views of the study page, what stands there before a name is chosen, and who is studying."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.cards import built_in
from core.storage import Learner
from pages.study import browse, deck_files, progress, session
from pages.study.shelf import Shelf
from ui import learner, state
from ui.cards import side_panel
from ui.messages import as_written

SAMPLE = "temperature"  # a word of the sample card's title

VIEWS: dict[str, Callable[[Shelf], None]] = {
    "Study": session.session,
    "Browse": browse.show,
    "Progress": progress.show,
    "Decks": deck_files.show,
}


def welcome() -> None:
    """What is there to study, with one card to try."""
    decks = built_in.load_decks()
    cards = built_in.all_cards(decks)
    st.markdown(f"{len(cards)} cards in {len(decks)} decks are ready. Here is one of them:")
    sample = next((card for card in cards if SAMPLE in card.title.casefold()), cards[0])
    with st.container(width=640):
        side_panel.flippable(sample, key="sample")


def show(view: str, shelf: Shelf) -> None:
    """One view, below what a button's callback had to say."""
    if said := state.get(state.STUDY_SAID):
        st.info(as_written(said), icon=":material/info:")
        state.put(state.STUDY_SAID, None)
    VIEWS[view](shelf)


def who_is_here(who: Learner) -> None:
    """The learner's name, and what the address means."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="who"):
        st.caption(f"Studying as {as_written(who.name)}. Bookmark this page: its address is your key.")
        st.button("Switch learner", type="tertiary", key="leave", on_click=learner.leave)
    state.put_in_link(state.LEARNER, state.get(state.LEARNER))
