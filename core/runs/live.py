"""A run while it changes: what the workers report goes in, an immutable `Run` or `TaskRun` comes out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..training.trainer import Task
from ..types import Run, RunStatus, TaskRun
from .drawing import Drawing, Engine
from .worker import Work


@dataclass(frozen=True, slots=True)
class Tab:
    """A browser's tab that watches a run: whose, and, when called on any thread, whether it is still open."""

    browser: str
    is_open: Callable[[], bool]

    def __call__(self) -> bool:
        return self.is_open()


class LiveRun:
    """Mutable, shared by the reader threads and the pages; `view()` gives the frozen picture.

    Everything here may be called on any thread. `on_change` are called on whichever made the change.
    """

    def __init__(
        self,
        run: Run | TaskRun[Any],
        task: Task[Any],
        folder: Path,
        engine: Engine,
        alive: Callable[[], bool] | None,
    ) -> None:
        self._lock = threading.RLock()  # a reader thread appends while a page copies
        self._run = run
        self._until: int | None = None
        self._engine = engine
        self._missing_since: float | None = None
        self.id = run.id
        self.task = task
        self.folder = str(folder)
        self.alive = alive
        self._also_alive: list[Callable[[], bool]] = []  # tabs that came to it later: a reload, a second one
        self.drawing: Drawing | None = None
        self.seen = time.monotonic()
        self.resting_status: RunStatus | None = None
        self._began, self._made, self._cost = (
            0,
            0,
            0.0,
        )  # this turn's first step; steps and seconds of all turns
        self.position = run.step  # the step the model has reached, snapshots or not
        self.on_change: list[Callable[[], None]] = []  # called on any thread; they must not wait

    @property
    def owners(self) -> tuple[str, ...]:
        """Who shares the machine with others for it: the browsers that watch it."""
        tabs = [tab for tab in (self.alive, *self._also_alive) if isinstance(tab, Tab)]
        return tuple({tab.browser for tab in tabs}) or (self.id,)

    def changed(self) -> None:
        for observer in tuple(self.on_change):
            observer()

    def view(self) -> Run | TaskRun[Any]:
        with self._lock:
            frames = self._run.frames if self.drawing is None else self.drawing.frames
            return replace(self._run, frames=frames)

    @property
    def steps(self) -> int:
        """Steps planned; 0 where only the trainer will know."""
        return self._run.config.steps if isinstance(self._run, Run) else self._run.steps

    @property
    def is_active(self) -> bool:
        return self._run.is_active

    def _change(self, **fields: Any) -> None:
        with self._lock:
            self._run = replace(self._run, **fields)
        self.changed()

    # ---- the run's own life ------------------------------------------------------------------

    def wait(self, until: int | None) -> None:
        self._until = until
        self.resting_status = None
        self._change(status=RunStatus.WAITING, error=None)

    def begin(self, turn: float) -> Work:
        """What a worker is to do next, for so many seconds. It may have to catch up from an earlier
        checkpoint: what it reports again on the way is known already."""
        if self._run.status is RunStatus.WAITING:
            self._change(status=RunStatus.STARTING)
        self._began = self.position
        rewinds = isinstance(self._run, Run)
        return Work(self.id, self.task, self._until, self.folder, self.position, rewinds, turn)

    def left(self, seconds: float) -> float | None:
        """Seconds of training until its end, after a turn of so many; None where nobody can know yet."""
        self._cost += seconds
        self._made += max(0, self.position - self._began)
        last = self.steps if self._until is None else self._until
        return (last - self.position) * self._cost / self._made if last and self._made else None

    def rest(self, status: RunStatus | None) -> None:
        """The worker let go: paused, stopped, or finished because the planned step is reached."""
        with self._lock:
            if status is None:
                status = self.resting_status or RunStatus.PAUSED
                if 0 < self.steps <= self.position:
                    status = RunStatus.FINISHED
            self._change(status=status)

    def fail(self, reason: str) -> None:
        self._change(status=RunStatus.FAILED, error=reason)

    def take_step(self, step: int, steps: int) -> None:
        """The model has reached `step` of `steps`."""
        with self._lock:
            self.position = max(self.position, step)
            if isinstance(self._run, TaskRun):
                self._run = replace(self._run, step=self.position, steps=steps)
            if self.resting_status is None:
                self._run = replace(self._run, status=RunStatus.RUNNING)
        self.changed()

    def take_snapshot(self, step: int, steps: int, snapshot: Any) -> None:
        for name in ("embeddings", "contexts"):  # shared by all who watch; the flag does not cross a process
            if (array := getattr(snapshot, name, None)) is not None:
                array.setflags(write=False)
        with self._lock:
            if self._run.snapshots and step <= self.position:
                return
            known = self._run.snapshots
            if known and hasattr(known[-1], "outline"):  # large, and only the newest is looked at
                known = (*known[:-1], known[-1].outline())
            self._run = replace(self._run, snapshots=(*known, snapshot))
        self.take_step(step, steps)
        if self.drawing is not None:
            self.drawing.go_on()

    def take_checkpoints(self, steps: tuple[int, ...]) -> None:
        if self.drawing is not None:
            self.drawing.keep(steps)
        with self._lock:
            self.position = max((self.position, *steps))
        self._change(checkpoints=steps)

    def renew(self, alive: Callable[[], bool]) -> None:
        """One more tab watches this run."""
        self._also_alive = [*(other for other in self._also_alive if other()), alive]
        self._missing_since = None

    def abandoned_for(self) -> float:
        """Seconds since a tab of this run was last seen open; 0 while one is."""
        if self.alive is None or self.alive() or any(alive() for alive in self._also_alive):
            self._missing_since = None
            return 0.0
        self._missing_since = self._missing_since or time.monotonic()
        return time.monotonic() - self._missing_since

    # ---- the map -----------------------------------------------------------------------------

    def draw(self, method: str, rows: tuple[int, ...] | None = None) -> None:
        """Show the snapshots' embeddings, or those rows of them, as a map by this method."""
        if self.drawing is None:
            self.drawing = self._drawing(method, rows)
            self.drawing.frames = self._run.frames  # of a run from a file
            self.drawing.go_on()
        elif (self.drawing.method, self.drawing.rows) != (method, rows):
            self.drawing.redraw(method, rows)

    def adopt_drawing(self, source: LiveRun, step: int) -> None:
        """Continue the map of the run this one was forked from."""
        if source.drawing is not None:
            self.drawing = self._drawing(source.drawing.method, source.drawing.rows)
            self.drawing.adopt(source.drawing, step)

    def _drawing(self, method: str, rows: tuple[int, ...] | None) -> Drawing:
        return Drawing(
            self._engine, method, lambda: self._run.snapshots, self.changed, lambda: self.is_active, rows
        )

    def layout_ready(self) -> None:
        if self.drawing is not None:
            self.drawing.layout_ready()
