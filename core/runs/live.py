"""A run while it changes: what the workers report goes in, an immutable `Run` or `TaskRun` comes out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..training.checkpoints import checkpoints_in, copy_checkpoints
from ..training.trainer import Task
from ..types import Run, RunStatus, TaskRun, TrainingConfig
from .drawing import Drawing, Engine
from .request import RunRequest
from .servers.journal import Record
from .worker import Work

REPLAY_SECONDS = 10.0  # that a replay takes at most
DEATHS = 2.0  # processes that a run may end before it is taken for the cause
STILLBORN = 0.2  # for how many of those one counts that ended before it began
WENT_ON = "The process that trained stopped; the run went on {} on another."
Drawn = tuple[str, tuple[int, ...] | None]  # a map: its method, and the rows that it shows, None for all


@dataclass(frozen=True, slots=True)
class Tab:
    """A browser's tab that watches a run: whose, and, when called on any thread, whether it is still open."""

    browser: str
    is_open: Callable[[], bool]

    def __call__(self) -> bool:
        return self.is_open()


class LiveRun:
    """Mutable, shared by the reader threads and the pages; `view()` gives the frozen picture.

    Equal runs are one: every learner has a `View` of it. Everything here may be called on any thread.
    """

    def __init__(
        self, run: Run | TaskRun[Any], task: Task[Any], folder: Path, engine: Engine, recorded: bool = False
    ) -> None:
        self._lock = threading.RLock()  # a reader thread appends while a page copies
        self._run = run
        self.until: int | None = None
        self._engine = engine
        self._record = Record(folder, task) if recorded else None  # for other servers
        self._began, self._made, self._cost = 0, 0, 0.0  # this turn's first step; steps and seconds of all
        self._deaths = 0.0  # processes that ended while they trained it, since somebody asked for it
        self.id = run.id
        self.task = task
        self.folder = str(folder)
        self.drawings: dict[Drawn, Drawing] = {}
        self.drawn: Drawn | None = None  # the map that was asked for last
        self.views: list[View] = []  # the learners'
        self.audiences: dict[Drawn | None, View] = {}  # what those hear in common who see the same map
        self.resting_status: RunStatus | None = None
        self.undisturbed = True  # on its way to its planned end, or there
        self.position = run.step  # the step the model has reached, snapshots or not

    @property
    def is_whole(self) -> bool:
        """Whoever asks for the same may join: it is on its way to its planned end, or there and kept."""
        return self.undisturbed and (self.is_active or self.position in self._run.checkpoints)

    @property
    def owners(self) -> tuple[str, ...]:
        """Who shares the machine with others for it: the browsers that watch it."""
        return tuple({browser for view in self.views for browser in view.browsers}) or (self.id,)

    def changed(self) -> None:
        for view in (*self.views, *self.audiences.values()):
            view.changed()

    def view(self, drawn: Drawn | None = None, until: int | None = None) -> Run | TaskRun[Any]:
        """The run, with that map of it; or as it was at step `until`, as if it went on from there."""
        drawing = self.drawings.get(drawn or self.drawn or ("", None))
        with self._lock:
            run = replace(self._run, frames=self._run.frames if drawing is None else drawing.frames)
        if until is None:
            return run
        frames = tuple(frame for frame in run.frames if frame.step <= until)
        snapshots = tuple(snapshot for snapshot in run.snapshots if snapshot.step <= until)
        checkpoints = tuple(step for step in run.checkpoints if step <= until)
        return replace(
            run, snapshots=snapshots, frames=frames, checkpoints=checkpoints, status=RunStatus.RUNNING
        )

    def branch(
        self,
        folder: Path,
        step: int,
        drawn: Drawn | None,
        status: RunStatus,
        config: TrainingConfig | None = None,
        forked: str | None = None,
    ) -> LiveRun:
        """A run of its own, at rest, that stands where this one stood at the kept checkpoint `step`, or at an
        earlier one where that was dropped a moment ago. Raises InputError when none is left."""
        run, task = self.view(drawn), self.task
        assert isinstance(run, Run) and isinstance(task, RunRequest)
        task = replace(task, config=config or task.config)
        copied = copy_checkpoints(self.folder, str(folder), step) if run.snapshots else ()
        step = max(copied, default=0)
        run = replace(
            run,
            id=folder.name,
            config=task.config,
            snapshots=tuple(s for s in run.snapshots if s.step <= step),
            frames=tuple(f for f in run.frames if f.step <= step),
            checkpoints=copied,
            status=status,
            error=None,
            forked_from=run.forked_from if forked is None else (forked, step),
        )
        other = LiveRun(run, task, folder, self._engine, self._record is not None)
        other.undisturbed = False
        other.write_down()
        drawing = self.drawings.get(drawn or ("", None))
        if drawn is not None and drawing is not None:
            other.drawn, other.drawings[drawn] = drawn, other._drawing(drawn)
            other.drawings[drawn].adopt(drawing, step)
        return other

    @property
    def steps(self) -> int:
        """Steps planned; 0 where only the trainer will know."""
        return self._run.config.steps if isinstance(self._run, Run) else self._run.steps

    @property
    def is_active(self) -> bool:
        return self._run.is_active

    @property
    def has_snapshots(self) -> bool:
        return bool(self._run.snapshots)

    def _change(self, **fields: Any) -> None:
        with self._lock:
            self._run = replace(self._run, **fields)
            if "status" in fields:
                self.write_down()
        self.changed()

    def write_down(self) -> None:
        """For other servers: what it did, and how it stands."""
        if self._record is not None:
            if isinstance(self._run, Run):
                self._record.snapshots(self._run)
            self._record.stands(self._run, self.until, self.undisturbed)

    # ---- the run's own life ------------------------------------------------------------------

    def wait(self, until: int | None) -> None:
        self.until, self._deaths = until, 0.0
        self.resting_status, self.undisturbed = None, self.undisturbed and until is None
        self._change(status=RunStatus.WAITING, error=None, note="")

    def begin(self, turn: float) -> Work:
        """What a worker is to do next, for so many seconds. It may have to catch up from an earlier
        checkpoint: what it reports again on the way is known already."""
        if self._run.status is RunStatus.WAITING:
            self._change(status=RunStatus.STARTING)
        self._began = self.position
        rewinds = isinstance(self._run, Run)
        return Work(self.id, self.task, self.until, self.folder, self.position, rewinds, turn)

    def left(self, seconds: float) -> float | None:
        """Seconds of training until its end, after a turn of so many; None where nobody can know yet."""
        self._cost += seconds
        self._made += max(0, self.position - self._began)
        last = self.steps if self.until is None else self.until
        return (last - self.position) * self._cost / self._made if last and self._made else None

    def rest(self, status: RunStatus | None) -> None:
        """The worker let go: paused, stopped, or finished because the planned step is reached."""
        with self._lock:
            if status is None:
                status = self.resting_status or RunStatus.PAUSED
                if 0 < self.steps <= self.position:
                    status = RunStatus.FINISHED
            self.undisturbed = self.undisturbed and status is RunStatus.FINISHED
            self._change(status=status)

    def fail(self, reason: str) -> None:
        self.undisturbed = False
        self._change(status=RunStatus.FAILED, error=reason)

    def outlives(self, reason: str, began: bool) -> bool:
        """The process that trained it has ended, or ended before it `began`, as where a machine goes down.
        Whether another may go on; if not, the run fails."""
        self._deaths += 1.0 if began else STILLBORN
        if self._deaths >= DEATHS:
            self.fail(reason)
            return False
        kept = max((step for step in checkpoints_in(self.folder) if step <= self.position), default=0)
        if began:
            self.note(WENT_ON.format(f"from step {kept}" if kept else "from its start"))
        return True

    def note(self, text: str) -> None:
        """Have those who watch told that something happened, while it goes on."""
        if text != self._run.note:
            self._change(note=text)

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
            if self._record is not None and isinstance(self._run, Run):
                self._record.snapshots(self._run)
        self.take_step(step, steps)
        for drawing in tuple(self.drawings.values()):
            drawing.go_on()

    def take_checkpoints(self, steps: tuple[int, ...]) -> None:
        for drawing in tuple(self.drawings.values()):
            drawing.keep(steps)
        with self._lock:
            self.position = max((self.position, *steps))
        self._change(checkpoints=steps)

    def drop_checkpoints(self) -> None:
        """Make room: it can still be replayed, and goes on by repeating its steps."""
        self.take_checkpoints(())  # told first: nobody asks for a file that is gone
        for file in Path(self.folder).glob("step-*"):
            file.unlink(missing_ok=True)

    # ---- the map -----------------------------------------------------------------------------

    def draw(self, method: str, rows: tuple[int, ...] | None = None) -> None:
        """Show the snapshots' embeddings, or those rows of them, as a map by this method. Those who see the
        same map share it; a map that nobody looks at any more is drawn no further."""
        with self._lock:
            self.drawn = (method, rows)
            fresh = None if self.drawn in self.drawings else self._drawing(self.drawn)
            if fresh is not None:
                fresh.frames = () if self.drawings else self._run.frames  # of a run from a file
                self.drawings[self.drawn] = fresh
            looked_at = {self.drawn, *(view.drawn for view in self.views)}
            self.drawings = {key: drawing for key, drawing in self.drawings.items() if key in looked_at}
        if fresh is not None:
            fresh.go_on()

    def _drawing(self, drawn: Drawn) -> Drawing:
        method, rows = drawn
        return Drawing(
            self._engine, method, lambda: self._run.snapshots, self.changed, lambda: self.is_active, rows
        )

    def layout_ready(self) -> None:
        for drawing in tuple(self.drawings.values()):
            drawing.layout_ready()


class View:
    """A learner's run: its id, the tabs that watch it, and what it shows of a LiveRun that others share."""

    def __init__(self, run_id: str, live: LiveRun, alive: Callable[[], bool] | None, drawn: Drawn | None):
        self.id, self.live, self.drawn = run_id, live, drawn
        self.tabs: list[Callable[[], bool]] = [] if alive is None else [alive]  # none: somebody will come
        self.replayed: int | None = None  # the step that it shows, of a run that had finished before
        self.leaves: RunStatus | None = None  # what it becomes, alone, at the checkpoint that was asked for
        self.seen = time.monotonic()
        self.on_change: list[Callable[[], None]] = []  # called on any thread; they must not wait
        self._lock = threading.Lock()  # a replay goes on while a page leaves it
        self._missing_since: float | None = None

    @property
    def browsers(self) -> set[str]:
        return {tab.browser for tab in self.tabs if isinstance(tab, Tab)}

    @property
    def is_active(self) -> bool:
        return self.replayed is not None or self.live.is_active

    def run(self) -> Run | TaskRun[Any]:
        run = self.live.view(self.drawn, self.replayed)
        if isinstance(run, TaskRun):
            return replace(run, id=self.id)
        watching = [view for view in self.live.views if not view.abandoned_for()]
        learners = {one for view in watching for one in view.browsers or {view.id}}
        others = max(0, len(learners) - 1)  # two tabs of a browser are one learner
        return replace(run, id=self.id, others=others, replayed=self.replayed is not None)

    def replay(self, wait: Callable[[float], bool]) -> None:
        """Go through the steps of a finished run, no slower than they were trained. `wait` waits so many
        seconds and says whether to give up."""
        live = self.live
        snapshots = live.view().snapshots
        steps = [*(snapshot.step for snapshot in snapshots[1:]), None]  # at last, it shows all
        took = [b.seconds - a.seconds for a, b in pairwise(snapshots)]
        for step, seconds in zip(steps, [*took, 0.0], strict=True):
            if wait(min(seconds, REPLAY_SECONDS / len(snapshots))):
                return
            with self._lock:
                if self.live is not live:
                    return
                self.replayed = step
            self.changed()

    def show(self, live: LiveRun) -> None:
        """From now on it is a view of that one."""
        with self._lock:
            self.live, self.replayed = live, None
        live.views.append(self)

    def changed(self) -> None:
        for observer in tuple(self.on_change):
            observer()

    def renew(self, alive: Callable[[], bool]) -> None:
        """One more tab watches this run."""
        self.tabs = [*(tab for tab in self.tabs if tab()), alive] if self.tabs else []
        self._missing_since = None

    def abandoned_for(self) -> float:
        """Seconds since a tab of this run was last seen open; 0 while one is."""
        if not self.tabs or any(tab() for tab in self.tabs):
            self._missing_since = None
            return 0.0
        self._missing_since = self._missing_since or time.monotonic()
        return time.monotonic() - self._missing_since
