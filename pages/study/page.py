"""Study cards: what is due today, the whole collection, how it goes, and decks of one's own."""

from __future__ import annotations

import streamlit as st

from pages.study import collection, keys, views
from ui import kit, learner, messages, state, widgets

LEAD = (
    "Cards that come back shortly before you would forget them. Each asks for a reason or a consequence, "
    "and most open the experiment that shows it."
)
head = st.container()

with kit.sentences_not_tracebacks():
    who = learner.from_link()
    if who is None:
        with head:
            kit.opening("study", LEAD)
        views.welcome()
        learner.choose_name()
        st.stop()
    with head, widgets.row():  # one line: question, answer and ratings have to fit below it
        st.title("Study cards", anchor=False, width="content")
        view = widgets.view(keys.VIEW, "View", views.VIEWS)
    messages.left_in(state.STUDY_SAID, messages.info)
    views.what_is_left_out(who)
    views.VIEWS[view](collection.load(who))
    learner.who_is_here(who)
