"""Two encoders in turns: fair clocks, and a race that was put aside ends as one that was not."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import pytest

from core.data import sentence_sets
from core.data.split import make_split
from core.training.race import Race, RaceSnapshot, curve
from core.training.trainer import iterate
from core.types import InputError, TrainingConfig


def race(**changes: object) -> Race:
    known = sentence_sets.load_set("negation")
    split = make_split(known.sentence_set, 20, 0.3, 7, pairs=known.pairs or None)
    settings = {"steps": 4, "batch_size": 4, "snapshot_every": 2, "loss": "contrastive", "trained_layers": 1}
    config = TrainingConfig.from_mapping(settings | changes)
    return Race(known.sentence_set, split.train[:12], split.held_out[:8], config)


def numbers(snapshots: Sequence[RaceSnapshot]) -> list[list[tuple[object, ...]]]:
    """Everything but the seconds, which no two runs share; the loss as text, because nan is not itself."""
    sides = (curve(snapshots, "bi"), curve(snapshots, "cross"))
    return [[(m.step, str(m.loss), m.accuracy, m.auc) for m in side] for side in sides]


def test_a_race_put_aside_on_disk_ends_like_one_that_was_not(tmp_path):
    alone = [s for s in iterate(race().trainer()) if s is not None]
    trainer, found = race().trainer(), []
    while trainer.step < trainer.steps:  # put aside after every step
        found += [s for s in iterate(trainer, trainer.step + 1) if s is not None]
        trainer.save(tmp_path / f"step-{trainer.step}.safetensors")
        trainer = race().trainer(tmp_path / f"step-{trainer.step}.safetensors")
    for whole, parts in zip(numbers(alone), numbers(found)):
        assert set(whole) <= set(parts), "where it was put aside it was measured too"


def test_curves_begin_with_the_untouched_models_and_their_clocks_stay_together():
    snapshots = [s for s in iterate(race().trainer()) if s is not None]
    for side in ("bi", "cross"):
        found = curve(snapshots, side)
        assert [m.step for m in found] == [0, 1, 2, 4]
        assert found[0].seconds == 0.0
        assert all(a.seconds < b.seconds for a, b in itertools.pairwise(found))


def test_whose_turn_it_is_goes_by_time_of_training():
    trainer = race().trainer()
    trainer.bi.seconds, trainer.cross.seconds = 2.0, 1.0
    assert trainer.next() is trainer.cross
    trainer.cross.step = trainer.cross.steps
    assert trainer.next() is trainer.bi, "who is at the end waits"


def test_a_race_is_a_trainer_that_measures_whoever_moved():
    trainer = race().trainer()
    found = [(trainer.step, s) for s in iterate(trainer)]
    assert [step for step, _ in found] == list(range(9)), "four steps of each"
    reported = [s for _, s in found if s is not None]
    for side in ("bi", "cross"):
        assert sorted({getattr(s, side).step for s in reported}) == [0, 1, 2, 4]
    for (_, before), (_, after) in itertools.pairwise(found):
        if before is not None and after is not None:
            assert (before.bi is after.bi) or (before.cross is after.cross), "one of the two moved"


def test_pairs_that_cannot_be_trained_are_refused():
    with pytest.raises(InputError):
        dataclasses.replace(race(), pairs=()).trainer()
