"""The shelf of lessons, and one open lesson: where one is, the step itself, back and next."""

from __future__ import annotations

import streamlit as st

from core.cards import built_in
from core.lessons.reader import check, load_lessons
from core.lessons.types import Cards, Lesson
from pages.lessons import keys, record, steps
from ui import kit, state
from ui.cards import side_panel
from ui.messages import as_written

KIND_ICONS = {
    "read": ":material/article:",
    "look": ":material/visibility:",
    "predict": ":material/psychology_alt:",
    "explain": ":material/edit_note:",
    "cards": ":material/style:",
}


@st.cache_data(max_entries=4, show_spinner=False)
def _shipped() -> tuple[tuple[Lesson, ...], tuple[str, ...]]:
    return load_lessons()


@st.cache_data(max_entries=32, show_spinner=False)
def checked(text: str) -> tuple[Lesson | None, tuple[str, ...]]:
    """A teacher's text as a lesson, or all that is to be mended."""
    return check(text, record.OWN)


def chosen() -> Lesson | None:
    """The open lesson; None on the shelf, and for a link to a lesson that does not exist."""
    key = state.get(keys.LESSON)
    if key == record.OWN:
        return checked(state.get(keys.TEXT))[0]
    return next((lesson for lesson in _shipped()[0] if lesson.key == key), None)


def _open(key: str) -> None:
    state.put(keys.LESSON, key)
    state.put_in_link(keys.LESSON, key)
    state.put_in_link(keys.STEP, "")


def _take_link(lesson: Lesson) -> None:
    """The first time in a session that a lesson is open: go to the step that the address names."""
    linked = state.link_value(keys.STEP)
    if not state.once(f"lesson {record.storage_key(lesson)}") or not linked.isdecimal():
        return
    if len(linked) < 4 and 1 <= int(linked) <= len(lesson.steps):
        record.keep(lesson, record.progress(lesson).at(int(linked) - 1))


def close() -> None:
    """Back to the shelf; a callback."""
    _open("")


def shelf() -> None:
    """All lessons, each with what the learner has done of it."""
    lessons, problems = _shipped()
    if state.get(keys.LESSON):
        st.info("This link names a lesson that is not here. These are:", icon=":material/info:")
    for problem in problems:
        st.warning(as_written(problem), icon=":material/info:")
    for number, lesson in enumerate(lessons, start=1):
        done = record.progress(lesson)
        with st.container(border=True, width=kit.READING_WIDTH, gap="xsmall"):
            st.markdown(f"**{number}. {as_written(lesson.title)}**")
            st.markdown(as_written(lesson.summary))
            begun = done.furthest > 0 or done.answers
            where = (
                "Finished"
                if done.finished
                else f"Step {done.step + 1} of {len(lesson.steps)}"
                if begun
                else ""
            )
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                label = "Open again" if done.finished else "Go on" if begun else "Begin"
                st.button(
                    label, key=f"open {lesson.key}", on_click=_open, args=(lesson.key,),
                    type="primary" if number == 1 and not begun else "secondary",
                )  # fmt: skip
                st.caption(f"About {lesson.minutes} minutes" + (f" · {where}" if where else ""))
    with st.container(width=kit.READING_WIDTH):
        record.tell_where()


def play(lesson: Lesson) -> None:
    """The step where the learner stands, with the outline folded above it."""
    _take_link(lesson)
    done = record.progress(lesson)
    number = min(done.step, len(lesson.steps) - 1)
    state.put_in_link(keys.STEP, str(number + 1) if number else "")
    step = lesson.steps[number]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        icon = ":material/arrow_back:"
        st.button("All lessons", icon=icon, type="tertiary", on_click=close, key="lesson_close")
        with st.popover(
            "Steps", icon=":material/list:", type="tertiary", key=keys.STEPS_OPEN.name,
            on_change="rerun",
        ):  # fmt: skip
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
            ready = steps.SHOW[step.kind](lesson, number, step)  # type: ignore[operator]
        _move(lesson, number, ready)


def _cards(lesson: Lesson) -> None:
    """The cards that the lesson ends with, in reach from every step."""
    wanted = [i for step in lesson.steps if isinstance(step, Cards) for i in step.cards]
    found = built_in.named(dict.fromkeys(wanted))[: side_panel.CARDS_SHOWN]
    side_panel.panel("Cards of this lesson", found, f"lesson {lesson.key}")


def _move(lesson: Lesson, number: int, ready: bool) -> None:
    last = number + 1 == len(lesson.steps)
    waits = not ready and lesson.steps[number].kind == "predict"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Back", key="lesson_back", disabled=number == 0, on_click=_go, args=(lesson, number - 1))
        if last:
            st.button(
                "Finish the lesson", key="lesson_next", type="primary", on_click=_finish, args=(lesson,)
            )
        else:
            st.button(
                "Next", key="lesson_next", type="secondary" if waits else "primary", disabled=waits,
                on_click=_go, args=(lesson, number + 1),
            )  # fmt: skip
        if waits:
            st.caption("First predict, then measure; then it goes on.")


def _go(lesson: Lesson, number: int) -> None:
    state.put(keys.STEPS_OPEN, False)
    record.keep(lesson, record.progress(lesson).at(number))


def _finish(lesson: Lesson) -> None:
    from dataclasses import replace

    done = replace(record.progress(lesson).at(0), finished=True)
    record.keep(lesson, done)
    right = sum(answer.is_right for _, answer in done.answers)
    state.put(
        state.MESSAGE,
        f"Lesson finished. {right} of {len(done.answers)} predictions agreed with the measurement."
        if done.answers
        else "Lesson finished.",
    )
    close()


def _outline(lesson: Lesson, number: int) -> None:
    done = record.progress(lesson)
    for i, step in enumerate(lesson.steps):
        mark = f"**{as_written(step.title)}**" if i == number else as_written(step.title)
        st.button(
            f"{i + 1}. {mark}", icon=KIND_ICONS[step.kind], key=f"goto {i}", type="tertiary",
            disabled=i > done.furthest, on_click=_go, args=(lesson, i),
        )  # fmt: skip
    st.number_input(
        "Seed of the runs", *keys.SEED.bounds, value=keys.SEED.default,
        **state.bound(keys.SEED),
        help="The same seed gives the same run. Change it to see how much was chance.",
    )  # fmt: skip
    record.tell_where()


def tell() -> None:
    """What a button left to say."""
    if message := state.get(state.MESSAGE):
        st.success(message, icon=":material/check:")
        state.put(state.MESSAGE, None)
