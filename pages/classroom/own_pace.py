"""What each learner does at their own pace on the phone: the before-and-after test, and cards to keep."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from core.cards.built_in import named
from core.cards.types import Card, Deck
from core.classroom import entries
from core.classroom.activities import CardsActivity, SittingActivity
from core.classroom.rooms import Member, Room
from core.classroom.stage import Phase, Staged
from core.lessons.inventory import FORMS, inventory
from core.lessons.sittings import InventoryRecord
from core.storage import learners, study
from pages.classroom import acts, keys
from pages.classroom.choices import choices
from ui import learner, state
from ui.cards import display
from ui.learner import database, now
from ui.messages import as_written
from ui.widgets import button, row

DECK, TITLE = "from-class", "From class"


def sitting(room: Room, me: Member, staged: Staged) -> None:
    """One question after the other; each answer is kept at once."""
    items, found = inventory().items, entries.own_sittings(database(), room.id, me.number)
    if found.open is None:
        _between(room, me, staged, found)
        return
    first = next((i for i, item in enumerate(items) if found.open.answer(item.key) is None), len(items) - 1)
    at = min(state.get(keys.QUESTION) or first, len(items) - 1)
    item, answered = items[at], len(found.open.answers)
    form = item.form(found.open.form)
    st.progress(answered / len(items), f"Question {at + 1} of {len(items)}, {answered} answered")
    st.markdown(f"**{as_written(form.question)}**")
    answers, given = list(form.options(item.key)), found.open.answer(item.key)
    chosen = None if given is None else answers.index(given)
    act = partial(_answer, room, me, item.key, answers, at)
    choices(
        f"class_item {item.key} {found.open.form}",
        form.question,
        list(form.options(item.key).values()),
        chosen,
        act,
    )
    with row():
        if at > 0:
            button("Back", state.setter(keys.QUESTION, at - 1), key="class_item_back", icon="arrow_back")
        if at + 1 < len(items) and found.open.answer(item.key) is not None:
            button("Next", state.setter(keys.QUESTION, at + 1), key="class_item_next", icon="arrow_forward")
    if answered == len(items):
        button("Hand in", _hand_in, room, me, found, key="class_hand_in", type="primary", width="stretch")


def _between(room: Room, me: Member, staged: Staged, found: InventoryRecord) -> None:
    done, count = found.done, len(inventory().items)
    if len(done) == 2:
        before, after = (one.right for one in done)
        st.markdown(f"**{before} of {count} right before, {after} of {count} after.**")
    elif done:
        st.success("Handed in. The answers come after the second sitting.", icon=":material/check:")
    assert isinstance(staged.content, SittingActivity)
    if len(done) < staged.content.sitting and staged.phase is Phase.OPEN:
        st.caption(f"{count} questions. Nobody marks it: the class sees only how it did as a whole.")
        button("Begin", _begin, room, me, found, key="class_test_begin", type="primary", width="stretch")


def _keep(room: Room, me: Member, record: InventoryRecord) -> None:
    entries.keep_sittings(database(), room.id, me.number, record, now())
    acts.tell(room)


def _begin(room: Room, me: Member, found: InventoryRecord) -> None:
    state.put(keys.QUESTION, 0)
    _keep(room, me, found.begin(random.choice(FORMS)))


def _answer(room: Room, me: Member, item: str, answers: Sequence[str], at: int, picked: int) -> None:
    found = entries.own_sittings(database(), room.id, me.number)  # two quick taps are both kept
    if found.open is None:
        return
    _keep(room, me, found.changed(found.open.with_answer(item, answers[picked])))
    state.put(keys.QUESTION, min(at + 1, len(inventory().items) - 1))


def _hand_in(room: Room, me: Member, found: InventoryRecord) -> None:
    assert found.open is not None
    _keep(room, me, found.changed(replace(found.open, done=True)))


def cards(room: Room, me: Member, staged: Staged) -> None:
    """One card at a time, and all of them into a deck of one's own."""
    assert isinstance(staged.content, CardsActivity)
    found = named(staged.content.cards)
    at = state.get(keys.CARD) % len(found)
    with st.container(border=True):
        display.question(found[at], f"{at + 1} of {len(found)}")
        if state.get(keys.FLIPPED):
            display.answer(found[at])
        else:
            flip = state.setter(keys.FLIPPED, True)
            button("Show the answer", flip, key="class_flip", type="primary", width="stretch")
    with row():
        for label, step, icon in (("Previous", -1, "arrow_back"), ("Next", 1, "arrow_forward")):
            button(label, _turn, (at + step) % len(found), key=f"class_card_{label}", icon=icon)
    _keeping(me, found)


def _turn(at: int) -> None:
    state.put(keys.CARD, at)
    state.put(keys.FLIPPED, False)


def _keeping(me: Member, found: tuple[Card, ...]) -> None:
    who = learner.current()
    decks = study.own_decks(database(), who.id) if who is not None else ()
    kept = {card.id for deck in decks if deck.key == DECK for card in deck.cards}
    if all(card.id in kept for card in found):
        st.caption(f"These cards are in your deck “{TITLE}”.")
        learner.study_link("Study your cards")
    else:
        button(
            "Keep these cards", _keep_cards, me, found, key="class_keep", icon="library_add", width="stretch"
        )


def _keep_cards(me: Member, found: tuple[Card, ...]) -> None:
    """Into the deck of this browser's learner, who begins to be one with the nickname."""
    who = learner.current()
    if who is None:
        key = acts.my_key()
        who = learners.create(database(), me.nickname or "Learner", key, now())
        state.put(state.LEARNER, key)
    before = next((deck for deck in study.own_decks(database(), who.id) if deck.key == DECK), None)
    old = () if before is None else before.cards
    new = tuple(card for card in found if card.id not in {one.id for one in old})
    study.save_deck(database(), who.id, Deck(DECK, TITLE, (*new, *old), "Cards from class."), now())
