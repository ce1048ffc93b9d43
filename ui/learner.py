"""Who is studying: a name and a random key, no account. And the one open database.

The browser's cookie holds the key (ui/visits). Without a cookie, as where app.py was started by itself, this
tab knows it until it is closed or loaded again; the learner's link is then the only way back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import streamlit as st

from core.storage import learners
from core.storage.database import Database
from core.storage.learners import Learner
from core.types import InputError
from ui import pages, state, visits, widgets
from ui.messages import as_written
from ui.widgets import button, row

STUDY = next(page for page in pages.PAGES if page.url_path == "study")
LEAVE = "_leave"  # the route of ui/visits/entrance.py that gives this browser another key
CAME_TO = {
    "unknown": "No progress is stored here under the key in this link. Choose a name to begin anew, or "
    "import a progress file afterwards under Progress.",
    "other": "That link belongs to somebody else than the learner of this browser. To open it here, press "
    "Switch learner first; copy your own link before, which is the way back.",
}


@cache
def database() -> Database:
    """The database, opened once for all sessions. Raises InputError when it cannot be opened."""
    return Database.open()


def now() -> datetime:
    return datetime.now(UTC)


def _key() -> str:
    return state.get(state.LEARNER) or visits.key() or ""


def current() -> Learner | None:
    """The learner of this browser, or of this tab; None before a name was chosen."""
    key = _key()
    return learners.find(database(), key) if key else None


def from_link() -> Learner | None:
    """Like `current`, on a page that the learner's link opens. Without a cookie it is read here."""
    came_to = state.link_value(state.LEARNER_LINK)
    if linked := state.link_value(state.LEARNER):
        if learners.find(database(), linked) is None:
            came_to = "unknown"
        else:
            state.put(state.LEARNER, linked)
        state.put_in_link(state.LEARNER, "")
    if came_to in CAME_TO:
        st.info(CAME_TO[came_to], icon=":material/info:")
    state.put_in_link(state.LEARNER_LINK, "")
    return current()


def where_kept() -> str:
    """Where a learner's things are, in a sentence that is true for this browser."""
    stored = "What you keep is stored on this server under a random key"
    if visits.key() is None:
        return (
            f"{stored}, which only this tab knows, until it is closed or loaded again. "
            "Your link, on the page Study cards, is the way back."
        )
    return f"{stored}, which a cookie of this browser holds."


def choose_name(form_key: str = "choose_name") -> None:
    """The form that makes a learner."""
    with st.form(form_key, width=480):
        st.text_input("Your name", max_chars=40, key=f"{form_key} name", autocomplete="nickname")
        st.caption(f"There is no account. {where_kept()}")
        st.form_submit_button("Begin", type="primary", on_click=_create, args=(f"{form_key} name",))
    if said := state.get(state.STUDY_SAID):
        st.warning(said, icon=":material/info:")
        state.put(state.STUDY_SAID, None)


def _create(field: str) -> None:
    key = visits.key() or learners.new_key()
    try:
        if learners.find(database(), key) is None:  # else another tab was quicker
            learners.create(database(), state.widget_value(field) or "", key, now())
    except InputError as error:
        state.put(state.STUDY_SAID, str(error))
        return
    state.put(state.LEARNER, key)


def study_link(label: str) -> None:
    """A link to the study page."""
    pages.link(STUDY, label)


def who_is_here(who: Learner) -> None:
    """The learner's name, the way to another device, and the way out."""
    with row("who"):
        st.caption(f"Studying as {as_written(who.name)}.")
        label = "My link for another device"
        box = widgets.popover(state.LEARNER_LINK_OPEN, label, "devices", type="tertiary")
        if box.open:  # else the key is not even on the page
            with box:
                _own_link()
        if visits.key() is None:
            button("Switch learner", leave, key="leave", type="tertiary")
        else:
            _leave_form()(key="leave")


def _own_link() -> None:
    st.write("Opens your progress in another browser. Whoever has this link can study as you.")
    page = str(st.context.url or STUDY.url_path).split("?")[0]
    st.code(f"{page}?{state.LEARNER.name}={_key()}", language=None, wrap_lines=True)
    if visits.key() is None:
        st.caption(where_kept())


def leave() -> None:
    """Forget the learner in this browser tab; nothing stored is touched."""
    state.put(state.LEARNER, "")
    state.put(state.STUDY_TRIAL, None)


@cache
def _leave_form() -> Any:
    """A form, because only an answer of the server can change a cookie that no script may read."""
    html = f'<form method="post" action="{LEAVE}"><button>Switch learner</button></form>'
    css = """
        button { font: inherit; font-size: 0.9rem; color: inherit; background: none; border: 0;
                 padding: 0.5rem 0; cursor: pointer; }
        button:hover, button:focus-visible { color: var(--st-primary-color); }
    """
    return st.components.v2.component("embedding-lab.leave", html=html, css=css)
