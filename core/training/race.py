"""Bi- and cross-encoder learning the same pairs in turns, so that their clocks can be compared.

A race is a trainer like any other: its step is one step of whichever of the two has had less time.
"""

from __future__ import annotations

import tempfile
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..types import Pair, SentenceSet, TrainingConfig
from .trainer import Trainer, iterate

if TYPE_CHECKING:
    from .bi_trainer import BiEncoderTrainer
    from .checkpoints import Checkpoint
    from .cross_trainer import CrossEncoderTrainer

KEPT_IN_MEMORY = 4  # races at hand; the others lie on disk until it is their turn
KEPT_ON_DISK = 16
SLICE = 1.0  # seconds of work in one call
AFTER_LOADING = 3.0  # longer, so that a crowded server does not spend its time loading


@dataclass(frozen=True, slots=True)
class Race:
    """What both learn. `id` names the race between two calls; a new one starts from the beginning."""

    id: str
    sentences: SentenceSet
    pairs: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    config: TrainingConfig


@dataclass(frozen=True, slots=True)
class Measurement:
    """One of the two at one of its steps. `seconds` of its own training, without measuring."""

    step: int
    seconds: float
    loss: float  # nan at step 0
    accuracy: float | None  # of held-out pairs, [0, 1]
    auc: float | None


@dataclass(frozen=True, slots=True)
class RaceSnapshot:
    """How good each of the two was when it was measured last."""

    bi: Measurement
    cross: Measurement


@dataclass(frozen=True, slots=True)
class RaceCheckpoint:
    """Both as they stand, and how good they were."""

    bi: Checkpoint
    cross: Checkpoint
    measured: RaceSnapshot


def make(race: Race, resume: RaceCheckpoint | None = None) -> RaceTrainer:
    """Both trainers, at the start or at a checkpoint. Raises InputError for what cannot be trained."""
    from ..models import cross_encoder, registry
    from .bi_trainer import BiEncoderTrainer
    from .cross_trainer import CrossEncoderTrainer

    work = (race.sentences, race.pairs, race.config, race.held_out)
    bi, cross, measured = (None, None, None) if resume is None else (resume.bi, resume.cross, resume.measured)
    base = registry.load(race.config.base_model, seed=race.config.seed)
    return RaceTrainer(
        BiEncoderTrainer(base, *work, resume=bi),
        CrossEncoderTrainer(cross_encoder.load(), *work, resume=cross),
        measured,
    )


class RaceTrainer(Trainer[RaceSnapshot]):
    """Two trainers of equally many steps. `step` counts the steps of both, `seconds` those of training."""

    def __init__(
        self, bi: BiEncoderTrainer, cross: CrossEncoderTrainer, measured: RaceSnapshot | None = None
    ) -> None:
        self.bi, self.cross, self.measured = bi, cross, measured
        self.last: BiEncoderTrainer | CrossEncoderTrainer | None = None  # who made the last step
        self.steps, self.fresh = bi.steps + cross.steps, measured is None
        self.step, self.seconds = bi.step + cross.step, bi.seconds + cross.seconds

    def advance(self) -> None:
        """A step of the one with less time of training; who is at the end waits for the other."""
        self.last = self.next()
        self.last.advance()
        self.step, self.seconds = self.bi.step + self.cross.step, self.bi.seconds + self.cross.seconds

    def next(self) -> BiEncoderTrainer | CrossEncoderTrainer:
        """Whose turn it is."""
        both: list[BiEncoderTrainer | CrossEncoderTrainer] = [self.bi, self.cross]
        return min(both, key=lambda trainer: (trainer.step >= trainer.steps, trainer.seconds))

    def is_due(self) -> bool:
        return self.last is None or self.last.is_due()

    def snapshot(self) -> RaceSnapshot:
        """Measures whoever made the last step, both at the start; the other's measurement stays."""
        bi, cross = (None, None) if self.measured is None else (self.measured.bi, self.measured.cross)
        if bi is None or self.last is self.bi:
            now = self.bi.snapshot()
            quality = (now.metrics.held_out_accuracy, now.metrics.held_out_auc)
            bi = Measurement(now.step, now.seconds, now.loss, *quality)
        if cross is None or self.last is self.cross:
            read = self.cross.snapshot()
            quality = (read.held_out_accuracy, read.held_out_auc)
            cross = Measurement(read.step, read.seconds, read.loss, *quality)
        self.measured = RaceSnapshot(bi, cross)
        return self.measured

    def checkpoint(self) -> RaceCheckpoint:
        assert self.measured is not None, "iterate() measures the start first"
        return RaceCheckpoint(self.bi.checkpoint(), self.cross.checkpoint(), self.measured)


# ---- in short calls, until the executor runs races as it runs the rest ----------------------------------

Lap = Measurement


@dataclass(frozen=True, slots=True)
class Standing:
    """All measurements so far, and where both are now."""

    bi: tuple[Measurement, ...]
    cross: tuple[Measurement, ...]
    bi_step: int
    cross_step: int
    steps: int

    @property
    def done(self) -> bool:
        return self.bi_step >= self.steps and self.cross_step >= self.steps


Laps = tuple[RaceSnapshot, ...]
_running: OrderedDict[str, tuple[RaceTrainer, Laps]] = OrderedDict()
_laps: OrderedDict[str, Laps] = OrderedDict()  # a race on disk keeps its snapshots here


def run_on(race: Race, seconds: float = SLICE) -> Standing:
    """Go on with this race for about so many seconds and say where it stands.

    The state stays in this process, or on its disk when many race at once; where it got lost with the
    process, the race begins again and repeats the same numbers. Raises InputError for pairs or settings
    that cannot be trained, Diverged when a loss is not finite.
    """
    from . import checkpoints

    files = _files(race.id)
    if race.id in _running:
        trainer, found = _running.pop(race.id)
    elif all(file.is_file() for file in files):
        found, seconds = _laps.pop(race.id), max(seconds, AFTER_LOADING)
        bi_state, cross_state = map(checkpoints.load, files)
        trainer = make(race, RaceCheckpoint(bi_state, cross_state, found[-1]))
    else:
        trainer, found = make(race), ()
    end = time.perf_counter() + seconds
    for snapshot in iterate(trainer):
        found = (*found, snapshot) if snapshot is not None else found
        if time.perf_counter() >= end:
            break
    _running[race.id] = trainer, found
    while len(_running) > KEPT_IN_MEMORY:
        name, (other, _laps[name]) = _running.popitem(last=False)
        state = other.checkpoint()
        for one, file in zip((state.bi, state.cross), _files(name)):
            checkpoints.save(one, file)
    for file in sorted(_folder().iterdir(), key=lambda file: file.stat().st_mtime)[: -2 * KEPT_ON_DISK]:
        file.unlink(missing_ok=True)
    bi, cross = ({getattr(s, side).step: getattr(s, side) for s in found} for side in ("bi", "cross"))
    return Standing(
        tuple(bi.values()), tuple(cross.values()), trainer.bi.step, trainer.cross.step, race.config.steps
    )


def forget(race_id: str) -> None:
    """Drop a race that nobody goes on with."""
    _running.pop(race_id, None)
    _laps.pop(race_id, None)
    for file in _files(race_id):
        file.unlink(missing_ok=True)


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="embedding-lab-race-")


def _folder() -> Path:
    return Path(_temporary().name)


def _files(race_id: str) -> tuple[Path, Path]:
    return _folder() / f"{race_id}-bi.safetensors", _folder() / f"{race_id}-cross.safetensors"
