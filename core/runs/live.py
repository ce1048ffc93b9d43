"""A run while it changes: what the workers report goes in, an immutable `Run` comes out.

The map is computed here too, one snapshot after the other: each layout continues from the one before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..maps import layouts
from ..types import Frame, Run, RunStatus, Snapshot
from .worker import TrainTask

if TYPE_CHECKING:
    from ..maps.layouts import LayoutState

Call = Callable[..., "Future[Any]"]

WARM_METHODS_NEED = "pca"  # drawn until umap-learn has compiled its kernels
BACKLOG = 3  # snapshots a slow layout may lag behind before it skips to the newest


class LiveRun:
    """Mutable, shared by the reader threads and the pages; `view()` gives the frozen picture."""

    def __init__(
        self,
        run: Run,
        folder: Path,
        layout: str,
        layout_is_ready: Callable[[], bool],
        alive: Callable[[], bool] | None,
    ) -> None:
        self._lock = threading.RLock()  # a reader thread appends while a page copies
        self._run = run
        self._until = run.config.steps
        self._layout_is_ready = layout_is_ready
        self._states: dict[int, LayoutState] = {}
        self._pending: Future[Any] | None = None
        self._epoch = 0  # grows when the layout starts afresh, so that late answers are dropped
        self.id = run.id
        self.folder = str(folder)
        self.layout = layout
        self.alive = alive
        self.seen = time.monotonic()
        self._missing_since: float | None = None
        self.resting_status: RunStatus | None = None
        self.position = run.step  # the step the model has reached, snapshots or not
        self.on_change: list[Callable[[], None]] = []  # called on any thread; they must not wait

    def changed(self) -> None:
        for observer in tuple(self.on_change):
            observer()

    def view(self) -> Run:
        with self._lock:
            return self._run

    def _change(self, **fields: Any) -> None:
        with self._lock:
            self._run = replace(self._run, **fields)
        self.changed()

    # ---- the run's own life ------------------------------------------------------------------

    def wait(self, until: int) -> None:
        self._until = until
        self.resting_status = None
        self._change(status=RunStatus.WAITING, error=None)

    def starting(self) -> None:
        self._change(status=RunStatus.STARTING)

    def task(self) -> TrainTask:
        run = self.view()
        resume = self.position if self.position in run.checkpoints else None
        if resume is None and run.checkpoints:  # a worker died between two checkpoints
            resume = run.checkpoints[-1]
            self._cut(resume)
        return TrainTask(
            run.id,
            run.config,
            run.sentences,
            run.pairs,
            run.held_out,
            self._until,
            self.folder,
            resume,
        )

    def _cut(self, step: int) -> None:
        """Forget what lies after `step`: it is about to be computed again."""
        with self._lock:
            self._run = replace(
                self._run,
                snapshots=tuple(s for s in self._run.snapshots if s.step <= step),
                frames=tuple(f for f in self._run.frames if f.step <= step),
            )
            self._states = {k: v for k, v in self._states.items() if k <= step}
            self._epoch += 1
            self._pending = None
            self.position = step

    def rest(self, status: RunStatus | None) -> None:
        """The worker let go: paused, stopped, or finished because the planned step is reached."""
        with self._lock:
            if status is None:
                status = self.resting_status or RunStatus.PAUSED
                if self.position >= self._run.config.steps:
                    status = RunStatus.FINISHED
            self._change(status=status)

    def fail(self, reason: str) -> None:
        self._change(status=RunStatus.FAILED, error=reason)

    def take_snapshot(self, snapshot: Snapshot, call: Call) -> None:
        snapshot.embeddings.setflags(write=False)  # the flag does not cross a process border
        with self._lock:
            if self._run.snapshots and snapshot.step <= self._run.snapshots[-1].step:
                return
            running = RunStatus.RUNNING if self.resting_status is None else self._run.status
            self._change(snapshots=(*self._run.snapshots, snapshot), status=running)
            self.position = snapshot.step
        self._draw_next(call)

    def take_checkpoints(self, steps: tuple[int, ...]) -> None:
        self._change(checkpoints=steps)
        with self._lock:
            if steps:
                self.position = max(self.position, steps[-1])

    def abandoned_for(self) -> float:
        """Seconds since the tab that owns this run closed; 0 while it is open or has no owner."""
        if self.alive is None or self.alive():
            self._missing_since = None
            return 0.0
        self._missing_since = self._missing_since or time.monotonic()
        return time.monotonic() - self._missing_since

    # ---- the map -----------------------------------------------------------------------------

    def method(self) -> str:
        return self.layout if self._layout_is_ready() else WARM_METHODS_NEED

    def _lane(self, method: str) -> str:
        return "layout" if self._layout_is_ready() else "encode"

    def _draw_next(self, call: Call) -> None:
        """Ask for the next frame, unless one is being computed."""
        with self._lock:
            if self._pending is not None:
                return
            drawn = self._run.frames[-1].step if self._run.frames else -1
            todo = [s for s in self._run.snapshots if s.step > drawn]
            if not todo:
                return
            snapshot = todo[-1] if len(todo) > BACKLOG and self._run.is_active else todo[0]
            state = self._states.get(drawn)
            method, epoch = self.method(), self._epoch
            lane = self._lane(method)
            if state is None:
                first = self._run.snapshots[0]
                self._run = replace(self._run, frames=())
                pending = call(layouts.start, method, first.embeddings, lane=lane)
            else:
                pending = call(layouts.advance, state, snapshot.embeddings, snapshot.step, lane=lane)
            self._pending = pending
        pending.add_done_callback(lambda future: self._take_frame(future, epoch, call))

    def _take_frame(self, future: Future[Any], epoch: int, call: Call) -> None:
        with self._lock:
            if epoch != self._epoch:
                return
            self._pending = None
            if future.exception() is not None:
                return  # the next snapshot tries again; the map simply stays where it was
            state, frame = future.result()
            self._states[frame.step] = state
            self._run = replace(self._run, frames=(*self._run.frames, frame))
        self.changed()
        self._draw_next(call)

    def layout_ready(self, call: Call) -> None:
        """umap-learn has warmed up: draw the run again with the layout that was asked for."""
        if self.layout != WARM_METHODS_NEED:
            self._redraw(call)

    def set_layout(self, method: str, call: Call) -> None:
        if method != self.layout:
            self.layout = method
            self._redraw(call)

    def _redraw(self, call: Call) -> None:
        with self._lock:
            self._epoch += 1
            self._pending = None
            self._states.clear()
            self._run = replace(self._run, frames=())
        self._draw_next(call)

    def adopt_layout(self, source: LiveRun, step: int) -> None:
        """Continue the map of the run this one was forked from."""
        with source._lock:
            kept: dict[int, Frame] = {f.step: f for f in self._run.frames}
            self._states = {k: v for k, v in source._states.items() if k <= step and k in kept}
