"""Who acts, and what follows: this browser's keys, the teacher's door, and the word to all other pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec

import streamlit as st

from core.classroom import rooms
from core.classroom.rooms import Room
from core.storage import learners
from core.storage.database import Database
from pages.classroom import keys
from ui import state, visits
from ui.boards import room_listener
from ui.learner import database, now
from ui.runs import push

P = ParamSpec("P")
ANSWERS_GAP, SENTENCES_GAP = 0.3, 2.0  # seconds between two drawings for the teacher, and on a phone
SLOW = 2.0  # seconds between two looks where nothing can be pushed


def teacher_key() -> str:
    """This browser's key as a teacher."""
    return visits.teacher_key() or _of_tab(keys.TEACHER)


def my_key() -> str:
    """This browser's key as a learner."""
    return visits.key() or _of_tab(keys.SELF)


def _of_tab(key: state.Key[str]) -> str:
    if not state.get(key):
        state.put(key, learners.new_key())
    return state.get(key)


def look_up(code: str) -> Room:
    """The room of a code from this tab. Raises InputError; wrong codes are counted."""
    if state.get(keys.FOUND) == code:
        return rooms.find(database(), code)
    address = st.context.ip_address  # None for this computer, which then counts as one address
    where = address if isinstance(address, str) else ""
    room = rooms.look_up(database(), code, where, now())
    state.put(keys.FOUND, code)
    return room


def go(code: str, role: str = "") -> None:
    """Open a room here; a callback. "" leads back to the doors."""
    state.put(keys.ROOM, code)
    state.put(keys.ROLE, role)


def teach(act: Callable[Concatenate[Database, int, P], object], *args: P.args, **more: P.kwargs) -> None:
    """A teacher's act on the open room; a callback. Raises InputError for who has not its key."""
    room = rooms.taught_by(database(), state.get(keys.ROOM), teacher_key())
    act(database(), room.id, *args, **more)
    tell(room)


def tell(room: Room) -> None:
    """The room has changed: all its pages hear of it."""
    push.room_hub().changed(room.topic)


def listen(room: Room, answers: bool, gap: float = ANSWERS_GAP) -> None:
    """Draw again when the room moves on; with `answers` also when somebody has answered."""
    at = room.news if answers else room.version
    room_listener.listen(
        key="room_listener",
        topic=room.topic,
        pushed=push.is_mounted(),
        counts="news" if answers else "version",
        at=at,
        gap=gap,
    )

    def look() -> None:
        found = rooms.by_topic(database(), room.topic)
        if found is None or (found.news if answers else found.version) != at:
            st.rerun()

    if not push.is_mounted():
        st.fragment(look, run_every=SLOW)()
