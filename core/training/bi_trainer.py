"""Fine-tuning a bi-encoder: sentences through one encoder, and a loss that compares their vectors.

`train` is the one seam between training and the rest: an iterator of Snapshots.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ..losses import LOSSES, LossSettings
from ..losses.forces import forces, summed_by_pair
from ..losses.softmax import new_head
from ..metrics.measures import measure
from ..models.device import numbers
from ..models.encoder import Encoder
from ..types import (
    FloatArray,
    Forces,
    InputError,
    IntArray,
    Pair,
    Sentence,
    SentenceSet,
    Snapshot,
    TrainingConfig,
)
from .checkpoints import Checkpoint
from .controls import check
from .gradient import GradientTrainer
from .sampling import make_sampler
from .trainable import TrainableEncoder
from .trainer import iterate

SIMCSE_DROPOUT = 0.1  # Gao, Yao & Chen 2021 found it best; without dropout both passes would be equal


def train(
    encoder: Encoder,
    sentences: SentenceSet,
    pairs: Sequence[Pair],
    config: TrainingConfig,
    held_out: Sequence[Pair] = (),
    resume: Checkpoint | None = None,
) -> Iterator[Snapshot]:
    """Train a copy of `encoder` and report as it learns; the encoder itself is not changed.

    Yields step 0 (the base model), step 1, every `snapshot_every`-th and the last step. With `resume`
    it goes on after that checkpoint. Raises InputError when the pairs cannot feed the loss or nothing
    is left to learn, Diverged when the loss is not finite.
    """
    trainer = BiEncoderTrainer(encoder, sentences, pairs, config, held_out, resume)
    yield from (snapshot for snapshot in iterate(trainer) if snapshot is not None)


class BiEncoderTrainer(GradientTrainer[Snapshot]):
    """One run: a copy of the encoder that learns from pairs of these sentences."""

    def __init__(
        self,
        encoder: Encoder,
        sentences: SentenceSet,
        pairs: Sequence[Pair],
        config: TrainingConfig,
        held_out: Sequence[Pair] = (),
        resume: Checkpoint | None = None,
    ) -> None:
        check(config)
        if not sentences.sentences:
            raise InputError("There are no sentences to train on.")
        self.sentences, self.pairs, self.held_out = sentences, tuple(pairs), tuple(held_out)
        self.loss = LOSSES[config.loss]
        self.sample = make_sampler(sentences, pairs, held_out, config)
        self.dropout = config.dropout
        if self.loss.needs == "unlabelled":
            self.dropout = max(config.dropout, SIMCSE_DROPOUT)
        self.encoder = TrainableEncoder(encoder, sentences.texts, config, resume)
        head = self._classifier(config, resume)
        parameters = self.encoder.parameters | head
        if not parameters:
            raise InputError(
                "There is nothing to learn: train at least one layer, or switch on the word embeddings."
            )
        self.settings = LossSettings(config.margin, config.temperature, config.concatenation, *head.values())
        self.last_forces = Forces.none()
        self.ahead: dict[int, Tensor] = {}  # the next step's vectors, where a snapshot needed them already
        super().__init__(parameters, config)
        if resume is not None:
            self.restore(resume)

    def loss_of(self, step: int) -> Tensor:
        """The sentences of this step's batch as vectors, and the loss that compares them."""
        sample = self.sample(step)  # which sentences, and who belongs to whom
        z = self.ahead.pop(step, None)  # (m, d), unless the snapshot before this step needed them already
        if z is None:
            z = self.embed(sample.rows, self.dropout)  # (m, d), one pass for all of them
        if not z.requires_grad:
            z.requires_grad_()  # no layer learns, only the loss's classifier; the forces still need it
        terms = self.loss.compute(z, sample.batch.to(z.device), self.settings)
        pulls = forces(terms, z)  # (k,) derivative by each pair's cosine
        together, values = summed_by_pair(self.encoder.indices(sample.rows)[terms.pairs], pulls)
        self.last_forces = Forces(numbers(together), numbers(values))
        return terms.value

    def embed(self, rows: IntArray, dropout: float = 0.0) -> Tensor:
        """Sentences -> unit vectors (len(rows), d): tokens through the layers, pooled, normalised."""
        hidden, packing = self.encoder.hidden(rows, dropout)
        z = self.encoder.model.pool(packing.pad(hidden), packing.mask, self.config.pooling)
        return normalize(z, dim=1)

    def snapshot(self) -> Snapshot:
        """What the model makes of all sentences now, and how good that is. No dropout."""
        seconds, z = self.seconds, self.embed_all()
        metrics = measure(z, self.sentences, self.held_out, self.pairs)
        return Snapshot(self.step, self.last_loss, z, self.last_forces, metrics, seconds)

    def embed_all(self) -> FloatArray:
        """(n, d) float32, read-only.

        The next step's batch comes first, with its gradients' graph, and is kept for that step: no sentence
        passes through the same weights twice. Dropout would make the two passes differ.
        """
        z = np.empty((len(self.sentences), self.encoder.dim), np.float32)
        others, step = np.arange(len(z)), self.step + 1
        if not self.dropout and step <= self.steps:
            began, batch = time.perf_counter(), self.sample(step).rows
            if step not in self.ahead:
                self.ahead = {step: self.embed(batch)}
                self.seconds += time.perf_counter() - began  # a part of that step
            z[batch], others = numbers(self.ahead[step]), np.setdiff1d(others, batch)
        with torch.no_grad():
            for rows in self.encoder.chunks(others):
                z[rows] = numbers(self.embed(rows))
        self.finite(float(z.sum()), self.step)
        z.setflags(write=False)
        return z

    @property
    def remedy(self) -> str:
        if "temperature" not in self.loss.uses:
            return ""
        return f" or a higher temperature (now {self.config.temperature:g})"

    def checkpoint(self) -> Checkpoint:
        return self.encoder.complete(super().checkpoint())

    def rows_of(self, name: str, resume: Checkpoint) -> Tensor | slice:
        return self.encoder.rows_of(name, resume)

    def tuned(self) -> Encoder:
        """The model as it is now, complete, ready to encode anything or to be saved."""
        return self.encoder.tuned()

    def _classifier(self, config: TrainingConfig, resume: Checkpoint | None) -> dict[str, nn.Parameter]:
        """The softmax loss brings a classifier of its own, which learns along."""
        if not self.loss.has_head:
            return {}
        names = ("head.weight", "head.bias")
        head = dict(zip(names, new_head(config.concatenation, self.encoder.dim, seed=config.seed)))
        for name, fresh in head.items():
            known = None if resume is None else resume.parameters.get(name)
            if known is not None and known.shape == tuple(fresh.shape):  # not after another concatenation
                head[name] = torch.from_numpy(known.copy())
        return {name: nn.Parameter(value.to(self.encoder.device)) for name, value in head.items()}


def warm_up() -> None:
    """Load the usual model and take one throwaway step, so that nobody's first run waits for what PyTorch
    imports with its first optimizer (1.3 s on two cores)."""
    from ..models import registry

    words = ("warm", "hot", "cold", "cool", "mild", "fresh")
    sentences = SentenceSet(tuple(Sentence(word, word) for word in words))
    pairs = (Pair("warm", "hot", 1.0), Pair("cold", "cool", 1.0), Pair("warm", "cold", 0.0))
    held_out = (Pair("mild", "fresh", 1.0), Pair("mild", "cold", 0.0))
    encoder = registry.load(TrainingConfig().base_model)
    for _ in train(encoder, sentences, pairs, TrainingConfig(steps=1), held_out):
        pass
