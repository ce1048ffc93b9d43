"""What runs inside a worker process: answer calls, or train and stream snapshots until told otherwise.

Started by process.py as `python -m core.runs.worker ADDRESS`; the key to the connection comes on
standard input. A worker owns its models: a run trains a copy, so no run can touch another's.
"""

from __future__ import annotations

import base64
import contextlib
import os
import sys
import traceback
from collections import OrderedDict
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import TYPE_CHECKING

from ..training.trainer import iterate
from ..types import InputError, Pair, SentenceSet, TrainingConfig
from .functions import resolve

if TYPE_CHECKING:
    from ..training.bi_trainer import BiEncoderTrainer

KEPT_TRAINERS = 2  # paused runs that stay in memory, so that "one step" does not reload anything
CHECKPOINT_BYTES = 400_000_000  # disk a run may use for the steps one can rewind to


@dataclass(frozen=True, slots=True)
class TrainTask:
    """Train `run_id` from `resume_step` (or from the base model) until step `until` is reached."""

    run_id: str
    config: TrainingConfig
    sentences: SentenceSet
    pairs: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    until: int
    folder: str  # where this run's checkpoints lie
    resume_step: int | None = None


def checkpoint_file(folder: str, step: int) -> Path:
    return Path(folder) / f"step-{step:06d}.safetensors"


class TrainingLane:
    """Trains one task at a time and remembers the last few trainers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.trainers: OrderedDict[str, BiEncoderTrainer] = OrderedDict()

    def trainer(self, task: TrainTask) -> BiEncoderTrainer:
        from ..models import registry
        from ..training import checkpoints
        from ..training.bi_trainer import BiEncoderTrainer

        known = self.trainers.pop(task.run_id, None)
        if known is not None and known.step == task.resume_step:
            return known
        resume = None
        if task.resume_step is not None:
            resume = checkpoints.load(checkpoint_file(task.folder, task.resume_step))
        encoder = registry.load(task.config.base_model, seed=task.config.seed)
        return BiEncoderTrainer(
            encoder, task.sentences, task.pairs, task.config, held_out=task.held_out, resume=resume
        )

    def run(self, task: TrainTask) -> None:
        trainer = self.trainer(task)
        kept = sorted(int(p.stem.split("-")[1]) for p in Path(task.folder).glob("step-*.safetensors"))
        for snapshot in iterate(trainer, task.until):
            if snapshot is not None:
                self.connection.send(("snapshot", task.run_id, snapshot))
            if trainer.step % checkpoint_every(task.config.steps) == 0:
                kept = self.keep(task, trainer, kept)
            if self.asked_to_pause(task.run_id):
                break
        if trainer.step not in kept:
            self.keep(task, trainer, kept)
        self.trainers[task.run_id] = trainer
        while len(self.trainers) > KEPT_TRAINERS:
            self.trainers.popitem(last=False)
        self.connection.send(("rested", task.run_id))

    def keep(self, task: TrainTask, trainer: BiEncoderTrainer, kept: list[int]) -> list[int]:
        """Write the state of this step to disk; drop the steps that the disk budget has no room for."""
        from ..training import checkpoints

        file = checkpoint_file(task.folder, trainer.step)
        checkpoints.save(trainer.checkpoint(), file)
        kept = sorted({*kept, trainer.step})
        room = max(3, CHECKPOINT_BYTES // max(1, file.stat().st_size))
        stay = checkpoints.thin(kept, room)
        for step in set(kept) - set(stay):
            checkpoint_file(task.folder, step).unlink(missing_ok=True)
        self.connection.send(("checkpoints", task.run_id, tuple(stay)))
        return list(stay)

    def asked_to_pause(self, run_id: str) -> bool:
        """Whether a pause for this run came in during the last step."""
        asked = False
        while self.connection.poll():
            message = self.connection.recv()
            if message[0] == "exit":
                sys.exit(0)
            asked = asked or message == ("pause", run_id)
        return asked


def checkpoint_every(steps: int) -> int:
    """Steps between two checkpoints: about twenty over a run, and on round numbers."""
    return max(1, round(steps / 20))


def serve(connection: Connection) -> None:
    """Answer messages until the server says exit or goes away."""
    lane = TrainingLane(connection)
    connection.send(("ready",))
    while True:
        message = connection.recv()
        try:
            match message:
                case ("exit",):
                    return
                case ("call", number, name, args):
                    connection.send(("result", number, resolve(name)(*args)))
                case ("train", task):
                    lane.run(task)
        except (EOFError, BrokenPipeError, ConnectionError):
            raise
        except Exception as error:
            text = str(error) if isinstance(error, InputError) else None
            whose = message[1].run_id if message[0] == "train" else message[1]
            connection.send(("failed", whose, text, traceback.format_exc()))


def main() -> None:
    key = base64.b64decode(sys.stdin.readline())
    threads = int(os.environ.get("EMBEDDING_LAB_WORKER_THREADS", "1"))
    lane = os.environ.get("EMBEDDING_LAB_LANE", "encode")
    if lane in ("train", "background"):
        with contextlib.suppress(OSError, AttributeError):
            os.nice(5)  # the page stays quick while the model learns
    connection = Client(sys.argv[1], authkey=key)
    if lane != "layout":
        import torch

        torch.set_num_threads(threads)
    if lane == "train":
        from ..training import bi_trainer

        with contextlib.suppress(InputError):  # a missing model is told by whoever needs it
            bi_trainer.warm_up()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionError, KeyboardInterrupt):
        serve(connection)


if __name__ == "__main__":
    main()
