"""Where training runs: outside the server process, a bounded number at a time, the rest in a queue.

What the pages know of the machines that compute is `LocalExecutor`; a cluster engine would be a second class
with its public methods.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from ..data.folders import disk_budget, own_folder, too_many
from ..maps import layouts
from ..models import registry
from ..training.checkpoints import checkpoint_file, copy_checkpoints
from ..training.trainer import Task
from ..types import InputError, Run, RunStatus, TaskRun, TrainingConfig
from .live import LiveRun
from .pool import Pool
from .process import WorkerProcess
from .request import RunRequest, refuse_unforkable

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

OWNER_GRACE = 20.0  # seconds a run goes on after its tab closed: long enough for a reload
KEPT_RUNS = 40  # finished runs in memory, all learners together
IDLE_SECONDS = 1800.0  # after which a run whose tab is gone is forgotten


class LocalExecutor:
    """Worker processes on this machine: at most `workers` that train and answer, one that draws maps."""

    def __init__(self, workers: int | None = None) -> None:
        self._lock = threading.RLock()  # guards everything below; reader threads and pages share it
        self._runs: dict[str, LiveRun] = {}
        self._home = Path(tempfile.mkdtemp(dir=own_folder()))
        self._closed = threading.Event()
        self.layout_ready = threading.Event()
        self.pool = Pool(self._started, self._died, workers)
        self.call(registry.preload)
        threading.Thread(target=self._watch_owners, daemon=True).start()

    # ---- calls -------------------------------------------------------------------------------

    def call(self, function: Callable[[*Ts], R], *args: *Ts, lane: str = "encode") -> Future[R]:
        """Run a function of this package in the lane's process. The future raises InputError for bad
        input and RuntimeError, in words one can show, for anything unforeseen."""
        return self.pool.call(function, args, lane)

    def _started(self, worker: WorkerProcess) -> None:
        if worker.lane == "layout":
            self.layout_ready.clear()
            self.call(layouts.warm_up, lane="layout").add_done_callback(self._warmed_up)

    def _died(self, worker: WorkerProcess) -> None:
        if worker.lane == "layout":
            self.layout_ready.clear()

    def _warmed_up(self, future: Future[Any]) -> None:
        if future.exception() is None:
            self.layout_ready.set()
            with self._lock:
                runs = list(self._runs.values())
            for run in runs:
                run.layout_ready()

    # ---- runs --------------------------------------------------------------------------------

    def start(
        self, task: Task[Any], alive: Callable[[], bool] | None = None, until: int | None = None
    ) -> str:
        """Queue a run of the task, up to step `until` or its end, and return its id. `alive` says whether
        anyone still watches it."""
        run_id = self._new_id()
        if isinstance(task, RunRequest):
            run = Run(run_id, task.config, task.sentences, task.pairs, task.held_out)
            live = LiveRun(run, task, self._folder(run_id), self, alive)
            live.draw(task.layout)
            return self._enqueue(live, task.until if until is None else until)
        other: TaskRun[Any] = TaskRun(run_id, task)
        live = LiveRun(other, task, self._folder(run_id), self, alive)
        return self._enqueue(live, until)

    def fork(self, run_id: str, step: int, config: TrainingConfig | None = None) -> str:
        """A new, paused run that stands where `run_id` stood at the kept checkpoint `step`."""
        source, old = self._live(run_id), self.run(run_id)
        assert isinstance(source.task, RunRequest)
        if step not in old.checkpoints:
            kept = ", ".join(map(str, old.checkpoints)) or "none"
            raise InputError(f"Step {step} was not kept. Steps to go back to: {kept}.")
        config = config or old.config
        refuse_unforkable(old.config, config)
        new_id = self._new_id()
        folder = self._folder(new_id)
        copied = copy_checkpoints(source.folder, str(folder), step)
        step = max(copied)  # an earlier one where that file was dropped a moment ago
        run = replace(
            old,
            id=new_id,
            config=config,
            snapshots=tuple(s for s in old.snapshots if s.step <= step),
            checkpoints=copied,
            status=RunStatus.PAUSED,
            error=None,
            forked_from=(run_id, step),
        )
        live = LiveRun(run, replace(source.task, config=config), folder, self, source.alive)
        live.adopt_drawing(source, step)
        with self._lock:
            self._runs[new_id] = live
        return new_id

    def run(self, run_id: str) -> Run:
        """A bi-encoder's run as it is now. Raises InputError when it has been forgotten."""
        view = self._view(run_id)
        assert isinstance(view, Run), f"{run_id} is the run of another task"
        return view

    def task_run(self, run_id: str) -> TaskRun[Any]:
        """The run of any other task as it is now. Raises InputError when it has been forgotten."""
        view = self._view(run_id)
        assert isinstance(view, TaskRun), f"{run_id} is a bi-encoder's run"
        return view

    def _view(self, run_id: str) -> Run | TaskRun[Any]:
        return replace(self._live(run_id).view(), turn=self.pool.turn(run_id))

    def watch(self, run_id: str, observer: Callable[[], None]) -> None:
        """Have `observer` called, on any thread, whenever the run or its place in the queue changes."""
        self._live(run_id).on_change.append(observer)

    def renew(self, run_id: str, alive: Callable[[], bool]) -> None:
        """A tab was reloaded, or a second one shows the run: it goes on while `alive` or an earlier test says
        so. Raises InputError when it has been forgotten."""
        self._live(run_id).renew(alive)

    def resume(self, run_id: str, steps: int | None = None) -> None:
        """Go on for `steps` more steps, or to the planned end. A finished run only goes on by steps."""
        live = self._live(run_id)
        until = None if steps is None else live.position + steps
        if not live.is_active and (until or live.steps or 1) > live.position:
            self._enqueue(live, until)

    def pause(self, run_id: str) -> None:
        self.pool.interrupt(self._live(run_id), RunStatus.PAUSED)

    def stop(self, run_id: str) -> None:
        """End a run. It keeps its snapshots and checkpoints, so it can still be replayed or forked."""
        self.pool.interrupt(self._live(run_id), RunStatus.STOPPED)

    def draw(self, run_id: str, method: str, rows: tuple[int, ...] | None = None) -> None:
        """Show the run's snapshots as a map by this method, of those rows of their embeddings or of all."""
        self._live(run_id).draw(method, rows)

    def forget(self, run_id: str) -> None:
        """End a run and drop it: nobody will come back for it."""
        self.pool.interrupt(self._live(run_id), RunStatus.STOPPED, "drop")
        with self._lock:
            self._drop(self._runs[run_id])

    def checkpoint_path(self, run_id: str, step: int) -> str | None:
        """The file that holds the weights of a kept step; None for a step that was not kept."""
        live = self._live(run_id)
        file = checkpoint_file(live.folder, step)
        return str(file) if step in live.view().checkpoints and file.exists() else None

    def adopt(self, run: Run, layout: str, alive: Callable[[], bool] | None = None) -> tuple[str, str]:
        """Take in a run from a file, at rest, under a new id: that id, and where its last step's checkpoint
        belongs. `adopted` says that it lies there."""
        run = replace(run, id=self._new_id(), checkpoints=())
        task = RunRequest(run.config, run.sentences, run.pairs, run.held_out, layout)
        live = LiveRun(run, task, self._folder(run.id), self, alive)
        with self._lock:
            self._runs[run.id] = live
            self._forget()
        live.draw(layout)
        return run.id, str(checkpoint_file(live.folder, run.step))

    def adopted(self, run_id: str) -> None:
        live = self._live(run_id)
        live.take_checkpoints((live.position,))

    def _enqueue(self, live: LiveRun, until: int | None) -> str:
        live.wait(until)
        with self._lock:
            self._runs[live.id] = live
            self._forget()
        self.pool.train(live)
        return live.id

    # ---- housekeeping --------------------------------------------------------------------------

    def _live(self, run_id: str) -> LiveRun:
        with self._lock:
            live = self._runs.get(run_id)
        if live is None:
            raise InputError("This run is no longer in memory. Train again to make a new one.")
        live.seen = time.monotonic()
        return live

    def _new_id(self) -> str:
        return secrets.token_hex(4)

    def _folder(self, run_id: str) -> Path:
        folder = self._home / run_id
        folder.mkdir()
        return folder

    def _watch_owners(self) -> None:
        """End the runs whose tab has closed, and forget those that nobody came back for."""
        while not self._closed.wait(2.0):
            with self._lock:
                runs = list(self._runs.values())
            for live in runs:
                if live.abandoned_for() > OWNER_GRACE and live.is_active:
                    self.stop(live.id)
            with self._lock:
                self._forget()
            with contextlib.suppress(OSError):  # a folder that went while it was looked at
                self._make_room()
            if self.pool.retire():
                self.layout_ready.clear()

    def _forget(self) -> None:
        """Drop abandoned runs after a while, and the oldest ones when there are too many."""
        idle = [r for r in self._runs.values() if not r.is_active]
        idle.sort(key=lambda r: r.seen)
        surplus = max(0, len(self._runs) - KEPT_RUNS)
        gone = [r for i, r in enumerate(idle) if i < surplus or r.abandoned_for() > IDLE_SECONDS]
        for live in gone:
            self._drop(live)

    def _make_room(self) -> None:
        """Take the checkpoints of the runs that rest longest, until those of all fit the disk budget.

        Such a run can still be replayed, and goes on by repeating its steps.
        """
        with self._lock:
            resting = sorted((r for r in self._runs.values() if not r.is_active), key=lambda r: r.seen)
        by_folder = {Path(live.folder): live for live in resting}
        for folder in too_many(list(by_folder), self._home, disk_budget()):
            by_folder[folder].take_checkpoints(())  # told first: nobody asks for a file that is gone
            for file in folder.glob("step-*"):
                file.unlink(missing_ok=True)

    def _drop(self, live: LiveRun) -> None:
        del self._runs[live.id]
        live.changed()
        shutil.rmtree(live.folder, ignore_errors=True)

    def processes(self) -> Sequence[WorkerProcess]:
        """Every worker process, for the benchmark and the tests."""
        return self.pool.all()

    def close(self) -> None:
        self._closed.set()
        self.pool.close()
        shutil.rmtree(self._home, ignore_errors=True)
