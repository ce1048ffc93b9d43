"""One open lesson: where one is, the step itself, back and next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from core.cards import built_in
from core.lessons.types import Cards, Lesson
from pages.lessons import keys, record, steps
from pages.lessons.catalogue import open_lesson
from ui import kit, state, widgets
from ui.cards import side_panel
from ui.messages import as_written
from ui.widgets import button, row

KIND_ICONS = {
    "read": "article",
    "look": "visibility",
    "predict": "psychology_alt",
    "explain": "edit_note",
    "cards": "style",
}


def _take_link(lesson: Lesson) -> None:
    """When a lesson is first open in a session, and after Back: go to the step that the address names."""
    linked = state.link_value(keys.STEP)
    if state.went_back():
        linked = linked or "1"
    elif not state.once(f"lesson {record.storage_key(lesson)}"):
        return
    if not linked.isdecimal():
        return
    if len(linked) < 4 and 1 <= int(linked) <= len(lesson.steps):
        record.keep(lesson, record.progress(lesson).at(int(linked) - 1))


def play(lesson: Lesson) -> None:
    """The step where the learner stands, with the outline folded above it."""
    _take_link(lesson)
    done = record.progress(lesson)
    number = min(done.step, len(lesson.steps) - 1)
    state.put_in_link(keys.STEP, str(number + 1) if number else "")
    step = lesson.steps[number]
    with row():
        button("All lessons", open_lesson, "", key="lesson_close", icon="arrow_back", type="tertiary")
        with widgets.popover(keys.STEPS_OPEN, "Steps", "list", type="tertiary"):
            _outline(lesson, number)
    st.title(as_written(lesson.title), anchor=False)
    if steps.has_map(lesson, step):  # it needs the room: the cards stand below it
        main, side = st.container(), st.container(width=kit.READING_WIDTH)
    else:
        main, side = kit.side_by_side()
    with main:
        _step(lesson, number)
    if step.kind != "cards":
        with side:
            _cards(lesson)


def _step(lesson: Lesson, number: int) -> None:
    step, ready = lesson.steps[number], False
    with st.container(key=f"lesson_step_{number + 1}"):
        with st.container(width=kit.READING_WIDTH):
            st.progress((number + 1) / len(lesson.steps), text=f"Step {number + 1} of {len(lesson.steps)}")
            st.header(as_written(step.title), anchor=False)
        with kit.sentences_not_tracebacks():
            ready = steps.KINDS[step.kind](lesson, number, step)
        _move(lesson, number, ready)


def _cards(lesson: Lesson) -> None:
    """The cards that the lesson ends with, in reach from every step."""
    wanted = [i for step in lesson.steps if isinstance(step, Cards) for i in step.cards]
    found = built_in.named(dict.fromkeys(wanted))[: side_panel.CARDS_SHOWN]
    side_panel.panel("Cards of this lesson", found, f"lesson {lesson.key}")


def _move(lesson: Lesson, number: int, ready: bool) -> None:
    last = number + 1 == len(lesson.steps)
    waits = not ready and lesson.steps[number].kind == "predict"
    with row():
        button("Back", _go, lesson, number - 1, key="lesson_back", disabled=number == 0)
        if last:
            button("Finish the lesson", _finish, lesson, key="lesson_next", type="primary")
        elif waits:
            button("Next", None, key="lesson_next", disabled=True)
        else:
            button("Next", _go, lesson, number + 1, key="lesson_next", type="primary")
        if waits:
            st.caption("First predict, then measure; then it goes on.")


def _go(lesson: Lesson, number: int) -> None:
    state.put(keys.STEPS_OPEN, False)
    record.keep(lesson, record.progress(lesson).at(number))


def _finish(lesson: Lesson) -> None:
    done = replace(record.progress(lesson).at(0), finished=True)
    record.keep(lesson, done)
    right = sum(answer.is_right for _, answer in done.answers)
    state.put(
        state.MESSAGE,
        f"Lesson finished. {right} of {len(done.answers)} predictions agreed with the measurement."
        if done.answers
        else "Lesson finished.",
    )
    open_lesson("")


def _outline(lesson: Lesson, number: int) -> None:
    done = record.progress(lesson)
    for i, step in enumerate(lesson.steps):
        mark = f"**{as_written(step.title)}**" if i == number else as_written(step.title)
        more: dict[str, Any] = {"icon": KIND_ICONS[step.kind], "disabled": i > done.furthest}
        button(f"{i + 1}. {mark}", _go, lesson, i, key=f"goto {i}", type="tertiary", **more)
    says = "The same seed gives the same run. Change it to see how much was chance."
    widgets.number_input(keys.SEED, "Seed of the runs", help=says)
    record.tell_where()
