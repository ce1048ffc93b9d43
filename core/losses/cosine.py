r"""Cosine similarity loss: the cosine of a pair should equal its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Batch, Loss, LossSettings, LossTerms, as_pairs, pair_cosines

if TYPE_CHECKING:
    from torch import Tensor


def cosine_similarity(z: Tensor, batch: Batch, settings: LossSettings) -> LossTerms:
    r"""mean of (cos(u, v) - y)^2.

    Reimers & Gurevych 2019, "Sentence-BERT", the regression objective. The label y in [0, 1] is the
    cosine aimed at, so a dissimilar pair is pushed to a right angle and, from beyond it, pulled back.

    z (n, d), any length of rows; value in [0, 4]; m = b pairs.

    >>> import torch
    >>> z = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> cosine_similarity(z, Batch.of([0], [1], [0.5]), LossSettings()).value  # (0 - 0.5)^2
    tensor(0.2500)
    """
    cosine = pair_cosines(z, batch.left, batch.right)  # (b,)
    error = cosine - batch.label.to(cosine.dtype)
    return LossTerms(error.square().mean(), cosine, as_pairs(batch.left, batch.right))


LOSS = Loss(
    key="cosine",
    title="Cosine similarity",
    formula=r"\left(\cos(u,v) - y\right)^2",
    source="Reimers & Gurevych 2019",
    needs="labelled",
    summary="Moves the cosine of each pair towards its label; takes graded labels such as 0.8.",
    uses=(),
    compute=cosine_similarity,
    order=20,
)
