"""Lessons: guided experiments, and the place where a teacher writes one."""

from __future__ import annotations

from ui import concepts, kit, lesson_teacher, lessons, state

state.open_link(state.LESSON_TEXT)
VIEWS = {"Lessons": lessons.shelf, "For teachers": lesson_teacher.workshop}

lesson = lessons.chosen()
if lesson is not None:
    state.put_in_link(state.LESSON, lesson.key)
    lessons.play(lesson)
else:
    kit.opening(
        "lessons",
        "A lesson asks what you expect, lets you try it on a real model, and compares. "
        "Begin with the first; you need to know nothing about machine learning.",
    )
    lessons.tell()
    with kit.sentences_not_tracebacks():
        VIEWS[concepts.view(tuple(VIEWS), state.LESSON_VIEW, "What to do")]()
lesson_teacher.keep_link()
