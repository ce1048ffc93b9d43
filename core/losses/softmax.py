r"""Softmax loss: a linear classifier on the two embeddings guesses the pair's label.

The classifier is thrown away after training, as in Sentence-BERT; only the embeddings stay.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .base import Batch, Loss, LossSettings, LossTerms, as_pairs

if TYPE_CHECKING:
    from torch import Tensor

# What the classifier may see. Sentence-BERT's ablation (its table 6) compares all seven.
CONCATENATIONS = ("u,v", "|u-v|", "u*v", "|u-v|,u*v", "u,v,u*v", "u,v,|u-v|", "u,v,|u-v|,u*v")


def softmax(z: Tensor, batch: Batch, settings: LossSettings) -> LossTerms:
    r"""mean of -log softmax(W [parts of u, v] + b)[class].

    Reimers & Gurevych 2019, "Sentence-BERT", the classification objective. The parts are those of
    `settings.concatenation`; W = `settings.head` (classes, k d), b = `settings.head_bias` (classes,).
    With C classes a label y in [0, 1] is class round(y (C - 1)); with two, 1 is "similar".

    z (n, d) is used as it is: unlike the other losses this one depends on the rows' lengths. Value >= 0;
    m = b pairs, whose force needs a definition of its own, see core.losses.forces.

    >>> import torch
    >>> weight, bias = torch.zeros(2, 6), torch.zeros(2)  # knows nothing: log 2
    >>> settings = LossSettings(concatenation="u,v,|u-v|", head=weight, head_bias=bias)
    >>> softmax(torch.eye(2), Batch.of([0], [1]), settings).value
    tensor(0.6931)
    """
    import torch
    from torch.nn import functional

    head = settings.head
    assert head is not None, "the softmax loss needs a head: see softmax.new_head"
    u, v = z.index_select(0, batch.left), z.index_select(0, batch.right)  # (b, d), (b, d)
    parts = {"u": lambda: u, "v": lambda: v, "|u-v|": lambda: (u - v).abs(), "u*v": lambda: u * v}
    seen = torch.cat([parts[name]() for name in settings.concatenation.split(",")], dim=1)  # (b, k d)
    assert head.shape[1] == seen.shape[1], (
        f"the head takes {head.shape[1]} numbers, there are {seen.shape[1]}"
    )
    logits = functional.linear(seen, head, settings.head_bias)  # (b, classes)
    classes = (batch.label * (len(head) - 1) + 0.5).floor().long()  # (b,), one half counts as similar
    value = functional.cross_entropy(logits, classes)
    return LossTerms(value, None, as_pairs(batch.left, batch.right), sides=(u, v))


def head_width(concatenation: str, dimension: int) -> int:
    """How many numbers the classifier sees: k d.

    >>> head_width("u,v,|u-v|", 384)
    1152
    """
    assert concatenation in CONCATENATIONS, f"unknown concatenation {concatenation!r}"
    return len(concatenation.split(",")) * dimension


def new_head(concatenation: str, dimension: int, classes: int = 2, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A fresh classifier, weight (classes, k d) and bias (classes,), spread as torch.nn.Linear's.

    >>> [tuple(t.shape) for t in new_head("|u-v|", 4)]
    [(2, 4), (2,)]
    """
    import torch

    width = head_width(concatenation, dimension)
    generator = torch.Generator().manual_seed(seed)
    bound = 1.0 / math.sqrt(width)
    weight = torch.empty(classes, width).uniform_(-bound, bound, generator=generator)
    return weight, torch.empty(classes).uniform_(-bound, bound, generator=generator)


LOSS = Loss(
    key="softmax",
    title="Softmax classifier",
    formula=r"-\log\,\mathrm{softmax}\left(W\,[u;\,v;\,|u-v|] + b\right)_y",
    source="Reimers & Gurevych 2019",
    needs="labelled",
    summary="Trains a small classifier to guess the label from both embeddings, which learn along the way.",
    uses=("concatenation",),
    compute=softmax,
    order=60,
    has_head=True,
)
