"""The same vectors flattened by PCA, UMAP and t-SNE, and what each flat map gets wrong.

UMAP and PCA are core/maps/layouts.py's; t-SNE is scikit-learn's. Both are loaded inside the functions, which
run in a worker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..maps.pca import variances
from ..maps.quality import trust_from_distances, trustworthiness_from_distances
from ..types import FloatArray, InputError, IntArray
from ..vectors import cosine_distances, nearest_others, squared_distances, unit_rows
from .high_dimensions import pairs

FEWEST, MOST = 5, 300  # points
CLOSE = 0.1  # the closest tenth of all pairs counts as close
TITLES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


@dataclass(frozen=True, slots=True, eq=False)
class FlatMap:
    """`xy` (n, 2); `trust` (n,) share of each point's true neighbours that are neighbours on the map.

    `kept`: share of the variance that the two directions of a PCA hold; None for the other maps.
    """

    method: str
    xy: FloatArray
    trust: FloatArray
    trustworthiness: float | None
    kept: float | None = None


@dataclass(frozen=True, slots=True)
class MisleadingPair:
    """Two rows whose closeness on the map and in space disagree. Both quantiles say which share of all
    pairs is closer than this one, from 0 (the closest pair) to 1 (the farthest)."""

    left: int
    right: int
    cosine: float
    true_quantile: float
    map_quantile: float


def draw(method: str, embeddings: FloatArray, neighbours: int, seed: int) -> FlatMap:
    """Flatten (n, d). `neighbours` is UMAP's n_neighbors and t-SNE's perplexity, lowered where n is small;
    PCA uses neither it nor the seed. Raises InputError for an unknown method or too few or many points."""
    if method not in TITLES:
        raise InputError(f"There is no map {method!r}. Choose one of: {', '.join(TITLES)}.")
    if not FEWEST <= len(embeddings) <= MOST:
        raise InputError(
            f"There are {len(embeddings)} points; a map takes {FEWEST} to {MOST}, one sentence a line."
        )
    units = unit_rows(embeddings)
    xy = _tsne(units, neighbours, seed) if method == "tsne" else _projected(method, units, neighbours, seed)
    true, on_map = cosine_distances(units), squared_distances(xy)
    return FlatMap(
        method,
        xy,
        trust_from_distances(true, on_map),
        trustworthiness_from_distances(true, on_map),
        _variance_kept(units) if method == "pca" else None,
    )


def _projected(method: str, units: FloatArray, neighbours: int, seed: int) -> FloatArray:
    from ..maps import layouts

    frame = layouts.first_frame(method, units, layouts.LayoutSettings(neighbours, seed))
    return frame.xy


def _tsne(units: FloatArray, neighbours: int, seed: int) -> FloatArray:
    """scikit-learn's t-SNE (van der Maaten & Hinton 2008) from a random start, scaled like the other maps."""
    from sklearn.manifold import TSNE

    perplexity = min(float(neighbours), (len(units) - 1) / 3)
    model = TSNE(perplexity=perplexity, metric="cosine", init="random", random_state=seed, n_jobs=1)
    xy = np.asarray(model.fit_transform(units), np.float64)
    xy -= xy.mean(axis=0)
    size = float(np.sqrt((xy**2).sum(axis=1).mean())) or 1.0
    return (xy / size).astype(np.float32)


def _variance_kept(units: FloatArray) -> float:
    values = variances(units)
    total = float(values.sum())
    return float(values[:2].sum()) / total if total > 0 else 1.0


def true_neighbours(embeddings: FloatArray, row: int, k: int = 5) -> IntArray:
    """The k rows nearest to `row` by cosine, nearest first."""
    return nearest_others(cosine_distances(embeddings), k)[row]


def false_neighbours(embeddings: FloatArray, xy: FloatArray, most: int = 5) -> tuple[MisleadingPair, ...]:
    """Pairs among the closest tenth on the map that are farthest apart in space, worst first."""
    return _misleading(embeddings, xy, most, on_map=True)


def missed_neighbours(embeddings: FloatArray, xy: FloatArray, most: int = 5) -> tuple[MisleadingPair, ...]:
    """Pairs among the closest tenth in space that are farthest apart on the map, worst first."""
    return _misleading(embeddings, xy, most, on_map=False)


def _misleading(
    embeddings: FloatArray, xy: FloatArray, most: int, on_map: bool
) -> tuple[MisleadingPair, ...]:
    rows = pairs(len(xy))
    true = cosine_distances(embeddings)[rows[:, 0], rows[:, 1]].astype(np.float64)
    drawn = squared_distances(xy)[rows[:, 0], rows[:, 1]]
    true_quantile, map_quantile = _quantiles(true), _quantiles(drawn)
    seems, is_ = (map_quantile, true_quantile) if on_map else (true_quantile, map_quantile)
    candidates = np.flatnonzero((seems <= CLOSE) & (is_ > CLOSE))
    worst = candidates[np.argsort(-is_[candidates], kind="stable")][:most]
    return tuple(
        MisleadingPair(
            int(rows[i, 0]),
            int(rows[i, 1]),
            1 - float(true[i]),
            float(true_quantile[i]),
            float(map_quantile[i]),
        )
        for i in worst
    )


def _quantiles(values: np.ndarray) -> np.ndarray:
    """For each value, the share of the others that are smaller, from 0 to 1."""
    order = np.sort(values)
    return np.searchsorted(order, values, side="left") / max(len(values) - 1, 1)
