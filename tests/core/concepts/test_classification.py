"""Classification on embeddings, against scikit-learn's own measures and cases one can count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from sklearn.neighbors import KNeighborsClassifier

from core.concepts import classification
from core.types import InputError, Pair, Sentence, SentenceSet
from core.vectors import cosine_matrix


def blobs(per_class: int, classes: int = 3, spread: float = 0.35, seed: int = 1):
    rng = np.random.default_rng(seed)
    centres = np.eye(8)[:classes]
    codes = np.repeat(np.arange(classes), per_class)
    z = centres[codes] + spread * rng.standard_normal((len(codes), 8))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32), codes


def sentences(groups: list[str | None]) -> SentenceSet:
    return SentenceSet(tuple(Sentence(str(i), f"text {i}", g) for i, g in enumerate(groups)))


def test_only_labelled_sentences_count_and_small_classes_are_named() -> None:
    found = classification.labelled(sentences(["a"] * 3 + [None] + ["b"] * 3), ["a"] * 3 + [None] + ["b"] * 3)
    assert found.classes == ("a", "b") and len(found.texts) == 6 and found.counts.tolist() == [3, 3]
    with pytest.raises(InputError, match="'b' has 2 sentences"):
        classification.labelled(sentences(["a"] * 3 + ["b"] * 2), ["a"] * 3 + ["b"] * 2)
    with pytest.raises(InputError, match="at least two classes"):
        classification.labelled(sentences(["a"] * 9), ["a"] * 9)


@pytest.mark.parametrize("seed", range(5))
def test_a_split_shares_no_row_and_keeps_two_of_each_class_to_learn_from(seed: int) -> None:
    codes = np.array([0] * 3 + [1] * 12 + [2] * 5)
    parts = classification.split(codes, seed)
    assert not set(parts.train) & set(parts.test)
    assert len(parts.train) + len(parts.test) == len(codes)
    assert np.bincount(codes[parts.train]).min() >= 2 and np.bincount(codes[parts.test]).min() >= 1


def test_nearest_neighbour_is_the_row_with_the_highest_cosine() -> None:
    z, codes = blobs(20)
    parts = classification.split(codes, 3)
    nearest = cosine_matrix(z[parts.test], z[parts.train]).argmax(axis=1)
    expected = np.mean(codes[parts.train][nearest] == codes[parts.test])
    assert classification.held_out_accuracy("knn", z, codes, parts, k=1) == pytest.approx(expected)


def test_logistic_regression_learns_and_gives_probabilities() -> None:
    z, codes = blobs(20)
    guess, shares = classification.predict("logistic", z, codes, z)
    assert classification.accuracy(codes, guess) > 0.9
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5) and (shares.argmax(axis=1) == guess).all()


def test_the_curve_rises_and_stops_where_the_data_end() -> None:
    z, codes = blobs(30, spread=0.5)
    curve = classification.learning_curve("logistic", z, codes, classification.split(codes, 1), draws=6)
    assert [point.per_class for point in curve] == [2, 4, 8, 16]
    assert curve[-1].mean > curve[0].mean
    assert all(point.low <= point.mean <= point.high for point in curve)


def test_confusion_and_prototypes_agree_with_scikit_learn() -> None:
    z, codes = blobs(15)
    guess, cosines = classification.nearest(z, classification.prototypes(z, codes))
    means = np.stack([z[codes == c].mean(axis=0) for c in range(3)])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    reference = (
        KNeighborsClassifier(1).fit(unit, np.arange(3)).predict(z)
    )  # unit vectors: nearest is most similar
    assert (guess == reference).all() and cosines.shape == (45, 3)
    assert (classification.confusion(codes, guess, 3) == confusion_matrix(codes, guess)).all()
    assert classification.majority_baseline(np.array([0, 0, 0, 1])) == 0.75


def test_a_runs_own_sentences_are_never_tested_on() -> None:
    ids, codes = [str(i) for i in range(6)], np.array([0, 0, 0, 1, 1, 1])
    parts = classification.split_of_pairs(ids, codes, [Pair("0", "1", 1.0), Pair("3", "4", 1.0)])
    assert parts.train.tolist() == [0, 1, 3, 4] and parts.test.tolist() == [2, 5]
    with pytest.raises(InputError, match="none is left to test on"):
        classification.split_of_pairs(ids, codes, [Pair("0", "1", 1.0), Pair("2", "3", 1.0)])
