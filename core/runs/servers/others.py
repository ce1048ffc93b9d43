"""The other page servers: runs that one of them trains, and runs that one of them left."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ...data.folders import is_claimed, locked
from ...training.checkpoints import copy_checkpoints
from ...types import InputError, RunStatus
from ..live import LiveRun
from ..request import RunRequest
from . import journal
from .journal import Found, Journal

LOOK_SECONDS = 0.1  # between two looks at a followed run's folder


class Others:
    """None of them where no folder is shared. `train(live)` is called for a run that goes on here."""

    def __init__(
        self, shared: Path | None, train: Callable[[LiveRun], None], closed: threading.Event
    ) -> None:
        self._journal = None if shared is None else Journal(shared)
        self._train, self._closed = train, closed
        self._lock = threading.Lock()
        self._followed: dict[LiveRun, Path] = {}
        if self._journal is not None:
            threading.Thread(target=self._look, daemon=True).start()

    @property
    def home(self) -> Path | None:
        """Where this server's runs belong, so that others find them."""
        return None if self._journal is None else self._journal.home

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While this is open no other server begins a run: a class that presses Start at once on two servers
        asks for one run."""
        if self._journal is None:
            yield
            return
        with self._journal.lock.open("w") as file, locked(file):
            yield

    def equal(self, task: RunRequest) -> Found | None:
        """As Journal.equal."""
        return None if self._journal is None else self._journal.equal(task)

    def find(self, run_id: str) -> Found | None:
        """As Journal.find."""
        return None if self._journal is None else self._journal.find(run_id)

    def shows(self, view_id: str, live: LiveRun) -> None:
        """That learner's id stands for this run."""
        if self._journal is not None and view_id != live.id:
            self._journal.same(view_id, live.id)

    def forget(self, view_id: str, live: LiveRun) -> None:
        if self._journal is not None and view_id != live.id:
            self._journal.forget(view_id)

    def follow(self, live: LiveRun, found: Found) -> None:
        """Have it show what the other server does; train it here once that has ended."""
        take_checkpoints(live, found.folder)
        if live.is_active and found.is_led:
            with self._lock:
                self._followed[live] = found.folder
        elif live.is_active:
            self._take_over(live)

    def leave(self, live: LiveRun) -> None:
        """It rests here, whatever becomes of it there."""
        with self._lock:
            self._followed.pop(live, None)

    def _take_over(self, live: LiveRun) -> None:
        kept = max(live.view().checkpoints, default=0)
        live.note(f"Its server trains it no further; it went on from step {kept} on another.")
        self._train(live)

    def _look(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            with self._lock:
                followed = list(self._followed.items())
            for live, folder in followed:
                self._take(live, folder)

    def _take(self, live: LiveRun, folder: Path) -> None:
        status = None
        with contextlib.suppress(InputError):
            status = journal.state(folder).status if is_claimed(folder.parent) else None
        with contextlib.suppress(OSError, ValueError):  # forgotten there meanwhile
            for snapshot in journal.newer(folder, live.position if live.has_snapshots else -1):
                live.take_snapshot(snapshot.step, live.steps, snapshot)
        take_checkpoints(live, folder)
        if status is not None and status.is_active:
            return
        self.leave(live)
        if status is RunStatus.FINISHED:
            live.rest(None)
        else:
            self._take_over(live)


def take_checkpoints(live: LiveRun, folder: Path) -> None:
    """Those that lie there are this run's too."""
    with contextlib.suppress(InputError, OSError):
        kept = copy_checkpoints(str(folder), live.folder, live.position)
        if kept != live.view().checkpoints:
            live.take_checkpoints(kept)
