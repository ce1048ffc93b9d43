"""The before-and-after test: a first sitting, a second one with the other form, and what all sittings say."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import streamlit as st

from core.lessons import sittings
from core.lessons.inventory import FORMS, RIGHT, Item, inventory
from core.lessons.sittings import FEWEST, TEST, InventoryRecord, Sitting
from core.storage import learners
from pages.lessons import catalogue, keys, record
from ui import kit, learner, state, widgets
from ui.messages import as_written
from ui.tables import safe_table
from ui.widgets import button


def test() -> None:
    """The whole view: where the learner stands, and below it the numbers of this server."""
    found = _record()
    with st.container(width=kit.READING_WIDTH):
        st.markdown(
            f"{len(inventory().items)} questions about embeddings, once before the lessons and once after "
            "them, with other words the second time. It takes about ten minutes. Nobody marks it: it shows "
            "you what has changed. The right answers and their reasons come after the second sitting."
        )
        if found.open is not None:
            _questions(found, found.open)
        elif not found.done:
            button("Begin the first sitting", _begin, key="test_begin", type="primary")
        elif len(found.done) == 1:
            _after_the_first(found.done[0])
        else:
            _result(found.done)
        record.tell_where()
    _of_this_server()


def _record() -> InventoryRecord:
    """What was done in this visit, or what is stored for the learner."""
    kept: InventoryRecord | None = state.get(keys.TEST)
    if kept is not None:
        return kept
    who = learner.current()
    stored = learners.lesson_progress(learner.database(), who.id).get(TEST) if who is not None else None
    return sittings.from_json(stored, inventory())


def _keep(changed: InventoryRecord) -> None:
    state.put(keys.TEST, changed)
    who = learner.current()
    if who is not None:
        database, now = learner.database(), learner.now()
        learners.set_lesson_progress(database, who.id, TEST, changed.to_json(), now)


def _begin() -> None:
    _keep(_record().begin(random.choice(FORMS)))


def _questions(found: InventoryRecord, sitting: Sitting) -> None:
    st.subheader(f"{_name(len(found.sittings))} sitting", anchor=False)
    for number, item in enumerate(inventory().items, start=1):
        form = item.form(sitting.form)
        key: state.Key[str | None] = state.Key(f"test_{item.key}_{sitting.form}", None)
        if state.get(key) is None:
            state.put(key, sitting.answer(item.key))
        with st.container(border=True):
            st.markdown(f"**{number}.** {as_written(form.question)}")
            more: dict[str, Any] = {"on_change": _answer, "args": (item.key, key)}
            widgets.radio(key, form.question, form.options(item.key), **more)
    left = len(inventory().items) - len(sitting.answers)
    with widgets.row():
        button("Hand in", _hand_in, key="test_hand_in", type="primary", disabled=left > 0)
        if left:
            st.caption("One question is left." if left == 1 else f"{left} questions are left.")


def _answer(item: str, key: state.Key[str | None]) -> None:
    found, answer = _record(), state.get(key)
    if found.open is not None and answer is not None:
        _keep(found.changed(found.open.with_answer(item, answer)))


def _hand_in() -> None:
    found = _record()
    if found.open is not None:
        _keep(found.changed(replace(found.open, done=True)))


def _name(number: int) -> str:
    return ("First", "Second")[number - 1]


def _after_the_first(first: Sitting) -> None:
    items = inventory().items
    st.markdown(f"**First sitting: {first.right} of {len(items)} right.**")
    missed = {item.lesson for item in items if first.answer(item.key) != RIGHT}
    if lessons := [lesson for lesson in catalogue.shipped()[0] if lesson.key in missed]:
        st.markdown("These lessons treat what you got wrong:")
        for lesson in lessons:
            label, key = as_written(lesson.title), f"test_to {lesson.key}"
            button(label, catalogue.open_lesson, lesson.key, key=key)
    st.markdown("Come back for the second sitting when you have done some lessons, or on another day.")
    button("Begin the second sitting", _begin, key="test_begin")


def _result(done: tuple[Sitting, ...]) -> None:
    items = inventory().items
    before, after = (sitting.right for sitting in done)
    st.markdown(f"**{before} of {len(items)} right before, {after} of {len(items)} after.**")
    for number, item in enumerate(items, start=1):
        with st.expander(f"{number}. {as_written(item.concept)}: {_changed(item, done)}"):
            for which, sitting in enumerate(done, start=1):
                form = item.form(sitting.form)
                given = form.options(item.key)[sitting.answer(item.key) or RIGHT]
                st.markdown(f"**{_name(which)} sitting.** {as_written(form.question)}")
                st.markdown(f"You said: {as_written(given)}")
                if sitting.answer(item.key) != RIGHT:
                    st.markdown(f"Right is: {as_written(form.right)}")
                st.markdown(as_written(form.explanation))


def _changed(item: Item, done: tuple[Sitting, ...]) -> str:
    before, after = (sitting.answer(item.key) == RIGHT for sitting in done)
    return {
        (True, True): "right both times",
        (False, True): "right the second time",
        (True, False): "right the first time only",
        (False, False): "not yet right",
    }[before, after]


def _of_this_server() -> None:
    """Statistics of the items and the gain, without names, from what learners have stored here."""
    of = inventory()
    stored = learners.everybodys_progress(learner.database(), TEST)
    records = [sittings.from_json(value, of) for value in stored]
    first, both = (sum(len(r.done) >= n for r in records) for n in (1, 2))
    with st.expander("For teachers: all sittings on this server"):
        st.markdown(
            f"Learners who chose a name and handed in the first sitting: {first}; both sittings: {both}. "
            f"Numbers are shown from {FEWEST} learners on, so that nobody's answers can be told."
        )
        found = sittings.gain(records, of)
        if found is not None:
            safe_table(sittings.gain_columns(found), key="test_gain", name="gain")
            st.caption(
                "Normalised gain: what was gained of what there was to gain, (after - before) / (1 - before) "
                "with the means of all who sat both times (Hake 1998). The interval is a bootstrap over "
                "learners."
            )
        rows = sittings.item_statistics(records, of)
        if rows:
            safe_table(sittings.item_columns(rows, of), key="test_items", name="items")
            st.caption(
                "Difficulty is the share of right answers. Discrimination is the correlation of an item with "
                "the rest of the test: near 0 or below, an item does not belong (Ding and Beichner 2009)."
            )
