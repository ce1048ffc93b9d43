r"""Unsupervised SimCSE: a sentence is its own positive, read twice with different dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Batch, Loss, LossSettings, LossTerms
from .mnrl import multiple_negatives_ranking

if TYPE_CHECKING:
    from torch import Tensor


def simcse(z: Tensor, batch: Batch, settings: LossSettings) -> LossTerms:
    r"""mean over sentences i of -log [ exp(cos(h_i, h'_i) / t) / sum_j exp(cos(h_i, h'_j) / t) ].

    Gao, Yao & Chen 2021, "SimCSE: simple contrastive learning of sentence embeddings". `left` holds the
    rows of the first pass h, `right` those of the second h'; the two differ only by dropout. Labels are
    not read. The formula is InfoNCE's: what is new is where the positives come from. If a sentence
    stands twice in a batch, give `known`: as rows of z its copies look different.

    z (n, d), any length of rows; value >= 0; m = b^2 pairs of rows of z at most.

    >>> import torch
    >>> z = torch.eye(2).repeat(2, 1)  # both passes agree and the two sentences are at a right angle
    >>> simcse(z, Batch.of([0, 1], [2, 3]), LossSettings(temperature=1.0)).value  # log(1 + 1/e)
    tensor(0.3133)
    """
    return multiple_negatives_ranking(z, batch, settings)


LOSS = Loss(
    key="simcse",
    title="Unsupervised SimCSE",
    formula=r"-\log\frac{e^{\cos(h_i,h_i')/\tau}}{\sum_j e^{\cos(h_i,h_j')/\tau}}",
    source="Gao, Yao & Chen 2021",
    needs="unlabelled",
    summary="Reads each sentence twice with different dropout and must find it again among the others.",
    uses=("temperature",),
    compute=simcse,
    order=70,
)
