"""How a learner wants to study: cards a day, how well remembered, two buttons or four."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.cards import schedule
from pages.study.shelf import Shelf
from ui.learner import store


def form(shelf: Shelf) -> None:
    """How many cards a day, how well remembered, how many buttons."""
    settings = shelf.settings
    bounds = schedule.SETTING_BOUNDS
    with st.expander("Settings", icon=":material/tune:"), st.form("study_settings", border=False):
        left, right = st.columns(2)
        with left:
            new = st.number_input("New cards a day", *map(int, bounds["new_per_day"]), settings.new_per_day)
            four = st.toggle("Four buttons: Again, Hard, Good, Easy", settings.four_buttons)
        with right:
            reviews = st.number_input(
                "Reviews a day, at most", *map(int, bounds["reviews_per_day"]), settings.reviews_per_day
            )
            low, high = (round(100 * bound) for bound in bounds["desired_retention"])
            wanted = st.slider(
                "Share to remember when a card comes back", low, high,
                round(100 * settings.desired_retention), format="%d%%",
                help="FSRS times each card so that you still know it with this probability. Higher means "
                "more reviews.",
            )  # fmt: skip
        if st.form_submit_button("Save"):
            changed = replace(
                settings,
                new_per_day=int(new),
                reviews_per_day=int(reviews),
                four_buttons=bool(four),
                desired_retention=wanted / 100,
            )
            store().set_study_settings(shelf.learner.id, changed)
            st.rerun()
