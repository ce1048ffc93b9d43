"""The equilibrium layout: umap-learn's neighbour graph of every frame, and a map that rolls downhill on it.

The map is moved along the exact, unsampled gradient of UMAP's effective loss (Damrich & Hamprecht 2021,
"On UMAP's true loss function", NeurIPS) from where it stood, so nothing moves unless the embeddings did.
Apart from core/maps/layouts.py because it loads numba and umap-learn (2-3 s) and compiles; import it lazily.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, IntArray
from ..vectors import nearest_others, squared_distances
from .quality import Points

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Measured with benchmarks/bench_projection.py on real snapshots (40 sentences, 31 frames) and on 200 and
# 2,000 bank questions; see that file to repeat it.
A, B = 1.0, 1.0  # UMAP's curve 1 / (1 + a d^2b), here without powers: 4x faster, and no worse on the map
NEGATIVES = 5.0  # UMAP's negative_sample_rate m: repulsion of i, j weighs (deg_i + deg_j) m / 2n
SOFTENING = 1e-3  # UMAP adds this to d^2 where repulsion would divide by zero
GRAVITY = 3e-3  # weak pull to the centre; without it separate clusters drift apart for ever
RATE = 0.1  # step length at the first step of a frame; 0.2 already oscillates
COOLEST = 0.1  # ... and the share of it that is left at the last
MOMENTUM = 0.9
LIMIT = 4.0  # longest gradient a point may follow in one step, as in UMAP's own clipping
HEAVY_DEGREE = 5.0  # points with more neighbours than this take shorter steps, so that hubs do not oscillate
STEPS = 200  # per frame: over six starts 100 gave corr 0.84, 200 0.86, 400 no more
STEP_PAIRS = 6e8  # ... but at most this many pair forces a frame: 150 steps at 2,000 points
STARTS, STARTS_POINTS = 5, 500  # so many first layouts are tried, fewer above STARTS_POINTS / STARTS points
SETTLE_STEPS = 4000  # at the start, so that a map of still embeddings stands still ...
SETTLE_PAIRS = 4e9  # ... but at most this many pair forces, which keeps 2,000 points within seconds
RESTING = 1e-7  # the largest gradient of a map that has arrived
EPOCHS = 200  # of umap-learn's own sampled descent, for the first layout
START_SPREAD = 10.0  # umap-learn starts from coordinates in [0, 10]

# numba's threading layer is not thread-safe and umap-learn's kernels use it: one layout at a time.
_lock = threading.Lock()


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with a cache on disk, or without one where no cache folder can be written."""
    try:
        return numba.njit(cache=True, fastmath=True, error_model="numpy")(function)
    except RuntimeError:  # "no locator available": read-only install and no writable user cache
        return numba.njit(fastmath=True, error_model="numpy")(function)


def _umap() -> Any:
    """umap-learn's module of functions. Its package warns, on import, that TensorFlow is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap.umap_

        return umap.umap_


@dataclass(frozen=True, slots=True)
class Graph:
    """UMAP's fuzzy neighbour graph as compressed rows. `degree` (n,) is the sum of a row's weights."""

    indptr: NDArray[np.int64]  # (n + 1,)
    indices: NDArray[np.int64]  # (edges,)
    weights: Points  # (edges,) in (0, 1], symmetric
    degree: Points  # (n,)

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Points, Points]:
        """What the compiled kernels read of it."""
        return self.indptr, self.indices, self.weights, self.degree

    @classmethod
    def of(cls, matrix: csr_matrix) -> Graph:
        matrix = matrix.tocsr()
        matrix.sort_indices()
        degree = np.asarray(matrix.sum(axis=1), np.float64).ravel()
        return cls(
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int64),
            matrix.data.astype(np.float64),
            degree,
        )

    def matrix(self) -> csr_matrix:
        from scipy.sparse import csr_matrix

        n = len(self.degree)
        return csr_matrix((self.weights, self.indices, self.indptr), shape=(n, n))


def neighbour_graph(distances: FloatArray, neighbours: int) -> Graph:
    """umap-learn's fuzzy_simplicial_set on exact cosine neighbours. distances (n, n), n >= 2.

    As in umap-learn, `neighbours` counts the point itself; it is lowered to n where there are fewer.
    Exact neighbours, because umap-learn's approximate search is random above 4,096 points and no faster here.
    """
    n = len(distances)
    k = min(neighbours, n)
    others = nearest_others(distances, k - 1)
    indices = np.hstack([np.arange(n)[:, None], others])  # (n, k), every point its own first neighbour
    return graph_of(indices, np.take_along_axis(distances, indices, axis=1).astype(np.float32))


def graph_of(indices: IntArray, lengths: FloatArray) -> Graph:
    """The same from every point's neighbours (n, k), itself the first, and their distances."""
    n, k = indices.shape
    with _lock:
        numba.set_num_threads(1)  # training shares these cores
        matrix = _umap().fuzzy_simplicial_set(
            np.zeros((n, 1)),
            k,
            np.random.RandomState(0),
            "precomputed",
            knn_indices=indices,
            knn_dists=lengths,
        )[0]
    return Graph.of(matrix)


def mean_graph(graphs: Sequence[Graph]) -> Graph:
    """The average of several moments' graphs over the same points, for one layout that suits them all."""
    total = graphs[0].matrix()
    for graph in graphs[1:]:
        total = total + graph.matrix()
    return Graph.of(total / len(graphs))


def umap_layout(graph: Graph, initial: Points, seed: int, epochs: int = EPOCHS) -> Points:
    """umap-learn's own (sampled) layout of a graph, begun at `initial` (n, dims). Deterministic by seed."""
    random, dims = np.random.RandomState(seed), initial.shape[1]
    spread = float(np.ptp(initial, axis=0).max())
    begin = initial / spread * START_SPREAD if spread > 0 else initial
    # umap-learn divides by the range of every axis, and exact duplicates need a nudge to come apart.
    begin = begin + random.normal(scale=1e-3, size=initial.shape)
    with _lock:
        numba.set_num_threads(1)
        descent = (1.0, A, B, 1.0, int(NEGATIVES), epochs)  # rate, curve, weight of repulsion
        no_more: tuple[Any, ...] = (
            "euclidean",
            {},
            False,
            {},
            False,
        )  # no metric of the data, no density, no output
        xy, _ = _umap().simplicial_set_embedding(
            begin, graph.matrix().tocoo(), dims, *descent, begin.astype(np.float32), random, *no_more
        )
    return centred(np.asarray(xy, np.float64))


def follow(graph: Graph, xy: Points, steps: int | None = None) -> Points:
    """Let a map (n, 2 or 3) roll downhill for `steps` steps (a frame's worth) or until it has arrived.

    Gradient descent with momentum from a standstill, so the result depends on the map and the graph alone.
    The result is turned back rigidly: a map may not spin, for a turn shows nothing of the embeddings.
    """
    n, dims = xy.shape
    steps = int(min(STEPS, max(1, STEP_PAIRS / n**2))) if steps is None else steps
    points = np.zeros((n, 3))
    points[:, :dims] = xy
    with _lock:
        rules = (steps, RATE, MOMENTUM, LIMIT, HEAVY_DEGREE, RESTING)
        moved = _descend(points, *graph.arrays, NEGATIVES / (2 * n), GRAVITY, *rules)
    return turned_to(centred(moved[:, :dims]), xy)


def settle(graph: Graph, xy: Points) -> Points:
    """`follow` for long enough to arrive, within SETTLE_PAIRS."""
    n = len(xy)
    return follow(graph, xy, int(min(SETTLE_STEPS, max(1, SETTLE_PAIRS / n**2))))


def first_layout(graph: Graph, initial: Points, seed: int) -> Points:
    """Where a run begins: umap-learn's layout, settled; of several seeds the one with the least loss.

    With few points umap-learn's sampling often ends in a poor valley; the least loss went with the higher
    trustworthiness (0.949 .. 0.968 over ten seeds of the 40 sentences). The map is turned to lie as
    `initial` (n, dims) lies, so that PCA shown while umap-learn loads does not flip when it changes over.
    """
    tries = int(min(STARTS, max(1, STARTS_POINTS / len(initial))))
    maps = [settle(graph, turned_to(umap_layout(graph, initial, seed + i), initial)) for i in range(tries)]
    return min(maps, key=partial(effective_loss, graph)) if tries > 1 else maps[0]


def plain_umap(units: FloatArray, neighbours: int, dims: int, seed: int) -> Points:
    """umap-learn as anybody would call it, on unit rows (n, d), n >= 4. Deterministic by seed."""
    few = len(units) <= dims + 2  # umap-learn's spectral start needs more points than that
    near, start = min(neighbours, len(units) - 1), "random" if few else "spectral"
    same_again = {"random_state": seed, "n_jobs": 1}
    model = _umap().UMAP(n_components=dims, n_neighbors=near, metric="cosine", init=start, **same_again)
    with _lock, warnings.catch_warnings():
        # It warns of its own fallbacks (few points, separate clusters), which are what is wanted here.
        warnings.simplefilter("ignore")
        numba.set_num_threads(1)
        return centred(np.asarray(model.fit_transform(units), np.float64))


def effective_loss(graph: Graph, xy: Points) -> float:
    """UMAP's effective loss at a map, with q = 1 / (1 + d^2), plain numpy; needs (n, n) memory.

    Sum over pairs of  w log(1 + d^2)  -  r log((e + d^2) / (1 + d^2)) / (1 - e),  where
    r = (deg_i + deg_j) m / 2n and e = SOFTENING, plus GRAVITY / 2 times the squared distances to the origin.
    """
    n = len(xy)
    upper = np.triu_indices(n, 1)
    d2 = squared_distances(xy)[upper]
    w = graph.matrix().toarray()[upper]
    r = ((graph.degree[:, None] + graph.degree) * NEGATIVES / (2 * n))[upper]
    pull = w * np.log1p(d2)
    push = -r * np.log((SOFTENING + d2) / (1 + d2)) / (1 - SOFTENING)
    return float((pull + push).sum() + GRAVITY / 2 * (xy**2).sum())


def centred(xy: Points) -> Points:
    return xy - xy.mean(axis=0)


def turned_to(moving: Points, fixed: Points) -> Points:
    """`moving` (n, dims) turned (or mirrored) rigidly to lie as close as possible on `fixed` (Procrustes)."""
    u, _, vt = np.linalg.svd(moving.T @ fixed)
    return moving @ (u @ vt)


@_compiled
def _gradient(x, y, z, indptr, indices, weights, degree, repulsion, gravity, out):  # type: ignore[no-untyped-def]
    """Fill `out` (n, 3). Every pair repels; the graph's edges attract. One point costs n divisions."""
    n = x.shape[0]
    for i in range(n):
        xi, yi, zi, di = x[i], y[i], z[i], degree[i]
        gx, gy, gz = 0.0, 0.0, 0.0
        for j in range(n):  # j = i adds nothing: its difference is 0
            dx, dy, dz = xi - x[j], yi - y[j], zi - z[j]
            d2 = dx * dx + dy * dy + dz * dz
            c = (di + degree[j]) / ((SOFTENING + d2) * (1.0 + d2))
            gx += c * dx
            gy += c * dy
            gz += c * dz
        gx *= -2.0 * repulsion
        gy *= -2.0 * repulsion
        gz *= -2.0 * repulsion
        for edge in range(indptr[i], indptr[i + 1]):
            j = indices[edge]
            dx, dy, dz = xi - x[j], yi - y[j], zi - z[j]
            c = 2.0 * weights[edge] / (1.0 + dx * dx + dy * dy + dz * dz)
            gx += c * dx
            gy += c * dy
            gz += c * dz
        out[i, 0] = gx + gravity * xi
        out[i, 1] = gy + gravity * yi
        out[i, 2] = gz + gravity * zi


@_compiled
def _descend(  # type: ignore[no-untyped-def]
    points, indptr, indices, weights, degree, repulsion, gravity, steps, rate, momentum, limit, heavy, resting
):
    """Descent from `points` (n, 3), which stays as it is; stops early when no gradient exceeds `resting`."""
    n = points.shape[0]
    x, y, z = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    speed, gradient = np.zeros((n, 3)), np.zeros((n, 3))
    for turn in range(steps):
        now = rate * max(COOLEST, 1.0 - turn / steps)  # as umap-learn's own learning rate falls
        _gradient(x, y, z, indptr, indices, weights, degree, repulsion, gravity, gradient)
        largest = 0.0
        for i in range(n):
            length = np.sqrt(gradient[i, 0] ** 2 + gradient[i, 1] ** 2 + gradient[i, 2] ** 2)
            largest = max(largest, length)
            step = now * min(1.0, heavy / max(degree[i], 1e-9)) * min(1.0, limit / max(length, 1e-9))
            for axis in range(3):
                speed[i, axis] = momentum * speed[i, axis] - step * gradient[i, axis]
            x[i] += speed[i, 0]
            y[i] += speed[i, 1]
            z[i] += speed[i, 2]
        if largest < resting:
            break
    return np.stack((x, y, z), axis=1)
