"""What a run was given and what it did, as files that other page servers can read.

One folder for all servers, in it one a server with one a run:

    lock                                    held by the server that begins a run
    <server>/owner                          locked while the server lives
    <server>/<run>/task.json                what it was given
                   state.json               how it stands
                   same                     instead of all else: the run that this learner's id shows
                   snapshot-000010.safetensors, step-000010.safetensors (the worker's checkpoints)
                   equal-<digest>           while whoever asks for the same may join

A server that does not know a run finds it here: it shows one that rests as it was, follows one that another
server trains, and trains on, from its last checkpoint, where that server has ended. Bi-encoders' runs keep
their snapshots; runs of other tasks are begun again, with the same numbers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ...data.files import replacing
from ...data.folders import claim, is_claimed, no_room
from ...training.checkpoints import checkpoints_in, writing
from ...training.trainer import Task
from ...types import Forces, InputError, Metrics, Run, RunStatus, Snapshot, TaskRun
from ..functions import name_of, resolve
from ..request import RunRequest

TASK, STATE, SAME, EQUAL = "task.json", "state.json", "same", "equal-"
KEPT_SECONDS = 24 * 3600.0  # a dead server's runs can be found for so long
UNREADABLE = "What this run did can no longer be read. Train again to make a new one."


@dataclass(frozen=True, slots=True)
class State:
    """How a run stands. `until`: to which step it was to go, None for its end. `undisturbed`: on its way to
    its planned end, or there."""

    status: RunStatus
    step: int
    until: int | None
    undisturbed: bool
    error: str | None
    forked_from: tuple[str, int] | None


STATES = TypeAdapter(State)


@dataclass(frozen=True, slots=True)
class Found:
    """A run as another server left it, or leads it now."""

    folder: Path
    run: Run | TaskRun[Any]
    task: Task[Any]
    state: State

    @property
    def again_until(self) -> int | None:
        """To which step it has to be trained, to stand where it stood."""
        rests = self.state.status in (RunStatus.PAUSED, RunStatus.STOPPED, RunStatus.FAILED)
        return self.state.step if rests else self.state.until

    @property
    def is_led(self) -> bool:
        """Its server lives."""
        return is_claimed(self.folder.parent)


class Journal:
    """This server's part of the shared folder, and the way into the others'."""

    def __init__(self, shared: Path) -> None:
        """Raises InputError where the folder cannot be written."""
        self._shared = shared
        try:
            shared.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise InputError(f"EMBEDDING_LAB_HOME: {no_room(shared, error)}") from error
        self._remove_old()
        self.home = claim(shared)
        self.lock = shared / "lock"

    def equal(self, task: RunRequest) -> Found | None:
        """An undisturbed run of the same content that a living server has."""
        for mark in self._shared.glob(f"*/*/{digest(task)}"):
            server = mark.parent.parent
            if server != self.home and is_claimed(server):
                with contextlib.suppress(InputError):
                    return read(mark.parent)
        return None

    def find(self, run_id: str) -> Found | None:
        """The run of this id as any other server knows it; None without one. Raises InputError for one that
        cannot be read."""
        found = [folder for folder in self._shared.glob(f"*/{_plain(run_id)}") if folder.parent != self.home]
        if not found:
            return None
        newest = max(found, key=lambda folder: folder.stat().st_mtime)
        with contextlib.suppress(FileNotFoundError):
            newest = newest.with_name(_plain((newest / SAME).read_text()))
        return read(newest)

    def same(self, view_id: str, run_id: str) -> None:
        """This id is a learner's own of that run."""
        folder = self.home / view_id
        folder.mkdir(exist_ok=True)
        _write(folder / SAME, run_id.encode())

    def forget(self, view_id: str) -> None:
        shutil.rmtree(self.home / view_id, ignore_errors=True)

    def _remove_old(self) -> None:
        for folder in self._shared.glob("*/"):
            with contextlib.suppress(OSError):
                if not is_claimed(folder) and time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                    shutil.rmtree(folder)


class Record:
    """One run of this server, as it is written down. A full disk keeps nobody from training."""

    def __init__(self, folder: Path, task: Task[Any]) -> None:
        self._folder = folder
        self._mark = folder / digest(task) if isinstance(task, RunRequest) else None
        self._known: set[int] = set()
        kind = type(task)
        about = {"kind": name_of(kind), "task": _json(kind).dump_python(task, mode="json")}
        with contextlib.suppress(InputError):
            _write(folder / TASK, json.dumps(about).encode())

    def stands(self, run: Run | TaskRun[Any], until: int | None, undisturbed: bool) -> None:
        """Its status has changed."""
        forked = run.forked_from if isinstance(run, Run) else None
        state = State(run.status, run.step, until, undisturbed, run.error, forked)
        with contextlib.suppress(InputError, OSError):
            _write(self._folder / STATE, STATES.dump_json(state))
            if self._mark is not None and undisturbed:
                self._mark.touch()
            elif self._mark is not None:
                self._mark.unlink(missing_ok=True)

    def snapshots(self, run: Run) -> None:
        """Those that are not written yet."""
        for snapshot in run.snapshots:
            if snapshot.step not in self._known:
                self._known.add(snapshot.step)
                with contextlib.suppress(InputError):
                    _save(snapshot, self._folder)


def digest(task: RunRequest) -> str:
    """The name of the mark that tells that a run has this content."""
    content = _json(RunRequest).dump_json(task.content())
    return EQUAL + hashlib.sha256(content).hexdigest()


def state(folder: Path) -> State:
    """How the run in this folder stands. Raises InputError where it was forgotten."""
    try:
        return STATES.validate_json((folder / STATE).read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(UNREADABLE) from error


def read(folder: Path) -> Found:
    """The run in this folder. Raises InputError for one that was forgotten or that cannot be read."""
    stands = state(folder)
    try:
        about = json.loads((folder / TASK).read_bytes())
        kind: Any = resolve(about["kind"])
        task = _json(kind).validate_python(about["task"])
        run: Run | TaskRun[Any] = TaskRun(folder.name, task)
        if isinstance(task, RunRequest):
            run = Run(
                *(folder.name, task.config, task.sentences, task.pairs, task.held_out),
                snapshots=tuple(_snapshots(folder)),
                checkpoints=tuple(checkpoints_in(str(folder))),
                forked_from=stands.forked_from,
            )
        run = replace(run, status=stands.status, error=stands.error)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise InputError(UNREADABLE) from error
    return Found(folder, run, task, stands)


def newer(folder: Path, step: int) -> list[Snapshot]:
    """The snapshots behind that step, in order."""
    return list(_snapshots(folder, step))


def _snapshots(folder: Path, behind: int = -1) -> Iterator[Snapshot]:
    for file in sorted(folder.glob("snapshot-*.safetensors")):
        if int(file.stem.split("-")[1]) > behind:
            yield _load(file)


def _save(snapshot: Snapshot, folder: Path) -> None:
    from safetensors.numpy import save_file

    about = {"step": snapshot.step, "loss": snapshot.loss, "seconds": snapshot.seconds}
    about |= asdict(snapshot.metrics)
    arrays: dict[str, Any] = {"embeddings": snapshot.embeddings}
    arrays |= {"rows": snapshot.forces.rows, "values": snapshot.forces.values}
    file = folder / f"snapshot-{snapshot.step:06d}.safetensors"
    with writing(file):
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(arrays, file.with_suffix(".part"), {"about": json.dumps(about)})
        file.with_suffix(".part").replace(file)


def _load(file: Path) -> Snapshot:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            about = json.loads((opened.metadata() or {})["about"])
            arrays = {name: opened.get_tensor(name) for name in ("embeddings", "rows", "values")}
        arrays["embeddings"].setflags(write=False)
        step, loss, seconds = (about.pop(name) for name in ("step", "loss", "seconds"))
        forces = Forces(arrays["rows"], arrays["values"])
        return Snapshot(step, loss, arrays["embeddings"], forces, Metrics(**about), seconds)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _write(file: Path, data: bytes) -> None:
    """It appears whole or not at all. Raises InputError."""
    with replacing(file) as out:
        out.write(data)


@cache
def _json(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _plain(name: str) -> str:
    """An id as we make them; anything else finds nothing. Ids stand in addresses."""
    return name if name.isalnum() else "none"
