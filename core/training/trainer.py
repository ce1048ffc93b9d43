"""The training loop, once for all that learns here, and what a trainer has to be for it.

Notebook, worker, command line and races all iterate a Trainer; what a batch, a loss and a measurement are,
each kind of trainer says itself. No torch here: the server reads these types too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ..types import InputError

S = TypeVar("S")  # what a trainer reports when it is asked: its snapshot


class Diverged(InputError):  # noqa: N818 (an event of a run, not a programming error)
    """The loss or an embedding stopped being a finite number; the message says what to try."""


class Trainer(ABC, Generic[S]):
    """Something that learns in steps: `steps` are planned, `step` are done, `seconds` were spent on them.

    `seconds` leave out pauses and measuring.
    """

    steps: int
    step: int = 0
    seconds: float = 0.0
    snapshot_every: int = 1
    until: int | None = None  # where whoever iterates wants to stop; None is at the end
    nbytes: int = 0  # memory that it takes, about, where that is much
    fresh: bool = True  # its start was not reported yet; False for one that goes on from a checkpoint

    @abstractmethod
    def advance(self) -> None:
        """One step of training, or several very short ones, but not past `until` or a step that is due.

        Raises Diverged when the numbers stop being finite.
        """

    @abstractmethod
    def snapshot(self) -> S:
        """What the model makes of the data now. Later steps do not change it."""

    @abstractmethod
    def save(self, file: Path) -> None:
        """Write all that it takes to go on from here, to this file and others of the same stem."""

    def is_due(self) -> bool:
        """Whether a snapshot belongs to this step: the start, step 1, every `snapshot_every`-th, the last."""
        return self.step in (0, 1, self.steps) or self.step % self.snapshot_every == 0


class Task(Protocol[S]):
    """What a run is given, a frozen value: everything that decides its numbers."""

    def trainer(self, resume: Path | None = None) -> Trainer[S]:
        """Its trainer, before the first step or where the one stood that was saved to that file.

        Loads whatever it needs, so it is called in a worker. Raises InputError for what cannot be trained.
        """


def iterate(trainer: Trainer[S], until: int | None = None) -> Iterator[S | None]:
    """THE loop: train up to step `until` (the planned last one by default) and report.

    Yields the snapshot of a fresh trainer's start; then, after every step, its snapshot where one is due
    (and at `until`), else None, so that whoever iterates can do something between any two steps: look
    for a pause, keep a checkpoint, draw a progress bar, or stop for good.
    """
    trainer.until, last = until, trainer.steps if until is None else until
    if trainer.fresh:
        trainer.fresh = False
        yield trainer.snapshot()
    while trainer.step < last:
        trainer.advance()
        yield trainer.snapshot() if trainer.is_due() or trainer.step == last else None
