"""Who comes back: the key in a browser's cookie, and what the server remembers of that browser's visit.

A reload begins a new session of Streamlit's, in which session state is empty. What has to outlive it (which
runs are this visitor's, answers given before a name was chosen) lies here, in memory, under the cookie's key.
ui/visits/entrance.py sets the cookie; where app.py was started by itself there is none, and a visit is a tab.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import Any

import streamlit as st

COOKIE = "embedding_lab_learner"
TEACHER_COOKIE = "embedding_lab_teacher"  # holds the key of the class rooms that this browser teaches
KEPT_VISITS = 500  # the visits that are longest ago are forgotten first
KEY = re.compile(r"[A-Za-z0-9_-]{16,128}")  # core.storage.learners.new_key makes such ones

_lock = threading.Lock()  # script threads of several sessions come here at once
_visits: OrderedDict[str, dict[str, Any]] = OrderedDict()


def is_key(text: str) -> bool:
    return KEY.fullmatch(text) is not None


def key() -> str | None:
    """This browser's key, under which its learner is stored too; None where it has no cookie of ours."""
    given = str(st.context.cookies.get(COOKIE, ""))
    return given if is_key(given) else None


def teacher_key() -> str | None:
    """The key of the rooms that this browser teaches; None where it has no cookie of ours."""
    given = str(st.context.cookies.get(TEACHER_COOKIE, ""))
    return given if is_key(given) else None


def remembered() -> dict[str, Any] | None:
    """Name -> what is kept for this browser, to read and to change; None where it cannot be told again."""
    who = key()
    if who is None:
        return None
    with _lock:
        values = _visits.setdefault(who, {})
        _visits.move_to_end(who)
        while len(_visits) > KEPT_VISITS:
            _visits.popitem(last=False)
    return values
