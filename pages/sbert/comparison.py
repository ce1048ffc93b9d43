"""Several small trainings compared live: which, start and stop, and the part of the page that watches.

The page asks a worker for about a second of training, draws, and asks again; nobody asks once the tab is
closed or Stop is pressed, so nothing goes on by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from core.concepts import sbert
from core.concepts.sbert import Baseline, Standing, tasks
from core.training import nli
from core.training.nli import Example, Task
from core.types import InputError
from pages.sbert import keys
from ui import messages, state
from ui.charts import chart
from ui.figures import comparisons
from ui.resources import executor
from ui.tables import folded_table, safe_table
from ui.widgets import button, row

POLL = 1.0  # seconds between two looks
CHANCE = 1 / len(nli.CLASSES)
ANEW = "Reset them and train again to compare what is chosen now."
NAMES = {"mean": "mean of all tokens", "cls": "the [CLS] token", "max": "largest of each dimension"}


@dataclass(frozen=True, slots=True)
class Study:
    """Trainings that differ in `what`, one after the other. `asked` is the second of work under way."""

    what: str  # "concatenation" or "pooling"
    tasks: tuple[Task, ...]
    standings: tuple[Standing, ...] = ()  # as far as they have come, in the order of the tasks
    running: bool = True
    asked: Future[Any] | None = None
    error: str | None = None

    @property
    def done(self) -> bool:
        return len(self.standings) == len(self.tasks) and all(s.done for s in self.standings)

    def finished(self) -> tuple[Standing, ...]:
        return tuple(s for s in self.standings if s.done)

    def choice(self, task: Task) -> str:
        return str(getattr(task, self.what))


def written(name: str) -> str:
    """A choice as people write it: "u, v, |u − v|"."""
    spaced = name.replace(",", ", ").replace("-", "\u00a0−\u00a0").replace("*", "\u00a0∗\u00a0")
    return NAMES.get(name) or spaced


def wanted(what: str, given: tuple[Example, ...], chosen: tuple[str, ...], like: Task) -> tuple[Task, ...]:
    """The trainings that the settings on the page describe."""
    return tasks(given, what, chosen, state.get(keys.SEEDS), like)


def buttons(what: str, plan: tuple[Task, ...]) -> None:
    """One filled button, which is always the next thing to do."""
    key = keys.STUDIES[what]
    study: Study | None = state.get(key)

    def begin() -> None:
        state.put(key, Study(what, plan))

    def run(running: bool) -> None:
        now: Study | None = state.get(key)
        if now is not None:
            state.put(key, replace(now, running=running, error=None))

    with row():
        if study is None or study.done:
            label = "Train and compare" if study is None else "Train again"
            button(label, begin, key="sb_go", icon="play_arrow", type="primary", disabled=not plan)
        elif study.running:
            button("Stop", run, False, key="sb_go", icon="stop", type="primary")
        else:
            button("Go on", run, True, key="sb_go", icon="play_arrow", type="primary")
        if study is not None:
            button("Reset", state.setter(key, None), key="sb_reset", icon="restart_alt", type="tertiary")


def watch(what: str, plan: tuple[Task, ...], before: Baseline) -> None:
    """Progress, the comparison and its table; asks for the next second of training while it runs."""
    key = keys.STUDIES[what]
    study: Study | None = state.get(key)
    frozen: Baseline | None = before  # None where it is about other pairs than the trainings
    if study is not None and study.tasks != plan:
        st.caption("These trainings had other pairs, choices or settings than the page has now. " + ANEW)
        frozen = before if _split(plan) == _split(study.tasks) else None
        plan = study.tasks
    ticking = study is not None and (study.running or study.asked is not None)

    def look() -> None:
        now: Study | None = state.get(key)
        if now is not None:
            now = _step(now)
            state.put(key, now)
            _progress(now)
        _draw(what, now, plan, frozen)
        if ticking and now is not None and not now.running and now.asked is None:
            st.rerun()

    st.fragment(look, run_every=POLL if ticking else None)()


def _split(plan: tuple[Task, ...]) -> tuple[Any, ...]:
    """What decides which pairs are held out by the first training."""
    return tuple((task.examples, task.seed) for task in plan[:1])


def _step(study: Study) -> Study:
    """Take the answer that has come in, and ask for the next one unless all is done or stopped."""
    if study.asked is not None and study.asked.done():
        try:
            got: Standing = study.asked.result()
            kept = tuple(s for s in study.standings if s.task != got.task)
            study = replace(study, standings=(*kept, got), asked=None)
        except (InputError, RuntimeError) as error:
            study = replace(study, error=str(error), asked=None, running=False)
    if study.done:
        study = replace(study, running=False)
    if study.running and study.asked is None:
        ready = {s.task for s in study.finished()}
        task = next(t for t in study.tasks if t not in ready)
        study = replace(study, asked=executor().call(sbert.run_on, task, lane="background"))
    return study


def _progress(study: Study) -> None:
    messages.error(study.error)
    steps = sum(s.step for s in study.standings)
    total = sum(t.steps for t in study.tasks)
    now = next((s for s in study.standings if not s.done), None)
    word = "Training" if study.running else ("Finished" if study.done else "Stopped")
    detail = f" · {written(study.choice(now.task))}, step {now.step} of {now.task.steps}" if now else ""
    finished = f"{len(study.finished())} of {len(study.tasks)} trainings done"
    st.progress(min(1.0, steps / max(1, total)), text=f"{word}{detail} · {finished}")


def _draw(what: str, study: Study | None, plan: tuple[Task, ...], before: Baseline | None) -> None:
    done = study.finished() if study is not None else ()
    names = tuple(dict.fromkeys(str(getattr(task, what)) for task in plan))
    if not names:
        return
    frozen: Mapping[str, float] = {}
    if before is not None:
        frozen = before.concatenations if what == "concatenation" else before.poolings
    accuracy = {written(n): _last(study, done, n, "held_out_accuracy") for n in names}
    probe = {written(n): _last(study, done, n, "probe") for n in names}
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
    if study is not None and done:
        table(study, done)
    else:
        columns = {what: list(start), "rank correlation before": list(start.values())}
        columns["accuracy on a frozen encoder"] = [frozen.get(n) for n in names]
        folded_table(columns, key=f"sb_before_{what}", name=f"sbert-{what}-before")


def _last(study: Study | None, done: tuple[Standing, ...], name: str, field: str) -> list[float]:
    """The final value of each finished seed of this choice."""
    values = [getattr(s.laps[-1], field) for s in done if study is not None and study.choice(s.task) == name]
    return [v for v in values if v is not None]


def table(study: Study, done: tuple[Standing, ...]) -> None:
    """Our own measurement, one row a training."""
    ends = [s.laps[-1] for s in done]
    columns: dict[str, Any] = {
        study.what: [written(study.choice(s.task)) for s in done],
        "seed": [str(s.task.seed) for s in done],
        "training accuracy": [e.train_accuracy for e in ends],
        "held-out accuracy": [e.held_out_accuracy for e in ends],
        "rank correlation": [e.probe for e in ends],
    }
    for i, name in enumerate(nli.CLASSES):
        columns[f"cosine, {name}"] = [e.cosines[i] for e in ends]
    columns["seconds"] = [e.seconds for e in ends]
    safe_table(columns, key=f"sb_rows_{study.what}", name=f"sbert-{study.what}")


def outcome(what: str, plan: tuple[Task, ...]) -> tuple[str, dict[str, float]] | None:
    """The choice with the lowest mean rank correlation, and all means; None before all of `plan` is done."""
    study: Study | None = state.get(keys.STUDIES[what])
    if study is None or not study.done or study.tasks != plan:
        return None
    done = study.finished()
    names = dict.fromkeys(study.choice(s.task) for s in done)
    found = {n: _last(study, done, n, "probe") for n in names}
    means = {n: float(np.mean(values)) for n, values in found.items() if values}
    return (min(means, key=lambda n: means[n]), means) if means else None


def trained() -> list[Task]:
    """Every task that has been trained to its end in this session, latest last."""
    studies: list[Study] = [s for s in map(state.get, keys.STUDIES.values()) if s is not None]
    return [standing.task for study in studies for standing in study.finished()]
