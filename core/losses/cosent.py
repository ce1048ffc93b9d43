r"""CoSENT: every pair with a higher label should have a higher cosine than every pair with a lower one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Batch, Loss, LossSettings, LossTerms, as_pairs, pair_cosines

if TYPE_CHECKING:
    from torch import Tensor


def cosent(z: Tensor, batch: Batch, settings: LossSettings) -> LossTerms:
    r"""log [ 1 + sum over pairs k, l with y_k > y_l of exp((cos_l - cos_k) / t) ].

    Su 2022, "CoSENT: a sentence vector scheme more effective than Sentence-BERT",
    https://kexue.fm/archives/8847. Only the order of the labels counts, so graded labels need no
    calibrated scale. Unlike the other losses it is a sum over the batch, not a mean.

    z (n, d), any length of rows; value >= 0, and 0 when all labels are equal; m = b pairs.

    >>> import torch
    >>> z = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> cosent(z, Batch.of([0, 0], [1, 1], [1.0, 0.0]), LossSettings()).value  # a tie: log 2
    tensor(0.6931)
    """
    import torch

    cosine = pair_cosines(z, batch.left, batch.right)  # (b,)
    gap = (cosine[None, :] - cosine[:, None]) / settings.temperature  # (b, b), [k, l] = cos_l - cos_k
    ordered = batch.label[:, None] > batch.label[None, :]  # (b, b)
    terms = torch.cat((gap.new_zeros(1), gap.masked_select(ordered)))  # the zero is the 1 in the log
    return LossTerms(terms.logsumexp(dim=0), cosine, as_pairs(batch.left, batch.right))


LOSS = Loss(
    key="cosent",
    title="CoSENT",
    formula=r"\log\Big(1 + \sum_{y_k > y_l} e^{(\cos_l - \cos_k)/\tau}\Big)",
    source="Su 2022",
    needs="labelled",
    summary="Ranks the pairs: a higher label should mean a higher cosine, whatever its size.",
    uses=("temperature",),
    compute=cosent,
    order=50,
)
