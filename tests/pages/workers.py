"""For page tests: what a page asks its worker processes is answered in this process, and runs go on in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from core.runs.live import LiveRun
from core.training.checkpoints import checkpoint_file
from core.training.trainer import Task, Trainer, iterate
from core.types import InputError, RunStatus, TaskRun
from pages.sbert import views as sbert_views
from pages.word2vec import live
from ui import batches, resources
from ui.collections import work
from ui.runs import watching

PAGES = (sbert_views, live)  # those that ask for more of a run than ui/runs/watching.py does


def answered(function: Callable[..., Any], *args: Any, lane: str = "encode") -> Future[Any]:
    """As Executor.call, in this process and over before it returns."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*args))
    except Exception as error:
        future.set_exception(error)
    return future


class InProcess:
    """The executor without processes: a run goes on by a few steps whenever it is looked at."""

    steps_a_look = 4

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout_ready = threading.Event()  # never set: the pages draw by PCA
        self.runs: dict[str, LiveRun] = {}
        self.trainers: dict[str, Trainer[Any]] = {}
        self.loops: dict[str, Iterator[Any]] = {}

    call = staticmethod(answered)

    def start(
        self, task: Task[Any], alive: Callable[[], bool] | None = None, until: int | None = None
    ) -> str:
        run_id = f"r{len(self.trainers)}"
        run: TaskRun[Any] = TaskRun(run_id, task)
        self.runs[run_id] = LiveRun(run, task, self.folder / run_id, self)
        self.trainers[run_id] = task.trainer()
        self._go(run_id, until)
        return run_id

    def _go(self, run_id: str, until: int | None) -> None:
        self.runs[run_id].wait(until)
        self.loops[run_id] = iterate(self.trainers[run_id], until)

    def _reports(self, run_id: str) -> Iterator[tuple[int, Any]]:
        for snapshot in self.loops[run_id]:
            yield self.trainers[run_id].step, snapshot

    def task_run(self, run_id: str) -> TaskRun[Any]:
        if run_id not in self.runs:
            raise InputError("forgotten")
        live, trainer = self.runs[run_id], self.trainers[run_id]
        if live.is_active:
            reports = list(islice(self._reports(run_id), self.steps_a_look))
            for step, snapshot in reports:
                if snapshot is not None:
                    live.take_snapshot(step, trainer.steps, snapshot)
                live.take_step(step, trainer.steps)
            if len(reports) < self.steps_a_look or trainer.step >= trainer.steps:
                file = checkpoint_file(live.folder, trainer.step)
                file.parent.mkdir(exist_ok=True)
                trainer.save(file)
                live.take_checkpoints((trainer.step,))
                live.rest(None)
        found = live.view()
        assert isinstance(found, TaskRun)
        return found

    def pause(self, run_id: str) -> None:
        self.runs[run_id].rest(RunStatus.PAUSED)

    def resume(self, run_id: str, steps: int | None = None) -> None:
        self._go(run_id, None if steps is None else self.trainers[run_id].step + steps)

    def renew(self, run_id: str, alive: Callable[[], bool]) -> None:
        assert run_id in self.runs

    def forget(self, run_id: str) -> None:
        del self.runs[run_id]

    def draw(self, run_id: str, method: str, rows: tuple[int, ...] | None = None) -> None:
        self.runs[run_id].draw(method, rows)

    def checkpoint_path(self, run_id: str, step: int) -> str | None:
        return str(checkpoint_file(self.runs[run_id].folder, step))


@pytest.fixture
def runs_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """Every page's executor, in this process."""
    engine = InProcess(tmp_path)
    for module in (watching, resources, work, *PAGES):
        monkeypatch.setattr(module, "executor", lambda: engine)
    return engine


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "later", answered)


@pytest.fixture
def batch_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each batch of ui.batches asked for; the batches too are answered in this process."""
    sizes: list[int] = []

    class Engine:
        def call(self, function: Callable[..., Any], *args: Any, lane: str = "encode") -> Future[Any]:
            sizes.append(len(args[-1]))
            return answered(function, *args)

    monkeypatch.setattr(batches, "executor", Engine)
    for store in (batches.vectors, batches.readings, batches.pair_scores):
        store.cache_clear()
    return sizes
