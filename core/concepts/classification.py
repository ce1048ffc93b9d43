"""Classification on frozen embeddings: a split, two classifiers, a learning curve, prototypes. Plain arrays.

scikit-learn is imported inside the functions that fit, so that a page paints before it loads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, InputError, IntArray, Pair, SentenceSet
from ..vectors import centroids, cosine_matrix, label_codes

SIZES = (2, 4, 8, 16, 32, 64)  # labelled sentences a class
DRAWS = 10  # random choices of the labelled sentences for one point of the curve
TEST_SHARE = 0.34
FEWEST = 3  # sentences a class needs: two to learn from, one to test on
MOST_CLASSES = 20
METHODS = {"logistic": "Logistic regression", "knn": "Nearest neighbours"}
INVERSE_PENALTY = 10.0  # unit vectors are short: scikit-learn's default of 1 holds the weights back


@dataclass(frozen=True, slots=True)
class Labelled:
    """Sentences with one class each. `codes` (n,) are rows of `classes`."""

    texts: tuple[str, ...]
    ids: tuple[str, ...]
    codes: IntArray
    classes: tuple[str, ...]

    @property
    def counts(self) -> IntArray:
        return np.bincount(self.codes, minlength=len(self.classes))


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to learn from and rows to test on; no row is in both."""

    train: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Accuracy with so many labelled sentences a class: mean, lowest and highest of the draws."""

    per_class: int
    mean: float
    low: float
    high: float


def labelled(sentence_set: SentenceSet, labels: Sequence[str | None]) -> Labelled:
    """The sentences that have a label. Raises InputError for fewer than two classes, or too small ones."""
    kept = [(s, label) for s, label in zip(sentence_set.sentences, labels) if label is not None]
    classes = tuple(dict.fromkeys(label for _, label in kept))
    if len(classes) < 2:
        raise InputError(
            "There is nothing to tell apart: name at least two classes, as in: weather | It rains."
        )
    if len(classes) > MOST_CLASSES:
        raise InputError(f"There are {len(classes)} classes; at most {MOST_CLASSES} can be shown.")
    codes = label_codes([label for _, label in kept])
    found = Labelled(tuple(s.text for s, _ in kept), tuple(s.id for s, _ in kept), codes, classes)
    least = int(found.counts.argmin())
    if found.counts[least] < FEWEST:
        raise InputError(
            f"The class {classes[least]!r} has {found.counts[least]} sentences; {FEWEST} are needed: two to "
            "learn from and one to test on."
        )
    return found


def split(codes: IntArray, seed: int, share: float = TEST_SHARE) -> Split:
    """A third of every class is tested on (one at least), two sentences at least are learned from."""
    rng = np.random.default_rng(seed)
    train, test = [], []
    for code in range(int(codes.max()) + 1):
        rows = rng.permutation(np.flatnonzero(codes == code))
        take = min(max(1, round(share * len(rows))), len(rows) - 2)
        test.append(rows[:take])
        train.append(rows[take:])
    return Split(np.sort(np.concatenate(train)), np.sort(np.concatenate(test)))


def predict(
    method: str, known: FloatArray, codes: IntArray, new: FloatArray, k: int = 5
) -> tuple[IntArray, FloatArray]:
    """Class of each new row (m,), and how much speaks for every class (m, c), rows summing to 1.

    "logistic" is multinomial logistic regression, and gives probabilities; "knn" lets the k nearest known
    rows by cosine vote (fewer where fewer are known), and gives shares of the vote. Every class must occur.
    """
    model: Any
    if method == "knn":
        from sklearn.neighbors import KNeighborsClassifier

        model = KNeighborsClassifier(min(k, len(known)), metric="cosine")
    else:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000)
    model.fit(known, codes)
    shares = model.predict_proba(new)
    return np.asarray(model.predict(new), np.int64), np.asarray(shares, np.float32)


def accuracy(truth: IntArray, predicted: IntArray) -> float:
    """Share told right, in [0, 1]."""
    return float(np.mean(truth == predicted))


def held_out_accuracy(method: str, z: FloatArray, codes: IntArray, parts: Split, k: int = 5) -> float:
    """Accuracy on the test rows after learning from all training rows."""
    guess, _ = predict(method, z[parts.train], codes[parts.train], z[parts.test], k)
    return accuracy(codes[parts.test], guess)


def draw(codes: IntArray, rows: IntArray, per_class: int, seed: Sequence[int]) -> IntArray:
    """`per_class` of the given rows of each class, at random."""
    rng = np.random.default_rng(list(seed))
    members = [rows[codes[rows] == code] for code in range(int(codes.max()) + 1)]
    return np.concatenate([rng.choice(found, per_class, replace=False) for found in members])


def learning_curve(
    method: str, z: FloatArray, codes: IntArray, parts: Split, k: int = 5, seed: int = 7, draws: int = DRAWS
) -> tuple[CurvePoint, ...]:
    """Accuracy on the same test rows for every size of SIZES that all classes can give."""
    most = int(np.bincount(codes[parts.train]).min())
    points = []
    for size in (s for s in SIZES if s <= most):
        found = []
        for number in range(draws):
            rows = draw(codes, parts.train, size, (seed, size, number))
            # More voters than a class has sentences would only bring in the other classes.
            guess, _ = predict(method, z[rows], codes[rows], z[parts.test], min(k, size))
            found.append(accuracy(codes[parts.test], guess))
        points.append(CurvePoint(size, float(np.mean(found)), min(found), max(found)))
    return tuple(points)


def confusion(truth: IntArray, predicted: IntArray, classes: int) -> IntArray:
    """How many of class i (row) were taken for class j (column), (c, c)."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (truth, predicted), 1)
    return table


def prototypes(z: FloatArray, codes: IntArray) -> FloatArray:
    """The mean vector of every class, scaled to length 1, (c, d).

    Snell, Swersky & Zemel 2017, "Prototypical networks for few-shot learning", with cosine similarity.
    """
    return centroids(z, codes)


def nearest(z: FloatArray, class_vectors: FloatArray) -> tuple[IntArray, FloatArray]:
    """The class whose vector has the highest cosine with each row (m,), and all cosines (m, c)."""
    cosines = cosine_matrix(z, class_vectors)
    return cosines.argmax(axis=1).astype(np.int64), cosines


def majority_baseline(codes: IntArray) -> float:
    """Accuracy of always naming the largest class."""
    return float(np.bincount(codes).max() / len(codes))


def split_of_pairs(ids: Sequence[str], codes: IntArray, pairs: Sequence[Pair]) -> Split:
    """Rows that a run was trained on, and the others to test on.

    Raises InputError when some class has none left to test on, or none to learn from.
    """
    used = {i for pair in pairs for i in (pair.left, pair.right)}
    trained: NDArray[np.bool_] = np.array([i in used for i in ids], bool)
    classes = np.arange(int(codes.max()) + 1)
    enough = all(np.isin(classes, codes[part]).all() for part in (trained, ~trained))
    if not enough:
        raise InputError(
            "This run has trained on every sentence of some class, so none is left to test on fairly. Train "
            "a quick one here, or hold out sentences in Train live."
        )
    return Split(np.flatnonzero(trained), np.flatnonzero(~trained))
