"""Two encoders in turns: fair clocks, and a race that was put aside ends as one that was not."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from core.data import sentence_sets
from core.data.split import make_split
from core.training import race as cross_race
from core.training.race import Race, Standing, forget, run_on
from core.training.trainer import iterate
from core.types import InputError, TrainingConfig


def race(name: str, **changes: object) -> Race:
    known = sentence_sets.load_set("negation")
    split = make_split(known.sentence_set, 20, 0.3, 7, pairs=known.pairs or None)
    settings = {"steps": 4, "batch_size": 4, "snapshot_every": 2, "loss": "contrastive", "trained_layers": 1}
    config = TrainingConfig.from_mapping(settings | changes)
    return Race(name, known.sentence_set, split.train[:12], split.held_out[:8], config)


def to_the_end(*races: Race) -> list[Standing]:
    """All races in turns, as short as a turn can be."""
    for _ in range(80):
        standings = [run_on(one, seconds=0.0) for one in races]
        if all(standing.done for standing in standings):
            return standings
    raise AssertionError("a race never ended")


def numbers(standing: Standing) -> list[list[tuple[object, ...]]]:
    """Everything but the seconds, which no two runs share; the loss as text, because nan is not itself."""
    sides = (standing.bi, standing.cross)
    return [[(lap.step, str(lap.loss), lap.accuracy, lap.auc) for lap in side] for side in sides]


@pytest.fixture(autouse=True)
def nothing_left_over():
    yield
    for name in ("one", "two"):
        forget(name)


def test_a_race_put_aside_on_disk_ends_like_one_that_was_not(monkeypatch):
    alone = to_the_end(race("one"))[0]
    forget("one")
    monkeypatch.setattr(cross_race, "KEPT_IN_MEMORY", 1)
    monkeypatch.setattr(cross_race, "AFTER_LOADING", 0.0)
    first, second = to_the_end(race("one"), race("two", seed=8))
    assert numbers(first) == numbers(alone)
    assert numbers(second) != numbers(alone), "another seed draws other batches"


def test_laps_begin_with_the_untouched_models_and_their_clocks_stay_together():
    standing = to_the_end(race("one"))[0]
    for laps in (standing.bi, standing.cross):
        assert [lap.step for lap in laps] == [0, 1, 2, 4]
        assert laps[0].seconds == 0.0
        assert all(a.seconds < b.seconds for a, b in itertools.pairwise(laps))


def test_whose_turn_it_is_goes_by_time_of_training():
    trainer = cross_race.make(race("one"))
    trainer.bi.seconds, trainer.cross.seconds = 2.0, 1.0
    assert trainer.next() is trainer.cross
    trainer.cross.step = trainer.cross.steps
    assert trainer.next() is trainer.bi, "who is at the end waits"


def test_a_race_is_a_trainer_that_measures_whoever_moved():
    trainer = cross_race.make(race("one"))
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
        run_on(dataclasses.replace(race("two"), pairs=()), seconds=0.0)
