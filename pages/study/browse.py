"""Browse: every card with its schedule, search, and one card open to edit or suspend."""

from __future__ import annotations

import streamlit as st

from core.cards.quiz import search
from core.cards.types import Card, Stage
from core.types import InputError
from pages.study import keys
from pages.study.shelf import Shelf, in_words
from ui import state
from ui.cards import display
from ui.learner import now, store
from ui.tables import safe_table

FIELDS = {  # what of a card can be edited, and how tall its field is
    "title": 1,
    "background": 3,
    "question": 3,
    "answer": 5,
    "wrong": 4,
    "source": 1,
}
LABELS = {"wrong": "Why the tempting answer is wrong"}


def show(shelf: Shelf) -> None:
    """The whole Browse view."""
    query = st.text_input(
        "Search",
        placeholder="Words that a card holds",
        icon=":material/search:",
        **state.bound(keys.SEARCH),
    )
    found = search(shelf.cards(), query or "")
    if not found:
        st.info("No card holds all of these words. Try fewer of them.", icon=":material/info:")
        return
    st.caption(f"{len(found)} of {len(shelf.cards())} cards")
    _table(shelf, found)
    _open_card(shelf, found)


def _table(shelf: Shelf, cards: tuple[Card, ...]) -> None:
    deck_of = {card.id: deck.title for deck in reversed(shelf.decks) for card in deck.cards}
    rows = {
        "stage": [_stage(shelf, card) for card in cards],
        "due": [_due(shelf, card) for card in cards],
        "title": [card.title for card in cards],
        "question": [card.question for card in cards],
        "deck": [deck_of.get(card.id, "") for card in cards],
        "changed": ["yes" if card.id in shelf.edits else "" for card in cards],
    }
    safe_table(rows, key="browse_cards", name="cards", height=320)


def _stage(shelf: Shelf, card: Card) -> str:
    if card.id in shelf.suspended:
        return "suspended"
    known = shelf.states.get(card.id)
    return (known.stage if known is not None else Stage.NEW).value


def _due(shelf: Shelf, card: Card) -> str:
    known = shelf.states.get(card.id)
    if known is None or known.stage is Stage.NEW:
        return ""
    return "now" if known.due <= shelf.moment else f"in {in_words(known.due - shelf.moment)}"


def _open_card(shelf: Shelf, cards: tuple[Card, ...]) -> None:
    by_id = {card.id: card for card in cards}
    if state.get(keys.CARD) not in by_id:
        state.put(keys.CARD, cards[0].id)
    chosen = st.selectbox(
        "Open a card",
        list(by_id),
        format_func=lambda i: f"{by_id[i].title}: {by_id[i].question}"[:110],
        **state.bound(keys.CARD),
    )
    card = by_id[chosen]
    with st.container(border=True):
        deck = shelf.deck_of(card.id)
        display.question(card, deck.title if deck is not None else "")
        st.divider()
        display.answer(card)
        with st.container(horizontal=True, gap="small"):
            display.live_link(card, key=f"browse live {card.id}")
            _suspension(shelf, card)
            if card.id in shelf.edits:
                st.button(
                    "Back to the original", icon=":material/history:", type="tertiary",
                    key=f"original {card.id}", on_click=store().drop_edit, args=(shelf.learner.id, card.id),
                )  # fmt: skip
    with st.expander("Edit this card", icon=":material/edit:"):
        _form(shelf, card)


def _suspension(shelf: Shelf, card: Card) -> None:
    who = shelf.learner.id
    if card.id in shelf.suspended:
        st.button(
            "Resume", icon=":material/play_circle:", type="tertiary", key=f"resume {card.id}",
            on_click=store().resume, args=(who, card.id),
        )  # fmt: skip
    else:
        st.button(
            "Suspend", icon=":material/pause_circle:", type="tertiary", key=f"suspend {card.id}",
            on_click=store().suspend, args=(who, card.id, now()),
        )  # fmt: skip


def _form(shelf: Shelf, card: Card) -> None:
    """Edit the learner's own version; the schedule stays, whatever is changed."""
    with st.form(f"edit {card.id}", border=False):
        typed = {}
        for name, lines in FIELDS.items():
            label = LABELS.get(name, name.capitalize())
            key = f"edit {name} {card.id}"
            if lines == 1:
                typed[name] = st.text_input(label, getattr(card, name), key=key)
            else:
                typed[name] = st.text_area(label, getattr(card, name), height=30 + 26 * lines, key=key)
        if not st.form_submit_button("Save", type="primary"):
            return
    try:
        changed = card.replace(**{name: (text or "").strip() for name, text in typed.items()})
        store().save_edit(shelf.learner.id, changed, now())
    except InputError as error:
        st.warning(str(error), icon=":material/info:")
        return
    st.rerun()
