"""Lesson plans of 45 minutes: what to ask when, which run, what usually surprises; to follow or to print."""

from __future__ import annotations

import streamlit as st

from core.lessons import plan_sheet
from core.lessons.types import Lesson
from pages.lessons import catalogue, keys, record
from ui import kit, pages, widgets
from ui.messages import as_written
from ui.widgets import button, download, row

LESSONS_PAGE = next(page for page in pages.PAGES if page.url_path == "lessons")


def plans() -> None:
    """The whole view."""
    lessons = {lesson.key: lesson for lesson in catalogue.shipped()[0] if lesson.plan is not None}
    titles = {key: as_written(lesson.title) for key, lesson in lessons.items()}
    with st.container(width=kit.READING_WIDTH):
        st.markdown(
            "A plan of 45 minutes for each lesson. Open a part on the screen in front: the question stands "
            "there, and nothing is measured before somebody has answered."
        )
        lesson = lessons[widgets.selectbox(keys.PLAN, "Lesson", titles)]
        _plan(lesson)
        page = str(st.context.url or LESSONS_PAGE.url_path).split("?")[0]
        with row():
            one, every = (
                ((lesson,), f"plan-{lesson.key}.html"),
                (tuple(lessons.values()), "lesson-plans.html"),
            )
            for label, (chosen, file) in (("This plan to print", one), ("All plans to print", every)):
                html = plan_sheet.plans_html(chosen, page).decode()
                download(label, html, file, key=f"plan_{file}", mime="text/html")


def _plan(lesson: Lesson) -> None:
    assert lesson.plan is not None
    st.markdown(f"**What usually surprises.** {as_written(lesson.plan.surprise)}")
    begin = 0
    for number, part in enumerate(lesson.plan.parts, start=1):
        with st.container(border=True, gap="xsmall"):
            st.caption(f"Minutes {begin} to {begin + part.minutes}")
            begin += part.minutes
            st.markdown(as_written(part.text))
            if found := plan_sheet.usually(lesson, part):
                question, answer = map(as_written, found)
                st.markdown(f"_{question}_  \nUsually: {answer}")
            if part.step:
                label = f"Open step {part.step}: {as_written(lesson.steps[part.step - 1].title)}"
                of, key = (lesson, part.step - 1), f"plan_to {number}"
                button(label, _open, *of, key=key, icon="slideshow", type="tertiary")


def _open(lesson: Lesson, step: int) -> None:
    catalogue.open_lesson(lesson.key)
    record.keep(lesson, record.progress(lesson).at(step))
