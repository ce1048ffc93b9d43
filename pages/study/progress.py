"""Progress: forecast, retention and forgetting with their tables, and all of it as one file."""

from __future__ import annotations

from datetime import date, timedelta

import streamlit as st

from core.cards import schedule
from core.cards.types import Confidence, Stage
from core.storage import Progress, read_progress
from core.types import InputError
from pages.study import keys, plots
from pages.study.session import CONFIDENCES
from pages.study.shelf import Shelf
from ui import kit, state
from ui.learner import now, store
from ui.tables import safe_table

DAYS = 30
WEEKS = 12
FORGETTING_DAYS = tuple(range(0, 61, 4))
QUIET = {"displayModeBar": False}
FSRS = "Computed by FSRS from your own answers."


def show(shelf: Shelf) -> None:
    """The whole Progress view."""
    begun = [s for s in shelf.states.values() if s.stage is not Stage.NEW]
    if shelf.log:
        _numbers(shelf, len(begun))
        left, right = st.columns(2, gap="large")
        with left:
            _forecast(shelf)
        with right:
            _retention(shelf)
        left, right = st.columns(2, gap="large")
        with left:
            _forgetting(shelf)
        with right:
            _confidence(shelf)
    else:
        st.info("Answer a few cards under Study, and this fills with how it goes.", icon=":material/info:")
    st.subheader("Your progress as a file", anchor=False)
    _transfer(shelf)


def _numbers(shelf: Shelf, begun: int) -> None:
    offset = shelf.settings.utc_offset
    today = schedule.reviews_per_day(shelf.log, offset).get(schedule.study_day(shelf.moment, offset), 0)
    share = schedule.observed_retention(shelf.log)
    with st.container(horizontal=True, gap="large"):
        st.metric("Cards begun", f"{begun} of {len(shelf.cards())}", width="content")
        st.metric("Answers today", today, width="content")
        st.metric("Answers in all", len(shelf.log), width="content")
        if share is not None:
            st.metric(
                "Remembered", f"{share:.0%}", width="content",
                help="Share of answers other than Again, among cards that had left their learning steps.",
            )  # fmt: skip


def _forecast(shelf: Shelf) -> None:
    st.markdown("**Coming back**")
    active = [s for s in shelf.states.values() if s.card_id not in shelf.suspended]
    days = schedule.forecast(active, shelf.moment, DAYS, shelf.settings.utc_offset)
    figure = plots.forecast(days)
    st.plotly_chart(figure, key="forecast", config=QUIET, alt="Cards due on each of the next 30 days")
    st.caption("Cards due on each of the next 30 days, if all are answered. New cards are not counted.")
    with st.expander("As a table"):
        rows = {"day": [f"{day:%Y-%m-%d}" for day, _ in days], "cards due": [count for _, count in days]}
        safe_table(rows, key="forecast_rows", name="forecast")


def _retention(shelf: Shelf) -> None:
    st.markdown("**Remembered**")
    weeks = weekly_retention(shelf)
    if all(share is None for _, share in weeks):
        st.caption("Appears once cards have left their learning steps and come back for a review.")
        return
    figure = plots.retention(weeks, shelf.settings.desired_retention)
    st.plotly_chart(figure, key="retention", config=QUIET, alt="Share of reviews remembered, by week")
    st.caption("Share of reviews that were not rated Again, by week. The dotted line is what you aim at.")
    with st.expander("As a table"):
        shown = [(day, share) for day, share in weeks if share is not None]
        rows = {"week from": [f"{d:%Y-%m-%d}" for d, _ in shown], "remembered": [share for _, share in shown]}
        safe_table(rows, key="retention_rows", name="retention")


def weekly_retention(shelf: Shelf) -> list[tuple[date, float | None]]:
    """(first day, share remembered) of the latest twelve weeks, oldest first."""
    weeks = []
    for back in range(WEEKS, 0, -1):
        since, until = shelf.moment - timedelta(weeks=back), shelf.moment - timedelta(weeks=back - 1)
        last = until if back > 1 else None
        weeks.append((since.date(), schedule.observed_retention(shelf.log, since, last)))
    return weeks


def _forgetting(shelf: Shelf) -> None:
    st.markdown("**If you stopped today**")
    states = [s for s in shelf.states.values() if s.stage is not Stage.NEW]
    shares = [
        sum(schedule.retrievability(s, shelf.moment + timedelta(days=day)) for s in states) / len(states)
        for day in FORGETTING_DAYS
    ]
    figure = plots.forgetting(FORGETTING_DAYS, shares, shelf.settings.desired_retention)
    st.plotly_chart(figure, key="forgetting", config=QUIET, alt="Expected share remembered without reviews")
    st.caption(f"Expected share of your begun cards that you would still know. {FSRS}")
    with st.expander("As a table"):
        rows = {"days": list(FORGETTING_DAYS), "expected share remembered": shares}
        safe_table(rows, key="forgetting_rows", name="forgetting")


def _confidence(shelf: Shelf) -> None:
    table = schedule.calibration(shelf.log)
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


def _transfer(shelf: Shelf) -> None:
    who, kept = shelf.learner.id, store()
    st.markdown(
        "One JSON file holds your schedules, answers, suspended and edited cards, own decks, settings and "
        "lessons. Use it to keep a copy or to move to another computer."
    )
    st.download_button(
        "Export all progress",
        data=lambda: kept.export_progress(who, now()).encode(),
        file_name="embedding-lab-progress.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        key="export_progress",
    )
    file = st.file_uploader("Import a progress file", type=["json"], key="progress_file", max_upload_size=20)
    if file is None:
        return
    with kit.sentences_not_tracebacks():
        progress = read_progress(file.getvalue())
        st.text(progress.summary)
        st.caption("Importing replaces everything that you have here. Your name and address stay.")
        st.button(
            "Replace my progress by this file", key="import_progress", on_click=_import, args=(who, progress)
        )


def _import(learner_id: int, progress: Progress) -> None:
    try:
        store().import_progress(learner_id, progress, now())
    except InputError as error:
        state.put(state.STUDY_SAID, str(error))
        return
    state.put(state.STUDY_TURN, None)
    state.put(keys.NEXT, None)
    state.put(state.STUDY_SAID, "The progress of the file is yours now.")
