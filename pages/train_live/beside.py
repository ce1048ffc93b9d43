"""What moves beside the map: curves, the hardest pairs under both models, and the card of the moment."""

from __future__ import annotations

import math

import streamlit as st

from core.cards.moments import moments
from core.cards.reading import Reading
from core.metrics.measures import measure
from core.runs.messages import ShownPairs, told
from core.types import FloatArray, Forces, Run, Snapshot
from pages.train_live import cards, keys
from ui import batches, kit, learner, state
from ui.boards import live_panel
from ui.runs import live_run, push
from ui.training_data import TrainingData

SOON = 1.0  # seconds between two looks for scores that are still being computed


def panel(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """The panel. The cross-encoder's scores come once, before or while the model learns."""
    shown = run if run is not None and run.snapshots else _unbegun(data, base)
    pairs = ShownPairs.of(shown)
    texts = shown.sentences.texts
    asked = [(texts[a], texts[b]) for a, b in pairs.rows.tolist()]
    with kit.sentences_not_tracebacks():
        progress = batches.pair_scores().advance(asked)
    known = zip(pairs.rows.tolist(), batches.pair_scores().known(asked), strict=True)
    scores = {(a, b): score for (a, b), score in known if score is not None}
    channel = live_run.channel(run)
    if run is not None and channel is not None:
        push.hub().topic(run.id).scores = scores
    found = moments(Reading(shown, scores))
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
    if progress.done < progress.total and channel is None:
        st.fragment(_look_again, run_every=SOON)()


def _look_again() -> None:
    st.rerun()


def _unbegun(data: TrainingData, base: FloatArray) -> Run:
    """The base model as a run that has not taken a step."""
    measured = measure(base, data.sentences, data.held_out, data.train)
    snapshot = Snapshot(0, math.nan, base, Forces.none(), measured)
    return Run("", state.config(), data.sentences, data.train, data.held_out, (snapshot,))
