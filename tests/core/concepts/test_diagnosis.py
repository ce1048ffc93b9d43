"""The diagnosis of a run: what changed side names who pulled it; each check finds what was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.concepts import diagnosis
from core.metrics.measures import measure
from core.types import Forces, Pair, Run, RunStatus, Sentence, SentenceSet, Snapshot, TrainingConfig
from core.vectors import unit_rows

NAMES = "abcdefgh"
SENTENCES = SentenceSet(tuple(Sentence(n, f"Sentence {n}.", "one" if n in "aceg" else "two") for n in NAMES))
TRAIN = (Pair("c", "d", 1.0), Pair("e", "g", 1.0), Pair("e", "f", 0.0), Pair("g", "h", 0.0))
HELD_OUT = (Pair("a", "b", 0.0), Pair("a", "c", 1.0))
BEFORE = unit_rows(
    [[9, 0, 1], [0, 9, 1], [9, 1, 0], [1, 9, 0], [5, 0, 5], [0, 5, 5], [5, 0, 6], [0, 5, 6]], np.float32
)


def run_of(after: np.ndarray, train: tuple[Pair, ...] = TRAIN, **config: object) -> Run:
    pulls = Forces(np.array([[2, 3], [4, 5]]), np.array([-0.5, 0.4], np.float32))
    snapshots = tuple(
        Snapshot(step, 1.0, z, forces, measure(z, SENTENCES, HELD_OUT, train))
        for step, z, forces in ((0, BEFORE, Forces.none()), (10, after, pulls))
    )
    settings = TrainingConfig(loss="contrastive").replace(**config)
    return Run("r", settings, SENTENCES, train, HELD_OUT, snapshots, (), RunStatus.FINISHED)


def found(run: Run, title: str, **more: object) -> diagnosis.Check:
    return next(check for check in diagnosis.checks(run, **more) if check.title == title)


@pytest.fixture
def drawn_together() -> np.ndarray:
    """a and b end beside each other, because c and d, which are near them, were pulled together."""
    after = BEFORE.copy()
    after[:4] = unit_rows([[5, 5, 1], [5, 5, 1.2], [6, 5, 0], [5, 6, 0]], np.float32)
    return after


def test_a_pair_that_changed_side_names_the_pair_that_pulled_it(drawn_together):
    (one,) = diagnosis.crossed(run_of(drawn_together))
    assert one.pair == HELD_OUT[0] and one.after > one.before + 0.5
    assert [pair for pair, _ in one.because] == [TRAIN[0]], "the pair that was pushed did not pull"
    assert diagnosis.crossed(run_of(BEFORE)) == ()


def test_a_collapse_is_found_and_calls_for_something_that_pushes():
    after = unit_rows(BEFORE * 0.02 + np.array([1, 1, 1], np.float32))
    check = found(run_of(after), "Collapse")
    assert check.found and check.change == {"loss": "mnrl"}
    assert (
        found(run_of(after, loss="mnrl"), "Collapse").change["learning_rate"] < TrainingConfig().learning_rate
    )
    assert found(run_of(BEFORE), "Collapse").found is False


def test_a_run_that_left_the_base_model_behind_was_too_fast():
    assert found(run_of(-BEFORE), "Rate too high").found
    assert found(run_of(BEFORE), "Rate too high").value == pytest.approx(0, abs=1e-6)


def test_forgetting_needs_the_probe():
    assert found(run_of(BEFORE), "Forgetting").found is None
    assert found(run_of(BEFORE), "Forgetting", probe=(0.8, 0.6)).found
    assert found(run_of(BEFORE), "Forgetting", probe=(0.8, 0.79)).found is False


def test_overfitting_is_the_gap_between_trained_and_held_out_pairs(drawn_together):
    check = found(run_of(drawn_together), "Overfitting")
    assert check.value == pytest.approx(1.0 - 0.0, abs=0.5) and check.found
    assert check.change == {"trained_layers": 1}, "the last step is where held-out pairs were told best"


def test_a_label_that_the_others_contradict_is_named():
    wrong = Pair("a", "g", 0.0)  # one group, and as near as similar pairs are
    clean, noisy = run_of(BEFORE), run_of(BEFORE, (*TRAIN, wrong, Pair("a", "e", 1.0)))
    assert diagnosis.contradicted(clean) == TRAIN[:1], "similar, far apart and of two groups"
    joint = [0.9, 0.9, 0.1, 0.1, 0.95, 0.9]
    assert diagnosis.contradicted(noisy, joint) == (TRAIN[0], wrong)
    check = found(noisy, "Label noise", joint=joint)
    assert check.found and check.without == (TRAIN[0], wrong)


def test_false_negatives_are_pushed_although_they_are_near():
    near = (Pair("a", "c", 1.0), Pair("b", "d", 1.0), Pair("e", "g", 0.0))
    assert found(run_of(BEFORE, near), "False negatives").value == 1.0
    assert found(run_of(BEFORE), "False negatives").found is False
    alone = SentenceSet(tuple(replace(s, group=None) for s in SENTENCES.sentences))
    in_batch = replace(run_of(BEFORE, near, loss="mnrl"), sentences=alone)
    assert found(in_batch, "False negatives").found is False, "the partners of a and b are far apart"
