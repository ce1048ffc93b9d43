r"""Triplet loss: an anchor should be nearer to its positive than to its negative, by a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Batch, Loss, LossSettings, LossTerms, as_pairs, pair_cosines

if TYPE_CHECKING:
    from torch import Tensor


def triplet(z: Tensor, batch: Batch, settings: LossSettings) -> LossTerms:
    r"""mean of max(0, d(a, p) - d(a, n) + m) with d = 1 - cos.

    Schroff, Kalenichenko & Philbin 2015, "FaceNet", with the cosine distance d in [0, 2]. `left` holds
    the anchors, `right` the positives, `negative` the negatives; labels are not read. Only the order of
    the two distances counts, not their size.

    z (n, d), any length of rows; value in [0, 2 + m]; m = 2 b pairs, first (a, p), then (a, n).

    >>> import torch
    >>> z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> triplet(z, Batch.of([0], [2], negative=[1]), LossSettings(margin=0.5)).value  # 2 - 1 + 0.5
    tensor(1.5000)
    """
    import torch

    assert batch.negative is not None, "the triplet loss needs a negative for each anchor"
    anchors = torch.cat((batch.left, batch.left))  # (2 b,)
    others = torch.cat((batch.right, batch.negative))  # (2 b,)
    cosine = pair_cosines(z, anchors, others)
    to_positive, to_negative = cosine.chunk(2)  # (b,), (b,)
    excess = (1.0 - to_positive) - (1.0 - to_negative) + settings.margin
    return LossTerms(excess.relu().mean(), cosine, as_pairs(anchors, others))


LOSS = Loss(
    key="triplet",
    title="Triplet",
    formula=r"\max\left(0,\; d(a,p) - d(a,n) + m\right),\quad d = 1-\cos",
    source="Schroff, Kalenichenko & Philbin 2015",
    needs="triplets",
    summary="Wants an anchor nearer to its positive than to its negative, by at least the margin.",
    uses=("margin",),
    compute=triplet,
    order=30,
)
