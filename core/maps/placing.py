"""New points on a map that stands: a weighted mean of their neighbours; nothing else moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray
from ..vectors import SAME, unit_rows

PLACE_NEIGHBOURS = 10


def place(reference: NDArray, xy: NDArray, new: NDArray, k: int = PLACE_NEIGHBOURS) -> FloatArray:
    """Put new points on a map that stands. reference (n, d) drawn at xy (n, dims); new (m, d) -> (m, dims).

    Each point goes to the mean of its k nearest reference points by cosine, weighted as in UMAP's graph:
    exp(-(distance - nearest) / mean excess). A text that is on the map already lands on its point. A
    new point can never leave the ground its neighbours span: one that is like nothing there still lands
    among the least unlike, so show its nearest cosine beside it. An empty map gives zeros.
    """
    old, fresh, base = unit_rows(reference), unit_rows(new), np.asarray(xy, np.float64)
    k = min(k, len(old))
    if k == 0 or len(fresh) == 0:
        return np.zeros((len(fresh), base.shape[1]), np.float32)
    distances = np.maximum(1 - fresh @ old.T, 0)  # (m, n)
    chosen = np.argsort(distances, axis=1, kind="stable")[:, :k]
    excess = np.take_along_axis(distances, chosen, axis=1).astype(np.float64)
    same = excess < SAME
    excess -= excess[:, :1]
    scale = np.maximum(excess.mean(axis=1, keepdims=True), SAME)
    weights = np.where(same[:, :1], same, np.exp(-excess / scale))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("mk,mkd->md", weights, base[chosen]).astype(np.float32)
