"""Who is studying: a name and a random key in the address, no account. And the one open database.

The key stands in the address of the study page, and in that of Compare once its gallery has been opened
with a name; a link to any other page gives nobody's progress away.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import streamlit as st

from core.storage import learners
from core.storage.database import Database
from core.storage.learners import Learner
from core.types import InputError
from ui import pages, state

STUDY = next(page for page in pages.PAGES if page.url_path == "study")


@cache
def database() -> Database:
    """The database, opened once for all sessions. Raises InputError when it cannot be opened."""
    return Database.open()


def now() -> datetime:
    return datetime.now(UTC)


def current() -> Learner | None:
    """The learner of this session, or of the address; None before a name was chosen."""
    key = state.get(state.LEARNER)
    return learners.find(database(), key) if key else None


def from_link() -> Learner | None:
    """Like `current`, on the study page, whose address names the learner and keeps naming them."""
    linked = state.link_value(state.LEARNER)
    if linked and learners.find(database(), linked) is not None:
        state.put(state.LEARNER, linked)
    found = current()
    if found is not None:
        state.put_in_link(state.LEARNER, state.get(state.LEARNER))
    elif linked:
        st.info(
            "No progress is stored here under the key in this address. Choose a name to begin anew, or "
            "import a progress file afterwards under Progress.",
            icon=":material/info:",
        )
    return found


def choose_name(form_key: str = "choose_name") -> None:
    """The form that makes a learner."""
    with st.form(form_key, width=480):
        st.text_input("Your name", max_chars=40, key=f"{form_key} name", autocomplete="nickname")
        st.caption(
            "There is no account. Your progress is stored on this server under a random key, and the address "
            "of the study page then carries that key: bookmark it. Whoever has the address can study as you."
        )
        st.form_submit_button("Begin", type="primary", on_click=_create, args=(f"{form_key} name",))
    if said := state.get(state.STUDY_SAID):
        st.warning(said, icon=":material/info:")
        state.put(state.STUDY_SAID, None)


def _create(field: str) -> None:
    key = learners.new_key()
    try:
        learners.create(database(), state.widget_value(field) or "", key, now())
    except InputError as error:
        state.put(state.STUDY_SAID, str(error))
        return
    state.put(state.LEARNER, key)


def study_link(label: str) -> None:
    """A link to the study page that names the learner, for pages whose address does not."""
    key = state.get(state.LEARNER)
    pages.link(STUDY, label, {state.LEARNER.name: key} if key else None)


def leave() -> None:
    """Forget the learner in this browser tab; nothing stored is touched."""
    state.put(state.LEARNER, "")
    state.put(state.STUDY_TRIAL, None)
    state.put_in_link(state.LEARNER, "")
