"""Several small trainings compared live: which they are, and what the page shows of their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.concepts.sbert import Baseline, tasks
from core.training import nli
from core.training.nli import Example, NliSnapshot, NliTask
from core.types import RunStatus, TaskRun
from pages.sbert import keys
from ui import messages, state
from ui.charts import chart
from ui.figures import comparisons
from ui.runs import watching
from ui.tables import folded_table, safe_table

CHANCE = 1 / len(nli.CLASSES)
ANEW = "Reset them and train again to compare what is chosen now."
NAMES = {"mean": "mean of all tokens", "cls": "the [CLS] token", "max": "largest of each dimension"}


def _runs(what: str) -> list[TaskRun[NliSnapshot]]:
    """The trainings that differ in `what`, "concatenation" or "pooling"; none when one has been forgotten."""
    ids = state.get(keys.RUNS[what])
    found = watching.task_runs(ids, NliTask)
    return found if len(found) == len(ids) else []


def _tasks(runs: Sequence[TaskRun[NliSnapshot]]) -> tuple[NliTask, ...]:
    return tuple(run.task for run in runs)


def _done(runs: Sequence[TaskRun[NliSnapshot]]) -> list[TaskRun[NliSnapshot]]:
    return [run for run in runs if run.status is RunStatus.FINISHED]


def written(name: str) -> str:
    """A choice as people write it: "u, v, |u − v|"."""
    spaced = name.replace(",", ", ").replace("-", "\u00a0−\u00a0").replace("*", "\u00a0∗\u00a0")
    return NAMES.get(name) or spaced


def wanted(
    what: str, given: tuple[Example, ...], chosen: tuple[str, ...], like: NliTask
) -> tuple[NliTask, ...]:
    """The trainings that the settings on the page describe."""
    return tasks(given, what, chosen, state.get(keys.SEEDS), like)


def buttons(what: str, plan: tuple[NliTask, ...]) -> None:
    key = keys.RUNS[what]

    def reset() -> None:
        ids = state.get(key)
        watching.forget(ids)
        state.put(key, ())

    def start() -> None:
        reset()
        state.put(key, tuple(watching.begin(task) for task in plan))

    for every in keys.RUNS.values():
        state.write_address(every)
    begin = start if plan else None
    watching.buttons(_runs(what), "Train and compare", begin, reset, key="sb", again="Train again")


def watch(what: str, plan: tuple[NliTask, ...], before: Baseline) -> None:
    """Progress, the comparison and its table."""
    now = _runs(what)
    frozen: Baseline | None = before  # None where it is about other pairs than the trainings
    if now and _tasks(now) != plan:
        st.caption("These trainings had other pairs, choices or settings than the page has now. " + ANEW)
        frozen = before if _split(plan) == _split(_tasks(now)) else None
        plan = _tasks(now)

    def draw(runs: Sequence[TaskRun[NliSnapshot]]) -> None:
        if runs:
            _progress(what, runs)
        _draw(what, runs, plan, frozen)

    watching.watch(lambda: _runs(what), draw)


def _split(plan: tuple[NliTask, ...]) -> tuple[Any, ...]:
    """What decides which pairs are held out by the first training."""
    return tuple((task.examples, task.seed) for task in plan[:1])


def _progress(what: str, runs: Sequence[TaskRun[NliSnapshot]]) -> None:
    messages.error(next((run.error for run in runs if run.error), None))
    messages.info(next((run.note for run in runs if run.note), None))
    steps, total = sum(run.step for run in runs), sum(task.steps for task in _tasks(runs))
    now = next((run for run in runs if run.status in (RunStatus.STARTING, RunStatus.RUNNING)), None)
    detail = f" · {written(getattr(now.task, what))}, step {now.step} of {now.task.steps}" if now else ""
    finished = f"{len(_done(runs))} of {len(runs)} trainings done"
    st.progress(min(1.0, steps / max(1, total)), text=f"{watching.word(runs)}{detail} · {finished}")


def _draw(
    what: str, runs: Sequence[TaskRun[NliSnapshot]], plan: tuple[NliTask, ...], before: Baseline | None
) -> None:
    done = _done(runs)
    names = tuple(dict.fromkeys(str(getattr(task, what)) for task in plan))
    if not names:
        return
    frozen: Mapping[str, float] = {}
    if before is not None:
        frozen = before.concatenations if what == "concatenation" else before.poolings
    accuracy = {written(n): _last(what, done, n, "held_out_accuracy") for n in names}
    probe = {written(n): _last(what, done, n, "probe") for n in names}
    probes: Mapping[str, float | None] = before.probe if before is not None else {}
    start = {written(n): probes.get(n if what == "pooling" else "mean") for n in names}
    seeds = len({task.seed for task in plan})
    st.markdown("**Held-out accuracy** (dotted: chance)")
    before_name = "classifier on a frozen encoder" + (", first seed" if seeds > 1 else "")
    figure = comparisons.compared(
        {written(n): frozen.get(n) for n in names},
        accuracy,
        x_title="share of held-out pairs told right",
        before_name=before_name,
        reference=CHANCE,
        lowest=0.0,
    )
    chart(figure, f"sb_accuracy_{what}", "Held-out accuracy by choice")
    st.markdown("**What the cosine is worth** (forty everyday pairs, graded by hand)")
    x_title, before_name = "rank correlation with the grades", "before training"
    figure = comparisons.compared(start, probe, x_title=x_title, before_name=before_name, lowest=-1.0)
    chart(figure, f"sb_probe_{what}", "Rank correlation by choice")
    if done:
        table(what, done)
    else:
        columns = {what: list(start), "rank correlation before": list(start.values())}
        columns["accuracy on a frozen encoder"] = [frozen.get(n) for n in names]
        folded_table(columns, key=f"sb_before_{what}", name=f"sbert-{what}-before")


def _last(what: str, done: Sequence[TaskRun[NliSnapshot]], name: str, field: str) -> list[float]:
    """The final value of each finished seed of this choice."""
    values = [getattr(run.snapshots[-1], field) for run in done if getattr(run.task, what) == name]
    return [v for v in values if v is not None]


def table(what: str, done: Sequence[TaskRun[NliSnapshot]]) -> None:
    """Our own measurement, one row a training."""
    ends = [run.snapshots[-1] for run in done]
    columns: dict[str, Any] = {
        what: [written(getattr(run.task, what)) for run in done],
        "seed": [str(run.task.seed) for run in done],
        "training accuracy": [e.train_accuracy for e in ends],
        "held-out accuracy": [e.held_out_accuracy for e in ends],
        "rank correlation": [e.probe for e in ends],
    }
    for i, name in enumerate(nli.CLASSES):
        columns[f"cosine, {name}"] = [e.cosines[i] for e in ends]
    columns["seconds"] = [e.seconds for e in ends]
    safe_table(columns, key=f"sb_rows_{what}", name=f"sbert-{what}")


def outcome(what: str, plan: tuple[NliTask, ...]) -> tuple[str, dict[str, float]] | None:
    """The choice with the lowest mean rank correlation, and all means; None before all of `plan` is done."""
    runs = _runs(what)
    done = _done(runs) if _tasks(runs) == plan else []
    if not done or len(done) < len(plan):
        return None
    names = dict.fromkeys(str(getattr(run.task, what)) for run in done)
    found = {n: _last(what, done, n, "probe") for n in names}
    means = {n: float(np.mean(values)) for n, values in found.items() if values}
    return (min(means, key=lambda n: means[n]), means) if means else None


def trained() -> list[TaskRun[NliSnapshot]]:
    """Every run of this session that came to its end, latest last."""
    return [run for what in keys.RUNS for run in _done(_runs(what))]
