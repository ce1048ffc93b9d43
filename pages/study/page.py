"""Study cards: what is due today, the whole collection, how it goes, and decks of one's own."""

from __future__ import annotations

import streamlit as st

from pages.study import keys, views
from pages.study.shelf import shelf
from ui import kit, learner, state

kit.opening(
    "study",
    "Cards that come back shortly before you would forget them. Each asks for a reason or a consequence, "
    "and most open the experiment that shows it.",
)

with kit.sentences_not_tracebacks():
    who = learner.from_link()
    if who is None:
        views.welcome()
        learner.choose_name()
        st.stop()
    view = st.segmented_control(
        "View", list(views.VIEWS), required=True, default=keys.VIEW.default,
        label_visibility="collapsed", **state.bound(keys.VIEW),
    )  # fmt: skip
    views.show(view or keys.VIEW.default, shelf(who))
    views.who_is_here(who)
