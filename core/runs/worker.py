"""What runs inside a worker process: answer calls, or train and stream snapshots until told otherwise.

Started by process.py as `python -m core.runs.worker ADDRESS`; the key to the connection comes on
standard input. A worker owns its models: a run trains a copy, so no run can touch another's.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..training.checkpoints import checkpoint_file, checkpoints_in, files_of, thin
from ..training.trainer import Task, Trainer, iterate
from ..types import InputError
from . import machine
from .functions import resolve
from .process import connect

KEPT_RESTING = 2  # paused runs that stay in memory, so that "one step" does not reload anything
CHECKPOINTS = 10  # about so many over a run, on round numbers, for those that can be rewound
CHECKPOINT_BYTES = 400_000_000  # disk a run may use for the steps one can rewind to
STEP_NEWS = 0.2  # seconds between two reports of a step without a snapshot


class Wire(Protocol):
    """What a worker needs of its connection to the server; a Connection is one."""

    def send(self, message: tuple[Any, ...], /) -> None: ...
    def recv(self) -> Any: ...
    def poll(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Work:
    """Train `run_id` from where it stands, `step`, up to step `until` (or the end), for one turn."""

    run_id: str
    task: Task[Any]
    until: int | None
    folder: str  # where this run's checkpoints lie
    step: int
    rewinds: bool  # keep checkpoints on the way, not only where the run rests
    turn: float = math.inf  # seconds after which others are next; at least one step is made


def spacing(trainer: Trainer[Any]) -> int:
    """Steps between two checkpoints on the way: no more are written than the disk budget has room for, since
    writing one of four layers takes as long as half a step."""
    room = max(3, CHECKPOINT_BYTES // max(1, trainer.nbytes))
    return max(1, round(trainer.steps / min(CHECKPOINTS, room)))


def staying(file: Path, rewinds: bool) -> tuple[int, ...]:
    """Which steps stay of those that lie beside this checkpoint; it, the newest, does."""
    room = max(3, CHECKPOINT_BYTES // max(1, file.stat().st_size)) if rewinds else 1
    return thin(checkpoints_in(str(file.parent)), room)


def drop_others(folder: str, stay: Collection[int]) -> None:
    """Remove the files of all other steps."""
    for step in set(checkpoints_in(folder)) - set(stay):
        for part in files_of(folder, step):
            part.unlink(missing_ok=True)


class TrainingLane:
    """Trains one run at a time and keeps the trainers of those whose turn comes again, as memory allows."""

    def __init__(self, connection: Wire) -> None:
        self.connection = connection
        self.kept: OrderedDict[str, tuple[Work, Trainer[Any]]] = OrderedDict()  # the latest last
        self.resting: set[str] = set()  # whose last step is on disk

    def trainer(self, work: Work) -> Trainer[Any]:
        """From memory, or from the newest checkpoint that is not past where the run stands."""
        _, known = self.kept.pop(work.run_id, (None, None))
        self.resting.discard(work.run_id)
        kept = [step for step in checkpoints_in(work.folder) if step <= work.step]
        # Behind where the run stands, it is catching up, which may take more than one turn.
        if known is not None and max(kept, default=0) <= known.step <= work.step:
            return known
        return work.task.trainer(checkpoint_file(work.folder, max(kept)) if kept else None)

    def run(self, work: Work) -> None:
        """One turn. Says at its end that the run rests, or how long it took, and how long getting ready."""
        began = time.monotonic()
        trainer = self.trainer(work)
        every = spacing(trainer) if work.rewinds else 0
        self.kept[work.run_id] = (work, trainer)
        ready, first, told, asked = time.monotonic(), trainer.step, 0.0, ""
        try:
            for snapshot in iterate(trainer, work.until):
                place = (work.run_id, trainer.step, trainer.steps)
                if snapshot is not None:
                    self.connection.send(("snapshot", *place, snapshot))
                elif time.monotonic() > told + STEP_NEWS:
                    self.connection.send(("step", *place))
                    told = time.monotonic()
                if every and trainer.step % every == 0:
                    self.keep(work, trainer)
                asked = self.asked_of(work.run_id)
                if asked or (trainer.step > first and time.monotonic() >= ready + work.turn):
                    break
        except Exception:  # it goes on from a file, if at all
            del self.kept[work.run_id]
            raise
        self.connection.send(("step", work.run_id, trainer.step, trainer.steps))
        if asked == "drop":
            self.leave("drop", work.run_id)
        elif asked or trainer.step >= (trainer.steps if work.until is None else work.until):
            finished = trainer.step >= trainer.steps
            del trainer
            self.leave("finish" if finished else "pause", work.run_id)
            machine.return_memory()
        else:
            self.connection.send(("turn", work.run_id, time.monotonic() - ready, ready - began))
        self.make_room()

    def leave(self, how: str, run_id: str) -> None:
        """A run that is not having its turn: "pause" puts its last step on disk, "move" and "finish" do and
        let go of it, "drop" lets go of it."""
        if how != "drop" and run_id in self.kept:
            self.save(run_id)
            self.resting.add(run_id)
        if how != "pause":
            self.kept.pop(run_id, None)
        self.connection.send(("moved" if how == "move" else "rested", run_id))

    def save(self, run_id: str) -> None:
        """Where it stands goes to disk, unless it did when it left memory."""
        work, trainer = self.kept.get(run_id, (None, None))
        if work is not None and trainer is not None and trainer.step not in checkpoints_in(work.folder):
            self.keep(work, trainer)

    def make_room(self) -> None:
        """Those at rest leave memory first, then who had its turn just now: all others are next before it."""
        room = machine.trainer_bytes()
        while len(self.kept) > 1:
            idle = [run_id for run_id in self.kept if run_id in self.resting]
            full = sum(trainer.nbytes for _, trainer in self.kept.values()) > room
            if not full and len(idle) <= KEPT_RESTING:
                return
            run_id = idle[0] if idle else next(reversed(self.kept))
            self.save(run_id)
            del self.kept[run_id]
            self.resting.discard(run_id)

    def keep(self, work: Work, trainer: Trainer[Any]) -> None:
        """Write the state of this step to disk, then drop the steps that the disk budget has no room for."""
        file = checkpoint_file(work.folder, trainer.step)
        file.parent.mkdir(exist_ok=True)
        trainer.save(file)
        stay = staying(file, work.rewinds)
        self.connection.send(("checkpoints", work.run_id, stay))  # before any file goes
        drop_others(work.folder, stay)

    def asked_of(self, run_id: str) -> str:
        """Hear and answer what came in during the last step. What was asked of this run, or nothing."""
        asked = ""
        while self.connection.poll():
            message = self.connection.recv()
            if message[0] == "leave" and message[2] == run_id:
                asked = message[1]
            else:
                self.answer(message)
        return asked

    def answer(self, message: tuple[Any, ...]) -> None:
        """Do what can be done between two steps. What goes wrong is told, in words for bad input."""
        match message:
            case ("exit",):
                sys.exit(0)
            case ("leave", how, run_id):
                with told(self.connection, run_id):
                    self.leave(how, run_id)
            case ("save", run_id):
                self.save(run_id)
                self.connection.send(("saved", run_id))
            case ("threads", count):
                import torch

                torch.set_num_threads(count)
            case ("call", number, name, args):
                with told(self.connection, number):
                    self.connection.send(("result", number, resolve(name)(*args)))


@contextlib.contextmanager
def told(connection: Wire, whose: int | str) -> Iterator[None]:
    """What goes wrong inside is reported as that of the call or run; only a lost connection ends us."""
    try:
        yield
    except (EOFError, BrokenPipeError, ConnectionError):
        raise
    except Exception as error:
        text = str(error) if isinstance(error, InputError) else None
        connection.send(("failed", whose, text, traceback.format_exc()))


def serve(connection: Wire, warm_up: Sequence[Callable[[], None]] = ()) -> None:
    """Answer messages until the server says exit or goes away; warm up while there are none."""
    lane, cold = TrainingLane(connection), list(warm_up)
    connection.send(("ready",))
    while True:
        if cold and not connection.poll():
            with contextlib.suppress(InputError):  # a missing model is told by whoever needs it
                cold.pop(0)()
            if not cold:
                connection.send(("warm",))
            continue
        message = connection.recv()
        if message[0] == "train":
            with told(connection, message[1].run_id):
                lane.run(message[1])
        else:
            lane.answer(message)


def begin(connection: Wire, lane: str) -> None:
    """All of a worker's life."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)  # the server, and the first page that it paints, go before
    warm_up: tuple[Callable[[], None], ...] = ()
    if lane == "train":
        from ..models import registry
        from ..training import bi_trainer

        warm_up = (registry.preload, bi_trainer.warm_up)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionError, KeyboardInterrupt):
        serve(connection, warm_up)


if __name__ == "__main__":
    begin(connect(), os.environ.get("EMBEDDING_LAB_LANE", ""))
