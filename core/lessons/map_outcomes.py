"""What a lesson may measure on flat maps: what another seed, another layout or random vectors do to them.

Every map has zero mean and a root mean square distance of 1 from it, so that lengths can be compared.
"""

from __future__ import annotations

import numpy as np

from ..types import FloatArray
from ..vectors import cosine_matrix, euclidean_distances, label_codes, nearest_others, unit_rows
from .measurement import LEVELS, Evidence, Limits, Measured, Measurement, level

NEIGHBOURS = 5
GAP = 3.0  # points closer than this many times the median distance to the nearest one are of one island
SMALLEST = 3  # points; fewer are strays


def islands(xy: FloatArray) -> int:
    """How many islands a map (n, 2) has: points linked across gaps of up to GAP, SMALLEST or more of them."""
    from scipy.sparse.csgraph import connected_components

    distances = euclidean_distances(xy)  # (n, n)
    np.fill_diagonal(distances, np.inf)
    _, of = connected_components(distances <= GAP * np.median(distances.min(axis=1)))
    return int((np.bincount(of) >= SMALLEST).sum())


def neighbours_kept(first: FloatArray, second: FloatArray) -> float:
    """Share of each point's nearest neighbours on one map that are so on the other too, in [0, 1]."""
    a, b = (nearest_others(euclidean_distances(xy), NEIGHBOURS) for xy in (first, second))
    return float(np.mean([len(set(x) & set(y)) / len(x) for x, y in zip(a.tolist(), b.tolist())]))


def _group_distances(xy: FloatArray, codes: np.ndarray) -> FloatArray:
    """Distances between the middles of the groups, (groups, groups)."""
    return euclidean_distances(np.stack([xy[codes == i].mean(axis=0) for i in range(int(codes.max()) + 1)]))


def _island_distance(found: Evidence, limits: Limits) -> Measured:
    assert found.sentences is not None
    groups = [g for g in dict.fromkeys(found.sentences.groups) if g is not None]
    codes = label_codes(found.sentences.groups)
    first, second = (_group_distances(xy, codes) for xy in found.maps[:2])
    i, j = np.triu_indices(len(groups), 1)
    factors = np.maximum(first[i, j], second[i, j]) / np.minimum(first[i, j], second[i, j])
    most = int(factors.argmax())
    pair = f"{groups[i[most]]} to {groups[j[most]]}"
    kept = neighbours_kept(*found.maps[:2])
    says = (
        f"From {pair} it is {first[i[most], j[most]]:.2f} on one map and "
        f"{second[i[most], j[most]]:.2f} on the other: {factors[most]:.1f} times. Of the nearest "
        f"neighbours, {kept:.0%} are the same on both maps."
    )
    rows = (
        ("Largest factor between two distances", float(factors[most]), None),
        ("Neighbours that are the same on both maps", kept, None),
    )
    return Measured(level(float(factors[most]), limits), says, rows)


def _width(vectors: FloatArray) -> float:
    """Mean distance of two rows."""
    return float(euclidean_distances(vectors)[np.triu_indices(len(vectors), 1)].mean())


def _island_width(found: Evidence, limits: Limits) -> Measured:
    assert found.sentences is not None
    codes = label_codes(found.sentences.groups)
    tight, loose = list(dict.fromkeys(found.sentences.groups))[:2]

    def factor(vectors: FloatArray) -> float:
        return _width(vectors[codes == 1]) / _width(vectors[codes == 0])

    on_map, in_space = factor(found.maps[0]), factor(unit_rows(found.mapped[0]))
    says = (
        f"In all dimensions, two sentences of {loose} are {in_space:.1f} times as far apart as two of "
        f"{tight}. On the map they are {on_map:.1f} times as far apart."
    )
    rows = [("Width in all dimensions, as a factor", in_space, None)]
    rows += [(f"Width on map {i}, as a factor", factor(xy), None) for i, xy in enumerate(found.maps, start=1)]
    return Measured(level(on_map, limits), says, tuple(rows))


def _islands(found: Evidence, limits: Limits) -> Measured:
    count = islands(found.maps[0])
    upper = cosine_matrix(found.mapped[0])[np.triu_indices(len(found.mapped[0]), 1)]
    says = (
        f"Islands on the map: {count}. The cosines of all pairs lie between {upper.min():.2f} and "
        f"{upper.max():.2f}."
    )
    rows = [(f"Islands on map {i}", float(islands(xy)), None) for i, xy in enumerate(found.maps, start=1)]
    return Measured(level(count, limits), says, tuple(rows))


MAP_ROWS = (
    Measurement(
        "island_distance_factor",
        "Distance between islands on two maps",
        "The distance between two groups on one map, divided by that on the other, where it differs most.",
        False,
        ("groups",),
        LEVELS,
        (1.1, 1.25),
        _island_distance,
        gathers="maps",
        projections=2,
    ),
    Measurement(
        "island_width_factor",
        "Width of one island beside another",
        "The width of the second group, divided by that of the first, on the first map.",
        False,
        ("groups",),
        LEVELS,
        (0.67, 1.5),
        _island_width,
        gathers="maps",
        projections=1,
    ),
    Measurement(
        "islands_on_map",
        "Islands on the first map",
        f"Points belong to one island where no gap is wider than {GAP:g} times the usual one.",
        False,
        ("sentences",),
        LEVELS,
        (1.5, 2.5),
        _islands,
        gathers="maps",
        projections=1,
    ),
)
