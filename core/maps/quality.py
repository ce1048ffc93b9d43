"""How far a map can be believed: per-point trust, and trustworthiness of the whole.

Numpy only, so that the very first picture does not wait for umap or numba to load.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, IntArray
from ..vectors import cosine_distances, nearest_others, squared_distances

TRUST_NEIGHBOURS = 10  # point_trust looks at this many neighbours
TRUSTWORTHINESS_NEIGHBOURS = 5  # the k of the frame's one number
CHUNK = 2**24  # comparisons held in memory at once by `neighbour_ranks`

Points = NDArray[np.float64]


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
    a, b = nearest_others(true, k), nearest_others(drawn, k)
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
    ranks = neighbour_ranks(true, nearest_others(drawn, k))
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
