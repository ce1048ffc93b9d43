"""Comparing two sets of embeddings: known answers, and agreement with scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics.pairwise import cosine_similarity

from core.metrics import comparison, probe
from core.training import tuned
from core.types import InputError, Pair, Sentence, SentenceSet, TrainingConfig


def rotation(d: int, seed: int = 1) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0].astype(np.float32)


@pytest.fixture
def cloud() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(12, 6)).astype(np.float32)
    return z, (z + 0.4 * rng.normal(size=z.shape)).astype(np.float32)


def test_similarity_change_is_the_difference_of_cosines(cloud):
    a, b = cloud
    expected = cosine_similarity(b) - cosine_similarity(a)
    assert np.allclose(comparison.similarity_change(a, b), expected, atol=1e-6)


def test_neighbours_gained_and_lost():
    before = np.array([[1, 0], [0.99, 0.1], [0, 1], [0.1, 0.99]], np.float32)
    after = before[[0, 2, 1, 3]]  # sentences 1 and 2 change places
    changes = comparison.neighbour_changes(before, after, k=1)
    assert changes[0] == comparison.NeighbourChange((), (2,), (1,)) and changes[0].overlap == 0.0
    same = comparison.neighbour_changes(before, before, k=2)
    assert all(not c.gained and not c.lost and c.overlap == 1.0 for c in same)
    assert comparison.neighbour_changes(before[:1], after[:1]) == [comparison.NeighbourChange((), (), ())]


def test_movement_in_one_space_and_across_spaces(cloud):
    a, b = cloud
    expected = 1 - np.diag(cosine_similarity(a, b))
    assert np.allclose(comparison.movement(a, b), expected, atol=1e-6)
    turned = a @ rotation(6)
    assert comparison.movement(a, turned).max() > 0.1  # in the same axes that is a movement
    assert comparison.movement(a, turned, aligned=False).max() < 1e-5  # without shared axes it is none
    assert comparison.movement(a, np.pad(a, ((0, 0), (0, 3))), aligned=False).max() < 1e-5


def test_who_shares_axes():
    config = TrainingConfig()
    assert comparison.aligned(config, config.replace(steps=5, loss="triplet", seed=1))
    assert not comparison.aligned(config, config.replace(base_model="minilm-l3"))
    assert not comparison.aligned(config, config.replace(pooling="cls"))
    blank = config.replace(base_model="blank")
    assert not comparison.aligned(blank, blank.replace(seed=1))


def test_group_drift():
    before = np.array([[1, 0, 0], [1, 0.2, 0], [0, 1, 0], [0, 1, 0.2], [0, 0, 1]], np.float32)
    after = before.copy()
    after[:2] = [[0, 0, -1], [0, 0, -1]]
    drift = comparison.group_drift(before, after, ["x", "x", "y", "y", None])
    assert [d.group for d in drift] == ["x", "y"] and [d.count for d in drift] == [2, 2]
    assert drift[0].moved == pytest.approx(1.0, abs=1e-6) and drift[1].moved == pytest.approx(0.0, abs=1e-6)
    assert drift[0].tight_after == pytest.approx(1.0) and drift[0].tight_before < 0.999
    assert drift[0].nearest_before == "y" and drift[0].gap_after > drift[0].gap_before
    alone = comparison.group_drift(before, after, ["x"] * 5, aligned=False)
    assert alone[0].nearest_before is None and alone[0].moved is None
    assert comparison.group_drift(before, after, [None] * 5) == ()


def test_margins_are_on_the_right_side_exactly_where_the_pair_is_told_right():
    z = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [0.7, 0.7]], np.float32)
    sentences = SentenceSet(tuple(Sentence(str(i), str(i)) for i in range(5)))
    train = (Pair("0", "1", 1.0), Pair("0", "2", 0.0))
    held_out = (Pair("2", "3", 1.0), Pair("1", "3", 0.0), Pair("0", "4", 0.0), Pair("1", "2", 1.0))
    scores = comparison.pair_scores(z, sentences, held_out, train)
    assert scores.accuracy == pytest.approx(np.mean(scores.margins > 0))
    assert scores.margins[0] > 0 > scores.margins[3]
    none = comparison.pair_scores(z, sentences, (), ())
    assert none.accuracy is None and none.margins is None and len(none.cosines) == 0


def test_both_maps_share_one_plane(cloud):
    a, b = cloud
    first, second = comparison.shared_pca((a, a))
    assert np.array_equal(first, second)
    first, second = comparison.shared_pca((a, b))
    assert first.shape == second.shape == (12, 2) and not np.allclose(first, second)
    first, second = comparison.shared_pca((a, b @ rotation(6)), aligned=False)
    again = comparison.shared_pca((a, b), aligned=False)
    assert np.allclose(np.abs(second), np.abs(again[1]), atol=1e-3)


def test_the_probe_is_graded_and_balanced():
    pairs = probe.graded_pairs()
    grades = np.array([p.grade for p in pairs])
    assert len(pairs) == 40 and len({p.left for p in pairs} | {p.right for p in pairs}) == 80
    assert (grades >= 4).sum() >= 8 and (grades <= 1).sum() >= 8 and ((grades > 1) & (grades < 4)).sum() >= 8


def test_the_probe_agrees_with_scipy_and_notices_a_forgetful_model():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(80, 16)).astype(np.float32)
    scored = probe.score(z)
    expected = spearmanr(scored.cosines, [p.grade for p in probe.graded_pairs()]).statistic
    assert scored.spearman == pytest.approx(expected)
    kept = tuned.probe(TrainingConfig(), None)
    assert kept.spearman > 0.85
    assert tuned.probe(TrainingConfig(base_model="blank"), None).spearman < kept.spearman - 0.2


def test_a_bad_probe_file_is_named(tmp_path):
    for text in ("pairs = [['a', 'b', 9]]", "pairs = [['a', 'b']]", "nothing = 1", "= ="):
        file = tmp_path / "probe.toml"
        file.write_text(text)
        with pytest.raises(InputError, match=r"probe\.toml"):
            probe.graded_pairs.__wrapped__(file)
