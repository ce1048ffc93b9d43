"""Bi- and cross-encoder learning side by side: what they learn, and what the page shows of their race."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.data import sentence_sets
from core.data.split import make_split
from core.losses import LOSSES
from core.training.controls import BY_FIELD
from core.training.race import Evaluation, Race, RaceSnapshot, curve
from core.types import InputError, RunStatus, TaskRun, TrainingConfig
from pages.bi_vs_cross import keys
from ui import inputs, messages, state, widgets
from ui.charts import chart
from ui.figures import cross_encoder
from ui.runs import watching
from ui.runs.watching import forget
from ui.tables import safe_table

MEASUREMENTS = 12  # of each encoder over a race; measuring reads every pair again
BATCH = 8  # pairs a step
HELD_OUT = 0.3
MEASURES, AXES = {"Accuracy": "accuracy", "AUC": "auc"}, {"Seconds": "seconds", "Steps": "step"}
CLOSE = 0.05  # accuracies closer than this count as equal
RATES = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3)
ANSWERS = ("The bi-encoder", "The cross-encoder", "Neither, by less than 0.05")


def prepared() -> Race | None:
    """The race that the widgets describe, or None with the reason on the page."""
    try:
        return _race()
    except InputError as error:
        messages.warning(str(error))
        return None


def setup() -> None:
    """What both learn, and how."""
    chosen = inputs.sentence_set(keys.SET)
    if chosen == inputs.OWN:
        widgets.text_area(keys.OWN, "One a line: group | sentence", height=180, max_chars=20_000)
        st.caption("Sentences of one group are similar, of different groups dissimilar.")
    with st.expander("Settings of the training"):
        losses = {k: loss for k, loss in LOSSES.items() if loss.needs == "labelled" and k != "softmax"}
        if chosen == inputs.OWN or not sentence_sets.load_set(chosen).pairs:  # listed pairs are all used
            widgets.slider(keys.PAIRS, "Pairs to learn", step=10)
        widgets.slider(keys.STEPS, "Steps", step=10)
        widgets.select_slider(keys.RATE, "Learning rate", RATES)
        widgets.slider(keys.TRAINED, "Trained layers")
        widgets.selectbox(keys.LOSS, "Loss of the bi-encoder", losses)
        widgets.number_input(keys.SEED, "Seed", help=BY_FIELD["seed"].help)
        st.caption("The cross-encoder's loss is always binary cross-entropy on the label of the pair.")


def _race() -> Race:
    """Raises InputError when the sentences or pairs cannot be used."""
    chosen, count, seed = state.get(keys.SET), state.get(keys.PAIRS), state.get(keys.SEED)
    if chosen != inputs.OWN:
        source = sentence_sets.load_set(chosen)
        given, own, share = source.sentence_set, source.pairs or None, source.similar_share
    else:
        given, own, share = inputs.own_sentences(state.get(keys.OWN), "minilm-l6"), None, 0.5
        if not given.has_groups:
            raise InputError(
                "These sentences name no two groups, so there is nothing to tell apart. Put a group before "
                "each sentence: weather | It will rain."
            )
    split = make_split(given, count, HELD_OUT, seed, pairs=own, similar_share=share)
    steps = state.get(keys.STEPS)
    config = TrainingConfig(
        loss=state.get(keys.LOSS),
        steps=steps,
        learning_rate=state.get(keys.RATE),
        batch_size=BATCH,
        trained_layers=state.get(keys.TRAINED),
        seed=seed,
        snapshot_every=max(1, steps // MEASUREMENTS),
    )
    return Race(given, split.train, split.held_out, config)


# --- Start, stop, watch ----------------------------------------------------------------------------


def _start(race: Race) -> None:
    _reset()
    state.put(keys.RACE, watching.begin(race))


def _reset() -> None:
    forget(_ids())
    state.put(keys.RACE, None)


def _ids() -> tuple[str, ...]:
    run_id = state.get(keys.RACE)
    return () if run_id is None else (run_id,)


def _runs() -> list[TaskRun[RaceSnapshot]]:
    return watching.task_runs(_ids(), Race)


def buttons(race: Race | None) -> None:
    start = None if race is None else partial(_start, race)
    state.write_address(keys.RACE)
    watching.buttons(_runs(), "Train both", start, _reset, key="race", again="Train both again")


def watch() -> None:
    """Progress, both curves and their table."""
    if not _runs():
        st.caption(
            "Press Train both, and two curves grow here: accuracy on pairs that neither was trained on."
        )
        return
    watching.watch(_runs, _draw)


def _draw(runs: Sequence[TaskRun[RaceSnapshot]]) -> None:
    if not runs:
        return
    run, race = runs[0], runs[0].task
    messages.error(run.error)
    messages.info(run.note)
    if not run.snapshots:
        st.progress(0.0, text=f"{watching.word(runs)}. Both models have to be loaded first.")
        return
    bi, cross = curve(run.snapshots, "bi"), curve(run.snapshots, "cross")
    st.progress(
        min(1.0, run.step / max(1, run.steps)),
        text=f"{watching.word(runs)} · step {run.step} of {run.steps}, both encoders together · "
        f"{len(race.pairs)} pairs to learn, {len(race.held_out)} held out",
    )
    measure, against = MEASURES[state.get(keys.MEASURE)], AXES[state.get(keys.AGAINST)]
    figure = cross_encoder.race(bi, cross, measure, against)
    chart(figure, "bvc_race_figure", "Lines: both encoders' held-out accuracy or AUC as they learn")
    found = [("bi-encoder", m) for m in bi] + [("cross-encoder", m) for m in cross]
    columns = {
        "encoder": [name for name, _ in found],
        "step": [m.step for _, m in found],
        "seconds of training": [m.seconds for _, m in found],
        "loss of the batch": [m.loss for _, m in found],
        "held-out accuracy": [m.accuracy for _, m in found],
        "held-out AUC": [m.auc for _, m in found],
    }
    safe_table(columns, key="bvc_race_rows", name="side-by-side", height=220)


def axes() -> None:
    """What the curves show."""
    with st.container(horizontal=True, gap="medium"):
        widgets.segmented_control(keys.MEASURE, "Measure", tuple(MEASURES))
        widgets.segmented_control(keys.AGAINST, "Against", tuple(AXES))


def outcome() -> tuple[str, str] | None:
    """The answer to the prediction and its figures, once both are through; None before."""
    runs = _runs()
    if not runs or runs[0].status is not RunStatus.FINISHED:
        return None
    both = [curve(runs[0].snapshots, side) for side in ("bi", "cross")]
    end = min(found[-1].seconds for found in both)
    bi, cross = (_at(found, end) for found in both)
    if bi is None or cross is None:
        return None
    truth = ANSWERS[2] if abs(bi - cross) < CLOSE else ANSWERS[0] if bi > cross else ANSWERS[1]
    return truth, f"After {end:.1f} seconds of training: bi-encoder {bi:.2f}, cross-encoder {cross:.2f}."


def _at(found: tuple[Evaluation, ...], seconds: float) -> float | None:
    """The accuracy measured last by then."""
    return next((m.accuracy for m in reversed(found) if m.seconds <= seconds), None)
