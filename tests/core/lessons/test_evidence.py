"""What lessons measure beyond one run: maps, other models, word sums, use, samples, the cross-encoder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.lessons import evidence
from core.lessons.map_outcomes import islands, neighbours_kept
from core.lessons.measurement import Evidence
from core.lessons.outcomes import MEASUREMENTS
from core.lessons.reader import check, load_lessons
from core.types import Pair, Sentence, SentenceSet
from core.vectors import unit_rows
from pages.lessons.teacher import TEMPLATE

LESSONS = {lesson.key: lesson for lesson in load_lessons()[0]}
RANDOM = np.random.default_rng(5)


def blobs(*middles: tuple[float, float], each: int = 6, width: float = 0.05) -> np.ndarray:
    points = [RANDOM.normal(scale=width, size=(each, 2)) + middle for middle in middles]
    return np.concatenate(points).astype(np.float32)


def sentences(groups: str) -> SentenceSet:
    return SentenceSet(tuple(Sentence(f"s{i}", f"text {i}", g) for i, g in enumerate(groups)))


def outcome(name: str, found: Evidence, limits: tuple[float, ...] | None = None):
    row = MEASUREMENTS[name]
    return row.compute(found, row.limits if limits is None else limits)


def test_islands_are_counted_and_strays_are_not():
    three = blobs((0, 0), (3, 0), (0, 3))
    assert islands(three) == 3
    assert islands(np.concatenate([three, [[9, 9]]]).astype(np.float32)) == 3
    even = np.stack(np.meshgrid(np.arange(6), np.arange(6)), axis=-1).reshape(-1, 2).astype(np.float32)
    assert islands(even) == 1
    assert neighbours_kept(three, 2 * three) == 1.0


def test_the_distance_and_the_width_of_islands_are_told_as_factors():
    first, second = blobs((0, 0), (2, 0), (0, 2)), blobs((0, 0), (6, 0), (0, 2))
    space = unit_rows(RANDOM.normal(size=(18, 8)))
    found = Evidence(sentences("a" * 6 + "b" * 6 + "c" * 6), maps=(first, second), mapped=(space, space))
    factor = outcome("island_distance_factor", found)
    assert (
        factor.outcome == "high"
        and factor.rows[0][1] == pytest.approx(3, abs=0.2)
        and "a to b" in factor.says
    )
    assert outcome("island_distance_factor", replace(found, maps=(first, first))).outcome == "low"
    wide = np.concatenate([blobs((0, 0)), blobs((3, 0), width=0.5), blobs((0, 3))])
    assert outcome("island_width_factor", replace(found, maps=(wide,))).outcome == "high"


def test_a_threshold_fits_its_own_model_only():
    z = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    narrow = z + 3  # every cosine is high, and the order is the same
    pairs = (Pair("s0", "s1", 1.0), Pair("s2", "s3", 1.0), Pair("s0", "s2", 0.0), Pair("s1", "s3", 0.0))
    found = Evidence(sentences("aabb"), (), pairs, (), by_model=(z, narrow))
    assert outcome("borrowed_threshold_accuracy", found).rows[-1][1] == 0.5
    assert outcome("borrowed_threshold_accuracy", replace(found, by_model=(z, z))).outcome == "high"


def test_a_sum_of_words_is_looked_for_with_and_without_its_own_words():
    king, man, woman, queen = (
        np.eye(4, dtype=np.float32)[:4] * 0.2 + np.array([3, 1, 1, 3], np.float32)[:, None]
    )
    z = unit_rows(np.stack([king, man, woman, queen, -king]))
    found = Evidence(texts=("king", "man", "woman", "queen", "bread"), texts_before=z)
    assert outcome("analogy_before", found).outcome == "used"
    assert outcome("analogy_left_out_before", found).outcome == "expected"


def test_samples_without_a_mistake_and_what_they_make_sure_of():
    z = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    pairs = (Pair("s0", "s1", 1.0), Pair("s2", "s3", 1.0), Pair("s0", "s2", 0.0), Pair("s1", "s3", 0.0))
    found = Evidence(sentences("aabb"), (), pairs, (), z, sample=2)
    assert outcome("perfect_samples", found).rows[1][1] == 1.0
    wrong = replace(found, train=(*pairs[:3], Pair("s0", "s1", 0.0)))  # one of four cannot be told
    assert outcome("perfect_samples", wrong).rows[1][1] == pytest.approx(0.5, abs=0.03)
    four = outcome("sure_share", replace(found, sample=4))
    assert four.outcome == "low" and four.rows[0][1] == pytest.approx(0.51, abs=0.01)  # Wilson 1927


def test_movement_beyond_the_training_pairs_and_forgetting():
    before = np.eye(4, dtype=np.float32)
    turned = unit_rows(before + 0.5 * np.roll(before, 1, axis=1))
    held, train = (Pair("s2", "s3", 1.0),), (Pair("s0", "s1", 1.0),)
    found = Evidence(sentences("aabb"), (), train, held, before, turned)
    assert outcome("unseen_movement", found).outcome == "high"
    kept = np.concatenate([turned[:2], before[2:]])
    assert outcome("unseen_movement", replace(found, after=kept)).outcome == "low"
    assert outcome("probe_change", replace(found, probe=(0.8, 0.6))).outcome == "falls"


@pytest.mark.parametrize("key", ["reading_a_map", "one_threshold", "king_and_queen", "four_of_four"])
def test_what_a_lesson_usually_shows_is_shown(key):
    """One seed here; the benchmark takes three, and every lesson."""
    lesson = LESSONS[key]
    for step in lesson.steps:
        if step.kind == "predict":
            prepared = lesson.prepared(step) if lesson.experiment is not None else None
            found = evidence.gather(step, prepared, step.texts, 7, evidence.direct)
            assert step.measurement.compute(found, step.limits).outcome == step.usual


def test_another_seed_draws_another_map_and_random_vectors_are_no_sentences():
    step = LESSONS["reading_a_map"].steps[3]
    z = unit_rows(RANDOM.normal(size=(20, 16)))
    maps, mapped = evidence.project(step.projections, z, 7, evidence.direct)
    assert maps[0].shape == (60, 2) and mapped[0].shape == (60, 16)
    assert not np.array_equal(maps[0], evidence.project(step.projections, z, 8, evidence.direct)[0][0])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"held_out_auc_change"',
            '"island_distance_factor"\nprojections = [{}]',
            "needs at least 2, and there are 1",
        ),
        (
            '"held_out_auc_change"',
            '"borrowed_threshold_accuracy"\nmodels = ["gpt"]',
            "there is no model 'gpt'",
        ),
        ('"held_out_auc_change"', '"held_out_auc_change"\nusual = "explodes"', "can only come out as rises"),
        ('kind = "explain"', 'kind = "look"\nshow = "maps"', 'drawings are for show = "maps"'),
    ],
)
def test_what_a_step_lacks_is_told(old, new, told):
    found = " ".join(check(TEMPLATE.replace(old, new, 1))[1])
    assert told.replace("drawings", "projections") in found
