"""Where training runs: outside the server process, a bounded number at a time, the rest in a queue.

What the pages know of the machines that compute is `LocalExecutor`. Whether a run is trained by processes of
this machine or on a cluster is the pool's affair.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from ..data.folders import disk_budget, own_folder, too_many
from ..maps import layouts
from ..models import registry
from ..training.checkpoints import checkpoint_file
from ..training.trainer import Task
from ..types import InputError, Run, RunStatus, TaskRun, TrainingConfig
from .cluster.proxy import Cluster
from .live import LiveRun, View
from .pool import Pool, Worker
from .request import RunRequest, refuse_unforkable
from .servers.journal import Found
from .servers.others import Others

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

OWNER_GRACE = 20.0  # seconds a run goes on after its tab closed: long enough for a reload
KEPT_RUNS = 40  # finished runs in memory, all learners together
IDLE_SECONDS = 1800.0  # after which a run whose tab is gone is forgotten
LOOK_SECONDS = 2.0  # between two looks for those, at most


class LocalExecutor:
    """Worker processes: at most `workers` that train and answer, one that draws maps. With the address of a
    cluster, those that train are there. In the folder `shared` several page servers tell each other of their
    runs (journal.py). Raises InputError where either cannot be used."""

    def __init__(
        self, workers: int | None = None, cluster: str | None = None, shared: Path | None = None
    ) -> None:
        self._lock = threading.RLock()  # guards everything below; reader threads and pages share it
        self._runs: dict[str, View] = {}
        self._audiences: dict[str, View] = {}  # what those hear in common who see the same
        self._closed = threading.Event()
        self._others = Others(shared, lambda live: self.pool.train(live), self._closed)
        self._home = self._others.home or Path(tempfile.mkdtemp(dir=own_folder()))
        self.layout_ready = threading.Event()
        engine = Cluster(cluster) if cluster else None
        if engine is not None:
            engine.await_it()
        self.pool = Pool(self._started, self._ended, self._saved, workers, engine)
        self.call(registry.preload)
        threading.Thread(target=self._watch_owners, daemon=True).start()

    # ---- calls -------------------------------------------------------------------------------

    def call(self, function: Callable[[*Ts], R], *args: *Ts, lane: str = "encode") -> Future[R]:
        """Run a function of this package in the lane's process. The future raises InputError for bad
        input and RuntimeError, in words one can show, for anything unforeseen."""
        return self.pool.call(function, args, lane)

    def _started(self, worker: Worker) -> None:
        if worker.lane == "layout":
            self.layout_ready.clear()
            self.call(layouts.warm_up, lane="layout").add_done_callback(self._warmed_up)

    def _ended(self, worker: Worker) -> None:
        if worker.lane == "layout":
            self.layout_ready.clear()

    def _warmed_up(self, future: Future[Any]) -> None:
        if future.exception() is None:
            self.layout_ready.set()
            for live in self._lives():
                live.layout_ready()

    # ---- runs --------------------------------------------------------------------------------

    def start(
        self, task: Task[Any], alive: Callable[[], bool] | None = None, until: int | None = None
    ) -> str:
        """Queue a run of the task, up to step `until` or its end, and return its id. `alive` says whether
        anyone still watches it.

        A bi-encoder's run to its end that equals one that is on, or has finished, becomes that one: the
        learner joins it where it is, or sees again what it did, at the pace of training.
        """
        if not isinstance(task, RunRequest):
            other = self._live_run(TaskRun(self._new_id(), task), task)
            return self._enqueue(self._add(other, alive), until)
        until = task.until if until is None else until
        with self._lock, self._others.waiting():
            equal = None if until is not None else self._equal(task)
            if equal is not None:
                return self._join(equal, task.layout, alive)
            run = Run(self._new_id(), task.config, task.sentences, task.pairs, task.held_out)
            if until is None and (led := self._others.equal(task)) is not None:
                return self._take_in(run.id, led, alive).id
            return self._enqueue(self._add(self._live_run(run, task), alive, task.layout), until)

    def _equal(self, task: RunRequest) -> LiveRun | None:
        """An undisturbed run of the same content."""
        for view in self._runs.values():
            live = view.live
            if isinstance(live.task, RunRequest) and live.is_whole and live.task.content() == task.content():
                return live
        return None

    def _join(self, live: LiveRun, layout: str, alive: Callable[[], bool] | None) -> str:
        view = self._add(live, alive, layout)
        if live.is_active:
            self.pool.share(live)
            live.changed()
        else:
            view.replayed = 0
            threading.Thread(target=view.replay, args=(self._closed.wait,), daemon=True).start()
        return view.id

    def fork(self, run_id: str, step: int, config: TrainingConfig | None = None) -> str:
        """A new, paused run that stands where `run_id` stood at the kept checkpoint `step`."""
        view, old = self._live(run_id), self.run(run_id)
        if step not in old.checkpoints:
            kept = ", ".join(map(str, old.checkpoints)) or "none"
            raise InputError(f"Step {step} was not kept. Steps to go back to: {kept}.")
        config = config or old.config
        refuse_unforkable(old.config, config)
        folder = self._folder(self._new_id())
        live = view.live.branch(folder, step, view.drawn, RunStatus.PAUSED, config, run_id)
        with self._lock:
            fork = self._add(live, None)
        fork.drawn, fork.tabs = view.drawn, view.tabs
        return fork.id

    def run(self, run_id: str) -> Run:
        """A bi-encoder's run as it is now. Raises InputError when it has been forgotten, or is of another
        task: ids stand in addresses."""
        run = self._now(run_id)
        if not isinstance(run, Run):
            raise InputError("This run is of another task.")
        return run

    def task_run(self, run_id: str) -> TaskRun[Any]:
        """The run of any other task as it is now. Raises InputError as `run`."""
        run = self._now(run_id)
        if not isinstance(run, TaskRun):
            raise InputError("This run is a bi-encoder's.")
        return run

    def _now(self, run_id: str) -> Run | TaskRun[Any]:
        view = self._live(run_id)
        return replace(view.run(), turn=None if view.replayed is not None else self.pool.turn(view.live.id))

    def watch(self, run_id: str, observer: Callable[[], None]) -> None:
        """Have `observer` called, on any thread, whenever the run or its place in the queue changes."""
        self._live(run_id).on_change.append(observer)

    def audience(self, run_id: str) -> str:
        """The id under which the run is told to all who see the same: equal runs that are one, on one map."""
        view = self._live(run_id)
        if view.replayed is not None or view.leaves is not None:
            return run_id
        with self._lock:
            name = f"{view.live.id} {view.drawn}"
            shared = view.live.audiences.setdefault(view.drawn, View(name, view.live, None, view.drawn))
            self._audiences[name] = shared
        return name

    def renew(self, run_id: str, alive: Callable[[], bool]) -> None:
        """A tab was reloaded, or a second one shows the run: it goes on while `alive` or an earlier test says
        so. Raises InputError when it has been forgotten."""
        view = self._live(run_id)
        view.renew(alive)
        self.pool.share(view.live)

    def resume(self, run_id: str, steps: int | None = None) -> None:
        """Go on for `steps` more steps, or to the planned end. A finished run only goes on by steps."""
        view = self._live(run_id)
        live = view.live
        until = None if steps is None else live.position + steps
        if not view.is_active and (until or live.steps or 1) > live.position:
            with self._lock:
                if len(live.views) > 1:  # the others keep what they have
                    self._part(view, live.position, RunStatus.PAUSED)
            self._enqueue(view, until)

    def pause(self, run_id: str) -> None:
        """Have the run rest. Others whose run it is too go on: this one is then a copy, from a checkpoint."""
        self._interrupt(run_id, RunStatus.PAUSED)

    def stop(self, run_id: str) -> None:
        """End a run. It keeps its snapshots and checkpoints, so it can still be replayed or forked."""
        self._interrupt(run_id, RunStatus.STOPPED)

    def _interrupt(self, run_id: str, status: RunStatus) -> None:
        view = self._live(run_id)
        live = view.live
        with self._lock:
            if view.replayed is not None:  # the checkpoint that comes next, so that its weights are there
                kept = live.view().checkpoints
                step = min((s for s in kept if s >= view.replayed), default=max(kept, default=0))
                self._part(view, step, status)
            elif len(live.views) == 1:
                self._rest(live, status)
            elif live.is_active and view.leaves is None:
                view.leaves = status
                if not self.pool.save(live):
                    self._saved(live.id)

    def _saved(self, live_id: str) -> None:
        """There is a checkpoint from which those go on who leave this run to the others."""
        with self._lock:
            for view in [v for v in self._runs.values() if v.leaves is not None and v.live.id == live_id]:
                assert view.leaves is not None
                self._part(view, view.live.position, view.leaves)

    def _part(self, view: View, step: int, status: RunStatus) -> None:
        """Make it a run of its own that rests at this checkpoint."""
        shared, view.leaves = view.live, None
        try:
            live = shared.branch(self._folder(self._new_id()), step, view.drawn, status)
        except InputError:  # nothing was kept yet: it goes on with the others
            return
        shared.views.remove(view)
        view.show(live)
        self._others.shows(view.id, live)
        self.pool.share(shared)
        view.changed()
        shared.changed()

    def draw(self, run_id: str, method: str, rows: tuple[int, ...] | None = None) -> None:
        """Show the run's snapshots as a map by this method, of those rows of their embeddings or of all."""
        view = self._live(run_id)
        view.drawn = (method, rows)
        view.live.draw(method, rows)

    def forget(self, run_id: str) -> None:
        """End a run and drop it: nobody will come back for it."""
        view = self._live(run_id)
        with self._lock:
            if len(view.live.views) == 1:
                self._rest(view.live, RunStatus.STOPPED, "drop")
            self._drop(view)

    def checkpoint_path(self, run_id: str, step: int) -> str | None:
        """The file that holds the weights of a kept step; None for a step that was not kept."""
        view = self._live(run_id)
        file = checkpoint_file(view.live.folder, step)
        return str(file) if step in view.run().checkpoints and file.exists() else None

    def adopt(self, run: Run, layout: str, alive: Callable[[], bool] | None = None) -> tuple[str, str]:
        """Take in a run from a file, at rest, under a new id: that id, and where its last step's checkpoint
        belongs. `adopted` says that it lies there."""
        task = RunRequest(run.config, run.sentences, run.pairs, run.held_out, layout)
        live = self._live_run(replace(run, id=self._new_id(), checkpoints=()), task)
        live.undisturbed = False
        live.write_down()
        with self._lock:
            view = self._add(live, alive, layout)
            self._forget()
        return view.id, str(checkpoint_file(live.folder, run.step))

    def adopted(self, run_id: str) -> None:
        live = self._live(run_id).live
        live.take_checkpoints((live.position,))

    def _add(self, live: LiveRun, alive: Callable[[], bool] | None, layout: str | None = None) -> View:
        """One more learner's view of it."""
        view_id = live.id if not live.views else self._new_id()
        view = View(view_id, live, alive, None if layout is None else (layout, None))
        live.views.append(view)
        self._runs[view_id] = view
        self._others.shows(view_id, live)
        if layout is not None:
            live.draw(layout)
        return view

    def _enqueue(self, view: View, until: int | None) -> str:
        view.live.wait(until)
        with self._lock:
            self._forget()
        self.pool.train(view.live)
        return view.id

    # ---- housekeeping --------------------------------------------------------------------------

    def _live(self, run_id: str) -> View:
        with self._lock:
            view = self._runs.get(run_id) or self._audiences.get(run_id)
        if view is None and (found := self._others.find(run_id)) is not None:
            view = self._take_in(run_id, found)
        if view is None:
            raise InputError("This run is no longer in memory. Train again to make a new one.")
        view.seen = time.monotonic()
        return view

    def _take_in(self, run_id: str, found: Found, alive: Callable[[], bool] | None = None) -> View:
        """Another server's run, under an id of ours: followed while that server lives, else led from here."""
        with self._lock:
            if run_id in self._runs:  # another of this visitor's tabs was quicker
                return self._runs[run_id]
            live = self._live_run(replace(found.run, id=run_id), found.task)
            live.undisturbed = found.state.undisturbed
            layout = found.task.layout if isinstance(found.task, RunRequest) else None
            view = self._add(live, alive, layout)
        if isinstance(found.run, TaskRun):  # its snapshots were not written down: it does its steps again
            self._enqueue(view, found.again_until)
        else:
            live.until = found.state.until
            self._others.follow(live, found)
        live.write_down()
        return view

    def _live_run(self, run: Run | TaskRun[Any], task: Task[Any]) -> LiveRun:
        return LiveRun(run, task, self._folder(run.id), self, self._others.home is not None)

    def _rest(self, live: LiveRun, status: RunStatus, how: str = "pause") -> None:
        self._others.leave(live)
        self.pool.interrupt(live, status, how)

    def _new_id(self) -> str:
        return secrets.token_hex(4)

    def _folder(self, run_id: str) -> Path:
        folder = self._home / run_id
        folder.mkdir(exist_ok=True)
        return folder

    def _lives(self) -> list[LiveRun]:
        with self._lock:
            return list({view.live.id: view.live for view in self._runs.values()}.values())

    def _resting(self) -> list[LiveRun]:
        """Those that nobody sees move, the one that was asked for longest ago first."""
        resting = [live for live in self._lives() if not any(view.is_active for view in live.views)]
        return sorted(resting, key=lambda live: max(view.seen for view in live.views))

    def _watch_owners(self) -> None:
        """End the runs whose tabs have all closed, and forget those that nobody came back for."""
        while not self._closed.is_set():
            self.pool.written.wait(LOOK_SECONDS)
            self.pool.written.clear()
            for live in self._lives():
                left = [view.abandoned_for() > OWNER_GRACE for view in live.views]
                if all(left) and live.is_active:
                    self._rest(live, RunStatus.STOPPED)
            with self._lock:
                self._forget()
            with contextlib.suppress(OSError):  # a folder that went while it was looked at
                self._make_room()
            self.pool.retire()

    def _forget(self) -> None:
        """Drop abandoned runs after a while, and the oldest ones when there are too many."""
        resting = self._resting()
        old = resting[: max(0, len(self._lives()) - KEPT_RUNS)]
        for live in resting:
            for view in list(live.views):
                if live in old or view.abandoned_for() > IDLE_SECONDS:
                    self._drop(view)

    def _make_room(self) -> None:
        """Take the checkpoints of the runs that rest longest, until those of all fit the disk budget, and
        those that the workers may be writing."""
        with self._lock:
            by_folder = {Path(live.folder): live for live in self._resting()}
        for folder in too_many(list(by_folder), self._home, disk_budget(), to_come=self.pool.most):
            by_folder[folder].drop_checkpoints()

    def _drop(self, view: View) -> None:
        live = view.live
        del self._runs[view.id]
        live.views.remove(view)
        self._others.forget(view.id, live)
        self.pool.share(live)
        view.changed()
        if not live.views:
            for audience in live.audiences.values():
                self._audiences.pop(audience.id, None)
            live.changed()
            shutil.rmtree(live.folder, ignore_errors=True)

    def processes(self) -> Sequence[Worker]:
        """Every worker process, for the benchmark and the tests."""
        return self.pool.all()

    def close(self) -> None:
        self._closed.set()
        self.pool.close()
        if self._others.home is None:  # else another server goes on with them
            shutil.rmtree(self._home, ignore_errors=True)
