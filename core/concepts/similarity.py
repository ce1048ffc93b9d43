"""Three ways to say how alike two vectors are, the orders they give, and clusters of like sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..types import FloatArray, IntArray
from ..vectors import cosine_matrix, euclidean_distances

MOST_SENTENCES = 100  # a matrix of more cannot be read


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: how to compare all rows of z (n, d), and whether a larger value means more alike."""

    key: str
    title: str
    formula: str  # LaTeX
    larger_is_closer: bool
    compute: Callable[[FloatArray], FloatArray]


def dot(z: FloatArray) -> FloatArray:
    """Dot product of every two rows, (n, n): the cosine times both lengths."""
    return z @ z.T


MEASURES: dict[str, Measure] = {
    row.key: row
    for row in (
        Measure("cosine", "Cosine", r"\cos(u, v) = \frac{u \cdot v}{|u|\,|v|}", True, cosine_matrix),
        Measure("dot", "Dot product", r"u \cdot v = \sum_i u_i v_i", True, dot),
        Measure(
            "euclidean",
            "Euclidean distance",
            r"|u - v| = \sqrt{\sum_i (u_i - v_i)^2}",
            False,
            euclidean_distances,
        ),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """`leaves` (n,): an order of the rows in which neighbours are alike. `labels` (n,) count up along it."""

    leaves: IntArray
    labels: IntArray


def stretched(z: FloatArray, row: int, factor: float) -> FloatArray:
    """A copy of z in which one vector is `factor` times as long, in the same direction."""
    longer = z.copy()
    longer[row] *= np.float32(factor)
    return longer


def ranks(z: FloatArray, anchor: int, measure: str) -> IntArray:
    """The place (1: most alike) of every row beside row `anchor` under a measure; 0 for the anchor itself.

    Values that agree to five digits share the order of the rows, so that rounding decides nothing.
    """
    row = MEASURES[measure]
    values = row.compute(z)[anchor].astype(np.float64)
    keys = np.round(-values if row.larger_is_closer else values, 5)
    others = [i for i in np.argsort(keys, kind="stable").tolist() if i != anchor]
    found = np.zeros(len(z), np.int64)
    found[others] = np.arange(1, len(z))
    return found


def clusters(z: FloatArray, count: int) -> Clusters:
    """Average linkage on cosine distance (Sokal & Michener 1958), cut into at most `count` groups.

    `leaves` is the order of the tree that puts like beside like (Bar-Joseph et al. 2001).
    """
    n = len(z)
    if n < 2:
        return Clusters(np.arange(n), np.zeros(n, np.int64))
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    distances = np.maximum(1 - cosine_matrix(z).astype(np.float64), 0)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average", optimal_ordering=True)
    leaves = leaves_list(tree).astype(np.int64)
    raw = fcluster(tree, t=max(1, count), criterion="maxclust")
    number = {label: i for i, label in enumerate(dict.fromkeys(raw[leaves].tolist()))}
    return Clusters(leaves, np.array([number[label] for label in raw.tolist()], np.int64))
