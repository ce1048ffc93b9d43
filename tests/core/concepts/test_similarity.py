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
from core.types import InputError
from core.vectors import cosine_matrix

Z = np.random.default_rng(5).normal(size=(14, 24)).astype(np.float32)


def test_dot_products():
    np.testing.assert_allclose(sim.dot(Z), Z @ Z.T, atol=1e-5)


@given(some.integers(0, 10_000), some.integers(3, 20))
def test_at_length_one_all_measures_give_the_same_places(seed, n):
    z = np.random.default_rng(seed).normal(size=(n, 12)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    found = [sim.places(z, 0, key) for key in sim.MEASURES]
    assert sorted(found[0].tolist()) == list(range(n))
    # A near tie may be parted by rounding, so what counts is that the cosines in each order fall.
    for order in found:
        cosines = cosine_matrix(z)[0, np.argsort(order)[1:]]
        assert (np.diff(cosines) <= 2e-5).all()


def test_stretching_moves_a_sentence_under_dot_and_distance_but_not_under_cosine():
    z = np.array([[1, 0], [0.9, 0.1], [0.5, 0.5], [0, 1]], np.float32)
    longer = sim.stretched(z, 2, 10)
    assert z[2, 0] == 0.5  # a copy
    assert sim.places(longer, 0, "cosine").tolist() == sim.places(z, 0, "cosine").tolist() == [0, 1, 2, 3]
    assert sim.places(longer, 0, "dot").tolist() == [0, 2, 1, 3]
    assert sim.places(longer, 0, "euclidean").tolist() == [0, 1, 3, 2]


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
    z = sim.pooled(texts)
    lengths = np.linalg.norm(z, axis=1)
    assert np.ptp(lengths) > 0.1
    np.testing.assert_allclose(z / lengths[:, None], registry.load("minilm-l6").encode(texts), atol=1e-5)


def test_a_triple_is_wrong_when_the_alike_one_is_at_least_as_close():
    triples = tuple(sim.Triple("a", "b", "c", kind) for kind in ("x", "x", "y"))
    judged = sim.Judged(triples, np.array([0.9, 0.5, 0.7]), np.array([0.8, 0.5, 0.9]))
    assert judged.wrong.tolist() == [False, True, True]
    assert judged.share_wrong() == {"x": (1, 2), "y": (1, 1)}


def test_judging_is_the_models_cosine():
    triple = sim.Triple("The cat sleeps.", "A cat is asleep.", "The cat does not sleep.")
    judged = sim.judge((triple,))
    z = registry.load("minilm-l6").encode([triple.sentence, triple.same, triple.different])
    assert judged.same[0] == pytest.approx(float(z[0] @ z[1]), abs=1e-5)
    assert judged.different[0] == pytest.approx(float(z[0] @ z[2]), abs=1e-5)


def test_built_in_lists_are_whole_and_no_text_stands_twice():
    found = sim.challenge_sets()
    assert len(found) >= 6 and {"negation", "numbers", "word_order"} <= {p.key for p in found}
    for one in found:
        assert len(one.triples) == 8 and one.why and one.source
        assert all(len({t.sentence, t.same, t.different}) == 3 for t in one.triples)
    sentences = [t.sentence for p in found for t in p.triples]
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title = ", "not valid TOML"),
        ('title = "x"', "has no 'triples'"),
        ('title="x"\norder=1\nwhy="w"\nsource="s"\ntriples=[["a","b"]]', "row 1"),
    ],
)
def test_a_bad_list_is_named(tmp_path, content, message):
    (tmp_path / "bad.toml").write_text(content)
    with pytest.raises(InputError, match=message) as raised:
        sim.challenge_sets(tmp_path)
    assert "bad.toml" in str(raised.value)


def test_typed_triples():
    found = sim.parse_triples("a | b | c\n\n  one \\| two | x | y\n")
    assert [(t.sentence, t.same, t.different) for t in found] == [("a", "b", "c"), ("one | two", "x", "y")]
    assert sim.parse_triples(" \n") == ()
    with pytest.raises(InputError, match="Line 2 has 2 of the three"):
        sim.parse_triples("a | b | c\na | b")
    with pytest.raises(InputError, match="Line 1"):
        sim.parse_triples("a | b | c | d")
    with pytest.raises(InputError, match="at most 200"):
        sim.parse_triples("a | b | c\n" * 201)
