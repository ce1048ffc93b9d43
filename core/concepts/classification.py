"""Classification on frozen embeddings: a split, two classifiers, a learning curve, prototypes. Plain arrays.

scikit-learn is imported inside the functions that fit, so that a page paints before it loads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..retrieval import collection, embedding_run
from ..retrieval.collection import TextCollection
from ..types import FloatArray, InputError, IntArray, Pair, SentenceSet
from ..vectors import centroids, cosine_matrix, label_codes

SIZES = (2, 4, 8, 16, 32, 64)  # labelled sentences a class
DRAWS = 10  # random choices of the labelled sentences for one point of the curve
TEST_SHARE = 0.34
FEWEST = 3  # sentences a class needs: two to learn from, one to test on
MOST_CLASSES = 20
MOST_TESTED = 5_000  # sentences; of more, accuracy would only be known to less than a percent more closely
MANY, ROUGHLY = 20_000, 1e-3  # so many to learn from, and the tolerance that is enough then
DISTANCES_MB = 64  # of nearest neighbours' distances at once; by default it is a gigabyte
METHODS = {"logistic": "Logistic regression", "knn": "Nearest neighbours"}
INVERSE_PENALTY = 10.0  # unit vectors are short: scikit-learn's default of 1 holds the weights back

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Labelled:
    """Sentences with one class each. `codes` (n,) are rows of `classes`."""

    texts: Sequence[str]
    ids: tuple[str, ...]  # () for those of a collection
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
    codes = label_codes([label for _, label in kept])
    return checked(Labelled(tuple(s.text for s, _ in kept), tuple(s.id for s, _ in kept), codes, classes))


def of_collection(found: TextCollection) -> Labelled:
    """Its texts, read as they are asked for, and their classes. Raises InputError as `checked`."""
    return checked(Labelled(found.texts, (), found.codes, found.classes))


def checked(found: Labelled) -> Labelled:
    """The same. Raises InputError for fewer than two classes, for too many, or too small ones."""
    classes = found.classes
    if len(classes) < 2:
        raise InputError(
            "There is nothing to tell apart: name at least two classes, as in: weather | It rains."
        )
    if len(classes) > MOST_CLASSES:
        raise InputError(f"There are {len(classes)} classes; at most {MOST_CLASSES} can be shown.")
    least = int(found.counts.argmin())
    if found.counts[least] < FEWEST:
        raise InputError(
            f"The class {classes[least]!r} has {found.counts[least]} sentences; {FEWEST} are needed: two to "
            "learn from and one to test on."
        )
    return found


def split(codes: IntArray, seed: int, share: float = TEST_SHARE) -> Split:
    """A third of every class is tested on (one at least), two sentences at least are learned from. In all
    about MOST_TESTED are tested on at most."""
    rng, share = np.random.default_rng(seed), min(share, MOST_TESTED / max(1, len(codes)))
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

        # At 95,000 texts: 0.440 of them right after 2.6 s, 0.443 after 9 s with the usual tolerance.
        tolerance = {"tol": ROUGHLY} if len(known) > MANY else {}
        model = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000, **tolerance)
    from sklearn import config_context

    with config_context(working_memory=DISTANCES_MB):
        model.fit(known, codes)
        shares = np.asarray(model.predict_proba(new), np.float32)
    return shares.argmax(axis=1).astype(np.int64), shares


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


# ---- what the views show, from vectors (n, d), codes (n,) and a split --------------------------------


def compute(
    function: Callable[Concatenate[FloatArray, IntArray, Split, P], R],
    folder: str,
    base_model: str,
    seed: int,
    *args: P.args,
    **more: P.kwargs,
) -> R:
    """`function(z, codes, parts, ...)`, one of those below, of a collection whose vectors are in their file;
    called in a worker."""
    codes = collection.opened(folder).codes
    z = embedding_run.vectors(folder, base_model)
    return function(z, codes, split(codes, seed), *args, **more)


def curve(
    z: FloatArray, codes: IntArray, parts: Split, method: str, k: int, seed: int
) -> tuple[CurvePoint, ...]:
    return learning_curve(method, z, codes, parts, k, seed)


def tested(z: FloatArray, codes: IntArray, parts: Split, method: str, k: int) -> tuple[IntArray, FloatArray]:
    """`predict` of the test rows, learned from all others."""
    return predict(method, z[parts.train], codes[parts.train], z[parts.test], k)


def own(z: FloatArray, codes: IntArray, parts: Split, k: int, new: FloatArray) -> dict[str, FloatArray]:
    """What both methods say of one more vector (1, d), learned from all rows, and its cosine with each
    prototype: name -> (c,)."""
    found = {name: predict(key, z, codes, new, k)[1][0] for key, name in METHODS.items()}
    return found | {"Cosine to prototype": nearest(new, prototypes(z, codes))[1][0]}


def by_prototypes(
    z: FloatArray, codes: IntArray, parts: Split
) -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """The prototypes (c, d) of the rows learned from, the nearest one of every test row and the cosines with
    all, and for each class the row that is most typical of it."""
    known = z[parts.train]
    means = prototypes(known, codes[parts.train])
    found, cosines = nearest(z[parts.test], means)
    return means, found, cosines, parts.train[np.argmax(means @ known.T, axis=1)]


def described(z: FloatArray, codes: IntArray, parts: Split, words: FloatArray) -> tuple[IntArray, FloatArray]:
    """`nearest` of the test rows, with the vectors (c, d) of what describes the classes."""
    return nearest(z[parts.test], words)


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
