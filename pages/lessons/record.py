"""What a learner has done in the lessons: in the database when a learner is chosen, else for this visit."""

from __future__ import annotations

import hashlib

import streamlit as st

from core.lessons.progress import LessonProgress, from_json
from core.lessons.types import Lesson
from core.storage import learners
from pages.lessons import keys
from ui import learner, state

OWN = "own"  # the key of the lesson that a teacher is writing


def storage_key(lesson: Lesson) -> str:
    """Own lessons are told apart by their text, so that progress never moves to another lesson."""
    if lesson.key != OWN:
        return lesson.key
    return "own-" + hashlib.sha1(state.get(keys.TEXT).encode()).hexdigest()[:10]


def progress(lesson: Lesson) -> LessonProgress:
    """Where the learner stands. What was done in this visit before a name was chosen counts too."""
    key = storage_key(lesson)
    here: dict[str, LessonProgress] = dict(state.get(keys.KEPT) or ())
    if key in here:
        return here[key]
    who = learner.current()
    stored = learners.lesson_progress(learner.database(), who.id).get(key) if who is not None else None
    return from_json(stored, len(lesson.steps))


def keep(lesson: Lesson, changed: LessonProgress) -> None:
    """Remember it here and, with a learner, on disk before the next thing is drawn."""
    key = storage_key(lesson)
    here = {**dict(state.get(keys.KEPT) or ()), key: changed}
    state.put(keys.KEPT, tuple(here.items()))
    who = learner.current()
    if who is not None:
        learners.set_lesson_progress(learner.database(), who.id, key, changed.to_json(), learner.now())


def tell_where() -> None:
    """Say where the progress is kept, and how to keep it longer."""
    who = learner.current()
    if who is not None:
        st.caption("Your answers are stored with your study progress.")
        return
    st.caption("Your answers are remembered for this visit only. To keep them, choose a name:")
    learner.study_link("Study cards")


def run_id(lesson: Lesson, step: int) -> str | None:
    """The run that belongs to a step of the lesson in this visit."""
    found: str | None = dict(state.get(keys.RUNS) or ()).get((storage_key(lesson), step))
    return found


def keep_run(lesson: Lesson, step: int, run_id: str | None) -> None:
    runs = {**dict(state.get(keys.RUNS) or ()), (storage_key(lesson), step): run_id}
    state.put(keys.RUNS, tuple((k, v) for k, v in runs.items() if v is not None))
