"""How a learner wants to study: cards a day, how well remembered, two buttons or four."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.cards import schedule
from core.storage import learners
from pages.study.collection import Collection
from ui.learner import database

RETENTION = "FSRS times each card so that you still know it with this probability. Higher means more reviews."
REVEALED = "Ask for a prediction only once"
HELP_REVEALED = "Pages whose question you have met then open with their figures shown."


def form(kept: Collection) -> None:
    """How many cards a day, how well remembered, how many buttons."""
    settings = kept.settings
    bounds = schedule.SETTING_BOUNDS
    with st.expander("Settings", icon=":material/tune:"), st.form("study_settings", border=False):
        left, right = st.columns(2)
        with left:
            low, high = map(int, bounds["new_per_day"])
            new = st.number_input("New cards a day", low, high, settings.new_per_day)
            four = st.toggle("Four buttons: Again, Hard, Good, Easy", settings.four_buttons)
            seen = learners.opens_revealed(database(), kept.learner.id)
            revealed = st.toggle(REVEALED, seen, key="study_opens_revealed", help=HELP_REVEALED)
        with right:
            low, high = map(int, bounds["reviews_per_day"])
            reviews = st.number_input("Reviews a day, at most", low, high, settings.reviews_per_day)
            low, high = (round(100 * bound) for bound in bounds["desired_retention"])
            share, label = round(100 * settings.desired_retention), "Share to remember when a card comes back"
            wanted = st.slider(label, low, high, share, format="%d%%", help=RETENTION)
        if st.form_submit_button("Save"):
            changed = replace(settings, new_per_day=new, reviews_per_day=reviews, four_buttons=four)
            changed = replace(changed, desired_retention=wanted / 100)
            learners.set_study_settings(database(), kept.learner.id, changed)
            learners.set_setting(database(), kept.learner.id, learners.OPENS_REVEALED, revealed)
            st.rerun()
