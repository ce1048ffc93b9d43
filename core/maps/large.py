"""A map of tens of thousands of texts: a sample within seconds, then all, which begin where it stands.

umap-learn's own sampled layout on exact neighbours; the equilibrium layout compares all points with all at
every step, which takes too long for so many.
"""

from __future__ import annotations

import numpy as np

from ..types import FloatArray, IntArray
from ..vectors import SAME, highest, unit_rows
from . import pca as linear
from .layouts import LayoutSettings
from .placing import place

MOST, SAMPLE = 20_000, 1_000  # points; the browser draws so many without stopping
EPOCHS = 200  # of umap-learn's descent
BLOCK = 512  # rows compared with all at once


def drawn_rows(count: int, most: int = MOST, seed: int = 0) -> IntArray:
    """Which of `count` texts a map shows: all, or so many at random, in their order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False)).astype(np.int64)


def preview(
    file: str, rows: IntArray, sample: int = SAMPLE, settings: LayoutSettings | None = None
) -> tuple[IntArray, FloatArray]:
    """A map of some of the rows of vectors (n, d) in an .npy file: which places in `rows`, (m,), and xy
    (m, 2) with zero mean and a root mean square distance of 1 from it."""
    settings = settings or LayoutSettings()
    chosen = drawn_rows(len(rows), sample, settings.seed)
    z = unit_rows(np.load(file, mmap_mode="r")[rows[chosen]])
    initial = linear.centred_units(z) @ linear.axes_of_rows([z], 2)
    return chosen, _layout(z, initial, settings)


def whole(
    file: str, rows: IntArray, sample: int = SAMPLE, settings: LayoutSettings | None = None
) -> FloatArray:
    """The map of all the rows, xy (n, 2): each begins at its neighbours in the preview and moves on."""
    settings = settings or LayoutSettings()
    chosen, known = preview(file, rows, sample, settings)
    if len(chosen) == len(rows):
        return known
    z = unit_rows(np.load(file, mmap_mode="r")[rows])
    initial = np.vstack([place(z[chosen], known, z[i : i + BLOCK]) for i in range(0, len(z), BLOCK)])
    return _layout(z, initial.astype(np.float64), settings)


def neighbours(z: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Every unit vector's k nearest (n, k), itself the first, and their cosine distances: exact."""
    n = len(z)
    k = min(k, n)
    indices, lengths = np.empty((n, k), np.int64), np.empty((n, k), np.float32)
    for first in range(0, n, BLOCK):
        cosines = z[first : first + BLOCK] @ z.T  # (block, n)
        own = np.arange(len(cosines))
        cosines[own, first + own] = 2.0  # before its copies
        found = highest(cosines, k)
        distances = np.maximum(1 - np.take_along_axis(cosines, found, axis=1), 0)
        distances[distances < SAME] = 0
        indices[first : first + BLOCK], lengths[first : first + BLOCK] = found, distances
    return indices, lengths


def _layout(z: FloatArray, initial: np.ndarray, settings: LayoutSettings) -> FloatArray:
    if len(z) < 4 or float(np.ptp(initial, axis=0).max()) <= SAME:
        xy = initial - initial.mean(axis=0) if len(z) else initial
    else:
        from . import equilibrium

        graph = equilibrium.graph_of(*neighbours(z, settings.neighbours))
        xy = equilibrium.umap_layout(graph, initial, settings.seed, EPOCHS)
        xy = equilibrium.turned_to(xy, initial - initial.mean(axis=0))
    size = float(np.sqrt((xy**2).sum(axis=1).mean())) if len(xy) else 0.0
    return (xy / size if size > SAME else xy).astype(np.float32)
