"""Progress: forecast, retention and forgetting with their tables, and all of it as one file."""

from __future__ import annotations

from datetime import date, timedelta

import streamlit as st

from core.cards import schedule
from core.cards.types import Confidence, Stage
from core.storage import learners, transfer
from pages.study import keys, plots
from pages.study.collection import Collection
from pages.study.session import CONFIDENCES
from ui import kit, messages, state, widgets
from ui.charts import chart
from ui.learner import database, now
from ui.tables import folded_table, safe_table
from ui.widgets import button, download

DAYS = 30
WEEKS = 12
FORGETTING_DAYS = tuple(range(0, 61, 4))
FSRS = "Computed by FSRS from your own answers."


def how_it_goes(kept: Collection) -> None:
    """The whole Progress view."""
    begun = [s for s in kept.states.values() if s.stage is not Stage.NEW]
    if kept.log:
        _numbers(kept, len(begun))
        left, right = st.columns(2, gap="large")
        with left:
            _forecast(kept)
        with right:
            _retention(kept)
        left, right = st.columns(2, gap="large")
        with left:
            _forgetting(kept)
        with right:
            _confidence(kept)
    else:
        messages.info("Answer a few cards under Study, and this fills with how it goes.")
    _predictions(kept)
    st.subheader("Your progress as a file", anchor=False)
    _transfer(kept)


def _numbers(kept: Collection, begun: int) -> None:
    zone = kept.settings.zone
    today = schedule.reviews_per_day(kept.log, zone).get(schedule.study_day(kept.moment, zone), 0)
    share = schedule.observed_retention(kept.log)
    with st.container(horizontal=True, gap="large"):
        st.metric("Cards begun", f"{begun} of {len(kept.cards())}", width="content")
        st.metric("Answers today", today, width="content")
        st.metric("Answers in all", len(kept.log), width="content")
        if share is not None:
            says = "Share of answers other than Again, among cards that had left their learning steps."
            asked = sum(entry.before.stage is Stage.REVIEW for entry in kept.log)
            st.metric("Remembered", f"{share:.0%} of {asked}", width="content", help=says)


def _forecast(kept: Collection) -> None:
    st.markdown("**Coming back**")
    active = [s for s in kept.states.values() if s.card_id not in kept.suspended]
    days = schedule.forecast(active, kept.moment, DAYS, kept.settings.zone)
    figure = plots.forecast(days)
    chart(figure, "forecast", "Cards due on each of the next 30 days")
    st.caption("Cards due on each of the next 30 days, if all are answered. New cards are not counted.")
    rows = {"day": [f"{day:%Y-%m-%d}" for day, _ in days], "cards due": [count for _, count in days]}
    folded_table(rows, title="As a table", key="forecast_rows", name="forecast")


def _retention(kept: Collection) -> None:
    st.markdown("**Remembered**")
    weeks = weekly_retention(kept)
    if all(share is None for _, share in weeks):
        st.caption("Appears once cards have left their learning steps and come back for a review.")
        return
    figure = plots.retention(weeks, kept.settings.desired_retention)
    chart(figure, "retention", "Share of reviews remembered, by week")
    st.caption("Share of reviews that were not rated Again, by week. The dotted line is what you aim at.")
    shown = [(day, share) for day, share in weeks if share is not None]
    rows = {"week from": [f"{d:%Y-%m-%d}" for d, _ in shown], "remembered": [share for _, share in shown]}
    folded_table(rows, title="As a table", key="retention_rows", name="retention")


def weekly_retention(kept: Collection) -> list[tuple[date, float | None]]:
    """(first day, share remembered) of the latest twelve weeks, oldest first."""
    weeks = []
    for back in range(WEEKS, 0, -1):
        since, until = (
            kept.moment - timedelta(weeks=back),
            kept.moment - timedelta(weeks=back - 1),
        )
        last = until if back > 1 else None
        weeks.append((since.date(), schedule.observed_retention(kept.log, since, last)))
    return weeks


def _forgetting(kept: Collection) -> None:
    st.markdown("**If you stopped today**")
    states = [s for s in kept.states.values() if s.stage is not Stage.NEW]
    shares = [
        sum(schedule.retrievability(s, kept.moment + timedelta(days=day)) for s in states) / len(states)
        for day in FORGETTING_DAYS
    ]
    figure = plots.forgetting(FORGETTING_DAYS, shares, kept.settings.desired_retention)
    chart(figure, "forgetting", "Expected share remembered without reviews")
    st.caption(f"Expected share of your begun cards that you would still know. {FSRS}")
    rows = {"days": list(FORGETTING_DAYS), "expected share remembered": shares}
    folded_table(rows, title="As a table", key="forgetting_rows", name="forgetting")


def _confidence(kept: Collection) -> None:
    table = schedule.calibration(kept.log)
    if not any(total for _, total in table.values()):
        return
    st.markdown("**How sure, and how often right**")
    rows = {
        "you said": [CONFIDENCES[c] for c in Confidence],
        "answers": [table[c][1] for c in Confidence],
        "right": [f"{table[c][0] / table[c][1]:.0%}" if table[c][1] else "" for c in Confidence],
    }
    safe_table(rows, key="confidence_rows", name="confidence")
    st.caption("Well calibrated means: certain is nearly always right, a guess is not.")


def _predictions(kept: Collection) -> None:
    """How often what was predicted on the pages and in the lessons came out so, by week."""
    made = [p for p in learners.predictions(database(), kept.learner.id).values() if p.guess and p.outcome]
    if not made:
        return
    st.subheader("Your predictions", anchor=False)
    right = sum(p.is_right for p in made)
    says = "The first guess at each question. A wrong one teaches more: that is what the questions are for."
    st.metric("Predictions that agreed", f"{right} of {len(made)}", help=says)
    weeks: dict[date, list[bool]] = {}
    for p in sorted(made, key=lambda p: p.at):
        day = p.at.date()
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append(p.is_right)
    if len(weeks) > 1:
        chart(plots.predictions(weeks), "predictions", "Predictions that agreed and that did not, by week")
    rows = {
        "question": [p.question for p in made],
        "you said": [p.guess for p in made],
        "measured": [p.outcome for p in made],
        "day": [f"{p.at:%Y-%m-%d}" for p in made],
    }
    folded_table(rows, title="All of them", key="prediction_rows", name="predictions")


def _transfer(kept: Collection) -> None:
    who = kept.learner.id
    st.markdown(
        "One JSON file holds your schedules, answers, suspended and edited cards, own decks, predictions, "
        "settings and lessons. Use it to keep a copy or to move to another computer."
    )
    file_name, mime = "embedding-lab-progress.json", "application/json"
    everything = lambda: transfer.export_progress(database(), who, now()).encode()  # noqa: E731
    download("Export all progress", everything, file_name, key="export_progress", mime=mime)
    file = widgets.upload("Import a progress file", ["json"], key="progress_file", megabytes=20)
    if file is None:
        return
    with kit.sentences_not_tracebacks():
        progress = transfer.read_progress(file.getvalue())
        st.text(progress.summary)
        st.caption("Importing replaces everything that you have here. Your name and link stay.")
        button("Replace my progress by this file", _import, who, progress, key="import_progress")


def _import(learner_id: int, progress: transfer.StoredProgress) -> None:
    with messages.kept_in(state.STUDY_SAID):
        transfer.import_progress(database(), learner_id, progress, now())
        state.put(state.STUDY_TRIAL, None)
        state.put(keys.NEXT, None)
        state.put(state.STUDY_SAID, "The progress of the file is yours now.")
