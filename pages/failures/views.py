"""The widgets of "Fine-tuning gone wrong": an experiment, its two runs, and what they measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.concepts import failures
from core.concepts.failure_modes import FAILURE_MODES
from core.concepts.failures import READINGS, FailureMode, Plan, Readings
from core.data import sentence_sets, sentences
from core.runs.executor import RunRequest
from core.runs.messages import status_line
from core.types import InputError, Run, SentenceSet
from pages.failures import keys
from ui import kit, messages, state, widgets
from ui.charts import chart
from ui.figures import comparisons
from ui.resources import executor, session_is_open
from ui.tables import folded_table
from ui.widgets import button, row

POLL = 0.8  # seconds between two looks at the runs
BUILT_IN, OWN = "Built-in sentences", "My own sentences"
HELP_OWN = "One a line: group | sentence"


@dataclass(frozen=True, slots=True)
class Watched:
    """Two runs of one experiment, broken and sound, and the readings of the snapshots seen so far."""

    plans: tuple[Plan, Plan]
    runs: tuple[str, str]
    readings: tuple[tuple[tuple[int, Readings], ...], tuple[tuple[int, Readings], ...]] = ((), ())

    @property
    def done(self) -> bool:
        last = [path[-1][0] if path else -1 for path in self.readings]
        return all(step >= plan.config.steps for step, plan in zip(last, self.plans))


def choose() -> FailureMode:
    return FAILURE_MODES[widgets.segmented_control(keys.WHAT, "Experiment", FAILURE_MODES)]


def material(experiment: FailureMode) -> SentenceSet:
    """The sentences to break a model with. Raises InputError for own text that cannot be used."""
    own = state.get(keys.SOURCE) == OWN  # then the text has to be in sight
    with st.expander("Sentences and seed", expanded=own):
        choice = widgets.segmented_control(keys.SOURCE, "Sentences", (BUILT_IN, OWN))
        if choice == OWN:
            text = widgets.text_area(keys.TEXT, HELP_OWN, height=180, max_chars=20_000)
        widgets.number_input(keys.SEED, "Seed")
        if choice != OWN:
            found = sentence_sets.load_set(experiment.set_key)
            st.caption(f"{found.title}: {len(found.sentence_set)} sentences. Groups: {found.groups_are}.")
            return found.sentence_set
    given = sentences.parse_sentences(text).sentence_set
    if not given.has_groups:
        raise InputError("These sentences name no two groups. Put one before each: weather | It will rain.")
    return given


def plans(experiment: FailureMode, given: SentenceSet) -> tuple[Plan, Plan]:
    seed = state.get(keys.SEED)
    return experiment.broken(given, seed), experiment.sound(given, seed)


def watched(experiment: FailureMode, prepared: tuple[Plan, Plan] | None = None) -> Watched | None:
    """The runs of this experiment; with `prepared`, only where they were made from exactly that."""
    every: Mapping[str, Watched] = state.get(keys.RUNS) or {}
    found = every.get(experiment.key)
    return found if found is None or prepared is None or found.plans == prepared else None


def _keep(experiment: FailureMode, now: Watched | None) -> None:
    every = dict(state.get(keys.RUNS) or {})
    every.pop(experiment.key, None)
    state.put(keys.RUNS, every | ({} if now is None else {experiment.key: now}))


def _start(experiment: FailureMode, prepared: tuple[Plan, Plan]) -> None:
    _stop(experiment)
    requests = [RunRequest(p.config, p.sentences, p.train, p.held_out, "pca") for p in prepared]
    broken, sound = (executor().start(request, session_is_open()) for request in requests)
    _keep(experiment, Watched(prepared, (broken, sound)))


def _stop(experiment: FailureMode) -> None:
    old = watched(experiment)
    for run in _runs(old) if old is not None else ():
        if run is not None and run.is_active:
            executor().stop(run.id)
    _keep(experiment, None)


def _runs(now: Watched) -> tuple[Run | None, ...]:
    found: list[Run | None] = []
    for run_id in now.runs:
        try:
            found.append(executor().run(run_id))
        except InputError:
            found.append(None)  # forgotten; what was read of it stays
    return tuple(found)


def buttons(experiment: FailureMode, prepared: tuple[Plan, Plan], guess: str | None) -> None:
    """Run, which needs a prediction first; Stop while it runs."""
    now = watched(experiment, prepared)
    active = now is not None and not now.done and any(r is not None and r.is_active for r in _runs(now))
    with row():
        if active:
            button("Stop", _stop, experiment, key="gw_go", icon="stop", type="primary")
        else:
            label, start = (
                "Break it" if now is None else "Break it again",
                partial(_start, experiment, prepared),
            )
            button(label, start, key="gw_go", icon="play_arrow", type="primary", disabled=guess is None)
        if guess is None and not active:
            st.caption("Predict first; then the button works.")


def watch(experiment: FailureMode, prepared: tuple[Plan, Plan]) -> None:
    """Both runs as they learn: progress, curves and their table."""
    now = watched(experiment, prepared)
    if now is None:
        before(experiment, prepared[0])
        return
    ticking = not now.done and any(r is not None and r.is_active for r in _runs(now))

    def look() -> None:
        seen = watched(experiment, prepared)
        if seen is None:
            return
        runs = _runs(seen)
        seen = _read(seen, runs)
        _keep(experiment, seen)
        _progress(experiment, seen, runs)
        _draw(experiment, seen)
        if ticking and (seen.done or not any(r is not None and r.is_active for r in runs)):
            st.rerun()

    st.fragment(look, run_every=POLL if ticking else None)()


def _read(now: Watched, runs: tuple[Run | None, ...]) -> Watched:
    """Measure the snapshots that have come in since the last look."""
    paths = []
    for plan, run, path in zip(now.plans, runs, now.readings):
        seen = path[-1][0] if path else -1
        new = [s for s in (run.snapshots if run is not None else ()) if s.step > seen]
        paths.append((*path, *((s.step, failures.read(plan, s)) for s in new)))
    return Watched(now.plans, now.runs, (paths[0], paths[1]))


def _progress(experiment: FailureMode, now: Watched, runs: tuple[Run | None, ...]) -> None:
    names = (experiment.broken_name, experiment.sound_name)
    for name, run, plan, path in zip(names, runs, now.plans, now.readings):
        step = path[-1][0] if path else 0
        through = step >= plan.config.steps
        word = status_line(run) if run is not None and not through else f"Finished · step {step}"
        st.progress(min(1.0, step / plan.config.steps), text=f"{name.capitalize()}: {word}")
        messages.error(run.error if run is not None else None)


def _draw(experiment: FailureMode, now: Watched) -> None:
    if not any(now.readings):
        return
    names = (experiment.broken_name, experiment.sound_name)
    main, *others = experiment.shown
    _curve(main, names, now)
    for column, field in zip(st.columns(len(others), gap="medium"), others):
        with column:
            _curve(field, names, now)
    rows = [(name, step, r) for name, path in zip(names, now.readings) for step, r in path]
    columns: dict[str, object] = {"run": [n for n, _, _ in rows], "step": [str(s) for _, s, _ in rows]}
    columns |= {title: [getattr(r, field) for _, _, r in rows] for field, title in READINGS.items()}
    name = f"gone-wrong-{experiment.key}"
    folded_table(columns, title="All readings", key="gw_rows", name=name, height=260)


def _curve(field: str, names: tuple[str, str], now: Watched) -> None:
    lines = {
        name: ([step for step, _ in path], [getattr(r, field) for _, r in path])
        for name, path in zip(names, now.readings)
    }
    title = READINGS[field]
    if all(value is None for _, values in lines.values() for value in values):
        st.caption(f"{title[0].upper()}{title[1:]}: there is no such pair among these sentences.")
        return
    figure = comparisons.two_runs(lines, y_title="", last_step=now.plans[0].config.steps)
    st.markdown(f"**{title[0].upper()}{title[1:]}**")
    chart(figure, f"gw_{field}", title)


def before(experiment: FailureMode, plan: Plan) -> None:
    """What the untouched model makes of the sentences, so that the page opens with something measured."""
    found = kit.ask(failures.at_start, plan, busy="Reading the untouched model")
    st.markdown("**Before training**")
    with st.container(horizontal=True, gap="large"):
        for field in experiment.shown:
            value = getattr(found, field)
            if value is not None:
                title = READINGS[field]
                st.metric(title[0].upper() + title[1:], f"{value:.3f}")


def outcome(experiment: FailureMode, prepared: tuple[Plan, Plan]) -> tuple[str, str] | None:
    """The measured answer and what was measured in both runs; None before both are through."""
    now = watched(experiment, prepared)
    if now is None or not now.done:
        return None
    answers = [experiment.judge(path[0][1], path[-1][1]) for path in now.readings]
    numbers = "; ".join(
        f"{name}: {'not defined' if value is None else format(value, '+.2f' if value < 0 else '.2f')}"
        for name, (_, value) in zip((experiment.broken_name, experiment.sound_name), answers)
    )
    truth = answers[0][0]
    told = (
        experiment.why
        if truth == experiment.usual
        else (
            "With these sentences or this seed the damage is not the usual one. What it usually shows: "
            + experiment.why
        )
    )
    return truth, f"{experiment.number}: {numbers}. {told} **What helps:** {experiment.remedy}"
