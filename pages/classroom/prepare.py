"""Making the list: from a lesson, from its plan of 45 minutes, or an activity on the spot."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st
from pydantic import ValidationError

from core.cards.built_in import load_decks
from core.classroom import stage
from core.classroom.activities import ACTIVITY, from_lesson, from_plan
from core.data.sentence_sets import list_sets
from core.lessons.reader import load_lessons
from core.lessons.types import Lesson
from core.types import InputError
from pages.classroom import acts, keys
from ui import messages, state, widgets
from ui.messages import as_written

KINDS = {
    "collect": "Collect sentences",
    "predict": "Predict",
    "run": "Run",
    "explain": "Explain",
    "test": "Test",
    "cards": "Cards",
}
LONGEST_DECK = 20  # cards that a class is shown at once


@st.cache_data(max_entries=1, show_spinner=False)
def _lessons() -> tuple[Lesson, ...]:
    return load_lessons()[0]


def adding() -> None:
    """Three ways to add to the list."""
    with st.expander("Add one activity"):
        _one()
    with st.expander("Add a whole lesson, or its plan of 45 minutes"):
        lessons = {lesson.key: lesson for lesson in _lessons()}
        titles = {key: as_written(lesson.title) for key, lesson in lessons.items()}
        key = st.selectbox("Lesson", list(titles), format_func=titles.__getitem__, key="class_lesson")
        with widgets.row():
            lesson = lessons[key]
            widgets.button("Add the lesson", _add, from_lesson(lesson), key="class_add_lesson", icon="school")
            if lesson.plan is not None:
                widgets.button("Add the plan", _add, from_plan(lesson), key="class_add_plan", icon="schedule")


def _add(found: tuple[Any, ...]) -> None:
    acts.teach(stage.add, found)


def _one() -> None:
    kind = widgets.selectbox(keys.KIND, "Kind", KINDS)
    with st.form(f"class_new {kind}", border=False, clear_on_submit=True):
        st.text_input("What everybody reads", key="class_new_title", placeholder=PLACEHOLDERS[kind])
        if kind == "collect":
            st.text_input("Groups, with commas", "happy, sad", key="class_new_groups")
            st.number_input("Sentences a learner", 1, 20, 3, key="class_new_most")
        elif kind == "predict":
            st.text_area(
                "Answers to choose from, one a line; none asks for a number",
                "Yes\nNo",
                key="class_new_options",
                height=110,
            )
            left, right = st.columns(2)
            left.number_input("Number from", value=0.0, key="class_new_low")
            right.number_input("to", value=100.0, key="class_new_high")
        elif kind == "run":
            sets = {"": "The sentences of the class"} | {
                one.key: as_written(one.title) for one in list_sets()
            }
            st.selectbox("It learns from", list(sets), format_func=sets.__getitem__, key="class_new_set")
            left, right = st.columns(2)
            left.number_input("Steps", 1, 400, 60, key="class_new_steps")
            right.number_input("Seed", 0, 100_000, 7, key="class_new_seed")
        elif kind == "test":
            st.selectbox(
                "Sitting", (1, 2), format_func=lambda n: ("First", "Second")[n - 1], key="class_new_sitting"
            )
        elif kind == "cards":
            decks = {deck.key: as_written(deck.title) for deck in load_decks()}
            st.selectbox("Deck", list(decks), format_func=decks.__getitem__, key="class_new_deck")
        act = partial(_make, kind)
        st.form_submit_button("Add", on_click=messages.refusals_kept, args=(act,), icon=":material/add:")


PLACEHOLDERS = {
    "collect": "Send a happy or a sad sentence",
    "predict": "After training, will these two be closer?",
    "run": "Train",
    "explain": "Why did the two groups part?",
    "test": "Before we begin",
    "cards": "Cards to keep",
}


def _make(kind: str) -> None:
    def of(name: str) -> Any:
        return state.widget_value(f"class_new_{name}")

    values: dict[str, Any] = {"kind": kind, "title": of("title") or PLACEHOLDERS[kind]}
    if kind == "collect":
        groups = tuple(part.strip() for part in (of("groups") or "").split(",") if part.strip())
        values |= {"groups": groups, "most": of("most")}
    elif kind == "predict":
        options = tuple(line.strip() for line in (of("options") or "").splitlines() if line.strip())
        values |= {"options": options, "low": of("low"), "high": of("high")}
    elif kind == "run":
        chosen = of("set")
        values |= {"source": "set" if chosen else "class", "set": chosen or None}
        values |= {"steps": of("steps"), "seed": of("seed")}
    elif kind == "test":
        values["sitting"] = of("sitting")
    elif kind == "cards":
        deck = next(deck for deck in load_decks() if deck.key == of("deck"))
        values["cards"] = tuple(card.id for card in deck.cards[:LONGEST_DECK])
    try:
        made = ACTIVITY.validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][-1]) if first["loc"] else "It"
        raise InputError(f"{field.capitalize()}: {first['msg'].rstrip('.')}.") from error
    acts.teach(stage.add, [made])
