r"""Contrastive loss: similar pairs are drawn together, dissimilar ones pushed out to a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Batch, Loss, LossSettings, LossTerms, as_pairs, pair_cosines

if TYPE_CHECKING:
    from torch import Tensor


def contrastive(z: Tensor, batch: Batch, settings: LossSettings) -> LossTerms:
    r"""mean of 1/2 [ y d^2 + (1 - y) max(0, m - d)^2 ] with d = 1 - cos(u, v).

    Hadsell, Chopra & LeCun 2006, "Dimensionality reduction by learning an invariant mapping", with the
    cosine distance d in [0, 2]. A dissimilar pair further apart than the margin m costs nothing. A label
    y between 0 and 1 weighs both terms.

    z (n, d), any length of rows; value >= 0; m = b pairs.

    >>> import torch
    >>> z = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> contrastive(z, Batch.of([0], [1], [1.0]), LossSettings()).value  # d = 1, so 1/2
    tensor(0.5000)
    """
    cosine = pair_cosines(z, batch.left, batch.right)  # (b,)
    distance = 1.0 - cosine
    label = batch.label.to(distance.dtype)
    together = label * distance.square()
    apart = (1.0 - label) * (settings.margin - distance).relu().square()
    return LossTerms((0.5 * (together + apart)).mean(), cosine, as_pairs(batch.left, batch.right))


LOSS = Loss(
    key="contrastive",
    title="Contrastive",
    formula=r"\tfrac12\left[\,y\,d^2 + (1-y)\,\max(0,\;m-d)^2\right],\quad d = 1-\cos(u,v)",
    source="Hadsell, Chopra & LeCun 2006",
    needs="labelled",
    summary="Pulls similar pairs together and pushes dissimilar pairs apart until they reach the margin.",
    uses=("margin",),
    compute=contrastive,
    order=10,
)
