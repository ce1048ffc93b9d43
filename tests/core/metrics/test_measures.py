"""The measures against scikit-learn, scipy and numpy, and by hand where the answer is known."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import astuple, fields

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors

from core.metrics import measures
from core.metrics.measures import METRICS, measure
from core.types import Metrics, Pair, Sentence, SentenceSet
from core.vectors import pair_cosines, unit_rows

SEEDS = range(5)


def cloud(seed: int, n: int = 60, d: int = 16) -> np.ndarray:
    """Rows of differing lengths around three directions, so that nothing is symmetric by accident."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(3, d))
    rows = centres[np.arange(n) % 3] + generator.normal(size=(n, d))
    return (rows * generator.uniform(0.2, 5.0, size=(n, 1))).astype(np.float32)


def sentences(groups: list[str | None]) -> SentenceSet:
    return SentenceSet(tuple(Sentence(f"s{i}", f"text {i}", group) for i, group in enumerate(groups)))


def angles(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@pytest.mark.parametrize("seed", SEEDS)
class TestAgainstReferences:
    def test_auc(self, seed):
        generator = np.random.default_rng(seed)
        scores = generator.integers(0, 6, 50) / 5  # many ties
        truth = generator.random(50) < 0.3
        assert measures.auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores))

    def test_spearman(self, seed):
        generator = np.random.default_rng(seed)
        a, b = generator.integers(0, 6, 40), generator.normal(size=40)
        assert measures.spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)

    def test_uniformity(self, seed):
        units = unit_rows(cloud(seed)).astype(np.float64)
        expected = np.log(np.exp(-2 * pdist(units, "sqeuclidean")).mean())  # as in the paper's listing
        assert measures.uniformity(cloud(seed)) == pytest.approx(expected, abs=1e-5)

    def test_alignment(self, seed):
        units = unit_rows(cloud(seed)).astype(np.float64)
        rows = np.random.default_rng(seed).integers(0, 60, (30, 2))
        expected = (np.linalg.norm(units[rows[:, 0]] - units[rows[:, 1]], axis=1) ** 2).mean()
        assert measures.alignment(pair_cosines(units, rows)) == pytest.approx(expected, abs=1e-5)

    def test_mean_random_cosine(self, seed):
        table = cosine_similarity(cloud(seed).astype(np.float64))
        expected = table[np.triu_indices(60, 1)].mean()
        assert measures.mean_random_cosine(cloud(seed)) == pytest.approx(expected, abs=1e-6)

    def test_neighbour_purity(self, seed):
        z, groups = cloud(seed), np.arange(60) % 4
        found = NearestNeighbors(n_neighbors=5, metric="cosine").fit(z).kneighbors(return_distance=False)
        expected = (groups[found] == groups[:, None]).mean()
        assert measures.neighbour_purity(z, [str(g) for g in groups]) == pytest.approx(expected)

    def test_best_threshold_leaves_the_fewest_errors(self, seed):
        generator = np.random.default_rng(seed)
        truth = generator.random(30) < 0.5
        scores = np.round(generator.normal(truth * 0.5, 0.5), 1)  # with ties
        threshold = measures.best_threshold(scores, truth)
        every = [((scores >= t) == truth).mean() for t in [*scores, np.inf]]
        assert ((scores >= threshold) == truth).mean() == max(every)


class TestPairAccuracy:
    def test_threshold_comes_from_the_training_pairs(self):
        # 0.5 parts the training pairs; on the held-out pairs 0.3 would have been perfect
        train = ([0.9, 0.1], [True, False])
        assert measures.pair_accuracy([0.4, 0.2], [True, False], *train) == 0.5

    def test_threshold_stands_in_the_middle_of_the_widest_gap(self):
        assert measures.best_threshold([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0]) == pytest.approx(0.5)

    def test_threshold_may_call_everything_similar_or_nothing(self):
        assert measures.best_threshold([0.1, 0.2, 0.5, 0.6], [1, 1, 0, 1]) <= 0.1
        assert measures.best_threshold([0.5, 0.6, 0.8, 0.9], [0, 1, 0, 0]) > 0.9

    def test_equal_cosines_are_not_parted(self):
        # parting the four at 0.5 would leave one error, but no threshold can; 0.8 leaves two
        scores, similar = [0.5, 0.5, 0.5, 0.5, 0.7, 0.9], [0, 0, 1, 1, 0, 1]
        assert measures.best_threshold(scores, similar) == pytest.approx(0.8)
        assert measures.best_threshold([0.5, 0.5, 0.5], [0, 1, 0]) > 0.5  # none similar: one error

    def test_of_equally_good_thresholds_the_widest_gap_wins(self):
        assert measures.best_threshold([0.1, 0.2, 0.3, 0.9], [0, 1, 0, 1]) == pytest.approx(0.6)

    @pytest.mark.parametrize("train", [((), ()), ([0.9, 0.8], [True, True])])
    def test_without_both_training_labels_the_number_of_similar_pairs_decides(self, train):
        assert measures.pair_accuracy([0.9, 0.8, 0.3, 0.1], [1, 0, 1, 0], *train) == 0.5
        assert measures.pair_accuracy([0.9, 0.8, 0.3, 0.1], [1, 1, 0, 0], *train) == 1.0

    def test_collapsed_cosines_are_a_coin_toss(self):
        assert measures.pair_accuracy([1.0] * 4, [1, 1, 0, 0]) == 0.5
        assert measures.pair_accuracy([1.0] * 4, [1, 0, 0, 0]) == pytest.approx(0.25 * 0.25 + 0.75 * 0.75)

    def test_ties_share_what_places_are_left(self):
        # two places, one taken by 0.9, one left for the two at 0.5
        assert measures.pair_accuracy([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0]) == pytest.approx(3 / 4)

    def test_undefined(self):
        assert measures.pair_accuracy([], []) is None
        assert measures.pair_accuracy([0.3, 0.2], [True, True]) is None
        assert measures.pair_accuracy([0.9, 0.2], [True, True], [0.9, 0.1], [True, False]) == 0.5


class TestKnownAnswers:
    def test_one_point_is_collapse(self):
        z = np.tile(angles(30), (10, 1))
        assert measures.uniformity(z) == pytest.approx(0.0, abs=1e-6)
        assert measures.mean_random_cosine(z) == pytest.approx(1.0)

    def test_right_angles(self):
        assert measures.uniformity(np.eye(8)) == pytest.approx(-4.0, abs=1e-5)
        assert measures.mean_random_cosine(np.eye(8)) == pytest.approx(0.0)

    def test_opposite_points(self):
        assert measures.uniformity(angles(0, 180)) == pytest.approx(-8.0, abs=1e-5)
        assert measures.mean_random_cosine(angles(0, 180)) == pytest.approx(-1.0)

    def test_purity_of_clean_and_mixed_groups(self):
        z = angles(0, 1, 2, 90, 91, 92)
        assert measures.neighbour_purity(z, list("aaabbb")) == 1.0  # three of a kind: two neighbours asked
        assert measures.neighbour_purity(z, list("abcabc")) == 0.0

    def test_purity_passes_over_sentences_without_a_group(self):
        z = angles(0, 1, 2, 90, 91, 0.5, 90.5)
        assert measures.neighbour_purity(z, ["a", "a", "a", "b", "b", None, None]) == 1.0

    def test_purity_leaves_out_groups_of_one(self):
        assert measures.neighbour_purity(angles(0, 1, 90), ["a", "a", "b"]) == 1.0
        assert measures.neighbour_purity(angles(0, 1, 90), ["a", "b", "c"]) is None

    def test_embeddings_are_not_changed(self):
        z = cloud(1)
        before = z.copy()
        z.flags.writeable = False
        measure(z, sentences(["a", "b"] * 30), [Pair("s0", "s1", 1.0)])
        np.testing.assert_array_equal(z, before)


class TestUndefined:
    @pytest.mark.parametrize("n", [0, 1])
    def test_too_few_rows(self, n):
        z = np.ones((n, 4))
        assert measures.uniformity(z) is None and measures.mean_random_cosine(z) is None
        assert measures.neighbour_purity(z, ["a"] * n) is None
        assert measure(z, sentences([None] * n), []) == Metrics()

    def test_one_label_only(self):
        assert measures.auc([0.1, 0.9], [True, True]) is None
        assert measures.auc([], []) is None
        assert measures.alignment([]) is None
        assert measures.spearman([1, 1, 1], [1, 2, 3]) is None

    def test_no_direction(self):
        assert measures.mean_random_cosine(np.zeros((3, 2))) == 0.0

    def test_purity_needs_two_groups(self):
        assert measures.neighbour_purity(angles(0, 1, 2), ["a", "a", "a"]) is None
        assert measures.neighbour_purity(angles(0, 1, 2), [None] * 3) is None


class TestMeasure:
    def test_each_field_is_its_function(self):
        z, group = cloud(3), [str(i % 4) for i in range(60)]
        generator = np.random.default_rng(3)
        rows = generator.integers(0, 60, (80, 2))
        pairs = [Pair(f"s{a}", f"s{b}", float(a % 3 == b % 3)) for a, b in rows]
        train, held_out = pairs[:40], pairs[40:]
        cosines, similar = pair_cosines(z, rows), np.array([p.is_similar for p in pairs])
        assert similar[:40].any() and similar[40:].any()
        result = measure(z, sentences(group), held_out, train)
        expected = Metrics(
            measures.pair_accuracy(cosines[40:], similar[40:], cosines[:40], similar[:40]),
            measures.auc(cosines[40:], similar[40:]),
            measures.alignment(cosines[40:][similar[40:]]),
            measures.uniformity(z),
            measures.mean_random_cosine(z),
            measures.neighbour_purity(z, group),
        )
        assert astuple(result) == pytest.approx(astuple(expected), abs=1e-6)
        reversed_train = [Pair(p.left, p.right, 1.0 - p.label) for p in train]  # asks for a useless threshold
        assert measure(z, sentences(group), held_out, reversed_train).held_out_accuracy < 0.6

    def test_rows_must_match(self):
        with pytest.raises(AssertionError, match="3 embeddings for 2 sentences"):
            measure(np.eye(3), sentences(["a", "b"]), [])


class TestTable:
    def test_explains_every_measure_of_a_snapshot(self):
        names = [field.name for field in fields(Metrics)]
        assert list(METRICS) == names

    @pytest.mark.parametrize("key", METRICS)
    def test_rows_are_complete(self, key):
        row = METRICS[key]
        assert row.key == key and row.title and row.source and row.meaning.endswith(".")
        assert row.text(None) == "–" and row.text(0.5) in {"0.500", "50%", "50.0%", "0.5"}
        assert row.high is None or row.low < row.high

    def test_shown_values_lie_in_their_range(self):
        result = measure(
            cloud(1), sentences(["a", "b", "c"] * 20), [Pair("s0", "s3", 1.0), Pair("s0", "s1", 0.0)]
        )
        for field in fields(Metrics):
            value, row = getattr(result, field.name), METRICS[field.name]
            assert math.isfinite(value) and row.low <= value <= row.high

    def test_loads_neither_torch_nor_scikit_learn(self):
        code = (
            "import sys, core.metrics.measures; "
            "sys.exit(bool({'torch', 'sklearn', 'scipy'} & set(sys.modules)))"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
