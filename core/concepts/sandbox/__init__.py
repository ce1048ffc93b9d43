"""A handful of free points on a circle or sphere that a loss pulls and pushes: the dynamics, nothing else.

The losses are those of core/losses; here is only what turns their gradient into motion. Points stay at
length 1: a step goes against the gradient along the surface and is scaled back onto it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...losses import LOSSES
from ...losses.base import DEFAULT_MARGIN, DEFAULT_TEMPERATURE
from ...types import InputError
from ...vectors import unit_rows

Floats = NDArray[np.float64]

SPACES = {"circle": 2, "sphere": 3}  # the number of coordinates of a point
POINTS = (6, 20)  # fewest and most
LOSS_KEYS = ("contrastive", "cosine", "triplet", "mnrl", "cosent")  # those that need no network around them
SAME_PLACE = 0.98  # cosine from which two points are called one place (about 11 degrees)
AT_REST = 1e-3  # a largest gradient below this moves nothing one could see


@dataclass(frozen=True, slots=True)
class Objective:
    """What the loss is told. `told` (n,) names the group each point is said to be in; points of one group
    are similar, others dissimilar. Without `negatives` losses of labelled pairs see similar pairs only."""

    loss: str
    told: tuple[int, ...]
    negatives: bool = True
    margin: float = DEFAULT_MARGIN
    temperature: float = DEFAULT_TEMPERATURE


def objective_of(
    loss: str, told: Sequence[int], negatives: bool, margin: float, temperature: float
) -> Objective:
    """Settings that the loss does not read stand at their defaults, so that equal objectives are equal."""
    row = LOSSES[loss]
    return Objective(
        loss,
        tuple(told),
        negatives or row.needs != "labelled",
        margin if "margin" in row.uses else DEFAULT_MARGIN,
        temperature if "temperature" in row.uses else DEFAULT_TEMPERATURE,
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows the loss is given: as core.losses.base.Batch, in plain lists."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    label: tuple[float, ...]
    negative: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """The loss at a place. `gradient` (n, d) lies along the surface; points move against it.

    `pairs` (k, 2), each pair of rows once, `cosines` and `forces` (k,): d loss / d cosine, summed over
    the times the loss uses the pair; negative pulls together, positive pushes apart.
    """

    loss: float
    gradient: Floats
    pairs: NDArray[np.int64]
    cosines: Floats
    forces: Floats


@dataclass(frozen=True, slots=True)
class Descent:
    """Where some steps led: points (n, d), what the loss says there, and the loss after every step."""

    z: Floats
    seen: Observation
    losses: tuple[float, ...]


def random_points(n: int, space: str, seed: int) -> Floats:
    """n random points of length 1, (n, d), uniform on the circle or sphere."""
    z = np.random.default_rng(seed).standard_normal((n, SPACES[space]))
    return on_surface(z)


def on_surface(z: ArrayLike) -> Floats:
    """Every row scaled to length 1."""
    return unit_rows(z, np.float64)


def along_surface(z: Floats, vectors: Floats) -> Floats:
    """The part of each vector (n, d) that is tangent to the sphere at the unit row z (n, d)."""
    return vectors - (vectors * z).sum(axis=1, keepdims=True) * z


def groups(n: int, count: int) -> tuple[int, ...]:
    """n points dealt to `count` groups in blocks of nearly equal size."""
    return tuple(int(i * count / n) for i in range(n))


def split_groups(true: Sequence[int]) -> tuple[int, ...]:
    """Every group told as two: its first half and its second half. Groups of 1 stay whole."""
    told: list[int] = []
    for i, group in enumerate(true):
        before, size = list(true[:i]).count(group), list(true).count(group)
        told.append(2 * group + (before >= (size + 1) // 2))
    return tuple(told)


def rows_of(objective: Objective) -> Rows:
    """All pairs or triplets that the told groups allow. Raises InputError when there are none."""
    told, n = objective.told, len(objective.told)
    needs = LOSSES[objective.loss].needs
    alike = [(i, j) for i in range(n) for j in range(n) if i != j and told[i] == told[j]]
    if needs == "triplets":
        found = [(a, p, o) for a, p in alike for o in range(n) if told[o] != told[a]]
        _some(found, "triplets: it takes two points of one group and one of another")
        left, right, negative = zip(*found)
        return Rows(left, right, (1.0,) * len(found), negative)
    if needs == "positives":
        _some(alike, "similar pairs: no two points are told to be in one group")
        left, right = zip(*alike)
        return Rows(left, right, (1.0,) * len(alike))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if objective.negatives or told[i] == told[j]]
    _some(pairs, "similar pairs: no two points are told to be in one group")
    left, right = zip(*pairs)
    return Rows(left, right, tuple(float(told[i] == told[j]) for i, j in pairs))


def _some(found: Sequence[Any], what: str) -> None:
    if not found:
        raise InputError(f"There are no {what}. Take more points or fewer groups.")


def observe(objective: Objective, z: ArrayLike) -> Observation:
    """The loss, its gradient along the surface and the force of every pair, at z (n, d)."""
    from ...losses.gradient import loss_and_gradient

    points = on_surface(z)
    rows = rows_of(objective)
    found = loss_and_gradient(
        objective.loss,
        points,
        rows.left,
        rows.right,
        rows.label,
        rows.negative,
        margin=objective.margin,
        temperature=objective.temperature,
    )
    ordered = np.sort(found.pairs, axis=1)  # (m, 2)
    pairs, place = np.unique(ordered, axis=0, return_inverse=True)
    forces: Floats = np.zeros(len(pairs))
    np.add.at(forces, place.ravel(), found.forces)
    cosines = (points[pairs[:, 0]] * points[pairs[:, 1]]).sum(axis=1)
    return Observation(found.value, along_surface(points, found.gradient), pairs, cosines, forces)


def descend(objective: Objective, z: ArrayLike, rate: float, steps: int) -> Descent:
    """`steps` steps of gradient descent on the surface: z <- unit(z - rate * gradient)."""
    points = on_surface(z)
    seen = observe(objective, points)
    losses = []
    for _ in range(steps):
        points = on_surface(points - rate * seen.gradient)
        seen = observe(objective, points)
        losses.append(seen.loss)
    return Descent(points, seen, tuple(losses))


def contributions(z: Floats, seen: Observation) -> Floats:
    """How each pair moves its two points, (k, 2, d): minus force times d cosine / d point.

    For unit points d cos / d z_i along the surface is z_j - cos z_i. Summed over the pairs of a point,
    this is minus its gradient.
    """
    i, j = seen.pairs[:, 0], seen.pairs[:, 1]
    cosine, force = seen.cosines[:, None], seen.forces[:, None]
    return np.stack((-force * (z[j] - cosine * z[i]), -force * (z[i] - cosine * z[j])), axis=1)


def largest_gradient(gradient: Floats) -> float:
    """Length of the longest row, (n, d) -> number; 0 means that nothing will move."""
    return float(np.linalg.norm(gradient, axis=1).max())


def clusters_of(z: Floats) -> tuple[int, ...]:
    """Number of the place each point is in, (n,): points within SAME_PLACE of another share its place."""
    near = z @ z.T >= SAME_PLACE
    place = list(range(len(z)))
    for i in range(len(z)):
        for j in range(i):
            if near[i, j] and place[i] != place[j]:
                old, new = place[i], place[j]
                place = [new if p == old else p for p in place]
    names = {p: k for k, p in enumerate(dict.fromkeys(place))}
    return tuple(names[p] for p in place)


def outcome(z: Floats, true: Sequence[int]) -> str:
    """Where the points ended, in words the page offers as predictions: see OUTCOMES."""
    places = clusters_of(z)
    if len(set(places)) == 1:
        return OUTCOMES[0]
    of_group = {g: {p for p, t in zip(places, true) if t == g} for g in set(true)}
    alone = len(set(places)) == len(of_group) and all(len(p) == 1 for p in of_group.values())
    if alone:
        return OUTCOMES[1]
    return OUTCOMES[2] if any(len(p) > 1 for p in of_group.values()) else OUTCOMES[3]


OUTCOMES = (
    "All points end in one place",
    "Each colour ends in a place of its own",
    "At least one colour ends torn apart",
    "Some colours end in the same place",
)
