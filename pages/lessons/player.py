"""One open lesson: where one is, the step itself, back and next."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import streamlit as st

from core.lessons.types import Lesson
from pages.lessons import keys, record, steps
from pages.lessons.catalogue import open_lesson
from ui import kit, state, widgets
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
    """The step where the learner stands, below one line that says where that is."""
    _take_link(lesson)
    done = record.progress(lesson)
    number = min(done.step, len(lesson.steps) - 1)
    state.put_in_link(keys.STEP, str(number + 1) if number else "")
    step, ready = lesson.steps[number], False
    with st.container(gap=None):  # what is explained beside a map is to be in sight with its last line
        with row():
            button("All lessons", open_lesson, "", key="lesson_close", icon="arrow_back", type="tertiary")
            with widgets.popover(keys.STEPS_OPEN, "Steps", "list", type="tertiary"):
                _outline(lesson, number)
            st.markdown(f"###### {as_written(lesson.title)}", width="content")
            st.progress(
                (number + 1) / len(lesson.steps), f"Step {number + 1} of {len(lesson.steps)}", width=160
            )
        with st.container(key=f"lesson_step_{number + 1}", gap="xsmall"):
            st.title(as_written(step.title), anchor=False)
            body, bar = st.container(), row("lesson_move")
            with bar:
                button("Back", _go, lesson, number - 1, key="lesson_back", disabled=number == 0)
            with body, kit.sentences_not_tracebacks():
                ready = steps.KINDS[step.kind](lesson, number, step, bar)
            with bar:
                _onward(lesson, number, ready or step.kind != "predict")
                if step.kind == "predict":  # last, or it would stand where a second press of Run goes
                    steps.start_over(lesson, number)
    _at_its_top()(key="lesson_top", data=f"{lesson.key} {number + 1}")


# Streamlit keeps the place where the reader was. A step opens at its top, with the focus on its title for
# whoever cannot see that the page changed; and the way on is in sight however long the step is.
_TOP = """
let shown;

const find = (selector, then, left = 120) => {
  const found = document.querySelector(selector);
  if (found) then(found);
  else if (left) requestAnimationFrame(() => find(selector, then, left - 1));
};

export default function ({ data }) {
  const step = `.st-key-lesson_step_${data.split(" ").at(-1)}`;
  find(`${step} .st-key-lesson_move`, (move) => {
    const bar = move.closest("[data-testid=stLayoutWrapper]") ?? move;
    const background = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor;
    Object.assign(bar.style, { position: "sticky", bottom: 0, zIndex: 5, padding: "0.6rem 0", background });
  });
  if (shown !== undefined && shown !== data) {
    find(`${step} h1`, (title) => {
      document.querySelector("[data-testid=stMain]").scrollTo(0, 0);
      title.tabIndex = -1;
      title.style.outline = "none";
      title.focus({ preventScroll: true });
    });
  }
  shown = data;
}
"""


@cache
def _at_its_top() -> Any:
    return st.components.v2.component("embedding-lab.lesson-top", js=_TOP)


def _onward(lesson: Lesson, number: int, ready: bool) -> None:
    if number + 1 == len(lesson.steps):
        button("Finish the lesson", _finish, lesson, key="lesson_next", type="primary")
    elif not ready:
        button("Next", None, key="lesson_next", disabled=True)
    else:
        button("Next", _go, lesson, number + 1, key="lesson_next", type="primary")


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
    says = "The same seed gives the same run, map and sample. Change it to see how much was chance."
    widgets.number_input(keys.SEED, "Seed", help=says)
    record.tell_where()
