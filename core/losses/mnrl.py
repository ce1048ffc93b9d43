r"""Multiple negatives ranking (InfoNCE): each anchor must find its positive among the whole batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Batch, Loss, LossSettings, LossTerms, as_pairs

if TYPE_CHECKING:
    from torch import Tensor


def multiple_negatives_ranking(z: Tensor, batch: Batch, settings: LossSettings) -> LossTerms:
    r"""mean over anchors i of -log [ exp(cos(a_i, p_i) / t) / sum_j exp(cos(a_i, c_j) / t) ].

    Henderson et al. 2017, "Efficient natural language response suggestion for Smart Reply"; the same
    form as InfoNCE, van den Oord, Li & Vinyals 2018, "Representation learning with contrastive
    predictive coding". The candidates c are all positives of the batch, then all `negative` rows where
    the batch has them; t is the temperature. Labels are not read. Candidates that are no true negatives
    are left out, see `false_negatives`; where there are none this is sentence-transformers' loss.

    z (n, d), any length of rows; value >= 0, and log(number of candidates) when all cosines are equal;
    m = the (anchor, candidate) pairs that count, b c at most, anchor by anchor.

    >>> import torch
    >>> z = torch.eye(4)  # all cosines 0: one chance in two
    >>> multiple_negatives_ranking(z, Batch.of([0, 1], [2, 3]), LossSettings()).value
    tensor(0.6931)
    """
    import torch
    from torch.nn.functional import normalize

    candidates = batch.right if batch.negative is None else torch.cat((batch.right, batch.negative))  # (c,)
    counted = ~false_negatives(batch, candidates)  # (b, c)
    units = normalize(z, dim=1)
    anchors, others = units.index_select(0, batch.left), units.index_select(0, candidates)  # (b, d), (c, d)
    # Not anchors @ others.T: so small a product rounds differently with another number of threads.
    table = (anchors[:, None] * others).sum(dim=2)  # (b, c)
    cosine = table.masked_select(counted)  # (m,)
    logits = torch.full_like(table, -torch.inf).masked_scatter(counted, cosine / settings.temperature)
    # Anchor i's own positive stands in column i and is never left out.
    value = (logits.logsumexp(dim=1) - logits.diagonal()).mean()
    i, j = counted.nonzero(as_tuple=True)
    return LossTerms(value, cosine, as_pairs(batch.left[i], candidates[j]))


def false_negatives(batch: Batch, candidates: Tensor) -> Tensor:
    """(b, c) bool: True where candidate j must not count as a negative of anchor i.

    That is so if it is the anchor itself, if some pair of this batch joins the two in either order
    (this covers a second copy of the anchor's own positive), or if `batch.known` says so. Never for the
    anchor's own positive in column i.
    """
    import torch

    left, right = batch.left, batch.right
    itself = left[:, None] == candidates[None, :]  # (b, c)
    forth = (left[:, None] == left).float() @ (right[:, None] == candidates).float()  # pairs (a_i, c_j)
    back = (left[:, None] == right).float() @ itself.float()  # pairs (c_j, a_i)
    out = itself | ((forth + back) > 0)
    if batch.known is not None:
        assert batch.known.shape == out.shape, (
            f"known has shape {tuple(batch.known.shape)}, not {tuple(out.shape)}"
        )
        out = out | batch.known
    own = torch.eye(len(left), len(candidates), dtype=torch.bool, device=left.device)
    return out & ~own


LOSS = Loss(
    key="mnrl",
    title="Multiple negatives ranking",
    formula=r"-\log\frac{e^{\cos(a_i,p_i)/\tau}}{\sum_j e^{\cos(a_i,p_j)/\tau}}",
    source="Henderson et al. 2017; van den Oord, Li & Vinyals 2018 (InfoNCE)",
    needs="positives",
    summary="Each anchor must pick its own positive; the positives of the other pairs serve as negatives.",
    uses=("temperature",),
    compute=multiple_negatives_ranking,
    order=40,
)
