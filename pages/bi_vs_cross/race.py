"""Bi- and cross-encoder learning side by side: what they learn, start and stop, and the page that watches.

The page asks a worker for about a second of training, draws, and asks again. Nobody asks once the tab is
closed or Stop is pressed, so nothing goes on by itself.
"""

from __future__ import annotations

import secrets
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.data import sentence_sets, sentences
from core.data.split import make_split
from core.losses import LOSSES
from core.training.controls import BY_FIELD
from core.training.race import Lap, Race, Standing, forget, run_on
from core.types import InputError, TrainingConfig
from pages.bi_vs_cross import keys
from ui import kit, state
from ui.figures import cross_encoder
from ui.resources import executor
from ui.tables import safe_table

POLL = 1.0  # seconds between two looks
MEASUREMENTS = 12  # of each encoder over a race; measuring reads every pair again
BATCH = 8  # pairs a step
HELD_OUT = 0.3
OWN = "own"
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
        st.warning(str(error), icon=":material/info:")
        return None


def setup() -> None:
    """What both learn, and how."""
    titles = {info.key: info.title for info in sentence_sets.list_sets()} | {OWN: "My own sentences"}
    names = list(titles)
    st.selectbox(
        "Sentences", names, index=names.index(keys.SET.default), format_func=titles.__getitem__,
        **state.bound(keys.SET),
    )  # fmt: skip
    if state.get(keys.SET) == OWN:
        kit.typed(keys.OWN, "One a line: group | sentence", height=180, max_chars=20_000)
        st.caption("Sentences of one group are similar, of different groups dissimilar.")
    with st.expander("Settings of the training"):
        losses = [key for key, loss in LOSSES.items() if loss.needs == "labelled" and key != "softmax"]
        if not _brings_pairs(state.get(keys.SET)):
            _slider("Pairs to learn", keys.PAIRS, 10)
        _slider("Steps", keys.STEPS, 10)
        st.select_slider(
            "Learning rate", RATES, value=keys.RATE.default, format_func=lambda v: f"{v:g}",
            **state.bound(keys.RATE),
        )  # fmt: skip
        _slider("Trained layers", keys.TRAINED, 1)
        st.selectbox(
            "Loss of the bi-encoder", losses, index=losses.index(keys.LOSS.default),
            format_func=lambda key: LOSSES[key].title, **state.bound(keys.LOSS),
        )  # fmt: skip
        st.number_input(
            "Seed", *keys.SEED.bounds, value=keys.SEED.default,
            help=BY_FIELD["seed"].help, **state.bound(keys.SEED),
        )  # fmt: skip
        st.caption("The cross-encoder's loss is always binary cross-entropy on the label of the pair.")


def _brings_pairs(chosen: str) -> bool:
    """Whether the set comes with pairs of its own; all of them are used then."""
    known = {info.key for info in sentence_sets.list_sets()}
    return chosen in known and bool(sentence_sets.load_set(chosen).pairs)


def _slider(label: str, key: state.Key[int], step: int) -> None:
    st.slider(label, *key.bounds, value=key.default, step=step, **state.bound(key))


def _race() -> Race:
    """Raises InputError when the sentences or pairs cannot be used."""
    known = {info.key for info in sentence_sets.list_sets()}
    chosen, count, seed = state.get(keys.SET), state.get(keys.PAIRS), state.get(keys.SEED)
    if chosen in known:
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
    with st.container(horizontal=True, gap="small"):
        if watched is None or done:
            label = "Train both" if watched is None else "Train both again"
            st.button(
                label, key="race_go", type="primary", icon=":material/play_arrow:", disabled=race is None,
                on_click=_start, args=(race,),
            )  # fmt: skip
        elif watched.running:
            st.button(
                "Stop", key="race_go", type="primary", icon=":material/stop:", on_click=_set_running,
                args=(False,),
            )  # fmt: skip
        else:
            st.button(
                "Go on", key="race_go", type="primary", icon=":material/play_arrow:", on_click=_set_running,
                args=(True,),
            )  # fmt: skip
        if watched is not None:
            st.button(
                "Reset", key="race_reset", type="tertiary", icon=":material/restart_alt:", on_click=_forget
            )


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
    if watched.error:
        st.error(watched.error, icon=":material/error:")
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
    measure = {"Accuracy": "accuracy", "AUC": "auc"}.get(state.get(keys.MEASURE), "accuracy")
    against = {"Seconds": "seconds", "Steps": "step"}.get(state.get(keys.AGAINST), "seconds")
    figure = cross_encoder.race(standing.bi, standing.cross, measure, against)
    st.plotly_chart(figure, key="bvc_race_figure", config={"displayModeBar": False})
    laps = [
        *(("bi-encoder", lap) for lap in standing.bi),
        *(("cross-encoder", lap) for lap in standing.cross),
    ]
    safe_table(
        {
            "encoder": [name for name, _ in laps],
            "step": [lap.step for _, lap in laps],
            "seconds of training": [lap.seconds for _, lap in laps],
            "loss of the batch": [lap.loss for _, lap in laps],
            "held-out accuracy": [lap.accuracy for _, lap in laps],
            "held-out AUC": [lap.auc for _, lap in laps],
        },
        key="bvc_race_rows",
        name="side-by-side",
        height=220,
    )


def axes() -> None:
    """What the curves show."""
    with st.container(horizontal=True, gap="medium"):
        for label, key, options in (
            ("Measure", keys.MEASURE, ("Accuracy", "AUC")),
            ("Against", keys.AGAINST, ("Seconds", "Steps")),
        ):
            st.segmented_control(label, options, default=key.default, required=True, **state.bound(key))


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
