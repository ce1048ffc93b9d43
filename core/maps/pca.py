"""PCA: the map that is a shadow. Fast, exact for three sentences or fewer, and honest about distances.

Numpy only; it also stands in for the neighbour maps until umap-learn has been loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..vectors import unit_rows
from .quality import Points

KEPT_ROWS = 64  # 100 kB of 384 dimensions, where the scatter itself would be 1.2 MB at every step kept


def centred_units(embeddings: NDArray) -> Points:
    """Unit rows minus their mean, (n, d) float64: what the axes are fitted to and what they project."""
    x = unit_rows(embeddings).astype(np.float64)
    return x - x.mean(axis=0) if len(x) else x


def variances(rows: NDArray) -> Points:
    """Variances of rows (n, d) along their principal axes, largest first, (min(n, d),), up to one factor."""
    return np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False).astype(np.float64) ** 2


def scatter(embeddings: NDArray) -> Points:
    """X'X of the centred rows, (d, d). Sums of these over frames give the axes of all frames together."""
    x = centred_units(embeddings)
    return x.T @ x


def spread(embeddings: NDArray, before: NDArray | None = None) -> Points:
    """Rows (r, d) float32 whose X'X is the scatter of this frame and those that `before` stands for: what a
    live map keeps of all its frames. Of more than KEPT_ROWS the directions of largest spread are kept."""
    rows = centred_units(embeddings)
    rows = rows if before is None else np.vstack([before, rows])
    if len(rows) > KEPT_ROWS:
        values, vectors = np.linalg.eigh(rows.T @ rows)
        rows = np.sqrt(values.clip(0))[:, None] * vectors.T
    return rows[-KEPT_ROWS:].astype(np.float32)


def axes_of(moments: Points, dims: int) -> Points:
    """The `dims` directions of largest spread, (d, dims) orthonormal, largest first.

    The sign of an axis means nothing; it is fixed so that its largest entry is positive. Directions
    beyond the dimension of the data (d < dims) are zero.
    """
    _, vectors = np.linalg.eigh(moments)
    best = vectors[:, ::-1][:, :dims]
    sign = np.sign(best[np.argmax(np.abs(best), axis=0), np.arange(best.shape[1])])
    best = best * np.where(sign == 0, 1.0, sign)
    return np.pad(best, ((0, 0), (0, dims - best.shape[1])))


def axes_of_rows(embeddings: Sequence[NDArray], dims: int) -> Points:
    """`axes_of` for one or a few frames by way of the smaller of the (d, d) and (n, n) problems."""
    rows = np.vstack([centred_units(e) for e in embeddings])
    n, d = rows.shape
    if n >= d:
        return axes_of(rows.T @ rows, dims)
    values, vectors = np.linalg.eigh(rows @ rows.T)
    keep = [i for i in range(n - 1, max(-1, n - 1 - dims), -1) if values[i] > 1e-12]
    best = np.zeros((d, dims))
    for column, i in enumerate(keep):
        axis = rows.T @ vectors[:, i] / np.sqrt(values[i])
        best[:, column] = axis * (1.0 if axis[np.argmax(np.abs(axis))] >= 0 else -1.0)
    return best


def aligned_axes(axes: Points, previous: Points) -> Points:
    """The same plane with its axes turned towards the previous ones (orthogonal Procrustes).

    Which two directions span the plane is a finding; how they are turned and mirrored within it is not,
    so a map may not flip or spin when two spreads change places.
    """
    u, _, vt = np.linalg.svd(axes.T @ previous)
    return axes @ (u @ vt)
