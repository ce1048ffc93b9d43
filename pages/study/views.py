"""The views of the study page, and what stands there before a name is chosen."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.cards import built_in
from core.storage import study
from core.storage.learners import Learner
from pages.study import browse, deck_files, progress, session
from pages.study.collection import Collection
from ui import learner, messages, state
from ui.cards import side_panel

SAMPLE = "temperature"  # a word of the sample card's title

VIEWS: dict[str, Callable[[Collection], None]] = {
    "Study": session.study,
    "Browse": browse.all_cards,
    "Progress": progress.how_it_goes,
    "Decks": deck_files.decks,
}


def welcome() -> None:
    """What is there to study, with one card to try."""
    decks = built_in.load_decks()
    cards = built_in.all_cards(decks)
    st.markdown(f"{len(cards)} cards in {len(decks)} decks are ready. Here is one of them:")
    sample = next((card for card in cards if SAMPLE in card.title.casefold()), cards[0])
    with st.container(width=640):
        side_panel.flippable(sample, key="sample")


def what_is_left_out(who: Learner) -> None:
    """Once a visit: that something stored cannot be shown."""
    if state.once(f"left out {who.id}") and (count := study.left_out(learner.database(), who.id)):
        what = "1 stored entry cannot" if count == 1 else f"{count:,} stored entries cannot"
        messages.info(f"{what} be read and will be left out, here and in the export. The rest is whole.")
