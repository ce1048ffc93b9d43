"""Class: a room that a teacher leads, learners join by a code, and a projector shows."""

from __future__ import annotations

import streamlit as st

from core.types import InputError
from pages.classroom import acts, doors, keys, learner, screen, teacher
from ui import kit, messages, state
from ui.widgets import button

ROLES = {"": learner.view, "teacher": teacher.view, "screen": screen.view}

if state.get(keys.ROOM):
    st.set_page_config(initial_sidebar_state="collapsed")
    doors.take_key(state.get(keys.ROOM))
state.write_address(keys.ROOM)
state.write_address(keys.ROLE)


@st.fragment
def draw() -> None:
    """The room as this browser may see it. Of what changes there only this is drawn again."""
    messages.left_in(state.PROBLEM)
    code = state.get(keys.ROOM)
    if (code, state.get(keys.ROLE)) != (state.link_value(keys.ROOM), state.link_value(keys.ROLE)):
        st.rerun()  # the address is written by the whole page
    if not code:
        doors.doors()
        return
    try:
        room = acts.look_up(code)
    except InputError as problem:
        messages.warning(str(problem))
        button("To the doors", acts.go, "", key="class_doors")
        return
    with kit.sentences_not_tracebacks():
        ROLES.get(state.get(keys.ROLE), learner.view)(room)


draw()
