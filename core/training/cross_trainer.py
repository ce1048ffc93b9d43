"""Fine-tuning a cross-encoder step by step, with the bi-encoder's controls and the same kind of iterator.

So both can learn the same pairs side by side. The layers that do not learn run once per pair and order;
what they gave is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..metrics.measures import auc, pair_accuracy
from ..models.cross_encoder import CrossEncoder, sigmoid
from ..models.device import numbers
from ..models.joint_model import JointModel, JointPacking, JointPairModel, JointTokens, refined
from ..models.pair_model import TextPair
from ..types import FloatArray, InputError, Pair, SentenceSet, TrainingConfig
from .checkpoints import Checkpoint
from .controls import check
from .gradient import GradientTrainer
from .sampling import make_sampler

CHUNK = 64  # pairs read at once outside training
ORDER = 3  # keeps the draw of (left, right) or (right, left) apart from other draws of the same seed


@dataclass(frozen=True, slots=True, eq=False)
class CrossSnapshot:
    """How it stands at a step. Step 0 is the model before training and has no loss (nan).

    Scores are the mean of both orders. Accuracy and AUC are measured as the bi-encoder's are
    (core/metrics/measures.py) and None where the data cannot define them.
    """

    step: int
    loss: float
    scores: FloatArray  # (m,) of the training pairs, [0, 1]
    held_out_scores: FloatArray  # (h,) of the held-out pairs, [0, 1]
    held_out_accuracy: float | None
    held_out_auc: float | None
    seconds: float  # of training, without the time spent measuring


class CrossEncoderTrainer(GradientTrainer[CrossSnapshot]):
    """One run: a copy of the joint model that learns to score these pairs; the one given is not changed.

    Of `config`, steps, learning_rate, warmup, batch_size, trained_layers, dropout, weight_decay, seed and
    snapshot_every count; the loss is always binary cross-entropy. Raises InputError without labelled pairs
    or for a model that cannot be trained here, Diverged when the loss is not finite.
    """

    def __init__(
        self,
        cross_encoder: CrossEncoder,
        sentences: SentenceSet,
        pairs: Sequence[Pair],
        config: TrainingConfig,
        held_out: Sequence[Pair] = (),
        resume: Checkpoint | None = None,
    ) -> None:
        check(config)
        if not isinstance(cross_encoder.model, JointPairModel):
            raise InputError("Only the packaged cross-encoder can be trained here; choose it.")
        self.pairs, self.held_out = tuple(pairs), tuple(held_out)
        # The same pairs in the same batches as a bi-encoder whose loss takes labelled pairs.
        self.sample = make_sampler(sentences, pairs, held_out, config.replace(loss="cosine"))
        base = cross_encoder.model.joint
        self.first = max(0, len(base.layers) - config.trained_layers)
        self.model = base.copy_to_train(self.first)
        super().__init__({n: p for n, p in self.model.named_parameters() if _learns(n, self.first)}, config)
        self.reader = _Reader(self.model, self.first, sentences.texts)
        self.ordered = [(a, b) for a, b in sentences.rows_of((*self.pairs, *self.held_out)).tolist()]
        if resume is not None:
            self.restore(resume)

    def loss_of(self, step: int) -> Tensor:
        """A batch of pairs, each read in a drawn order, and how far their scores are from the labels."""
        sample = self.sample(step)
        turned = np.random.default_rng((self.config.seed, ORDER, step)).random(len(sample.batch.left)) < 0.5
        left, right = sample.rows[sample.batch.left], sample.rows[sample.batch.right]
        asked = [(b, a) if turn else (a, b) for a, b, turn in zip(left.tolist(), right.tolist(), turned)]
        logits = self.reader.logits(asked, self.config.dropout)  # (b,)
        return F.binary_cross_entropy_with_logits(logits, sample.batch.label.to(logits.device))

    def snapshot(self) -> CrossSnapshot:
        """The scores of all pairs now, both orders averaged, and how good those of held-out pairs are."""
        scores = self._scores()
        trained, held = scores[: len(self.pairs)], scores[len(self.pairs) :]
        truth = np.array([pair.is_similar for pair in self.held_out], bool)
        known = np.array([pair.is_similar for pair in self.pairs], bool)
        accuracy = pair_accuracy(held, truth, trained, known)
        return CrossSnapshot(
            self.step, self.last_loss, trained, held, accuracy, auc(held, truth), self.seconds
        )

    def _scores(self) -> FloatArray:
        """Mean of both orders' scores for every pair, (m,)."""
        asked = [*self.ordered, *((b, a) for a, b in self.ordered)]
        texts = self.reader.texts
        by_length = sorted(range(len(asked)), key=lambda i: sum(len(texts[row]) for row in asked[i]))
        logits = np.zeros(len(asked), np.float32)
        with torch.no_grad():
            for start in range(0, len(asked), CHUNK):
                chunk = by_length[start : start + CHUNK]
                logits[chunk] = numbers(self.reader.logits([asked[i] for i in chunk]))
        forward, backward = np.split(sigmoid(logits), 2)
        return (forward + backward) * np.float32(0.5)

    def tuned(self) -> CrossEncoder:
        """The model as it is now, ready to score anything."""
        twin = self.model.copy_to_train(self.first).requires_grad_(False).eval()
        return CrossEncoder(JointPairModel(twin), "Cross-encoder, trained here")

    def restore(self, resume: Checkpoint) -> None:
        """Weights too. Raises InputError when they are not this model's."""
        shapes = {name: tuple(p.shape) for name, p in self.parameters.items()}
        if shapes != {name: kept.shape for name, kept in resume.parameters.items()}:
            raise InputError("The checkpoint belongs to a cross-encoder with other trained layers.")
        for name, parameter in self.parameters.items():
            parameter.data.copy_(torch.from_numpy(resume.parameters[name]))
        super().restore(resume)


class _Reader:
    """Pairs of sentence rows -> logits, with the output of the frozen layers kept for each pair and order."""

    def __init__(self, model: JointModel, first: int, texts: Sequence[str]) -> None:
        self.model, self.first, self.texts = model, first, texts
        self.second = None if model.second is None else _Reader(model.second, first, texts)
        self.kept: dict[tuple[int, int], tuple[JointTokens, Tensor]] = {}

    def logits(self, asked: Sequence[tuple[int, int]], dropout: float = 0.0) -> Tensor:
        """(b,) with gradients."""
        parts = [self._frozen(pair) for pair in asked]
        tokens = _together([tokens for tokens, _ in parts], self.model.across)
        x = torch.cat([x for _, x in parts])  # (t, d)
        x = self.model.run(x, tokens.packing, start=self.first, dropout=dropout)
        logits, second = self.model.read(x, tokens), self.second
        if second is not None:
            logits = refined(logits, lambda rows: second.logits([asked[row] for row in rows], dropout))
        return logits

    def _frozen(self, pair: tuple[int, int]) -> tuple[JointTokens, Tensor]:
        if pair not in self.kept:
            texts: TextPair = (self.texts[pair[0]], self.texts[pair[1]])
            tokens = self.model.tokenize([texts])
            with torch.no_grad():
                x = self.model.run(self.model.embed(tokens), tokens.packing, stop=self.first)
            self.kept[pair] = (tokens, x)
        return self.kept[pair]


def _together(parts: Sequence[JointTokens], across: float) -> JointTokens:
    """The tokens of several pairs as one batch."""
    lengths = torch.tensor([len(part.ids) for part in parts]).to(parts[0].ids.device)
    segments = torch.cat([part.segments for part in parts])
    cosines = [part.cosines for part in parts if part.cosines is not None]
    return JointTokens(
        torch.cat([part.ids for part in parts]),
        torch.cat([part.positions for part in parts]),
        segments,
        JointPacking.joint(lengths, segments, across),
        tuple(part.pieces[0] for part in parts),
        tuple(part.dropped[0] for part in parts),
        torch.cat(cosines) if cosines else None,
    )


def _learns(name: str, first: int) -> bool:
    """Whether this parameter belongs to the head or to a layer that is trained, of either reading."""
    part, _, rest = name.removeprefix("second.").partition(".")
    return part == "head" or (part == "layers" and int(rest.split(".")[0]) >= first)
