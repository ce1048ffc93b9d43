"""The two doors of the page Class: open a room, or join one by its code."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.classroom import rooms
from core.classroom.rooms import CODE_LENGTH, HOURS, MAX_NICKNAME, MAX_TITLE, Room
from pages.classroom import acts, joining, keys
from ui import kit, messages, state
from ui.learner import database, now
from ui.messages import as_written
from ui.widgets import button

USUAL_HOURS = 4
STORED = (
    "No account, no names needed. What the class writes lies on this server until the teacher deletes it, at "
    f"most {rooms.KEPT.days} days after the room has ended."
)


def doors() -> None:
    """The page without a room."""
    st.title("Class", anchor=False)
    with st.container(width=kit.READING_WIDTH):
        _back()
        with st.container(border=True):
            st.subheader("Join a room", anchor=False)
            with st.form("class_join", border=False):
                st.text_input(
                    "Code",
                    key="class_code",
                    max_chars=20,
                    placeholder="The five letters in front of the class",
                )
                _submit("Join", _join, "login")
        with st.container(border=True):
            st.subheader("Open a room", anchor=False)
            st.write(
                "For a teacher: collect sentences, let the class predict, train one model in front of "
                "everybody, and see who was right."
            )
            with st.form("class_open", border=False):
                st.text_input(
                    "What is it called?", key="class_title", max_chars=MAX_TITLE, placeholder="Class"
                )
                st.number_input("Hours until it ends by itself", *HOURS, USUAL_HOURS, key="class_hours")
                _submit("Open a room", _open, "add")
            st.caption(STORED)


def enter(room: Room) -> None:
    """Join this room: one field, which may stay empty, and one button."""
    st.subheader(as_written(room.title), anchor=False)
    if room.is_over(now()):
        messages.info(rooms.OVER)
        button("To the doors", acts.go, "", key="class_doors")
        return
    with st.form("class_enter", border=False):
        st.text_input("Nickname, if you like", key="class_nickname", max_chars=MAX_NICKNAME)
        _submit("Join", partial(_enter, room), "login")
    st.caption("Only your teacher sees the nickname. " + STORED)


def _submit(label: str, act: object, icon: str) -> None:
    more: dict[str, Any] = {"type": "primary", "icon": f":material/{icon}:", "width": "stretch"}
    st.form_submit_button(label, on_click=messages.refusals_kept, args=(act,), **more)


def _back() -> None:
    """The way back to rooms that this browser has opened or joined."""
    for room in rooms.of_teacher(database(), acts.teacher_key())[:3]:
        ended = " (over)" if room.is_over(now()) else ""
        label = f"Teach {room.code}: {as_written(room.title)}{ended}"
        button(label, acts.go, room.code, "teacher", key=f"teach {room.code}", icon="co_present")
    for room in rooms.of_learner(database(), acts.my_key(), now())[:3]:
        label = f"Back to {room.code}: {as_written(room.title)}"
        button(label, acts.go, room.code, key=f"back {room.code}", icon="login", type="primary")


def _join() -> None:
    code = "".join(str(state.widget_value("class_code") or "")[:40].upper().split())[: CODE_LENGTH + 1]
    acts.go(acts.look_up(code).code)


def _open() -> None:
    title, hours = state.widget_value("class_title") or "", int(state.widget_value("class_hours"))
    room = rooms.open_room(database(), title, acts.teacher_key(), hours, now())
    acts.go(room.code, "teacher")


def _enter(room: Room) -> None:
    nickname = state.widget_value("class_nickname") or ""
    rooms.join(database(), room.id, acts.my_key(), nickname, now())
    acts.tell(room)


def take_key(code: str) -> None:
    """A one-time link brought somebody here: this browser teaches the room from now on."""
    token = state.link_value(keys.TAKE)
    state.put_in_link(keys.TAKE, "")
    if token:
        messages.refusals_kept(partial(_take, code, token))


def _take(code: str, token: str) -> None:
    acts.tell(rooms.move(database(), code, token, acts.teacher_key(), now()))


def moving_link(room: Room, token: str) -> str:
    return f"{joining.link(room)}&{keys.ROLE.name}=teacher&{keys.TAKE.name}={token}"
