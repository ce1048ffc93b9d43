"""The worker processes: which there are, who answers a call, who trains whose run, with how many threads.

Processes that have torch answer calls and train; calls are answered between two steps, so one such process is
enough for one learner. A second one starts when a second run waits; when there are more runs than processes,
they take turns (turns.py). All end when nobody has asked for long.

With a cluster, runs are trained there. Calls stay here: they read files that the server has, checkpoints and
tuned models, most take milliseconds, and each snapshot would travel back to be drawn.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ..types import InputError, RunStatus, Turn
from . import machine
from .cluster.proxy import Cluster, ClusterWorker
from .functions import name_of
from .live import LiveRun
from .process import WorkerProcess
from .turns import Turns

IDLE_END = 300.0  # seconds without any work after which the processes end, until somebody asks again
FORCE = 60.0  # seconds that a run has to come to rest, a step or the loading of a model; then it is made to
TORCH = "encode"  # the lane of all that needs torch but a process of its own
BROKEN_WORKER = (
    "The process that was training stopped unexpectedly, most often because the machine ran out of "
    "memory. What it had learned up to its last checkpoint is kept. Fewer trained layers or a smaller "
    "batch need less memory."
)
GONE = (
    "The machines that were training stopped answering. What was learned up to the last checkpoint is kept; "
    "Continue goes on from there, on this server until they are back."
)
STUCK = (
    "The process that was training did not answer for a minute, so it was ended. What was learned up to the "
    "last checkpoint is kept."
)
HERE = "The other machines do not answer, so this run trains on this server."
BROKEN_CALL = "The computation stopped unexpectedly. It has been restarted: please try again."
UNEXPECTED = "The computation failed in a way we did not foresee ({}). The server's log has the details."

log = logging.getLogger(__name__)

Worker = WorkerProcess | ClusterWorker


class Pool:
    """Everything here may be called on any thread.

    `on_start(worker)` is called for every process that starts, `on_end(worker)` for one that ends or will,
    `on_saved(run_id)` when a checkpoint that was asked for is written, or will not be.
    """

    def __init__(
        self,
        on_start: Callable[[Worker], None],
        on_end: Callable[[Worker], None],
        on_saved: Callable[[str], None],
        most: int | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self._on_start, self._on_end, self._on_saved = on_start, on_end, on_saved
        self._lock = threading.RLock()  # guards everything below; reader threads and pages share it
        self._numbers = itertools.count(1)
        self._futures: dict[int, tuple[Future[Any], Worker]] = {}  # questions not answered yet
        self._lives: dict[str, LiveRun] = {}  # those that workers may report of
        self.turns = Turns()
        self.cluster, self._asked = cluster, most
        self._fit()
        self.threads = self.widest  # of each process that trains, now
        self.training: list[Worker] = []
        self.lanes: dict[str, WorkerProcess] = {}  # the others: layout; with a cluster, calls too
        self.busy: dict[Worker, str] = {}  # who trains which run
        self.warm: set[Worker] = set()  # who has its model loaded
        self.written = threading.Event()  # there is a checkpoint more than when it was cleared
        self._closed = False
        self._used = time.monotonic()
        if cluster is not None:
            cluster.on_change = self._take_change
            self._start()

    @property
    def is_far(self) -> bool:
        """Whether runs are trained on a cluster, now."""
        return self.cluster is not None and self.cluster.is_there

    def _fit(self) -> None:
        """How many may train at once, on how many cores, of which one can use so many: there, or here."""
        there = (self.cluster.cores, self.cluster.widest) if self.cluster and self.is_far else None
        self.cores, self.widest = there or (machine.cores(), machine.cores())
        self.most = self._asked or (
            machine.asked_workers() or self.cores if there else machine.most_workers()
        )

    # ---- calls -------------------------------------------------------------------------------

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], lane: str) -> Future[Any]:
        """As LocalExecutor.call."""
        with self._lock:
            worker, number, future = self.for_call(lane), next(self._numbers), Future[Any]()
            self._futures[number] = (future, worker)
            worker.send("call", number, name_of(function), args)
        return future

    def for_call(self, lane: str) -> Worker:
        """The process that answers: of those with torch the one with least to do, training or not."""
        self._used = time.monotonic()
        if lane != TORCH or self.cluster is not None:
            if lane not in self.lanes or self.lanes[lane].dead:
                threads = machine.cores() if lane == TORCH else 1
                self.lanes[lane] = WorkerProcess(lane, threads, self._on_message)
                self._on_start(self.lanes[lane])
            return self.lanes[lane]
        self._bury()
        if not self.training:
            self._start()
        calls = Counter(worker for _, worker in self._futures.values())
        return min(self.training, key=lambda worker: (worker in self.busy, calls[worker]))

    def _settle(self, number: int, value: Any, error: Exception | None) -> None:
        with self._lock:
            future, _ = self._futures.pop(number, (None, None))
        if future is None or not future.set_running_or_notify_cancel():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)

    # ---- runs --------------------------------------------------------------------------------

    def train(self, live: LiveRun) -> None:
        """The run waits for its turn from now on."""
        with self._lock:
            self._lives[live.id] = live
            self.turns.enter(live.id, live.owners)
            self._dispatch()

    def turn(self, run_id: str) -> Turn | None:
        """Where the run stands in the queue; None for one that rests."""
        with self._lock:
            return self.turns.turn(run_id, self.most)

    def interrupt(self, live: LiveRun, status: RunStatus, how: str = "pause") -> None:
        """Have it rest, which it does after its step where it is having its turn, or by force when that does
        not end. With "drop", nobody will ask for it again."""
        with self._lock:
            if how == "drop":
                self._lives.pop(live.id, None)
            worker = self.turns.stop(live.id, time.monotonic() + FORCE)
            if worker is not None:
                live.resting_status, live.undisturbed = status, False
                worker.send("leave", how, live.id)
            elif live.is_active or status is RunStatus.STOPPED:
                live.rest(status)
            self._tell_who_waits()

    def _end_stuck(self) -> None:
        """End the processes of those that were to rest and do not answer."""
        with self._lock:
            overdue = self.turns.overdue(time.monotonic())
        for run_id in overdue:
            self._tell(run_id, lambda live: live.note(STUCK))
        for worker in set(overdue.values()):
            worker.kill()

    def share(self, live: LiveRun) -> None:
        """Others watch the run now than before."""
        with self._lock:
            self.turns.share(live.id, live.owners)

    def save(self, live: LiveRun) -> bool:
        """Have the process that has the run write a checkpoint where it stands; `on_saved` is
        called then. False where no process has it."""
        with self._lock:
            worker = self.turns.place(live.id)
            if worker is not None:
                worker.send("save", live.id)
        return worker is not None

    def _dispatch(self) -> None:
        """Give idle processes to those who are next."""
        with self._lock:
            idle = self.idle(len(self.turns.waiting()))
            while (chosen := self.turns.choose(idle)) is not None:
                run_id, worker = chosen
                idle.remove(worker)
                self.busy[worker] = run_id
                seconds = self.turns.begin(run_id, worker)
                live = self._lives[run_id]
                if self.cluster is not None and isinstance(worker, WorkerProcess):
                    live.note(HERE)
                worker.send("train", live.begin(seconds))
            if idle and (stranded := self.turns.stranded()) is not None:
                self.turns.move(stranded).send("leave", "move", stranded)
            self._tell_who_waits()
            self.share_cores()

    def _tell_who_waits(self) -> None:
        """The places in the queue have changed."""
        for run_id in self.turns.new():
            self._lives[run_id].changed()

    # ---- processes ---------------------------------------------------------------------------

    def idle(self, wanted: int) -> list[Worker]:
        """Processes that may train now. Where fewer than `wanted` runs find one, another is started if the
        machine bears it; it counts once its model is loaded, unless there is no other."""
        self._used = time.monotonic()
        self._bury()
        free = [worker for worker in self.training if worker not in self.busy]
        if wanted > len(free) and len(self.training) < self.most:
            free.append(self._start())
        loaded = [worker for worker in free if worker in self.warm]
        return loaded if self.warm.intersection(self.training) else free

    def _bury(self) -> None:
        self.training = [worker for worker in self.training if not worker.dead]
        self.warm &= set(self.training)

    def _start(self) -> Worker:
        worker: Worker
        if self.cluster is not None and self.is_far:
            worker = self.cluster.worker("train", self._on_message)
        else:
            worker = WorkerProcess("train", self.widest, self._on_message)
        worker.send("threads", self.threads)
        self.training.append(worker)
        self._on_start(worker)
        return worker

    def share_cores(self) -> None:
        """Give every run its part of the cores; told between two steps."""
        threads = max(1, min(self.widest, self.cores // max(1, len(self.busy))))
        if threads != self.threads:
            self.threads = threads
            for worker in self.training:
                worker.send("threads", threads)

    def all(self) -> list[Worker]:
        return [*self.lanes.values(), *self.training]

    def retire(self) -> None:
        """End the processes when nothing was asked of any for long, those that do not answer, and those that
        stood in for a cluster when it is back; look for it when it is gone."""
        self._end_stuck()
        if self.cluster is not None:
            self.cluster.tend()
        gone: list[Worker]
        with self._lock:
            if self.busy or self._futures or time.monotonic() - self._used < IDLE_END:
                held = {self.turns.place(run_id) for run_id in self._lives}
                here = [w for w in self.training if self.is_far and isinstance(w, WorkerProcess)]
                gone = [worker for worker in here if worker not in held]
                self.training = [worker for worker in self.training if worker not in gone]
            else:
                gone, self.training, self.lanes = self.all(), [], {}
            for worker in gone:
                self._on_end(worker)
        for worker in gone:
            worker.close()

    def close(self) -> None:
        with self._lock:
            self._closed, gone = True, self.all()
        self.written.set()  # whoever waits for one need not
        for worker in gone:
            worker.close()
        if self.cluster is not None:
            self.cluster.close()

    # ---- what they say -----------------------------------------------------------------------

    def _on_message(self, worker: Worker, message: tuple[Any, ...]) -> None:
        match message:
            case ("result", number, value):
                self._settle(number, value, None)
            case ("failed", int() as number, text, trace):
                self._settle(number, None, failure(text, trace))
            case ("snapshot", run_id, step, steps, snapshot):
                self._take_warm(worker)
                self._tell(run_id, lambda live: live.take_snapshot(step, steps, snapshot))
            case ("step", run_id, step, steps):
                self._tell(run_id, lambda live: live.take_step(step, steps))
            case ("checkpoints", run_id, steps):
                self._tell(run_id, lambda live: live.take_checkpoints(steps))
                self.written.set()
            case ("unkept", run_id, why):
                self._tell(run_id, lambda live: live.note(why))
            case ("saved", run_id):
                self._on_saved(run_id)
            case ("turn", run_id, seconds, change):
                self._let_go(worker, run_id, seconds, change)
            case ("rested", run_id):
                self._tell(run_id, lambda live: live.rest(None))
                self._let_go(worker, run_id)
            case ("failed", str() as run_id, text, trace):
                reason = str(failure(text, trace))
                self._tell(run_id, lambda live: live.fail(reason))
                self._let_go(worker, run_id)
            case ("moved", run_id):
                with self._lock:
                    self.turns.moved(run_id)
                self._dispatch()
            case ("warm",):
                self._take_warm(worker)
                self._dispatch()
            case ("died", _code):
                self._take_death(worker)

    def _tell(self, run_id: str, action: Callable[[LiveRun], None]) -> None:
        with self._lock:
            live = self._lives.get(run_id)
        if live is not None:
            action(live)

    def _let_go(self, worker: Worker, run_id: str, seconds: float | None = None, change: float = 0.0) -> None:
        """The process is through with the run: a turn of so many seconds, or for good (None)."""
        with self._lock:
            self.warm.add(worker)
            if self.busy.get(worker) == run_id:
                del self.busy[worker]
            live = self._lives.get(run_id)
            if seconds is not None and live is not None:
                self.turns.end(run_id, seconds, change, live.left(seconds))
            else:
                self.turns.leave(run_id)
                self._lives.pop(run_id, None)
        self._dispatch()

    def _take_warm(self, worker: Worker) -> None:
        """Its model is loaded, so now is the time for the process that draws maps, which compiles for long:
        before, it would take a core from the model and from the first page."""
        with self._lock:
            self.warm.add(worker)
            if "layout" not in self.lanes and not self._closed:
                self.for_call("layout")

    def _take_death(self, worker: Worker) -> None:
        """The runs that it had go on elsewhere, from their last checkpoints."""
        with self._lock:
            calls = [number for number, (_, asked) in self._futures.items() if asked is worker]
            trained = self.busy.pop(worker, None)
            for run_id in self.turns.lost(worker):  # they were to rest, and do, where their files say
                self._tell(run_id, lambda live: live.rest(None))
                self._lives.pop(run_id, None)
            live = self._lives.get(trained or "")
            if live is not None and not live.outlives(BROKEN_WORKER, worker.ready.is_set()):
                self.turns.leave(live.id)
                del self._lives[live.id]
            lives = list(self._lives)
        for number in calls:
            self._settle(number, None, RuntimeError(BROKEN_CALL))
        for run_id in lives:
            self._on_saved(run_id)
        self._on_end(worker)
        if not self._closed:
            self._dispatch()

    def _take_change(self) -> None:
        """The cluster has come, gone, grown or shrunk. When it goes, who was trained there or waited for it
        is told; to go on here, where it may take much longer, takes a click."""
        with self._lock:
            self._fit()
            for run_id in [] if self.is_far else list(self._lives):
                if not isinstance(self.turns.place(run_id), WorkerProcess):
                    self._lives.pop(run_id).fail(GONE)
                    self.turns.leave(run_id)
            if not self.is_far:
                self.busy = {worker: run for worker, run in self.busy.items() if run in self._lives}
        self._dispatch()


def failure(text: str | None, trace: str) -> Exception:
    """The exception a page sees: the worker's own words for bad input, else a general sentence."""
    if text is not None:
        return InputError(text)
    log.error("A worker failed:\n%s", trace)
    return RuntimeError(UNEXPECTED.format(trace.strip().splitlines()[-1][:200]))
