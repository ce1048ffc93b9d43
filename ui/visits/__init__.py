"""Who comes back: the key in a browser's cookie, and what the server remembers of that browser's visit.

A reload begins a new session of Streamlit's, in which session state is empty. What has to outlive it (which
runs are this visitor's, answers given before a name was chosen) lies here, in memory, under the cookie's key.
ui/visits/entrance.py sets the cookie; where app.py was started by itself there is none, and a visit is a tab.
Where several page servers share a database it is kept there too, so that any of them knows who comes.
"""

from __future__ import annotations

import contextlib
import math
import re
import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime
from functools import cache
from typing import Any

import streamlit as st
from pydantic import TypeAdapter

from core.storage import visits
from core.storage.database import Database
from core.types import InputError

COOKIE = "embedding_lab_learner"
TEACHER_COOKIE = "embedding_lab_teacher"  # holds the key of the class rooms that this browser teaches
KEPT_VISITS = 500  # the visits that are longest ago are forgotten first
FRESH = 1.0  # seconds for which what was read of the database holds
KEY = re.compile(r"[A-Za-z0-9_-]{16,128}")  # core.storage.learners.new_key makes such ones

_lock = threading.Lock()  # script threads of several sessions come here at once
_visits: OrderedDict[str, Visit] = OrderedDict()
_database: Database | None = None


class Visit:
    """Name -> value, of one browser. `kind` is the value's type, for its JSON."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._values: dict[str, Any] = {}
        self._texts: dict[str, str] = {}  # the same as JSON, as it stands in the database
        self._read = -math.inf

    def get(self, name: str, default: Any, kind: Any) -> Any:
        self._take_in()
        if name in self._texts and name not in self._values:
            self._values[name] = _json(kind).validate_json(self._texts[name])
        return self._values.get(name, default)

    def put(self, name: str, value: Any, kind: Any) -> None:
        self._values[name] = value
        if _database is not None:
            self._texts[name] = _json(kind).dump_json(value).decode()
            with contextlib.suppress(InputError):  # the database is gone for a while: here it is kept
                visits.write(_database, self._key, name, self._texts[name], datetime.now(UTC))

    def _take_in(self) -> None:
        """What this browser did on other servers."""
        if _database is None or time.monotonic() - self._read < FRESH:
            return
        with contextlib.suppress(InputError):
            for name, text in visits.read(_database, self._key).items():
                if self._texts.get(name) != text:
                    self._texts[name] = text
                    self._values.pop(name, None)
        self._read = time.monotonic()


@cache
def _json(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def share(database: Database) -> None:
    """Keep visits there too from now on, for other page servers."""
    global _database
    _database = database


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


def remembered() -> Visit | None:
    """What is kept for this browser; None where it cannot be told again."""
    who = key()
    if who is None:
        return None
    with _lock:
        visit = _visits.setdefault(who, Visit(who))
        _visits.move_to_end(who)
        while len(_visits) > KEPT_VISITS:
            _visits.popitem(last=False)
    return visit
