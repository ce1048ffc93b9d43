"""One worker process as the server sees it: start, talk, notice its death, start again.

A plain subprocess and a keyed local connection are used rather than multiprocessing's own start
methods, because spawning would re-import the whole web server in every worker.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import queue
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from ..data.folders import own_folder

PACKAGE = __name__.rpartition(".")[0]  # "core.runs", however deep it is installed
ROOT = Path(__file__).resolve().parents[PACKAGE.count(".") + 1]  # the folder it is imported from
log = logging.getLogger(__name__)

Receive = Callable[["WorkerProcess", tuple[Any, ...]], None]


def environment(threads: int) -> dict[str, str]:
    """What a process that computes has to find in its environment before it begins, wherever it runs."""
    return {
        "OMP_NUM_THREADS": str(threads),
        # A thread that waits leaves its core to browser and server, but only after 30 microseconds: most
        # waits within a step are shorter, and to sleep and wake took a tenth of it.
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "2000",
        "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),  # large pages
        "MKL_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": "1",  # umap-learn's threading layer
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1"),
    }


def connect() -> Connection:
    """In the child: the connection to the server that started it."""
    key = base64.b64decode(sys.stdin.readline())
    return Client(sys.argv[1], authkey=key)


class WorkerProcess:
    """A child process, the thread that reads what it says and the one that writes to it.

    Writing has a thread of its own because the pipe may be full: whoever waited there could be the reader,
    and the child, waiting to be read, would never empty it.

    `on_message(worker, message)` is called on the reader thread for every message, and with
    ("died", exit code) once when the process ends without having been asked to. `module` is what runs there.
    """

    def __init__(self, lane: str, threads: int, on_message: Receive, module: str = "worker") -> None:
        self.lane = lane
        self._module = module
        self.threads = threads
        self.on_message = on_message
        self.ready = threading.Event()
        self.closing = False
        self.dead = False
        self._unsent: queue.SimpleQueue[Any] = queue.SimpleQueue()  # pickled messages; None ends the writer
        self._connection: Connection | None = None
        self._process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        key = secrets.token_bytes(32)
        # In our own folder, which goes when we end or are found dead. On Windows it is a named pipe.
        address = str(own_folder() / f"{secrets.token_hex(4)}.sock") if os.name == "posix" else None
        listener = Listener(address, authkey=key)
        own = {
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
            "EMBEDDING_LAB_LANE": self.lane,
            "TMPDIR": str(own_folder()),  # what libraries leave there goes with it
        }
        process = subprocess.Popen(
            [sys.executable, "-m", f"{PACKAGE}.{self._module}", str(listener.address)],
            stdin=subprocess.PIPE,
            env=dict(os.environ) | own | environment(self.threads),
            cwd=ROOT,
        )
        assert process.stdin is not None
        process.stdin.write(base64.b64encode(key) + b"\n")
        process.stdin.close()
        threading.Thread(target=self._read, args=(listener, process), daemon=True).start()
        return process

    def _read(self, listener: Listener, process: subprocess.Popen[bytes]) -> None:
        watchdog = threading.Thread(target=self._unblock, args=(listener, process), daemon=True)
        watchdog.start()
        try:
            connection = listener.accept()
            self._connection = connection
            listener.close()  # nobody else is to knock
            threading.Thread(target=self._write, args=(connection,), daemon=True).start()
            while True:
                message = connection.recv()
                if message == ("ready",):
                    self.ready.set()
                else:
                    self.on_message(self, message)
        except (EOFError, OSError, AuthenticationError):
            pass
        finally:
            listener.close()
            self.dead = True
            self._unsent.put(None)
            code = process.wait()
            if not self.closing:
                log.error("The %s worker ended with exit code %s", self.lane, code)
                self.on_message(self, ("died", code))

    def _unblock(self, listener: Listener, process: subprocess.Popen[bytes]) -> None:
        """A child that dies before it connects would leave accept() waiting for ever: knock once."""
        process.wait()
        if self._connection is None:
            with contextlib.suppress(Exception):
                Client(listener.address, authkey=b"knock")

    def send(self, *message: Any) -> None:
        """Say something, without waiting; kept until the process has connected and reads. A dead process
        hears nothing."""
        self._unsent.put(ForkingPickler.dumps(message))

    def _write(self, connection: Connection) -> None:
        while (message := self._unsent.get()) is not None:
            try:
                connection.send_bytes(message)
            except OSError:
                log.warning("The %s worker is gone; a message was not sent", self.lane)
                return

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """It does not answer any more: end it by force, which is told as any death is."""
        self._process.kill()

    def close(self) -> None:
        self.closing = True
        self.send("exit")
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
