"""What moves beside the map: curves, the hardest pairs under both models, and the card of the moment."""

from __future__ import annotations

import math

import streamlit as st

from core.cards.moments import moments
from core.cards.reading import Reading
from core.metrics.measures import measure
from core.runs.messages import ShownPairs, told
from core.training import tuned
from core.types import FloatArray, Forces, Run, RunStatus, Snapshot
from pages.train_live import cards, keys
from ui import batches, kit, learner, state
from ui.boards import live_panel
from ui.resources import executor, later
from ui.runs import live_run, push
from ui.training_data import TrainingData

SOON = 1.0  # seconds between two looks for scores that are still being computed


def panel(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """The panel. The cross-encoder's scores come once, before or while the model learns."""
    shown = run if run is not None and run.snapshots else _unbegun(data, base)
    pairs = ShownPairs.of(shown)
    texts = shown.sentences.texts
    rows = pairs.rows.tolist()
    asked = [(texts[a], texts[b]) for a, b in rows]
    known = batches.pair_scores().known(asked)
    scores = {(a, b): score for (a, b), score in zip(rows, known, strict=True) if score is not None}
    channel = live_run.channel(run)
    if run is not None and channel is not None:
        push.hub().topic(run.id).scores = scores
    everyday, asking = _everyday(run)
    found = moments(Reading(shown, scores, everyday))
    who = learner.current()
    kept = live_panel.panel(
        key="beside",
        run=shown,
        scores=scores,
        moment=told(found[0], shown, shown.step) if found else None,
        channel=channel,
        present=state.get(keys.PRESENT),
        can_keep=who is not None,
    )
    if kept is not None and who is not None:
        moment = next((m for m in found if m.key == kept), None)
        if moment is not None:
            cards.keep_moment(who.id, data, shown, moment)
    done = len({pair for pair, score in zip(asked, known, strict=True) if score is not None})

    def look() -> None:
        with kit.sentences_not_tracebacks():
            if batches.pair_scores().advance(asked).done > done:
                st.rerun()
        if asking and not _everyday(run)[1]:
            st.rerun()

    st.fragment(look, run_every=SOON if (None in known or asking) and channel is None else None)()


def _everyday(run: Run | None) -> tuple[tuple[float, float] | None, bool]:
    """How well everyday pairs are ranked by the base model and by that of a finished run, once a worker has
    read them; and whether it is still at it."""
    if run is None or run.status is not RunStatus.FINISHED or run.step not in run.checkpoints:
        return None, False
    weights = executor().checkpoint_path(run.id, run.step)
    if run.id == state.get(keys.UNPROBED):
        return None, False
    answers = [later(tuned.probe, run.config, file) for file in (None, weights)]
    if not all(answer.done() for answer in answers):
        return None, True
    if problem := next((answer.exception() for answer in answers if answer.exception()), None):
        state.put(keys.UNPROBED, run.id)  # not again with every drawing of the page
        state.put(state.MESSAGE, f"What the training did to everyday pairs is not known: {problem}")
        return None, True  # for one more drawing, which tells it
    before, now = (answer.result().spearman for answer in answers)
    return (None if before is None or now is None else (before, now)), False


def _unbegun(data: TrainingData, base: FloatArray) -> Run:
    """The base model as a run that has not taken a step."""
    measured = measure(base, data.sentences, data.held_out, data.train)
    snapshot = Snapshot(0, math.nan, base, Forces.none(), measured)
    return Run("", state.config(), data.sentences, data.train, data.held_out, (snapshot,))
