"""The widgets of "Fine-tuning gone wrong": an experiment, its two runs, and what they measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.concepts import failures
from core.concepts.failure_modes import FAILURE_MODES
from core.concepts.failures import READINGS, FailureMode, Plan, Readings
from core.data import sentence_sets
from core.data.text import plural
from core.runs.messages import status_line
from core.runs.request import RunRequest
from core.types import InputError, Run, RunStatus, SentenceSet
from pages.failures import keys
from ui import inputs, kit, messages, state, widgets
from ui.charts import chart
from ui.figures import comparisons
from ui.runs import watching
from ui.tables import folded_table
from ui.widgets import button, row

BUILT_IN, OWN = "Built-in sentences", "My own sentences"
HELP_OWN = "One a line: group | sentence"


Paths = list[list[tuple[int, Readings]]]


@dataclass(frozen=True, slots=True)
class PairedRuns:
    """Two runs of one experiment, broken and sound."""

    plans: tuple[Plan, Plan]
    run_ids: tuple[str, ...]

    def runs(self) -> list[Run]:
        """Both as they are now; none when one has been forgotten, or was made from something else."""
        found = watching.runs(self.run_ids)
        made = [Plan(r.sentences, p.groups, r.pairs, r.held_out, r.config) for r, p in zip(found, self.plans)]
        return found if made == list(self.plans) else []

    def paths(self, runs: Sequence[Run]) -> Paths:
        """What each run's snapshots show: (step, readings) of all of them."""
        return [
            [(s.step, failures.read(plan, s)) for s in run.snapshots] for plan, run in zip(self.plans, runs)
        ]


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
    given = inputs.own_sentences(text, "minilm-l6")
    if not given.has_groups:
        raise InputError("These sentences name no two groups. Put one before each: weather | It will rain.")
    return given


def plans(experiment: FailureMode, given: SentenceSet) -> tuple[Plan, Plan]:
    seed = state.get(keys.SEED)
    return experiment.broken(given, seed), experiment.sound(given, seed)


def compared(experiment: FailureMode, prepared: tuple[Plan, Plan]) -> PairedRuns | None:
    """The two runs that were made from exactly that, None when there are none or they are forgotten."""
    found = PairedRuns(prepared, state.get(keys.RUNS[experiment.key]))
    return found if found.runs() else None


def _start(experiment: FailureMode, prepared: tuple[Plan, Plan]) -> None:
    _stop(experiment)
    requests = [RunRequest(p.config, p.sentences, p.train, p.held_out, "pca") for p in prepared]
    state.put(keys.RUNS[experiment.key], tuple(watching.begin(request) for request in requests))


def _stop(experiment: FailureMode) -> None:
    ids = state.get(keys.RUNS[experiment.key])
    watching.forget(ids)
    state.put(keys.RUNS[experiment.key], ())


def buttons(experiment: FailureMode, prepared: tuple[Plan, Plan]) -> None:
    """Run; Stop while it runs."""
    for key in keys.RUNS.values():
        state.write_address(key)
    now = compared(experiment, prepared)
    active = now is not None and watching.any_active(now.runs())
    with row():
        if active:
            button("Stop", _stop, experiment, key="gw_go", icon="stop", type="primary")
        else:
            label = "Break it" if now is None else "Break it again"
            start = partial(_start, experiment, prepared)
            button(label, start, key="gw_go", icon="play_arrow", type="primary")


def watch(experiment: FailureMode, prepared: tuple[Plan, Plan]) -> None:
    """Both runs as they learn: progress, curves and their table."""
    now = compared(experiment, prepared)
    if now is None:
        before(experiment, prepared[0])
        return
    comparison = now

    def draw(runs: Sequence[Run]) -> None:
        for name, run in zip((experiment.broken_name, experiment.sound_name), runs):
            share = min(1.0, run.step / run.config.steps)
            st.progress(share, text=f"{name.capitalize()}: {status_line(run)}")
            messages.error(run.error)
        _draw(experiment, comparison, comparison.paths(runs))

    watching.watch(comparison.runs, draw)


def _draw(experiment: FailureMode, now: PairedRuns, paths: Paths) -> None:
    if not any(paths):
        return
    names = (experiment.broken_name, experiment.sound_name)
    main, *others = experiment.shown
    _curve(main, names, now, paths)
    for column, field in zip(st.columns(len(others), gap="medium"), others):
        with column:
            _curve(field, names, now, paths)
    rows = [(name, step, r) for name, path in zip(names, paths) for step, r in path]
    columns: dict[str, object] = {"run": [n for n, _, _ in rows], "step": [str(s) for _, s, _ in rows]}
    columns |= {title: [getattr(r, field) for _, _, r in rows] for field, title in READINGS.items()}
    name = f"gone-wrong-{experiment.key}"
    folded_table(columns, title="All readings", key="gw_rows", name=name, height=260)


def _curve(field: str, names: tuple[str, str], now: PairedRuns, paths: Paths) -> None:
    lines = {
        name: ([step for step, _ in path], [getattr(r, field) for _, r in path])
        for name, path in zip(names, paths)
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
    st.caption(
        f"{len(plan.train)} {plural(len(plan.train), 'pair')} to train on, {len(plan.held_out)} held out. "
        "Rank correlations are over forty everyday pairs, graded by hand."
    )


def outcome(experiment: FailureMode, prepared: tuple[Plan, Plan]) -> tuple[str, str] | None:
    """The measured answer and what was measured in both runs; None before both are through."""
    now = compared(experiment, prepared)
    runs = [] if now is None else now.runs()
    if now is None or not all(run.status is RunStatus.FINISHED for run in runs):
        return None
    answers = [experiment.judge(path[0][1], path[-1][1]) for path in now.paths(runs)]
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
