"""Fine-tuning a bi-encoder, step by step: sample, embed, loss, backward, step, report.

`train` is the one seam between training and the rest: an iterator of Snapshots. `Trainer.advance` is
the lesson. Everything random derives from (seed, step), so the same seed gives the same numbers bit for
bit, and a run taken up again from a checkpoint equals the unbroken one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ..losses import LOSSES, LossSettings
from ..losses.forces import forces, summed_by_pair
from ..losses.softmax import new_head
from ..metrics.measures import measure
from ..models.encoder import Encoder, normalize, pool
from ..types import FloatArray, Forces, InputError, Pair, Sentence, SentenceSet, Snapshot, TrainingConfig
from .checkpoints import Checkpoint
from .controls import check
from .sampling import make_sampler
from .trainable import Learner

SIMCSE_DROPOUT = 0.1  # Gao, Yao & Chen 2021 found it best; without dropout both passes would be equal


class Diverged(InputError):  # noqa: N818 (an event of a run, not a programming error)
    """The loss or an embedding stopped being a finite number; the message says what to try."""


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
    trainer = Trainer(encoder, sentences, pairs, config, held_out, resume)
    if resume is None:
        yield trainer.snapshot()
    while trainer.step < config.steps:
        trainer.advance()
        if trainer.step % config.snapshot_every == 0 or trainer.step in (1, config.steps):
            yield trainer.snapshot()


class Trainer:
    """One run: the model that learns, its optimizer and the step it has reached."""

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
        self.sentences, self.config = sentences, config
        self.pairs, self.held_out = tuple(pairs), tuple(held_out)
        self.loss = LOSSES[config.loss]
        self.sample = make_sampler(sentences, pairs, held_out, config)
        self.dropout = config.dropout
        if self.loss.needs == "unlabelled":
            self.dropout = max(config.dropout, SIMCSE_DROPOUT)
        self.learner = Learner(encoder, sentences.texts, config, resume)
        parameters = self.learner.parameters
        head = self._new_head(parameters)
        if not parameters:
            raise InputError(
                "There is nothing to learn: train at least one layer, or switch on the word embeddings."
            )
        self.settings = LossSettings(config.margin, config.temperature, config.concatenation, *head)
        self.optimizer = make_optimizer(parameters, config)
        self.step, self.seconds = 0, 0.0
        self.last_loss, self.last_forces = math.nan, Forces.none()
        if resume is not None:
            self.step, self.seconds = resume.step, resume.seconds
            self.learner.restore(self.optimizer)

    def advance(self) -> None:
        """One step of training: this is the lesson."""
        began, step = time.perf_counter(), self.step + 1
        sample = self.sample(step)  # which sentences, and who belongs to whom
        with seeded(self.config.seed, step):
            z = self.embed(sample.rows, self.dropout)  # (m, d), one pass for all of them
        if not z.requires_grad:
            z.requires_grad_()  # no layer learns, only the loss's classifier; the forces still need it
        terms = self.loss.compute(z, sample.batch, self.settings)
        loss = self.finite(terms.value.item(), step)
        pulls = forces(terms, z)  # (k,) derivative by each pair's cosine
        self.optimizer.zero_grad()
        terms.value.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, self.config)
        self.optimizer.step()
        self.step, self.last_loss = step, loss
        self.seconds += time.perf_counter() - began
        rows = torch.from_numpy(sample.rows)[terms.pairs]  # of the sentence set
        together, values = summed_by_pair(rows, pulls)
        self.last_forces = Forces(together.numpy(), values.numpy())

    def embed(self, rows: np.ndarray, dropout: float = 0.0) -> Tensor:
        """Sentences -> unit vectors (len(rows), d): tokens through the layers, pooled, normalised."""
        hidden, places = self.learner.hidden(rows, dropout)
        return normalize(pool(places.pad(hidden), places.mask, self.config.pooling))

    def snapshot(self) -> Snapshot:
        """What the model makes of all sentences now, and how good that is. No dropout."""
        z = self.embed_all()
        return Snapshot(
            self.step,
            self.last_loss,
            z,
            self.last_forces,
            measure(z, self.sentences, self.held_out, self.pairs),
            self.seconds,
        )

    def embed_all(self) -> FloatArray:
        """(n, d) float32, read-only."""
        z = np.empty((len(self.sentences), self.learner.dim), np.float32)
        with torch.no_grad():
            for rows in self.learner.chunks():
                z[rows] = self.embed(rows).numpy()
        self.finite(float(z.sum()), self.step)
        z.setflags(write=False)
        return z

    def finite(self, value: float, step: int) -> float:
        if not math.isfinite(value):
            tempered = "temperature" in self.loss.uses
            raise Diverged(
                f"At step {step} the loss is no longer a finite number. Try a lower learning rate (now "
                f"{self.config.learning_rate:g})"
                + (f" or a higher temperature (now {self.config.temperature:g})." if tempered else ".")
            )
        return value

    def checkpoint(self) -> Checkpoint:
        """The state after this step, as a copy that later steps do not touch."""
        return self.learner.checkpoint(self.optimizer, self.step, self.seconds)

    def tuned(self) -> Encoder:
        """The model as it is now, complete, ready to encode anything or to be saved."""
        return self.learner.tuned()

    def _new_head(self, parameters: dict[str, nn.Parameter]) -> tuple[nn.Parameter, ...]:
        """The softmax loss brings a classifier of its own, which learns along."""
        if not self.loss.has_head:
            return ()
        fresh = new_head(self.config.concatenation, self.learner.dim, seed=self.config.seed)
        weight, bias = (nn.Parameter(value) for value in fresh)
        parameters |= {"head.weight": weight, "head.bias": bias}
        return weight, bias


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


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Rises linearly over the first `warmup` share of the steps, then stays."""
    rising = math.ceil(config.warmup * config.steps)
    return config.learning_rate * min(1.0, step / max(1, rising))


def make_optimizer(parameters: dict[str, nn.Parameter], config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019). Biases and norms are not decayed, as is usual."""
    matrices = [p for p in parameters.values() if p.ndim > 1]
    vectors = [p for p in parameters.values() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


@contextmanager
def seeded(seed: int, step: int) -> Iterator[None]:
    """Dropout inside is a function of (seed, step); torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> 1))
        yield
