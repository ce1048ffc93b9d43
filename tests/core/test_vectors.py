"""Unit rows, cosines, distances and neighbours against scikit-learn, with ties, zeros and single rows too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import pairwise
from sklearn.neighbors import NearestCentroid, NearestNeighbors
from sklearn.preprocessing import normalize

from core import vectors

# Few different values, so that equal rows, opposite rows, zeros and ties come often.
coarse = some.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0])
shapes = some.tuples(some.integers(0, 12), some.just(3))
rows = shapes.flatmap(lambda shape: arrays(np.float32, shape, elements=coarse))
some_rows = some.integers(1, 12).flatmap(lambda n: arrays(np.float32, (n, 3), elements=coarse))


def cloud(seed: int, n: int = 40, d: int = 16) -> NDArray[np.float32]:
    """Rows of differing lengths, no two alike."""
    generator = np.random.default_rng(seed)
    return (generator.normal(size=(n, d)) * generator.uniform(0.2, 5.0, size=(n, 1))).astype(np.float32)


@given(some_rows)
def test_unit_rows_are_scikit_learns(z):
    np.testing.assert_allclose(vectors.unit_rows(z), normalize(z), atol=1e-6)
    np.testing.assert_allclose(vectors.unit_rows(z, np.float64), normalize(z.astype(np.float64)), atol=1e-15)


@given(rows)
def test_unit_rows_have_length_one_or_are_zeros(z):
    lengths = np.linalg.norm(vectors.unit_rows(z), axis=1)
    np.testing.assert_allclose(lengths, z.any(axis=1), atol=1e-6)


def test_unit_rows_take_short_rows_single_vectors_and_stacks_and_leave_their_input_alone():
    tiny = np.array([[3e-15, 4e-15]], np.float32)
    tiny.setflags(write=False)
    np.testing.assert_allclose(vectors.unit_rows(tiny), [[0.6, 0.8]], rtol=1e-6)
    assert vectors.unit_rows([0.0, -2.0]).tolist() == [0.0, -1.0]
    stack = cloud(0, 12, 4).reshape(3, 4, 4)
    np.testing.assert_array_equal(vectors.unit_rows(stack)[1], vectors.unit_rows(stack[1]))
    assert vectors.unit_rows(np.zeros((0, 5))).shape == (0, 5)


@given(some_rows, some_rows)
def test_cosines_are_scikit_learns(z, others):
    np.testing.assert_allclose(vectors.cosine_matrix(z), pairwise.cosine_similarity(z), atol=1e-6)
    expected = pairwise.cosine_similarity(z, others)
    found = vectors.cosine_matrix(z, others)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found).max() <= 1.0


@given(some_rows, some.data())
def test_pairs_and_rows_have_the_cosines_of_the_matrix(z, data):
    index = some.integers(0, len(z) - 1)
    pairs = np.array(data.draw(some.lists(some.tuples(index, index), max_size=8)), np.int64).reshape(-1, 2)
    expected = vectors.cosine_matrix(z)[pairs[:, 0], pairs[:, 1]]
    np.testing.assert_allclose(vectors.pair_cosines(z, pairs), expected, atol=1e-6)
    np.testing.assert_allclose(vectors.row_cosines(z[pairs[:, 0]], z[pairs[:, 1]]), expected, atol=1e-6)


def test_row_cosines_go_along_the_last_axis():
    a, b = cloud(1, 6, 4).reshape(2, 3, 4), cloud(2, 3, 4)
    found = vectors.row_cosines(a, b)  # (2, 3): b stands beside both layers of a
    np.testing.assert_allclose(found[1], vectors.row_cosines(a[1], b), atol=1e-6)
    assert float(vectors.row_cosines([1.0, 0.0], [-2.0, 0.0])) == -1.0


@given(some_rows)
def test_distances_are_scikit_learns(z):
    found = vectors.cosine_distances(z)
    zero = ~z.any(axis=1)
    expected = pairwise.cosine_distances(z)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert (found.diagonal() == 0).all() and (found >= 0).all()
    equal = (z[:, None] == z[None, :]).all(axis=2) & ~zero[:, None]
    assert (found[equal] == 0).all()  # exactly: rounding parts no copies
    euclidean = pairwise.euclidean_distances(z.astype(np.float64))
    np.testing.assert_allclose(vectors.euclidean_distances(z), euclidean, atol=1e-5)
    np.testing.assert_allclose(vectors.squared_distances(z), euclidean**2, atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_are_scikit_learns(seed):
    z = cloud(seed)
    found = NearestNeighbors(n_neighbors=7, metric="cosine").fit(z).kneighbors(return_distance=False)
    np.testing.assert_array_equal(vectors.nearest_neighbours(z, 7), found)
    np.testing.assert_array_equal(vectors.nearest_others(vectors.cosine_distances(z), 7), found)


@given(rows, some.integers(0, 14))
def test_neighbours_agree_with_a_plain_sort_ties_in_row_order(z, k):
    distances = vectors.cosine_distances(z)
    found = vectors.nearest_others(distances, k)
    assert found.shape == (len(z), max(0, min(k, len(z) - 1)))
    for i in range(len(z)):
        others = [j for j in range(len(z)) if j != i]
        assert found[i].tolist() == sorted(others, key=lambda j: (distances[i, j], j))[:k]


@given(arrays(np.float32, (4, 9), elements=coarse), some.integers(0, 9))
def test_highest_agrees_with_a_stable_sort(scores, k):
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(vectors.highest(scores, k), expected)


def test_neighbours_of_what_is_no_number_are_still_row_numbers():
    """A run whose vectors broke is measured once more before it fails."""
    broken = np.full((4, 4), np.nan, np.float32)
    assert vectors.nearest_neighbours(broken, 2).shape == (4, 2)


@given(some.integers(0, 10_000), some.integers(1, 4))
def test_centroids_are_the_directions_of_the_means(seed, classes):
    z = cloud(seed, 20)
    codes = np.arange(20) % classes
    found = vectors.centroids(z, codes)
    if classes > 1:
        units = vectors.unit_rows(z, np.float64)
        np.testing.assert_allclose(
            found, normalize(NearestCentroid().fit(units, codes).centroids_), atol=1e-6
        )
    # Rows without a class change nothing.
    more = vectors.centroids(np.vstack([z, cloud(seed + 1, 3)]), [*codes.tolist(), -1, -1, -1])
    np.testing.assert_array_equal(more, found)


def test_no_classes_have_no_centroids():
    assert vectors.centroids(cloud(0, 3), [-1, -1, -1]).shape == (0, 16)
    assert vectors.centroids(np.zeros((0, 16)), []).shape == (0, 16)


@given(some.lists(some.sampled_from(["a", "b", "", None, 7])))
def test_label_codes_count_up_in_the_order_of_first_mention(labels):
    found = vectors.label_codes(labels).tolist()
    assert [code == -1 for code in found] == [label is None for label in labels]
    order = list(dict.fromkeys(label for label in labels if label is not None))
    assert all(order[code] == label for code, label in zip(found, labels, strict=True) if code >= 0)
