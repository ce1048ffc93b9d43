"""How far a map can be believed: cosine distances, neighbours, per-point trust and trustworthiness.

Numpy only, so that the very first picture does not wait for umap or numba to load.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, IntArray

TRUST_NEIGHBOURS = 10  # point_trust looks at this many neighbours
TRUSTWORTHINESS_NEIGHBOURS = 5  # the k of the frame's one number
SAME = 1e-6  # cosine distances below this are float32 rounding: the two texts are the same to the model
CHUNK = 2**24  # comparisons held in memory at once by `neighbour_ranks`

Points = NDArray[np.float64]


def unit_rows(embeddings: NDArray) -> FloatArray:
    """Rows at unit length, (n, d) float32. A row of zeros has no direction and stays zero."""
    x = np.asarray(embeddings, np.float32)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, length, out=np.zeros_like(x), where=length > 0)


def cosine_distances(embeddings: NDArray) -> FloatArray:
    """1 - cosine of every two rows, (n, n) float32 in [0, 2], exactly 0 where the rows agree to rounding."""
    x = unit_rows(embeddings)
    distances = 1 - x @ x.T
    distances[distances < SAME] = 0
    np.fill_diagonal(distances, 0)
    return distances


def squared_distances(xy: NDArray) -> Points:
    """Squared Euclidean distance of every two points of a map, (n, n) float64."""
    points = np.asarray(xy, np.float64)
    total = np.zeros((len(points), len(points)))
    for axis in points.T:
        total += (axis[:, None] - axis[None, :]) ** 2
    return total


def nearest(distances: NDArray, k: int) -> IntArray:
    """The k nearest others of every row, nearest first, (n, k). Equal distances go by row number."""
    n = len(distances)
    k = min(k, n - 1)
    if k <= 0:
        return np.zeros((n, 0), np.int64)
    own = distances.copy()
    np.fill_diagonal(own, np.inf)
    # All rows up to the k-th smallest distance, then ties by row number: argpartition alone would pick
    # among equal distances at whim and duplicates would change neighbours from frame to frame.
    kth = np.partition(own, k - 1, axis=1)[:, k - 1 : k]
    closer = own < kth
    room = k - closer.sum(axis=1, keepdims=True)
    tied = own == kth
    chosen = closer | (tied & (np.cumsum(tied, axis=1) <= room))
    rows = np.nonzero(chosen)[1].reshape(n, k)  # ascending row numbers, so a stable sort keeps the tie rule
    order = np.argsort(np.take_along_axis(own, rows, axis=1), axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1)


def point_trust(embeddings: NDArray, xy: NDArray, k: int = TRUST_NEIGHBOURS) -> FloatArray:
    """Share of each point's k true nearest neighbours that are among its k nearest on the map.

    embeddings (n, d) compared by cosine, xy (n, 2 or 3) by Euclidean distance; returns (n,) float32 in
    [0, 1]. k is lowered to n - 1 where there are fewer others; a lone point has nothing to get wrong: 1.
    This is the per-point form of "neighbourhood preservation" (Venna & Kaski 2001 call its loss continuity
    and trustworthiness, by the direction of the error).
    """
    return trust_from_distances(cosine_distances(embeddings), squared_distances(xy), k)


def trust_from_distances(true: NDArray, drawn: NDArray, k: int = TRUST_NEIGHBOURS) -> FloatArray:
    """`point_trust` on distance matrices that are there already, both (n, n)."""
    a, b = nearest(true, k), nearest(drawn, k)
    if a.shape[1] == 0:
        return np.ones(len(true), np.float32)
    member = np.zeros(true.shape, bool)
    np.put_along_axis(member, a, True, axis=1)
    return np.take_along_axis(member, b, axis=1).mean(axis=1).astype(np.float32)


def trustworthiness(embeddings: NDArray, xy: NDArray, k: int = TRUSTWORTHINESS_NEIGHBOURS) -> float | None:
    """Do neighbours on the map really belong together? 1 is perfect (Venna & Kaski 2001).

    Equals sklearn.manifold.trustworthiness(metric="cosine") where no distances tie. k is lowered to the
    largest value below n / 2, as the measure demands; None for fewer than three points.
    """
    return trustworthiness_from_distances(cosine_distances(embeddings), squared_distances(xy), k)


def trustworthiness_from_distances(
    true: NDArray, drawn: NDArray, k: int = TRUSTWORTHINESS_NEIGHBOURS
) -> float | None:
    """`trustworthiness` on distance matrices that are there already, both (n, n)."""
    n = len(true)
    k = min(k, (n - 1) // 2)
    if k < 1:
        return None
    ranks = neighbour_ranks(true, nearest(drawn, k))
    penalty = float(np.maximum(ranks - k, 0).sum())
    return 1.0 - penalty * 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0))


def neighbour_ranks(distances: NDArray, neighbours: IntArray) -> IntArray:
    """Rank (1 = nearest) by `distances` (n, n) of each listed neighbour (n, k), counted among all others."""
    n, k = neighbours.shape
    own = distances.copy()
    np.fill_diagonal(own, np.inf)
    ranks = np.empty((n, k), np.int64)
    rows = max(1, CHUNK // max(1, n * k))
    for low in range(0, n, rows):
        part = own[low : low + rows]
        limit = np.take_along_axis(part, neighbours[low : low + rows], axis=1)
        for column in range(k):  # a loop over k keeps the temporary at (rows, n)
            ranks[low : low + rows, column] = 1 + np.count_nonzero(
                part < limit[:, column : column + 1], axis=1
            )
    return ranks
