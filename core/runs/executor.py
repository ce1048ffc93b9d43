"""Where training runs: outside the server process, a bounded number at a time, the rest in a queue.

`Executor` is the whole contract between the pages and the machines that compute; `LocalExecutor` keeps
it with worker processes on this computer. A cluster engine would be a second class here.
"""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, TypeVarTuple

from ..maps import layouts
from ..models import registry
from ..types import InputError, Pair, Run, RunStatus, SentenceSet, TrainingConfig
from .functions import name_of
from .live import LiveRun
from .process import WorkerProcess
from .worker import checkpoint_file

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

log = logging.getLogger(__name__)

OWNER_GRACE = 20.0  # seconds a run goes on after its tab closed: long enough for a reload
KEPT_RUNS = 40  # finished runs in memory, all learners together
IDLE_SECONDS = 1800.0  # after which a run whose tab is gone is forgotten

BROKEN_WORKER = (
    "The process that was training stopped unexpectedly, most often because the machine ran out of "
    "memory. What it had learned up to the last checkpoint is kept: press Play to go on, or try fewer "
    "trained layers or a smaller batch."
)
BROKEN_CALL = "The computation stopped unexpectedly. It has been restarted: please try again."
UNEXPECTED = "The computation failed in a way we did not foresee ({}). The server's log has the details."


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Everything a run needs. `layout` names a row of core.maps.layouts.LAYOUTS."""

    config: TrainingConfig
    sentences: SentenceSet
    pairs: tuple[Pair, ...]
    held_out: tuple[Pair, ...] = ()
    layout: str = "equilibrium"
    until: int | None = None  # stop there; None means config.steps


class Executor(Protocol):
    """Where computation happens. Every method returns at once."""

    def call(self, function: Callable[[*Ts], R], *args: *Ts, lane: str = "encode") -> Future[R]: ...
    def start(self, request: RunRequest, alive: Callable[[], bool] | None = None) -> str: ...
    def run(self, run_id: str) -> Run: ...
    def pause(self, run_id: str) -> None: ...
    def resume(self, run_id: str, steps: int | None = None) -> None: ...
    def stop(self, run_id: str) -> None: ...
    def fork(self, run_id: str, step: int, config: TrainingConfig | None = None) -> str: ...
    def set_layout(self, run_id: str, method: str) -> None: ...
    def close(self) -> None: ...


def training_workers() -> int:
    """Processes that train: EMBEDDING_LAB_WORKERS, else one core is left to the server."""
    asked = os.environ.get("EMBEDDING_LAB_WORKERS", "")
    return max(1, int(asked)) if asked.isdigit() else max(1, (os.cpu_count() or 2) - 1)


class LocalExecutor:
    """Worker processes on this machine: `workers` that train, one that encodes, one that draws maps."""

    def __init__(self, workers: int | None = None) -> None:
        self._lock = threading.RLock()  # guards everything below; reader threads and pages share it
        self._numbers = itertools.count(1)
        self._futures: dict[int, tuple[Future[Any], WorkerProcess]] = {}
        self._lanes: dict[str, WorkerProcess] = {}
        self._runs: dict[str, LiveRun] = {}
        self._queue: list[str] = []
        self._workers: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, str] = {}
        self._home = Path(tempfile.mkdtemp(prefix="embedding-lab-"))
        self._closed = threading.Event()
        self.layout_ready = threading.Event()
        for lane in ("encode", "layout"):
            self._lane(lane)
        self._workers = [self._spawn("train") for _ in range(workers or training_workers())]
        self.call(registry.preload, lane="encode")
        self.call(layouts.warm_up, lane="layout").add_done_callback(self._warmed_up)
        threading.Thread(target=self._watch_owners, daemon=True).start()

    # ---- calls -------------------------------------------------------------------------------

    def call(self, function: Callable[[*Ts], R], *args: *Ts, lane: str = "encode") -> Future[R]:
        """Run a function of this package in the lane's process. The future raises InputError for bad
        input and RuntimeError, in words one can show, for anything unforeseen."""
        future: Future[R] = Future()
        with self._lock:
            number = next(self._numbers)
            worker = self._lane(lane)
            self._futures[number] = (future, worker)
        worker.send("call", number, name_of(function), args)
        return future

    def _lane(self, lane: str) -> WorkerProcess:
        worker = self._lanes.get(lane)
        if worker is None or worker.dead:
            worker = self._lanes[lane] = self._spawn(lane)
        return worker

    def _spawn(self, lane: str) -> WorkerProcess:
        return WorkerProcess(lane, 1, self._on_message)

    def _warmed_up(self, future: Future[Any]) -> None:
        if future.exception() is None:
            self.layout_ready.set()
            with self._lock:
                runs = list(self._runs.values())
            for run in runs:
                run.layout_ready(self.call)

    # ---- runs --------------------------------------------------------------------------------

    def start(self, request: RunRequest, alive: Callable[[], bool] | None = None) -> str:
        """Queue a run and return its id. `alive` says whether anyone still watches it."""
        run = Run(self._new_id(), request.config, request.sentences, request.pairs, request.held_out)
        live = LiveRun(run, self._folder(run.id), request.layout, self.layout_ready.is_set, alive)
        return self._enqueue(live, request.until or request.config.steps)

    def fork(self, run_id: str, step: int, config: TrainingConfig | None = None) -> str:
        """A new, paused run that stands where `run_id` stood at the kept checkpoint `step`."""
        source = self._live(run_id)
        old = source.view()
        if step not in old.checkpoints:
            kept = ", ".join(map(str, old.checkpoints)) or "none"
            raise InputError(f"Step {step} was not kept. Steps to go back to: {kept}.")
        config = config or old.config
        refuse_unforkable(old.config, config)
        new_id = self._new_id()
        folder = self._folder(new_id)
        for kept_step in (s for s in old.checkpoints if s <= step):
            file = checkpoint_file(source.folder, kept_step)
            shutil.copy(file, checkpoint_file(str(folder), kept_step))
        run = replace(
            old,
            id=new_id,
            config=config,
            snapshots=tuple(s for s in old.snapshots if s.step <= step),
            frames=tuple(f for f in old.frames if f.step <= step),
            checkpoints=tuple(s for s in old.checkpoints if s <= step),
            status=RunStatus.PAUSED,
            error=None,
            forked_from=(run_id, step),
        )
        live = LiveRun(run, folder, source.layout, self.layout_ready.is_set, source.alive)
        live.adopt_layout(source, step)
        with self._lock:
            self._runs[new_id] = live
        return new_id

    def run(self, run_id: str) -> Run:
        """The run as it is now. Raises InputError when it has been forgotten."""
        live = self._live(run_id)
        with self._lock:
            place = self._queue.index(run_id) + 1 if run_id in self._queue else None
        return replace(live.view(), queue_place=place)

    def watch(self, run_id: str, observer: Callable[[], None]) -> None:
        """Have `observer` called, on any thread, whenever the run or its place in the queue changes."""
        self._live(run_id).on_change.append(observer)

    def resume(self, run_id: str, steps: int | None = None) -> None:
        """Go on for `steps` more steps, or to the planned end. A finished run only goes on by steps."""
        live = self._live(run_id)
        run = live.view()
        if run.is_active:
            return
        until = run.config.steps if steps is None else live.position + steps
        if until > live.position:
            self._enqueue(live, until)

    def pause(self, run_id: str) -> None:
        self._interrupt(run_id, RunStatus.PAUSED)

    def stop(self, run_id: str) -> None:
        """End a run. It keeps its snapshots and checkpoints, so it can still be replayed or forked."""
        self._interrupt(run_id, RunStatus.STOPPED)

    def set_layout(self, run_id: str, method: str) -> None:
        self._live(run_id).set_layout(method, self.call)

    def checkpoint_path(self, run_id: str, step: int) -> str | None:
        """The file that holds the weights of a kept step; None for a step that was not kept."""
        live = self._live(run_id)
        return str(checkpoint_file(live.folder, step)) if step in live.view().checkpoints else None

    def adopt(self, run: Run, layout: str, alive: Callable[[], bool] | None = None) -> tuple[str, str]:
        """Take in a run from a file, at rest, under a new id: that id, and where its last step's checkpoint
        belongs. `adopted` says that it lies there."""
        run = replace(run, id=self._new_id(), checkpoints=())
        live = LiveRun(run, self._folder(run.id), layout, self.layout_ready.is_set, alive)
        with self._lock:
            self._runs[run.id] = live
            self._forget()
        if not run.frames:
            live.layout_ready(self.call)  # draws it
        return run.id, str(checkpoint_file(live.folder, run.step))

    def adopted(self, run_id: str) -> None:
        live = self._live(run_id)
        live.take_checkpoints((live.view().step,))

    def _interrupt(self, run_id: str, status: RunStatus) -> None:
        live = self._live(run_id)
        with self._lock:
            if run_id in self._queue:
                self._queue.remove(run_id)
                live.rest(status)
                self._tell_the_queue()
                return
            worker = next((w for w, busy in self._busy.items() if busy == run_id), None)
        if worker is not None:
            live.resting_status = status
            worker.send("pause", run_id)
        elif status is RunStatus.STOPPED:
            live.rest(status)

    def _enqueue(self, live: LiveRun, until: int) -> str:
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
            for index, worker in enumerate(self._workers):
                if not self._queue:
                    return
                if worker.dead:
                    worker = self._workers[index] = self._spawn("train")
                if worker not in self._busy:
                    live = self._runs[self._queue.pop(0)]
                    self._busy[worker] = live.id
                    live.starting()
                    worker.send("train", live.task())
                    self._tell_the_queue()

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
            case ("snapshot", run_id, snapshot):
                self._tell(run_id, lambda live: live.take_snapshot(snapshot, self.call))
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
            future, _ = self._futures.pop(number, (None, None))
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
            self._busy.pop(worker, None)
        self._dispatch()

    def _on_death(self, worker: WorkerProcess) -> None:
        with self._lock:
            lost = [number for number, (_, owner) in self._futures.items() if owner is worker]
            run_id = self._busy.pop(worker, None)
        for number in lost:
            self._settle(number, None, RuntimeError(BROKEN_CALL))
        if run_id is not None:
            self._tell(run_id, lambda live: live.fail(BROKEN_WORKER))
        with self._lock:
            if worker in self._workers and not self._closed.is_set():
                self._workers[self._workers.index(worker)] = self._spawn("train")
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
                if live.abandoned_for() > OWNER_GRACE and live.view().is_active:
                    self.stop(live.id)
            with self._lock:
                self._forget()

    def _forget(self) -> None:
        """Drop abandoned runs after a while, and the oldest ones when there are too many."""
        idle = [r for r in self._runs.values() if not r.view().is_active]
        idle.sort(key=lambda r: r.seen)
        surplus = max(0, len(self._runs) - KEPT_RUNS)
        gone = [r for i, r in enumerate(idle) if i < surplus or r.abandoned_for() > IDLE_SECONDS]
        for live in gone:
            del self._runs[live.id]
            live.changed()
            shutil.rmtree(live.folder, ignore_errors=True)

    def processes(self) -> Sequence[WorkerProcess]:
        """Every worker process, for the benchmark and the tests."""
        return [*self._lanes.values(), *self._workers]

    def close(self) -> None:
        self._closed.set()
        for worker in self.processes():
            worker.close()
        shutil.rmtree(self._home, ignore_errors=True)


def refuse_unforkable(old: TrainingConfig, new: TrainingConfig) -> None:
    """A fork continues the same weights and the same optimizer, so what they are cannot change."""
    fixed = ["base_model", "trained_layers", "train_word_embeddings", "pooling"]
    if "softmax" in (old.loss, new.loss):  # its classifier is part of the weights
        fixed += ["loss", "concatenation"]
    for field in fixed:
        if getattr(new, field) != getattr(old, field):
            raise InputError(
                f'A fork keeps the model it grew from, so "{field.replace("_", " ")}" cannot change '
                "there. Press Reset and train from the start to change it."
            )


def failure(text: str | None, trace: str) -> Exception:
    """The exception a page sees: the worker's own words for bad input, else a general sentence."""
    if text is not None:
        return InputError(text)
    log.error("A worker failed:\n%s", trace)
    return RuntimeError(UNEXPECTED.format(trace.strip().splitlines()[-1][:200]))
