"""The lessons there are, each with what the learner has done of it, and which of them is open."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.lessons.reader import check, load_lessons
from core.lessons.types import Lesson
from pages.lessons import keys, record
from ui import kit, messages, state
from ui.messages import as_written
from ui.widgets import button, row


@st.cache_data(max_entries=4, show_spinner=False)
def shipped() -> tuple[tuple[Lesson, ...], tuple[str, ...]]:
    """(the lessons that come with the app, a sentence for each file that cannot be read)."""
    return load_lessons()


@st.cache_data(max_entries=32, show_spinner=False)
def checked(text: str) -> tuple[Lesson | None, tuple[str, ...]]:
    """A teacher's text as a lesson, or all that is to be mended."""
    return check(text, record.OWN)


def chosen() -> Lesson | None:
    """The open lesson; None in the catalogue, and for a link to a lesson that does not exist."""
    key = state.get(keys.LESSON)
    if key == record.OWN:
        return checked(state.get(keys.TEXT))[0]
    return next((lesson for lesson in shipped()[0] if lesson.key == key), None)


def open_lesson(key: str) -> None:
    """Open a lesson, or with "" the catalogue; a callback."""
    state.put(keys.LESSON, key)
    state.put_in_link(keys.LESSON, key)
    state.put_in_link(keys.STEP, "")


def catalogue() -> None:
    """All lessons, each with what the learner has done of it."""
    lessons, problems = shipped()
    if state.get(keys.LESSON):
        messages.info("This link names a lesson that is not here. These are:")
    for problem in problems:
        messages.warning(problem)
    for number, lesson in enumerate(lessons, start=1):
        done = record.progress(lesson)
        with st.container(border=True, width=kit.READING_WIDTH, gap="xsmall"):
            st.markdown(f"**{number}. {as_written(lesson.title)}**")
            st.markdown(as_written(lesson.summary))
            begun = done.furthest > 0 or bool(done.answers)
            label, where = "Begin", ""
            if done.finished:
                label, where = "Open again", " · Finished"
            elif begun:
                label, where = "Go on", f" · Step {done.step + 1} of {len(lesson.steps)}"
            with row():
                first: dict[str, Any] = {"type": "primary"} if number == 1 and not begun else {}
                button(label, open_lesson, lesson.key, key=f"open {lesson.key}", **first)
                st.caption(f"About {lesson.minutes} minutes{where}")
    with st.container(width=kit.READING_WIDTH):
        record.tell_where()
