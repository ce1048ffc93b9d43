"""What runs inside a worker process: answer calls, or train and stream snapshots until told otherwise.

Started by process.py as `python -m core.runs.worker ADDRESS`; the key to the connection comes on
standard input. A worker owns its models: a run trains a copy, so no run can touch another's.
"""

from __future__ import annotations

import base64
import contextlib
import os
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection
from typing import Any

from ..training.checkpoints import thin
from ..training.trainer import Task, Trainer, iterate
from ..types import InputError
from .checkpoint_files import checkpoint_file, checkpoints_in
from .functions import resolve

KEPT_TRAINERS = 2  # paused runs that stay in memory, so that "one step" does not reload anything
CHECKPOINTS = 20  # about so many over a run, on round numbers, for those that can be rewound
CHECKPOINT_BYTES = 400_000_000  # disk a run may use for the steps one can rewind to
STEP_NEWS = 0.2  # seconds between two reports of a step without a snapshot


@dataclass(frozen=True, slots=True)
class Work:
    """Train `run_id` from the checkpoint of `resume` (or from the start) up to step `until` (or the end)."""

    run_id: str
    task: Task[Any]
    until: int | None
    folder: str  # where this run's checkpoints lie
    resume: int | None
    rewinds: bool  # keep checkpoints on the way, not only where the run rests


class TrainingLane:
    """Trains one run at a time and remembers the last few trainers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.trainers: OrderedDict[str, Trainer[Any]] = OrderedDict()

    def trainer(self, work: Work) -> Trainer[Any]:
        """From memory, or from the newest checkpoint that is not past where the run stands."""
        known = self.trainers.pop(work.run_id, None)
        if known is not None and known.step == work.resume:
            return known
        kept = [step for step in checkpoints_in(work.folder) if step <= (work.resume or 0)]
        return work.task.trainer(checkpoint_file(work.folder, max(kept)) if kept else None)

    def run(self, work: Work) -> None:
        trainer = self.trainer(work)
        every = max(1, round(trainer.steps / CHECKPOINTS)) if work.rewinds else 0
        told = 0.0
        for snapshot in iterate(trainer, work.until):
            place = (work.run_id, trainer.step, trainer.steps)
            if snapshot is not None:
                self.connection.send(("snapshot", *place, snapshot))
            elif time.monotonic() > told + STEP_NEWS:
                self.connection.send(("step", *place))
                told = time.monotonic()
            if every and trainer.step % every == 0:
                self.keep(work, trainer)
            if self.asked_to_pause(work.run_id):
                break
        if trainer.step not in checkpoints_in(work.folder):
            self.keep(work, trainer)
        self.trainers[work.run_id] = trainer
        while len(self.trainers) > KEPT_TRAINERS:
            self.trainers.popitem(last=False)
        self.connection.send(("step", work.run_id, trainer.step, trainer.steps))
        self.connection.send(("rested", work.run_id))

    def keep(self, work: Work, trainer: Trainer[Any]) -> None:
        """Write the state of this step to disk, then drop the steps that the disk budget has no room for."""
        file = checkpoint_file(work.folder, trainer.step)
        file.parent.mkdir(exist_ok=True)
        trainer.save(file)
        kept = checkpoints_in(work.folder)
        room = max(3, CHECKPOINT_BYTES // max(1, file.stat().st_size)) if work.rewinds else 1
        stay = thin(kept, room)
        self.connection.send(("checkpoints", work.run_id, stay))  # before any file goes
        for step in set(kept) - set(stay):
            for part in file.parent.glob(checkpoint_file(work.folder, step).name + "*"):
                part.unlink(missing_ok=True)

    def asked_to_pause(self, run_id: str) -> bool:
        """Hear and answer what came in during the last step. Whether a pause for this run was among it."""
        asked = False
        while self.connection.poll():
            message = self.connection.recv()
            asked = asked or message == ("pause", run_id)
            answer(self.connection, message)
        return asked


def answer(connection: Connection, message: tuple[Any, ...]) -> None:
    """Do what can be done between two steps. What goes wrong is told, in words for bad input."""
    match message:
        case ("exit",):
            sys.exit(0)
        case ("threads", count):
            import torch

            torch.set_num_threads(count)
        case ("call", number, name, args):
            with told(connection, number):
                connection.send(("result", number, resolve(name)(*args)))


@contextlib.contextmanager
def told(connection: Connection, whose: int | str) -> Iterator[None]:
    """What goes wrong inside is reported as that of the call or run; only a lost connection ends us."""
    try:
        yield
    except (EOFError, BrokenPipeError, ConnectionError):
        raise
    except Exception as error:
        text = str(error) if isinstance(error, InputError) else None
        connection.send(("failed", whose, text, traceback.format_exc()))


def serve(connection: Connection, warm_up: Sequence[Callable[[], None]] = ()) -> None:
    """Answer messages until the server says exit or goes away; warm up while there are none."""
    lane, cold = TrainingLane(connection), list(warm_up)
    connection.send(("ready",))
    while True:
        if cold and not connection.poll():
            with contextlib.suppress(InputError):  # a missing model is told by whoever needs it
                cold.pop(0)()
            continue
        message = connection.recv()
        if message[0] == "train":
            with told(connection, message[1].run_id):
                lane.run(message[1])
        else:
            answer(connection, message)


def main() -> None:
    key = base64.b64decode(sys.stdin.readline())
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)  # the server, and the first page that it paints, go before
    connection = Client(sys.argv[1], authkey=key)
    warm_up: tuple[Callable[[], None], ...] = ()
    if os.environ.get("EMBEDDING_LAB_LANE") == "train":
        from ..models import registry
        from ..training import bi_trainer

        warm_up = (registry.preload, bi_trainer.warm_up)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionError, KeyboardInterrupt):
        serve(connection, warm_up)


if __name__ == "__main__":
    main()
