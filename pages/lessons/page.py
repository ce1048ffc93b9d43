"""Lessons: guided experiments, and the place where a teacher writes one."""

from __future__ import annotations

from pages.lessons import before_after, catalogue, keys, plans, player, teacher
from ui import kit, messages, state, widgets

state.open_link(keys.TEXT)
VIEWS = {
    "Lessons": catalogue.catalogue,
    "Before and after": before_after.test,
    "Lesson plans": plans.plans,
    "For teachers": teacher.workshop,
}

lesson = catalogue.chosen()
if lesson is not None:
    state.put_in_link(keys.LESSON, lesson.key)
    player.play(lesson)
else:
    kit.opening(
        "lessons",
        "A lesson asks what you expect, lets you try it on a real model, and compares. "
        "Begin with the first; you need to know nothing about machine learning.",
    )
    messages.left_in(state.MESSAGE, messages.success)
    with kit.sentences_not_tracebacks():
        VIEWS[widgets.view(keys.VIEW, "What to do", VIEWS)]()
teacher.keep_link()
