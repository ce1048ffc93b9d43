"""Bi- and cross-encoder learning side by side: what they learn, start and stop, and the page that watches.

The page asks a worker for about a second of training, draws, and asks again. Nobody asks once the tab is
closed or Stop is pressed, so nothing goes on by itself.
"""

from __future__ import annotations

import secrets
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from core.data import sentence_sets, sentences
from core.data.split import make_split
from core.losses import LOSSES
from core.training.controls import BY_FIELD
from core.training.race import Lap, Race, Standing, forget, run_on
from core.types import InputError, TrainingConfig
from pages.bi_vs_cross import keys
from ui import inputs, messages, state, widgets
from ui.charts import chart
from ui.figures import cross_encoder
from ui.resources import executor
from ui.tables import safe_table
from ui.widgets import button, row

POLL = 1.0  # seconds between two looks
MEASUREMENTS = 12  # of each encoder over a race; measuring reads every pair again
BATCH = 8  # pairs a step
HELD_OUT = 0.3
MEASURES, AXES = {"Accuracy": "accuracy", "AUC": "auc"}, {"Seconds": "seconds", "Steps": "step"}
CLOSE = 0.05  # accuracies closer than this count as equal
RATES = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3)
ANSWERS = ("The bi-encoder", "The cross-encoder", "Neither, by less than 0.05")


@dataclass(frozen=True, slots=True)
class Watched:
    """The race on the page. `asked` is the second of training under way, if any."""

    race: Race
    running: bool = True
    standing: Standing | None = None
    asked: Future[Any] | None = None
    error: str | None = None


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
        given, own, share = sentences.parse_sentences(state.get(keys.OWN)).sentence_set, None, 0.5
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
    return Race("", given, split.train, split.held_out, config)


# --- Start, stop, go on ----------------------------------------------------------------------------


def _start(race: Race) -> None:
    _forget()
    state.put(keys.RACE, Watched(replace(race, id=secrets.token_hex(4))))


def _forget() -> None:
    old: Watched | None = state.get(keys.RACE)
    if old is not None:
        executor().call(forget, old.race.id, lane="background")
    state.put(keys.RACE, None)


def _set_running(running: bool) -> None:
    watched: Watched | None = state.get(keys.RACE)
    if watched is not None:
        state.put(keys.RACE, replace(watched, running=running, error=None))


def buttons(race: Race | None) -> None:
    """One filled button, which is always the next thing to do."""
    watched: Watched | None = state.get(keys.RACE)
    done = watched is not None and watched.standing is not None and watched.standing.done
    with row():
        if watched is None or done:
            label = "Train both" if watched is None else "Train both again"
            begin = None if race is None else partial(_start, race)
            button(label, begin, key="race_go", icon="play_arrow", type="primary", disabled=begin is None)
        elif watched.running:
            button("Stop", _set_running, False, key="race_go", icon="stop", type="primary")
        else:
            button("Go on", _set_running, True, key="race_go", icon="play_arrow", type="primary")
        if watched is not None:
            button("Reset", _forget, key="race_reset", icon="restart_alt", type="tertiary")


# --- Watch -----------------------------------------------------------------------------------------


def watch() -> None:
    """Progress, both curves and their table; asks for the next second of training while it runs."""
    watched: Watched | None = state.get(keys.RACE)
    if watched is None:
        st.caption(
            "Press Train both, and two curves grow here: accuracy on pairs that neither was trained on."
        )
        return
    ticking = watched.running or watched.asked is not None

    def look() -> None:
        now = _step(state.get(keys.RACE))
        if now is None:
            return
        state.put(keys.RACE, now)
        _draw(now)
        if ticking and not now.running and now.asked is None:
            st.rerun()

    st.fragment(look, run_every=POLL if ticking else None)()


def _step(watched: Watched | None) -> Watched | None:
    """Take the answer that has come in, and ask for the next one unless the race is over or stopped."""
    if watched is None:
        return None
    if watched.asked is not None and watched.asked.done():
        try:
            watched = replace(watched, standing=watched.asked.result(), asked=None)
        except (InputError, RuntimeError) as error:
            watched = replace(watched, error=str(error), asked=None, running=False)
    if watched.standing is not None and watched.standing.done:
        watched = replace(watched, running=False)
    if watched.running and watched.asked is None:
        asked = executor().call(run_on, watched.race, lane="background")
        watched = replace(watched, asked=asked)
    return watched


def _draw(watched: Watched) -> None:
    messages.error(watched.error)
    race, standing = watched.race, watched.standing
    if standing is None:
        st.progress(0.0, text="Waiting for a worker and loading both models")
        return
    word = "Training" if watched.running else ("Finished" if standing.done else "Stopped")
    share = (standing.bi_step + standing.cross_step) / (2 * standing.steps)
    st.progress(
        min(1.0, share),
        text=f"{word} · bi-encoder step {standing.bi_step}, cross-encoder step {standing.cross_step} "
        f"of {standing.steps} · {len(race.pairs)} pairs to learn, {len(race.held_out)} held out",
    )
    measure, against = MEASURES[state.get(keys.MEASURE)], AXES[state.get(keys.AGAINST)]
    figure = cross_encoder.race(standing.bi, standing.cross, measure, against)
    chart(figure, "bvc_race_figure", "Lines: both encoders' held-out accuracy or AUC as they learn")
    laps = [("bi-encoder", lap) for lap in standing.bi] + [("cross-encoder", lap) for lap in standing.cross]
    columns = {
        "encoder": [name for name, _ in laps],
        "step": [lap.step for _, lap in laps],
        "seconds of training": [lap.seconds for _, lap in laps],
        "loss of the batch": [lap.loss for _, lap in laps],
        "held-out accuracy": [lap.accuracy for _, lap in laps],
        "held-out AUC": [lap.auc for _, lap in laps],
    }
    safe_table(columns, key="bvc_race_rows", name="side-by-side", height=220)


def axes() -> None:
    """What the curves show."""
    with st.container(horizontal=True, gap="medium"):
        widgets.segmented_control(keys.MEASURE, "Measure", tuple(MEASURES))
        widgets.segmented_control(keys.AGAINST, "Against", tuple(AXES))


def outcome() -> tuple[str, str] | None:
    """The answer to the prediction and its figures, once both are through; None before."""
    watched: Watched | None = state.get(keys.RACE)
    standing = watched.standing if watched is not None else None
    if standing is None or not standing.done or not standing.bi or not standing.cross:
        return None
    end = min(standing.bi[-1].seconds, standing.cross[-1].seconds)
    bi, cross = _at(standing.bi, end), _at(standing.cross, end)
    if bi is None or cross is None:
        return None
    truth = ANSWERS[2] if abs(bi - cross) < CLOSE else ANSWERS[0] if bi > cross else ANSWERS[1]
    return truth, f"After {end:.1f} seconds of training: bi-encoder {bi:.2f}, cross-encoder {cross:.2f}."


def _at(laps: tuple[Lap, ...], seconds: float) -> float | None:
    """The accuracy measured last by then."""
    return next((lap.accuracy for lap in reversed(laps) if lap.seconds <= seconds), None)
