"""The cluster as the server sees it: is it there, how large is it, and one object for each worker on it."""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any

from ...types import InputError
from ..process import WorkerProcess, environment
from .driver import SETTING, refusal

PATIENCE = 120.0  # seconds a server's start waits for the cluster and a first machine with cores
AGAIN = 20.0  # seconds between two attempts to find a cluster that was gone
PASSED_ON = ("EMBEDDING_LAB_HOME", "EMBEDDING_LAB_TUNED", "EMBEDDING_LAB_MODELS", "EMBEDDING_LAB_DEVICE")
log = logging.getLogger(__name__)

Receive = Callable[["ClusterWorker", tuple[Any, ...]], None]


class ClusterWorker:
    """A worker that lives in an actor: what WorkerProcess is for one that lives in a child process."""

    def __init__(self, cluster: Cluster, number: int, lane: str, on_message: Receive) -> None:
        self._cluster, self._number = cluster, number
        self.lane, self.on_message = lane, on_message
        self.ready = threading.Event()
        self.closing = self.dead = False
        self.pid, self.host = 0, ""  # there; known once it is ready

    def send(self, *message: Any) -> None:
        """As WorkerProcess.send."""
        place = None
        if message[0] == "train":
            work = message[1]
            place = work.run_id, work.folder, work.step, work.rewinds
        self._cluster.tell("hear", self._number, bytes(ForkingPickler.dumps(message)), place)

    def hear(self, *message: Any) -> None:
        match message:
            case ("ready", pid, host):
                self.pid, self.host = pid, host
                self.ready.set()
            case ("message", pickled):
                self.on_message(self, ForkingPickler.loads(pickled))
            case ("ended",):
                self.end()
            case _:
                self.on_message(self, message)

    def end(self) -> None:
        if not self.dead:
            self.dead = True
            self.on_message(self, ("died", None))

    def kill(self) -> None:
        """As WorkerProcess.kill. Nothing is waited for: the machine may be what does not answer."""
        self._cluster.tell("end", self._number)
        self.end()

    def close(self) -> None:
        self.closing = self.dead = True
        self._cluster.tell("end", self._number)


class Cluster:
    """The connection to a cluster, which is looked for again when it is gone: `on_change()` is called, on any
    thread, when it comes, goes, or has more or fewer cores. Everything here may be called on any thread."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.on_change: Callable[[], None] = lambda: None
        self.cores = self.widest = 0  # of all machines, of the largest; 0 while it is gone
        self._problem = ""
        self._answered = threading.Event()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._workers: dict[int, ClusterWorker] = {}
        self._closed = False
        self._open()

    def _open(self) -> None:
        self._tried = time.monotonic()
        self._driver = WorkerProcess("cluster", 1, self._hear, "cluster.driver")
        self._driver.send("connect", self.address)

    @property
    def is_there(self) -> bool:
        return self.cores > 0

    def await_it(self) -> None:
        """For the start of a server. Raises InputError, one sentence, where there is no such cluster."""
        self._answered.wait(PATIENCE)
        if not self.is_there:
            self.close()
            raise InputError(self._problem or refusal(self.address, TimeoutError()))

    def worker(self, lane: str, on_message: Receive) -> ClusterWorker:
        """Start one there."""
        worker = ClusterWorker(self, next(self._numbers), lane, on_message)
        with self._lock:
            self._workers[worker._number] = worker
        settings = {name: value for name in PASSED_ON if (value := os.environ.get(name)) is not None}
        # An actor reserves no GPU, and Ray would hide them from it.
        there = environment(1) | settings | {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
        self.tell("start", worker._number, there)
        return worker

    def tell(self, *message: Any) -> None:
        self._driver.send(*message)

    def tend(self) -> None:
        """Look for it again where it is gone, now and then."""
        if not self._closed and self._driver.dead and time.monotonic() > self._tried + AGAIN:
            self._open()

    def close(self) -> None:
        self._closed = True
        if not self._driver.dead:
            self._driver.close()

    def _hear(self, driver: WorkerProcess, message: tuple[Any, ...]) -> None:
        match message:
            case ("connected", cores, widest):
                if not self.is_there:
                    log.info("%s=%s has %s cores", SETTING, self.address, cores)
                self.cores, self.widest = cores, widest
                if cores:  # else its machines are still to come
                    self._answered.set()
                self._problem = (
                    f"{SETTING}={self.address}: no machine of the cluster has cores to compute on."
                )
                self.on_change()
            case ("refused", why):
                self._problem = why
                self._answered.set()
            case ("died", _code):
                self._lose()
            case (kind, int() as number, *rest):
                with self._lock:
                    worker = self._workers.get(number)
                    if kind == "ended":
                        self._workers.pop(number, None)
                if worker is not None:
                    worker.hear(kind, *rest)

    def _lose(self) -> None:
        """Ray ended the driver: the cluster is gone, with all that was on it."""
        was_there, self.cores, self.widest = self.is_there, 0, 0
        self._answered.set()
        with self._lock:
            lost, self._workers = list(self._workers.values()), {}
        if was_there:
            log.error("%s=%s stopped answering", SETTING, self.address)
            self.on_change()
        for worker in lost:
            worker.end()
