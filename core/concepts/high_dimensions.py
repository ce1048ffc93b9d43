"""What space is like with many dimensions: distances of random points drawn now, and those of real vectors.

Numpy only. Every random number comes from the seed given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ..maps.pca import variances
from ..types import FloatArray, InputError, IntArray
from ..vectors import cosine_matrix, euclidean_distances, unit_rows

DIMENSIONS = (2, 3, 4, 8, 16, 32, 64, 128, 256, 384, 768, 1536)
FEWEST_POINTS, MOST_POINTS = 10, 400


def _cube(rng: Generator, n: int, d: int) -> FloatArray:
    return rng.uniform(-1, 1, (n, d)).astype(np.float32)


def _normal(rng: Generator, n: int, d: int) -> FloatArray:
    return rng.normal(size=(n, d)).astype(np.float32)


def _sphere(rng: Generator, n: int, d: int) -> FloatArray:
    return unit_rows(rng.normal(size=(n, d)), np.float64).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Cloud:
    """One row: a way to draw n independent points in d dimensions."""

    key: str
    title: str
    draw: Callable[[Generator, int, int], FloatArray]


CLOUDS: dict[str, Cloud] = {
    row.key: row
    for row in (
        Cloud("cube", "Uniform in a cube", _cube),
        Cloud("normal", "Normal in every coordinate", _normal),
        Cloud("sphere", "Random directions, length 1", _sphere),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How different the distances and cosines within one set of n points in d dimensions are.

    `ratio`: for a typical point (the median), its farthest other over its nearest; infinite when another
    point is the same. `variation`: standard deviation of all distances over their mean. `distances` and
    `cosines` (n (n - 1) / 2,) of all pairs. `effective`: see `effective_dimension`.
    """

    dims: int
    ratio: float
    variation: float
    distances: FloatArray
    cosines: FloatArray
    effective: float

    @property
    def cosine_mean(self) -> float:
        return float(self.cosines.mean())

    @property
    def cosine_spread(self) -> float:
        """Standard deviation of the cosines; for random directions it is 1 / sqrt(dims)."""
        return float(self.cosines.std())


def spread(z: FloatArray) -> Spread:
    """Measure z (n, d), n >= 3. Raises InputError for fewer points."""
    if len(z) < 3:
        raise InputError(f"Points so far: {len(z)}. At least 3 are needed to compare distances.")
    upper = np.triu_indices(len(z), 1)
    between = euclidean_distances(z)
    others = between[~np.eye(len(z), dtype=bool)].reshape(len(z), -1)
    nearest = others.min(axis=1).astype(np.float64)
    farthest = others.max(axis=1)
    ratios = np.divide(farthest, nearest, out=np.full(len(z), np.inf), where=nearest > 0)
    distances = between[upper]
    mean = float(distances.mean())
    return Spread(
        dims=z.shape[1],
        ratio=float(np.median(ratios)),
        variation=float(distances.std()) / mean if mean > 0 else 0.0,
        distances=distances,
        cosines=cosine_matrix(z)[upper],
        effective=effective_dimension(z),
    )


def effective_dimension(z: FloatArray) -> float:
    """Participation ratio of the variances: (sum of eigenvalues)² / sum of squares, between 1 and d.

    The eigenvalues are those of the covariance of z (n, d); it cannot exceed n - 1. 0 when all rows are one.
    """
    values = variances(z)
    squares = float((values**2).sum())
    return float(values.sum()) ** 2 / squares if squares > 0 else 0.0


def simulate(cloud: str, points: int, dims: int, seed: int) -> Spread:
    """Draw `points` independent points and measure them. Raises InputError for what cannot be drawn.

    See Beyer, Goldstein, Ramakrishnan and Shaft 1999, "When is nearest neighbor meaningful?".
    """
    if cloud not in CLOUDS:
        raise InputError(f"There is no cloud {cloud!r}. Choose one of: {', '.join(CLOUDS)}.")
    if not FEWEST_POINTS <= points <= MOST_POINTS:
        raise InputError(f"{points} points cannot be drawn; choose from {FEWEST_POINTS} to {MOST_POINTS}.")
    return spread(CLOUDS[cloud].draw(np.random.default_rng([seed, dims]), points, dims))


def simulate_all(cloud: str, points: int, seed: int) -> tuple[Spread, ...]:
    """`simulate` in each of DIMENSIONS."""
    return tuple(simulate(cloud, points, dims, seed) for dims in DIMENSIONS)


def noise(points: int, dims: int, seed: int) -> FloatArray:
    """Random directions (points, dims) float32: vectors that have no structure to be found."""
    return _sphere(np.random.default_rng([seed, dims, points]), points, dims)


def pairs(n: int) -> IntArray:
    """The rows of all pairs, (n (n - 1) / 2, 2), in the order of `Spread.distances`."""
    return np.stack(np.triu_indices(n, 1), axis=1).astype(np.int64)
