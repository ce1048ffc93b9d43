"""Browse: every card with its schedule, search, and one card open to edit or suspend."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.cards.quiz import search
from core.cards.types import Card, Stage
from core.storage import study
from core.types import InputError
from pages.study import keys
from pages.study.collection import Collection, in_words
from ui import messages, widgets
from ui.cards import display
from ui.learner import database, now
from ui.tables import safe_table
from ui.widgets import button, row

FIELDS = {  # what of a card can be edited, and how tall its field is
    "title": 1,
    "background": 3,
    "question": 3,
    "answer": 5,
    "wrong": 4,
    "source": 1,
}
LABELS = {"wrong": "Why the tempting answer is wrong"}


def all_cards(kept: Collection) -> None:
    """The whole Browse view."""
    hint, icon = "Words that a card holds", ":material/search:"
    found = search(kept.cards(), widgets.text_input(keys.SEARCH, "Search", placeholder=hint, icon=icon))
    if not found:
        messages.info("No card holds all of these words. Try fewer of them.")
        return
    st.caption(f"{len(found)} of {len(kept.cards())} cards")
    _table(kept, found)
    _open_card(kept, found)


def _table(kept: Collection, cards: tuple[Card, ...]) -> None:
    deck_of = {card.id: deck.title for deck in reversed(kept.decks) for card in deck.cards}
    rows = {
        "stage": [_stage(kept, card) for card in cards],
        "due": [_due(kept, card) for card in cards],
        "title": [card.title for card in cards],
        "question": [card.question for card in cards],
        "deck": [deck_of.get(card.id, "") for card in cards],
        "changed": ["yes" if card.id in kept.edits else "" for card in cards],
    }
    safe_table(rows, key="browse_cards", name="cards", height=320)


def _stage(kept: Collection, card: Card) -> str:
    if card.id in kept.suspended:
        return "suspended"
    known = kept.states.get(card.id)
    return (known.stage if known is not None else Stage.NEW).value


def _due(kept: Collection, card: Card) -> str:
    known = kept.states.get(card.id)
    if known is None or known.stage is Stage.NEW:
        return ""
    return "now" if known.due <= kept.moment else f"in {in_words(known.due - kept.moment)}"


def _open_card(kept: Collection, cards: tuple[Card, ...]) -> None:
    by_id = {card.id: card for card in cards}
    names: dict[str | None, str] = {i: f"{card.title}: {card.question}"[:110] for i, card in by_id.items()}
    card = by_id[widgets.selectbox(keys.CARD, "Open a card", names) or cards[0].id]
    with st.container(border=True):
        deck = kept.deck_of(card.id)
        display.question(card, deck.title if deck is not None else "")
        st.divider()
        display.answer(card)
        with row():
            display.live_link(card, key=f"browse live {card.id}")
            _buttons(kept, card)
    with st.expander("Edit this card", icon=":material/edit:"):
        _form(kept, card)


def _buttons(kept: Collection, card: Card) -> None:
    data, who, quiet = database(), kept.learner.id, partial(button, type="tertiary")
    if card.id in kept.suspended:
        quiet("Resume", study.resume, data, who, card.id, key=f"resume {card.id}", icon="play_circle")
    else:
        quiet(
            "Suspend", study.suspend, data, who, card.id, now(), key=f"suspend {card.id}", icon="pause_circle"
        )
    if card.id in kept.edits:
        key = f"original {card.id}"
        quiet("Back to the original", study.drop_edit, data, who, card.id, key=key, icon="history")


def _form(kept: Collection, card: Card) -> None:
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
        study.save_edit(database(), kept.learner.id, changed, now())
    except InputError as error:
        messages.warning(str(error))
        return
    st.rerun()
