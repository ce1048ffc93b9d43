"""Where training runs: outside the server process, a bounded number at a time, the rest in a queue.

What the pages know of the machines that compute is `LocalExecutor`; a cluster engine would be a second class
with its public methods.
"""

from __future__ import annotations

import itertools
import logging
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

from ..maps import layouts
from ..models import registry
from ..training.trainer import Task
from ..types import InputError, Run, RunStatus, TaskRun, TrainingConfig
from .checkpoint_files import checkpoint_file, copy_checkpoints
from .functions import name_of
from .live import LiveRun
from .pool import Pool
from .process import WorkerProcess
from .request import RunRequest, refuse_unforkable

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

log = logging.getLogger(__name__)

OWNER_GRACE = 20.0  # seconds a run goes on after its tab closed: long enough for a reload
KEPT_RUNS = 40  # finished runs in memory, all learners together
IDLE_SECONDS = 1800.0  # after which a run whose tab is gone is forgotten

BROKEN_WORKER = (
    "The process that was training stopped unexpectedly, most often because the machine ran out of "
    "memory. What it had learned up to its last checkpoint is kept. Fewer trained layers or a smaller "
    "batch need less memory."
)
BROKEN_CALL = "The computation stopped unexpectedly. It has been restarted: please try again."
UNEXPECTED = "The computation failed in a way we did not foresee ({}). The server's log has the details."


class LocalExecutor:
    """Worker processes on this machine: at most `workers` that train and answer, one that draws maps."""

    def __init__(self, workers: int | None = None) -> None:
        self._lock = threading.RLock()  # guards everything below; reader threads and pages share it
        self._numbers = itertools.count(1)
        self._futures: dict[int, tuple[Future[Any], WorkerProcess]] = {}
        self._runs: dict[str, LiveRun] = {}
        self._queue: list[str] = []
        self._home = Path(tempfile.mkdtemp(prefix="embedding-lab-"))
        self._closed = threading.Event()
        self.layout_ready = threading.Event()
        self.pool = Pool(self._on_message, self._started, workers)
        self.call(registry.preload)
        threading.Thread(target=self._watch_owners, daemon=True).start()

    # ---- calls -------------------------------------------------------------------------------

    def call(self, function: Callable[[*Ts], R], *args: *Ts, lane: str = "encode") -> Future[R]:
        """Run a function of this package in the lane's process. The future raises InputError for bad
        input and RuntimeError, in words one can show, for anything unforeseen."""
        future: Future[R] = Future()
        with self._lock:
            worker, number = self.pool.for_call(lane), next(self._numbers)
            self._futures[number] = (future, worker)
            self.pool.calls[worker] += 1
            worker.send("call", number, name_of(function), args)
        return future

    def _started(self, worker: WorkerProcess) -> None:
        """Whoever asks for anything soon asks for a map, so the process that draws starts with the others."""
        if worker.lane == "layout":
            self.layout_ready.clear()
            self.call(layouts.warm_up, lane="layout").add_done_callback(self._warmed_up)
        else:
            self.pool.for_call("layout")

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
        live = self._live(run_id)
        with self._lock:
            place = self._queue.index(run_id) + 1 if run_id in self._queue else None
        return replace(live.view(), queue_place=place)

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
        self._interrupt(run_id, RunStatus.PAUSED)

    def stop(self, run_id: str) -> None:
        """End a run. It keeps its snapshots and checkpoints, so it can still be replayed or forked."""
        self._interrupt(run_id, RunStatus.STOPPED)

    def draw(self, run_id: str, method: str, rows: tuple[int, ...] | None = None) -> None:
        """Show the run's snapshots as a map by this method, of those rows of their embeddings or of all."""
        self._live(run_id).draw(method, rows)

    def forget(self, run_id: str) -> None:
        """End a run and drop it: nobody will come back for it."""
        self.stop(run_id)
        with self._lock:
            self._drop(self._runs[run_id])

    def checkpoint_path(self, run_id: str, step: int) -> str | None:
        """The file that holds the weights of a kept step; None for a step that was not kept."""
        live = self._live(run_id)
        return str(checkpoint_file(live.folder, step)) if step in live.view().checkpoints else None

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

    def _interrupt(self, run_id: str, status: RunStatus) -> None:
        live = self._live(run_id)
        with self._lock:
            if run_id in self._queue:
                self._queue.remove(run_id)
                live.rest(status)
                self._tell_the_queue()
                return
            worker = next((w for w, busy in self.pool.busy.items() if busy == run_id), None)
        if worker is not None:
            live.resting_status = status
            worker.send("pause", run_id)
        elif status is RunStatus.STOPPED:
            live.rest(status)

    def _enqueue(self, live: LiveRun, until: int | None) -> str:
        live.wait(until)
        with self._lock:
            self._runs[live.id] = live
            self._queue.append(live.id)
            self._forget()
        self._dispatch()
        return live.id

    def _dispatch(self) -> None:
        """Hand waiting runs to idle workers, first come first served."""
        with self._lock:
            while self._queue and (worker := self.pool.for_run()) is not None:
                live = self._runs[self._queue.pop(0)]
                self.pool.busy[worker] = live.id
                live.starting()
                worker.send("train", live.work())
                self._tell_the_queue()
            self.pool.share_cores()

    def _tell_the_queue(self) -> None:
        """The places in the queue have changed."""
        for run_id in self._queue:
            self._runs[run_id].changed()

    # ---- what workers say ----------------------------------------------------------------------

    def _on_message(self, worker: WorkerProcess, message: tuple[Any, ...]) -> None:
        match message:
            case ("result", number, value):
                self._settle(number, value, None)
            case ("failed", int() as number, text, trace):
                self._settle(number, None, failure(text, trace))
            case ("snapshot", run_id, step, steps, snapshot):
                self._tell(run_id, lambda live: live.take_snapshot(step, steps, snapshot))
            case ("step", run_id, step, steps):
                self._tell(run_id, lambda live: live.take_step(step, steps))
            case ("checkpoints", run_id, steps):
                self._tell(run_id, lambda live: live.take_checkpoints(steps))
            case ("rested", run_id):
                self._tell(run_id, lambda live: live.rest(None))
                self._release(worker)
            case ("failed", str() as run_id, text, trace):
                reason = str(failure(text, trace))
                self._tell(run_id, lambda live: live.fail(reason))
                self._release(worker)
            case ("died", _code):
                self._on_death(worker)

    def _settle(self, number: int, value: Any, error: Exception | None) -> None:
        with self._lock:
            future, worker = self._futures.pop(number, (None, None))
            if worker is not None:
                self.pool.calls[worker] -= 1
        if future is None or not future.set_running_or_notify_cancel():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)

    def _tell(self, run_id: str, action: Callable[[LiveRun], None]) -> None:
        with self._lock:
            live = self._runs.get(run_id)
        if live is not None:
            action(live)

    def _release(self, worker: WorkerProcess) -> None:
        with self._lock:
            self.pool.busy.pop(worker, None)
        self._dispatch()

    def _on_death(self, worker: WorkerProcess) -> None:
        with self._lock:
            lost = [number for number, (_, owner) in self._futures.items() if owner is worker]
            run_id = self.pool.busy.pop(worker, None)
        for number in lost:
            self._settle(number, None, RuntimeError(BROKEN_CALL))
        if run_id is not None:
            self._tell(run_id, lambda live: live.fail(BROKEN_WORKER))
        if worker.lane == "layout":
            self.layout_ready.clear()
        if not self._closed.is_set():
            self._dispatch()

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
                retired = self.pool.retire()
                if retired:
                    self.layout_ready.clear()
            for worker in retired:
                worker.close()

    def _forget(self) -> None:
        """Drop abandoned runs after a while, and the oldest ones when there are too many."""
        idle = [r for r in self._runs.values() if not r.is_active]
        idle.sort(key=lambda r: r.seen)
        surplus = max(0, len(self._runs) - KEPT_RUNS)
        gone = [r for i, r in enumerate(idle) if i < surplus or r.abandoned_for() > IDLE_SECONDS]
        for live in gone:
            self._drop(live)

    def _drop(self, live: LiveRun) -> None:
        del self._runs[live.id]
        live.changed()
        shutil.rmtree(live.folder, ignore_errors=True)

    def processes(self) -> Sequence[WorkerProcess]:
        """Every worker process, for the benchmark and the tests."""
        return self.pool.all()

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            retired = self.pool.retire(everything=True)
        for worker in retired:
            worker.close()
        shutil.rmtree(self._home, ignore_errors=True)


def failure(text: str | None, trace: str) -> Exception:
    """The exception a page sees: the worker's own words for bad input, else a general sentence."""
    if text is not None:
        return InputError(text)
    log.error("A worker failed:\n%s", trace)
    return RuntimeError(UNEXPECTED.format(trace.strip().splitlines()[-1][:200]))
