"""The map of a run while it grows: one frame a snapshot, each drawn from where the one before stood.

Frames are computed in worker processes, one after the other; pages read those that are there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from ..maps import layouts
from ..types import Frame

if TYPE_CHECKING:
    from ..maps.layouts import LayoutState

WARM_METHODS_NEED = "pca"  # drawn until umap-learn has compiled its kernels
BACKLOG = 3  # snapshots a slow layout may lag behind before it skips to the newest


class Engine(Protocol):
    """What drawing needs of the executor."""

    @property
    def layout_ready(self) -> threading.Event: ...
    def call(self, function: Callable[..., Any], *args: Any, lane: str = "encode") -> Future[Any]: ...


class Drawing:
    """Frames of the snapshots that `source()` returns, by `method`; of the rows named, or of all.

    `hurried()` says whether a drawing that lags behind may leave snapshots out. `changed()` is called on
    any thread when there is a new frame.
    """

    def __init__(
        self,
        engine: Engine,
        method: str,
        source: Callable[[], Sequence[Any]],
        changed: Callable[[], None],
        hurried: Callable[[], bool],
        rows: tuple[int, ...] | None = None,
    ) -> None:
        self._engine, self._source, self._changed, self._hurried = engine, source, changed, hurried
        self._lock = threading.RLock()  # answers come on a reader thread while a page asks for another method
        self._states: dict[int, LayoutState] = {}  # from which a fork can go on, and the newest
        self._pending: Future[Any] | None = None
        self._epoch = 0  # grows when the map starts afresh, so that late answers are dropped
        self._stands_in = False  # the frames are by another method, because umap-learn is not ready yet
        self.method, self.rows = method, rows
        self.frames: tuple[Frame, ...] = ()

    def go_on(self) -> None:
        """Ask for the next frame, unless one is being computed."""
        with self._lock:
            if self._pending is not None:
                return
            drawn = self.frames[-1].step if self.frames else -1
            known = [s for s in self._source() if len(s.embeddings)]
            todo = [s for s in known if s.step > drawn]
            if not todo:
                return
            begun = [step for step in self._states if step <= drawn]
            ready, epoch = self._engine.layout_ready.is_set(), self._epoch
            lane = "layout" if ready else "encode"
            if begun:
                snapshot = todo[-1] if len(todo) > BACKLOG and self._hurried() else todo[0]
                state, z = self._states[max(begun)], self._points(snapshot)
                pending = self._engine.call(layouts.advance, state, z, snapshot.step, lane=lane)
            else:
                method, first = self.method if ready else WARM_METHODS_NEED, known[0]
                self.frames, self._stands_in = (), method != self.method
                pending = self._engine.call(
                    layouts.start, method, self._points(first), None, first.step, lane=lane
                )
            self._pending = pending
        pending.add_done_callback(lambda future: self._take(future, epoch))

    def _points(self, snapshot: Any) -> Any:
        return snapshot.embeddings if self.rows is None else snapshot.embeddings[list(self.rows)]

    def _take(self, future: Future[Any], epoch: int) -> None:
        with self._lock:
            if epoch != self._epoch:
                return
            self._pending = None
            if future.exception() is not None:
                return  # the next snapshot tries again; the map simply stays where it was
            state, frame = future.result()
            self._states[frame.step] = state
            self.frames = (*self.frames, frame)
        self._changed()
        self.go_on()

    def redraw(self, method: str, rows: tuple[int, ...] | None = None) -> None:
        """Draw everything again, by this method."""
        with self._lock:
            self.method, self.rows = method, rows
        self.cut(-1)
        self.go_on()

    def layout_ready(self) -> None:
        """umap-learn has warmed up: draw again with the method that was asked for, unless the run has kept no
        more than the outline of its beginning: its replay is worth more then."""
        if self._stands_in and len(self._source()[0].embeddings):
            self.redraw(self.method, self.rows)

    def cut(self, step: int) -> None:
        """Forget what lies after `step`."""
        with self._lock:
            self._epoch += 1
            self._pending = None
            self._states = {k: v for k, v in self._states.items() if k <= step}
            self.frames = tuple(f for f in self.frames if f.step <= step)

    def keep(self, steps: Collection[int]) -> None:
        """Remember where the map stood at these steps only, and where it stands now."""
        with self._lock:
            newest = max(self._states, default=-1)
            self._states = {k: v for k, v in self._states.items() if k in steps or k == newest}

    def adopt(self, source: Drawing, step: int) -> None:
        """Go on from the map of the run this one was forked from, as it was at `step`; that step's own frame
        may not have been drawn yet."""
        with source._lock:
            self.frames = tuple(f for f in source.frames if f.step <= step)
            self._states = {k: v for k, v in source._states.items() if k <= step}
        self.go_on()
