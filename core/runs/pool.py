"""The worker processes: which there are, who answers a call, who may train, and how many threads each takes.

Processes that have torch answer calls and train; calls are answered between two steps, so one such process is
enough for one learner. A second one starts when a second run waits. All end when nobody has asked for long.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from . import machine
from .process import Receive, WorkerProcess

IDLE_END = 300.0  # seconds without any work after which the processes end, until somebody asks again
TORCH = "encode"  # the lane of all that needs torch but a process of its own


class Pool:
    """Not locked: the executor calls everything here with its own lock held, `end` apart.

    `on_start(worker)` is called for every process that starts.
    """

    def __init__(
        self, on_message: Receive, on_start: Callable[[WorkerProcess], None], most: int | None = None
    ) -> None:
        self._on_message, self._on_start = on_message, on_start
        self.most = most or machine.most_workers()
        self.cores = machine.cores()
        self.threads = self.cores  # of each process that trains, now
        self.training: list[WorkerProcess] = []
        self.lanes: dict[str, WorkerProcess] = {}  # the others: layout, background
        self.busy: dict[WorkerProcess, str] = {}  # who trains which run
        self.calls: Counter[WorkerProcess] = Counter()  # questions not answered yet
        self._used = time.monotonic()

    # ---- who does it -------------------------------------------------------------------------

    def for_call(self, lane: str) -> WorkerProcess:
        """The process that answers: of those with torch the one with least to do, training or not."""
        self._used = time.monotonic()
        if lane != TORCH:
            if lane not in self.lanes or self.lanes[lane].dead:
                self.lanes[lane] = WorkerProcess(lane, 1, self._on_message)
                self._on_start(self.lanes[lane])
            return self.lanes[lane]
        self.training = [worker for worker in self.training if not worker.dead]
        if not self.training:
            self._start()
        return min(self.training, key=lambda worker: (worker in self.busy, self.calls[worker]))

    def for_run(self) -> WorkerProcess | None:
        """A process that may train now; None when all do, a new one where the machine bears it."""
        self._used = time.monotonic()
        self.training = [worker for worker in self.training if not worker.dead]
        idle = [worker for worker in self.training if worker not in self.busy]
        if idle:
            return min(idle, key=lambda worker: self.calls[worker])
        if len(self.training) >= self.most:
            return None
        return self._start()

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess("train", self.cores, self._on_message)
        worker.send("threads", self.threads)
        self.training.append(worker)
        self._on_start(worker)
        return worker

    # ---- how much of the machine ---------------------------------------------------------------

    def share_cores(self) -> None:
        """Give every run its part of the cores; told between two steps."""
        threads = max(1, self.cores // max(1, len(self.busy)))
        if threads != self.threads:
            self.threads = threads
            for worker in self.training:
                worker.send("threads", threads)

    def all(self) -> list[WorkerProcess]:
        return [*self.lanes.values(), *self.training]

    def retire(self, everything: bool = False) -> list[WorkerProcess]:
        """Take out the processes that are to end, because nothing was asked of any for long."""
        working = bool(self.busy) or any(self.calls.values())
        if not everything and (working or time.monotonic() - self._used < IDLE_END):
            return []
        gone, self.training, self.lanes = self.all(), [], {}
        self.calls.clear()
        return gone
