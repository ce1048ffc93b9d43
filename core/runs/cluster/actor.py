"""A worker on a machine of the cluster: the loop of worker.py, with an actor's two methods as its wire.

No disk is shared. Every checkpoint leaves as it is written, and comes along with a run that another machine
began; here only the newest of each run stays.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import socket
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from ...data.folders import own_folder, remove_own_folder
from ...training.checkpoints import files_of
from ..worker import Work, begin, drop_others

KEPT_FOLDERS = 6  # runs whose newest checkpoint stays on this machine

Files = Mapping[str, bytes]  # of a checkpoint: names and contents


class ActorWire:
    """`hear` puts in what the server says, `said` yields what the worker answers; each has a thread."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[tuple[bytes, Files]] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._folders: OrderedDict[str, Path] = OrderedDict()  # by run, the latest last
        threading.Thread(target=self._live, daemon=True).start()

    def _live(self) -> None:
        try:
            begin(self, "train")
        finally:
            remove_own_folder()
            self._said.put(None)

    def hear(self, message: bytes, files: Files) -> None:
        self._heard.put((message, files))

    def said(self) -> Iterator[tuple[Any, ...]]:
        """ready, message, files and gone, in the words of driver.py, until the worker has ended."""
        while (what := self._said.get()) is not None:
            yield what

    # ---- what the worker sees of it ----------------------------------------------------------

    def poll(self) -> bool:
        return not self._heard.empty()

    def recv(self) -> Any:
        pickled, files = self._heard.get()
        message = ForkingPickler.loads(pickled)
        return ("train", self._settle(message[1], files)) if message[0] == "train" else message

    def send(self, message: tuple[Any, ...]) -> None:
        match message:
            case ("ready",):
                self._said.put(("ready", os.getpid(), socket.gethostname()))
            case ("checkpoints", run_id, steps):
                self._send_files(run_id, max(steps))
            case _:
                self._said.put(("message", bytes(ForkingPickler.dumps(message))))
                if message[0] == "moved":
                    self._leave(message[1])

    def _settle(self, work: Work, files: Files) -> Work:
        """Give the run a folder here, with the checkpoint that came along."""
        folder = self._folders.get(work.run_id) or own_folder() / work.run_id
        folder.mkdir(exist_ok=True)
        self._folders[work.run_id] = folder
        self._folders.move_to_end(work.run_id)
        if files:
            drop_others(str(folder), ())
        for name, content in files.items():
            with contextlib.suppress(OSError):  # no room here: it begins again, and says so when it saves
                (folder / name).write_bytes(content)
        while len(self._folders) > KEPT_FOLDERS:
            self._leave(next(iter(self._folders)))
        return replace(work, folder=str(folder))

    def _send_files(self, run_id: str, step: int) -> None:
        folder = str(self._folders[run_id])
        files = {file.name: file.read_bytes() for file in files_of(folder, step)}
        self._said.put(("files", run_id, step, files))
        drop_others(folder, (step,))

    def _leave(self, run_id: str) -> None:
        shutil.rmtree(self._folders.pop(run_id), ignore_errors=True)
        self._said.put(("gone", run_id))
