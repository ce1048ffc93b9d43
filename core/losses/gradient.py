"""A loss and its gradient on a handful of vectors, numpy in and numpy out: what a page asks a worker for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import LOSSES
from .base import (
    DEFAULT_CONCATENATION,
    DEFAULT_MARGIN,
    DEFAULT_TEMPERATURE,
    Batch,
    LossSettings,
    pair_cosines,
)
from .forces import forces
from .softmax import new_head


@dataclass(frozen=True, slots=True)
class LossAndGradient:
    """A loss at a point. `gradient` (n, d) is d value / d z, so z moves along its negative.

    `pairs` (m, 2) rows of z, `cosines` and `forces` (m,) as in core.losses.forces.
    """

    value: float
    gradient: NDArray[np.float64]
    pairs: NDArray[np.int64]
    cosines: NDArray[np.float64]
    forces: NDArray[np.float64]


def loss_and_gradient(
    loss: str,
    z: ArrayLike,
    left: Sequence[int],
    right: Sequence[int],
    label: Sequence[float] | None = None,
    negative: Sequence[int] | None = None,
    *,
    margin: float = DEFAULT_MARGIN,
    temperature: float = DEFAULT_TEMPERATURE,
    concatenation: str = DEFAULT_CONCATENATION,
    head_seed: int = 0,
) -> LossAndGradient:
    """Value, gradient and forces of the loss with this key on z (n, d); in float64.

    `left`, `right`, `negative` are rows of z; without labels every pair is similar. The softmax loss gets
    a fresh random classifier from `head_seed`. Raises KeyError for an unknown loss.

    >>> result = loss_and_gradient("contrastive", [[1, 0], [0, 1]], [0], [1], [1.0])
    >>> result.value, result.forces.tolist()
    (0.5, [-1.0])
    """
    import torch

    points = torch.tensor(np.asarray(z, dtype=np.float64), requires_grad=True)
    batch = Batch.of(left, right, label, negative)
    head = bias = None
    if LOSSES[loss].has_head:
        weight, offset = new_head(concatenation, points.shape[1], seed=head_seed)
        head, bias = weight.double(), offset.double()
    terms = LOSSES[loss].compute(points, batch, LossSettings(margin, temperature, concatenation, head, bias))
    force = forces(terms, points)
    (gradient,) = torch.autograd.grad(terms.value, points)
    cosines = pair_cosines(points.detach(), terms.pairs[:, 0], terms.pairs[:, 1])
    return LossAndGradient(
        terms.value.item(), gradient.numpy(), terms.pairs.numpy(), cosines.numpy(), force.numpy()
    )
