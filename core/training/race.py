"""Bi- and cross-encoder learning the same pairs in turns, so that their clocks can be compared.

A race is a trainer like any other: its step is one step of whichever of the two has had less time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..types import Pair, SentenceSet, TrainingConfig
from .trainer import Trainer

if TYPE_CHECKING:
    from .bi_trainer import BiEncoderTrainer
    from .cross_trainer import CrossEncoderTrainer


@dataclass(frozen=True, slots=True)
class Race:
    """What both learn, in equally many steps of the same batches."""

    sentences: SentenceSet
    pairs: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    config: TrainingConfig

    def trainer(self, resume: Path | None = None) -> RaceTrainer:
        from ..models import cross_encoder, registry
        from . import checkpoints
        from .bi_trainer import BiEncoderTrainer
        from .cross_trainer import CrossEncoderTrainer

        bi, cross, measured = None, None, None
        if resume is not None:
            bi, cross = (checkpoints.load(file) for file in (resume, _beside(resume, ".cross")))
            sides = json.loads(_beside(resume, ".measured").read_text(encoding="utf-8"))
            measured = RaceSnapshot(*(Evaluation(**side) for side in sides))
        work = (self.sentences, self.pairs, self.config, self.held_out)
        base = registry.load(self.config.base_model, seed=self.config.seed)
        return RaceTrainer(
            BiEncoderTrainer(base, *work, resume=bi),
            CrossEncoderTrainer(cross_encoder.load(), *work, resume=cross),
            measured,
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One of the two at one of its steps. `seconds` of its own training, without measuring."""

    step: int
    seconds: float
    loss: float  # nan at step 0
    accuracy: float | None  # of held-out pairs, [0, 1]
    auc: float | None


@dataclass(frozen=True, slots=True)
class RaceSnapshot:
    """How good each of the two was when it was measured last."""

    bi: Evaluation
    cross: Evaluation


def curve(snapshots: Sequence[RaceSnapshot], side: str) -> tuple[Evaluation, ...]:
    """All measurements of "bi" or "cross", each once, in the order of its steps."""
    return tuple({found.step: found for found in (getattr(s, side) for s in snapshots)}.values())


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


class RaceTrainer(Trainer[RaceSnapshot]):
    """Two trainers of equally many steps. `step` counts the steps of both, `seconds` those of training."""

    def __init__(
        self, bi: BiEncoderTrainer, cross: CrossEncoderTrainer, measured: RaceSnapshot | None = None
    ) -> None:
        self.bi, self.cross, self.measured = bi, cross, measured
        self.last: BiEncoderTrainer | CrossEncoderTrainer | None = None  # who made the last step
        self.steps, self.fresh = bi.steps + cross.steps, measured is None
        self.step, self.seconds = bi.step + cross.step, bi.seconds + cross.seconds
        self.nbytes = bi.nbytes + cross.nbytes

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
            bi = Evaluation(now.step, now.seconds, now.loss, *quality)
        if cross is None or self.last is self.cross:
            read = self.cross.snapshot()
            quality = (read.held_out_accuracy, read.held_out_auc)
            cross = Evaluation(read.step, read.seconds, read.loss, *quality)
        self.measured = RaceSnapshot(bi, cross)
        return self.measured

    def save(self, file: Path) -> None:
        assert self.measured is not None, "iterate() measures the start first"
        self.bi.save(file)
        self.cross.save(_beside(file, ".cross"))
        sides = json.dumps([asdict(self.measured.bi), asdict(self.measured.cross)])
        _beside(file, ".measured").write_text(sides, encoding="utf-8")
