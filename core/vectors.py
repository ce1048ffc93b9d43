"""Vectors as rows of an array: unit length, cosines, distances, nearest neighbours. The one place for them.

Numpy only, so that every process may use it at once. Vectors are rows, (n, d), and answers are float32 as
models give them, unless said otherwise. A row of zeros has no direction: its cosine with anything is 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .types import FloatArray, IntArray

F = TypeVar("F", bound=np.floating[Any])

SAME = 1e-6  # cosine distances below this are float32 rounding: the two texts are the same to the model


# --- Length and direction -------------------------------------------------------------------------


@overload
def unit_rows(vectors: ArrayLike) -> FloatArray: ...


@overload
def unit_rows(vectors: ArrayLike, dtype: type[F]) -> NDArray[F]: ...


def unit_rows(vectors: ArrayLike, dtype: type[np.floating[Any]] = np.float32) -> NDArray[np.floating[Any]]:
    """Vectors along the last axis (..., d) scaled to length 1; zeros stay zeros.

    >>> unit_rows([[3, 4], [0, 0]], np.float64).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    z = np.asarray(vectors, dtype)
    lengths = np.linalg.norm(z, axis=-1, keepdims=True)
    lengths[lengths == 0] = np.inf  # 0 / inf is 0
    units: NDArray[np.floating[Any]] = z / lengths
    return units


def label_codes(labels: Sequence[Hashable | None]) -> IntArray:
    """A number for every label, (n,): 0, 1, 2 ... in the order of first mention; -1 for None.

    >>> label_codes(["b", "a", None, "b"]).tolist()
    [0, 1, -1, 0]
    """
    number: dict[Hashable, int] = {}
    found = [-1 if label is None else number.setdefault(label, len(number)) for label in labels]
    return np.array(found, np.int64)


def centroids(vectors: ArrayLike, classes: ArrayLike) -> FloatArray:
    """The direction of every class: the mean of its unit rows, scaled to length 1, (classes, d).

    `classes` (n,) are `label_codes` of the rows; rows with a negative one belong to no class.
    """
    units, of = unit_rows(vectors), np.asarray(classes, np.int64)
    means = [units[of == code].mean(axis=0) for code in range(int(of.max(initial=-1)) + 1)]
    return unit_rows(np.stack(means)) if means else units[:0]


# --- Cosines --------------------------------------------------------------------------------------


def cosine_matrix(vectors: ArrayLike, others: ArrayLike | None = None) -> FloatArray:
    """Cosine of every row with every row (n, n), or with every row of `others` (n, m); in [-1, 1]."""
    units = unit_rows(vectors)
    against = units if others is None else unit_rows(others)
    return np.clip(units @ against.T, -1.0, 1.0)


def row_cosines(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Cosine of corresponding vectors along the last axis, (..., d) and (..., d) -> (...), in [-1, 1]."""
    cosines: FloatArray = (unit_rows(first) * unit_rows(second)).sum(axis=-1)
    return np.clip(cosines, -1.0, 1.0)


def pair_cosines(vectors: ArrayLike, rows: ArrayLike) -> FloatArray:
    """Cosine of each pair of rows, `rows` (m, 2) -> (m,), in [-1, 1]."""
    units = unit_rows(vectors)
    at = np.asarray(rows, np.int64).reshape(-1, 2)
    return np.clip(np.einsum("md,md->m", units[at[:, 0]], units[at[:, 1]]), -1.0, 1.0)


# --- Distances ------------------------------------------------------------------------------------


def cosine_distances(vectors: ArrayLike) -> FloatArray:
    """1 - cosine of every two rows, (n, n) in [0, 2], exactly 0 where the rows agree to rounding (SAME)."""
    x = unit_rows(vectors)
    distances = 1 - x @ x.T
    distances[distances < SAME] = 0
    np.fill_diagonal(distances, 0)
    return distances


def euclidean_distances(vectors: ArrayLike) -> FloatArray:
    """Straight-line distance of every two rows, (n, n), 0 on the diagonal. By products: for many axes."""
    z = np.asarray(vectors, np.float64)
    squares = (z**2).sum(axis=1)
    between = np.maximum(squares[:, None] + squares[None, :] - 2 * z @ z.T, 0)
    np.fill_diagonal(between, 0)
    return np.sqrt(between).astype(np.float32)


def squared_distances(points: ArrayLike) -> NDArray[np.float64]:
    """Squared straight-line distance of every two points of a map, (n, n) float64; exact, for 2 or 3 axes."""
    xy = np.asarray(points, np.float64)
    total = np.zeros((len(xy), len(xy)))
    for axis in xy.T:
        total += (axis[:, None] - axis[None, :]) ** 2
    return total


# --- Neighbours -----------------------------------------------------------------------------------


def nearest_neighbours(vectors: ArrayLike, k: int) -> IntArray:
    """The k rows with the highest cosine to each row, itself left out, nearest first: (n, min(k, n - 1))."""
    units = unit_rows(vectors)
    return most_similar(units @ units.T, k)


def nearest_others(distances: NDArray[np.floating[Any]], k: int) -> IntArray:
    """The k others with the lowest distance (n, n) to each row, nearest first: (n, min(k, n - 1)).

    The diagonal is not read. Equal distances go by row number.
    """
    return most_similar(-distances, k)


def most_similar(similarities: NDArray[np.floating[Any]], k: int) -> IntArray:
    """As `nearest_others`, from similarities (n, n), whose diagonal is OVERWRITTEN: a copy would cost more
    than the search."""
    np.fill_diagonal(similarities, -np.inf)
    return highest(similarities, min(k, len(similarities) - 1))


def highest(scores: NDArray[np.floating[Any]], k: int) -> IntArray:
    """Columns of the k highest scores of each row, best first, (n, m) -> (n, k); equal ones in column order.

    The order of equal scores matters: a plain partition picks among them at whim, and copies of a sentence
    would change neighbours from one moment to the next.
    """
    n, m = scores.shape
    if k <= 0:
        return np.zeros((n, 0), np.int64)
    limit = np.partition(scores, m - k, axis=1)[:, m - k : m - k + 1]
    chosen = scores >= limit  # (n, m)
    rows, columns = np.nonzero(chosen)  # columns ascend, so a stable sort keeps the order of equal scores
    crowded = np.flatnonzero(np.bincount(rows, minlength=n) != k)
    if len(crowded):  # several scores stand at the limit, or some are no numbers: these rows sort in full
        chosen[crowded] = False
        chosen[crowded[:, None], np.argsort(-scores[crowded], axis=1, kind="stable")[:, :k]] = True
        columns = np.nonzero(chosen)[1]
    best = columns.reshape(n, k)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
