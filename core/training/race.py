"""Bi- and cross-encoder learning the same pairs in turns, a second of work at a time.

One process trains both, always the one that has had less time, so the two clocks can be compared. Work is
done in short calls: whoever asks can stop between two of them, and nobody who asks has to wait long.
"""

from __future__ import annotations

import tempfile
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..types import Pair, SentenceSet, TrainingConfig

if TYPE_CHECKING:
    from .bi_trainer import BiEncoderTrainer
    from .cross_trainer import CrossTrainer

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
class Lap:
    """One measurement of one of the two. `seconds` of its own training, without measuring."""

    step: int
    seconds: float
    loss: float  # nan at step 0
    accuracy: float | None  # of held-out pairs, [0, 1]
    auc: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """All laps so far, and where both are now."""

    bi: tuple[Lap, ...]
    cross: tuple[Lap, ...]
    bi_step: int
    cross_step: int
    steps: int

    @property
    def done(self) -> bool:
        return self.bi_step >= self.steps and self.cross_step >= self.steps


class _Runner:
    """One race while it is in memory."""

    def __init__(self, race: Race) -> None:
        from ..models import cross_encoder, registry
        from . import checkpoints
        from .bi_trainer import BiEncoderTrainer
        from .cross_trainer import CrossTrainer

        self.race = race
        bi_file, cross_file = _files(race.id)
        self.loaded = bi_file.is_file() and cross_file.is_file()
        bi_state = checkpoints.load(bi_file) if self.loaded else None
        cross_state = checkpoints.load(cross_file) if self.loaded else None
        work = (race.sentences, race.pairs, race.config, race.held_out)
        base = registry.load(race.config.base_model, seed=race.config.seed)
        self.bi: BiEncoderTrainer = BiEncoderTrainer(base, *work, resume=bi_state)
        self.cross: CrossTrainer = CrossTrainer(cross_encoder.load(), *work, resume=cross_state)
        self.laps: dict[str, list[Lap]] = {"bi": [], "cross": []}

    def advance(self, seconds: float) -> None:
        """Train and measure for about this long; one step at least."""
        end = time.perf_counter() + seconds
        while True:
            trainer = self.next()
            if trainer is None:
                return
            side = "bi" if trainer is self.bi else "cross"
            if not self.laps[side] and trainer.step == 0:
                self.laps[side].append(_lap(trainer))
            else:
                trainer.advance()
                if trainer.step % self.race.config.snapshot_every == 0 or trainer.step in (1, self.steps):
                    self.laps[side].append(_lap(trainer))
            if time.perf_counter() >= end:
                return

    def next(self) -> Any:
        """Whose turn it is: of those not at the end, the one with less time of training."""
        both = [t for t in (self.bi, self.cross) if t.step < self.steps]
        return min(both, key=lambda t: t.seconds) if both else None

    @property
    def steps(self) -> int:
        return self.race.config.steps

    def standing(self) -> Standing:
        return Standing(
            tuple(self.laps["bi"]), tuple(self.laps["cross"]), self.bi.step, self.cross.step, self.steps
        )

    def save(self) -> None:
        from . import checkpoints

        bi_file, cross_file = _files(self.race.id)
        checkpoints.save(self.bi.checkpoint(), bi_file)
        checkpoints.save(self.cross.checkpoint(), cross_file)
        saved = sorted(_folder().glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
        for file in saved[: -2 * KEPT_ON_DISK]:
            file.unlink(missing_ok=True)


_running: OrderedDict[str, _Runner] = OrderedDict()
_laps: OrderedDict[str, dict[str, list[Lap]]] = OrderedDict()  # a race on disk keeps its laps here


def run_on(race: Race, seconds: float = SLICE) -> Standing:
    """Go on with this race for about so many seconds and say where it stands.

    The state stays in this process, or on its disk when many race at once; where it got lost with the
    process, the race begins again and repeats the same numbers. Raises InputError for pairs or settings
    that cannot be trained, Diverged when a loss is not finite.
    """
    runner = _running.pop(race.id, None)
    if runner is None:
        runner = _Runner(race)
        if runner.loaded:
            runner.laps = _laps.pop(race.id)
            seconds = max(seconds, AFTER_LOADING)
    _running[race.id] = runner
    while len(_running) > KEPT_IN_MEMORY:
        name, other = _running.popitem(last=False)
        other.save()
        _laps[name] = other.laps
    runner.advance(seconds)
    return runner.standing()


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


def _lap(trainer: BiEncoderTrainer | CrossTrainer) -> Lap:
    found: Any = trainer.snapshot()
    measured = getattr(found, "metrics", found)  # a bi-encoder's snapshot keeps them one level down
    return Lap(found.step, trainer.seconds, found.loss, measured.held_out_accuracy, measured.held_out_auc)
