"""The measures against scikit-learn and scipy, the orders they give, and the built-in and typed triples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from core.concepts import similarity as sim
from core.models import registry
from core.models.embedding import embed
from core.vectors import cosine_matrix

Z = np.random.default_rng(5).normal(size=(14, 24)).astype(np.float32)


def test_dot_products():
    np.testing.assert_allclose(sim.dot(Z), Z @ Z.T, atol=1e-5)


@given(some.integers(0, 10_000), some.integers(3, 20))
def test_at_length_one_all_measures_give_the_same_places(seed, n):
    z = np.random.default_rng(seed).normal(size=(n, 12)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    found = [sim.ranks(z, 0, key) for key in sim.MEASURES]
    assert sorted(found[0].tolist()) == list(range(n))
    # A near tie may be parted by rounding, so what counts is that the cosines in each order fall.
    for order in found:
        cosines = cosine_matrix(z)[0, np.argsort(order)[1:]]
        assert (np.diff(cosines) <= 2e-5).all()


def test_stretching_moves_a_sentence_under_dot_and_distance_but_not_under_cosine():
    z = np.array([[1, 0], [0.9, 0.1], [0.5, 0.5], [0, 1]], np.float32)
    longer = sim.stretched(z, 2, 10)
    assert z[2, 0] == 0.5  # a copy
    assert sim.ranks(longer, 0, "cosine").tolist() == sim.ranks(z, 0, "cosine").tolist() == [0, 1, 2, 3]
    assert sim.ranks(longer, 0, "dot").tolist() == [0, 2, 1, 3]
    assert sim.ranks(longer, 0, "euclidean").tolist() == [0, 1, 3, 2]


@pytest.mark.parametrize("count", [1, 2, 4, 14])
def test_clusters_are_scikit_learns_and_stand_together(count):
    found = sim.clusters(Z, count)
    assert sorted(found.leaves.tolist()) == list(range(14))
    reference = AgglomerativeClustering(n_clusters=count, metric="cosine", linkage="average").fit(Z)
    assert adjusted_rand_score(reference.labels_, found.labels) == 1
    along = found.labels[found.leaves]
    assert (np.diff(along) >= 0).all() and along[0] == 0 and along[-1] == count - 1


def test_pooled_vectors_scaled_to_one_are_the_models():
    texts = ["A dog barks.", "Hi", "Share prices fell on Monday after a quiet week."]
    z = embed("minilm-l6", 0, "mean", texts, normalize=False)
    lengths = np.linalg.norm(z, axis=1)
    assert np.ptp(lengths) > 0.1
    np.testing.assert_allclose(z / lengths[:, None], registry.load("minilm-l6").encode(texts), atol=1e-5)
