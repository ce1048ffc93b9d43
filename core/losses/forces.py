"""The force on each pair: how the loss changes per unit of cosine similarity that the pair gains.

Negative pulls the two together (more similarity lowers the loss), positive pushes them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import LossTerms

if TYPE_CHECKING:
    from torch import Tensor

NO_DIRECTION = 1e-6  # squared sine below which two vectors span no plane to turn in (float32 rounding)


def forces(terms: LossTerms, z: Tensor) -> Tensor:
    """d value / d cosine of each pair, (m,), detached. `z` is what the loss was computed from.

    Call it before value.backward(), which frees the graph; the graph is kept here. Where the loss is a
    function of cosines, this is the plain derivative by that cosine, the other cosines held still.

    The softmax loss is no such function, so its force is the change along one chosen motion: u and v
    turn towards each other by the same angle, in the plane they span, their lengths kept, everything
    else held still; divided by the cosine gained on the way. For a function of cosines the two
    definitions agree, so the forces of all losses can be compared. Where u and v point the same or the
    opposite way there is no such plane, and the force is given as 0.

    Raises ValueError when z does not require gradients.

    >>> import torch
    >>> from core.losses import LOSSES, Batch, LossSettings
    >>> z = torch.eye(2, requires_grad=True)
    >>> terms = LOSSES["cosine"].compute(z, Batch.of([0], [1]), LossSettings())  # (0 - 1)^2
    >>> forces(terms, z)
    tensor([-2.])
    """
    import torch

    if not z.requires_grad:
        raise ValueError("forces() needs a z that requires gradients")
    if terms.similarity is not None:
        (force,) = torch.autograd.grad(terms.value, terms.similarity, retain_graph=True)
        return force.detach()
    assert terms.sides is not None, "a loss gives either similarity or sides"
    gradients = torch.autograd.grad(terms.value, terms.sides, retain_graph=True)
    u, v = terms.sides
    return _turning_force(u.detach(), v.detach(), *gradients)


def _turning_force(u: Tensor, v: Tensor, grad_u: Tensor, grad_v: Tensor) -> Tensor:
    """Loss change per cosine gained when u and v (m, d) turn towards each other by equal angles, (m,).

    Turning u by da moves it by |u| da along t = (v^ - c u^) / s, with c and s the cosine and sine of the
    angle between them; both turning gains 2 s da of cosine. Hence (|u| g_u.t_u + |v| g_v.t_v) / (2 s).
    """
    import torch
    from torch.nn.functional import normalize

    u_hat, v_hat = normalize(u, dim=1), normalize(v, dim=1)
    cosine = (u_hat * v_hat).sum(dim=1, keepdim=True)  # (m, 1)
    to_v, to_u = v_hat - cosine * u_hat, u_hat - cosine * v_hat  # (m, d), each of length s
    slope = (u.norm(dim=1) * (grad_u * to_v).sum(dim=1)) + (v.norm(dim=1) * (grad_v * to_u).sum(dim=1))
    squared_sine = to_v.square().sum(dim=1)
    force = slope / (2.0 * squared_sine.clamp_min(NO_DIRECTION))
    return torch.where(squared_sine > NO_DIRECTION, force, torch.zeros_like(force))


def summed_by_pair(pairs: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Forces of the same two rows, in either order, added up: pairs (k, 2) with left <= right, values (k,).

    A batch can hold a pair more than once, and in-batch negatives meet from both sides.

    >>> import torch
    >>> summed_by_pair(torch.tensor([[3, 1], [1, 3]]), torch.tensor([1.0, 2.0]))
    (tensor([[1, 3]]), tensor([3.]))
    """
    import torch

    left, right = pairs.amin(dim=1), pairs.amax(dim=1)
    base = int(right.max()) + 1 if len(pairs) else 1
    codes, place = (left * base + right).unique(return_inverse=True)  # one number a pair: rows sort slowly
    kept = torch.stack((codes // base, codes % base), dim=1)
    return kept, values.new_zeros(len(kept)).index_add(0, place, values)
