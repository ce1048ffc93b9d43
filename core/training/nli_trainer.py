"""Training the encoder and the three-class classifier of core/training/nli.py together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..losses import LOSSES, LossSettings
from ..losses.softmax import new_head
from ..metrics.probe import graded_pairs, score
from ..models.device import numbers
from ..models.encoder import Encoder, pool
from ..types import FloatArray, IntArray
from ..vectors import pair_cosines
from .checkpoints import Checkpoint
from .controls import check
from .gradient import GradientTrainer, array_of
from .nli import CLASSES, HEAD, NliSnapshot, NliTask, as_pairs, probabilities, split
from .sampling import make_sampler
from .trainable import TrainableEncoder


class NliTrainer(GradientTrainer[NliSnapshot]):
    """One task: the encoder and the classifier that learn together."""

    def __init__(self, encoder: Encoder, task: NliTask, resume: Checkpoint | None = None) -> None:
        config = task.config()
        check(config)
        self.task = task
        self.train, self.held_out = split(task.examples, task.seed)
        sentences, pairs = as_pairs(task.examples)
        self.rows = sentences.rows_of(pairs)  # (m, 2) rows of the sentences
        self.labels = np.array([e.label for e in task.examples])  # (m,)
        train, held_out = ([pairs[i] for i in rows.tolist()] for rows in (self.train, self.held_out))
        self.sample = make_sampler(sentences, train, held_out, config)
        self.count = len(sentences)
        graded = [text for p in graded_pairs() for text in (p.left, p.right)]
        self.encoder = TrainableEncoder(encoder, [*sentences.texts, *graded], config, resume)
        head: Sequence[Tensor] = new_head(task.concatenation, encoder.dim, len(CLASSES), task.seed)
        if resume is not None:
            head = [torch.from_numpy(resume.parameters[name].copy()) for name in HEAD]
        self.weight, self.bias = (nn.Parameter(value.to(encoder.device)) for value in head)
        self.settings = LossSettings(concatenation=task.concatenation, head=self.weight, head_bias=self.bias)
        super().__init__(self.encoder.parameters | dict(zip(HEAD, (self.weight, self.bias))), config)
        if resume is not None:
            self.restore(resume)

    def loss_of(self, step: int) -> Tensor:
        """A batch of pairs: u and v side by side for the classifier, and how wrong its guess is."""
        sample = self.sample(step)
        z = self.embed(sample.rows)  # (s, d): u and v of all pairs in one pass, which shares the weights
        return LOSSES["softmax"].compute(z, sample.batch.to(z.device), self.settings).value

    def embed(self, rows: IntArray) -> Tensor:
        """Pooled vectors (len(rows), d), not normalised: as in the paper, the classifier sees lengths too."""
        hidden, packing = self.encoder.hidden(rows, 0.0)
        return pool(packing.pad(hidden), packing.mask, self.task.pooling)

    def snapshot(self) -> NliSnapshot:
        """Accuracies, the rank correlation with the graded pairs and the mean cosine of each class, now."""
        z = np.empty((len(self.encoder.lengths), self.encoder.dim), np.float32)
        with torch.no_grad():
            for rows in self.encoder.chunks():
                z[rows] = numbers(self.embed(rows))
        u, v = z[self.rows[:, 0]], z[self.rows[:, 1]]  # (m, d)
        right = self.probabilities(u, v).argmax(axis=1) == self.labels
        cosines, held = pair_cosines(z, self.rows), self.held_out
        by_class = [cosines[held][self.labels[held] == i] for i in range(len(CLASSES))]
        return NliSnapshot(
            self.step,
            self.last_loss,
            float(right[self.train].mean()),
            float(right[held].mean()) if len(held) else None,
            score(z[self.count :]).spearman,
            tuple(float(c.mean()) if len(c) else None for c in by_class),
            self.seconds,
        )

    def probabilities(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """What the classifier says of pooled vectors u and v (m, d): (m, 3), each row sums to 1."""
        return probabilities(u, v, self.task.concatenation, array_of(self.weight), array_of(self.bias))
