"""Entailment, neutral or contradiction: Sentence-BERT's own training task in small, with three classes.

Here are the data and the trainer: both sentences of a pair pass through one encoder, a linear layer sees
the parts of u and v that it is given and guesses the class. core/concepts/sbert.py answers what pages ask.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.assets import ASSETS
from ..data.text import clean
from ..losses.softmax import CONCATENATIONS
from ..types import FloatArray, InputError, IntArray, Pair, Sentence, SentenceSet, TrainingConfig

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.encoder import Encoder

FILE = ASSETS / "nli" / "everyday.toml"
CLASSES = ("entailment", "neutral", "contradiction")
POOLINGS = ("mean", "cls", "max")
MAX_EXAMPLES, MAX_CHARACTERS = 300, 300
HELD_OUT = 1 / 3  # of the premises
BATCH = 16


@dataclass(frozen=True, slots=True)
class Example:
    """A premise, a hypothesis and its class, a place in CLASSES."""

    premise: str
    hypothesis: str
    label: int


@dataclass(frozen=True, slots=True)
class Task:
    """One training: which examples, what the classifier sees, how vectors are pooled, and how it learns.

    The seed decides the split by premise, the order of the batches and the classifier's first weights.
    """

    examples: tuple[Example, ...]
    concatenation: str = "u,v,|u-v|"
    pooling: str = "mean"
    steps: int = 40
    learning_rate: float = 2e-4
    trained_layers: int = 2
    seed: int = 7

    def config(self) -> TrainingConfig:
        return TrainingConfig(
            loss="softmax",
            steps=self.steps,
            learning_rate=self.learning_rate,
            batch_size=BATCH,
            trained_layers=self.trained_layers,
            pooling=self.pooling,
            concatenation=self.concatenation,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True)
class Lap:
    """One measurement. Accuracies in [0, 1], chance is 1/3; `cosines` of held-out pairs, mean by class.

    `probe` is the rank correlation of cosines with the graded pairs of core/metrics/probe.py.
    """

    step: int
    loss: float  # of the last batch; nan at step 0
    train_accuracy: float
    held_out_accuracy: float | None
    probe: float | None
    cosines: tuple[float | None, ...]
    seconds: float


# ---- data --------------------------------------------------------------------------------------------


@cache
def examples(file: Path = FILE) -> tuple[Example, ...]:
    """The built-in pairs. Raises InputError, naming the situation, for a file that does not fit."""
    try:
        situations = tomllib.loads(file.read_text(encoding="utf-8"))["situation"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError(f"{file.name} cannot be read as a list of situations: {error}.") from error
    found = []
    for number, row in enumerate(situations, start=1):
        if set(row) != {"premise", *CLASSES} or not all(
            isinstance(t, str) and clean(t) for t in row.values()
        ):
            raise InputError(f"{file.name}, situation {number}: it needs premise, {', '.join(CLASSES)}.")
        found += [Example(row["premise"], row[name], label) for label, name in enumerate(CLASSES)]
    return tuple(found)


def source(file: Path = FILE) -> str:
    return str(tomllib.loads(file.read_text(encoding="utf-8"))["source"])


def parse(text: str) -> tuple[Example, ...]:
    """One example a line: premise | hypothesis | class. Raises InputError naming the line.

    >>> parse("A dog runs. | An animal moves. | entailment")[0].label
    0
    """
    found: list[Example] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = [clean(part) for part in line.split("|")]
        if len(parts) != 3 or not parts[0] or not parts[1]:
            raise InputError(f"Line {number}: write premise | hypothesis | class, with two bars.")
        if max(len(parts[0]), len(parts[1])) > MAX_CHARACTERS:
            raise InputError(f"Line {number}: a sentence may have at most {MAX_CHARACTERS} characters.")
        named = [i for i, name in enumerate(CLASSES) if parts[2] and name.startswith(parts[2].lower())]
        if len(named) != 1:
            raise InputError(f"Line {number}: {parts[2]!r} is none of {', '.join(CLASSES)}.")
        found.append(Example(parts[0], parts[1], named[0]))
    if len(found) > MAX_EXAMPLES:
        raise InputError(f"These are {len(found)} pairs; at most {MAX_EXAMPLES} can be trained on here.")
    return tuple(found)


def split(given: Sequence[Example], seed: int, share: float = HELD_OUT) -> tuple[IntArray, IntArray]:
    """Rows to train on and rows held out, so that no premise is on both sides.

    Raises InputError where one side would be empty or a class would have nothing to learn from.
    """
    premises = list(dict.fromkeys(e.premise for e in given))
    count = round(len(premises) * share)
    if count < 1 or len(premises) - count < 2:
        raise InputError("There are too few premises to hold some out: give at least 3 different ones.")
    order = np.random.default_rng((seed, len(premises))).permutation(len(premises))
    held = {premises[i] for i in order[:count]}
    apart = np.array([e.premise in held for e in given])
    train, rest = np.flatnonzero(~apart), np.flatnonzero(apart)
    missing = [name for i, name in enumerate(CLASSES) if all(given[int(r)].label != i for r in train)]
    if missing:
        raise InputError(f"No pair to learn from is marked {missing[0]}. Add some, or choose another seed.")
    return train, rest


def as_pairs(given: Sequence[Example]) -> tuple[SentenceSet, tuple[Pair, ...]]:
    """Sentences, each once, and pairs whose label is 0, 1/2 or 1: what the softmax loss reads as a class."""
    texts = dict.fromkeys(t for e in given for t in (e.premise, e.hypothesis))
    ids = {text: str(i) for i, text in enumerate(texts)}
    sentences = SentenceSet(tuple(Sentence(i, text) for text, i in ids.items()))
    last = len(CLASSES) - 1
    return sentences, tuple(Pair(ids[e.premise], ids[e.hypothesis], e.label / last) for e in given)


# ---- training ----------------------------------------------------------------------------------------


class NliTrainer:
    """One task: the encoder and the classifier that learn together, and the laps measured so far."""

    def __init__(self, encoder: Encoder, task: Task) -> None:
        import torch

        from ..losses import LossSettings
        from ..losses.softmax import new_head
        from ..metrics.probe import graded_pairs
        from .controls import check
        from .gradient import make_optimizer
        from .sampling import make_sampler
        from .trainable import TrainableEncoder

        config = task.config()
        check(config)
        self.task, self.config = task, config
        self.train, self.held_out = split(task.examples, task.seed)
        sentences, pairs = as_pairs(task.examples)
        row = sentences.row()
        self.rows = np.array([(row[p.left], row[p.right]) for p in pairs])  # (m, 2) rows of the sentences
        self.labels = np.array([e.label for e in task.examples])  # (m,)
        self.sample = make_sampler(
            sentences,
            [pairs[i] for i in self.train.tolist()],
            [pairs[i] for i in self.held_out.tolist()],
            config,
        )
        self.count = len(sentences)
        probe = [text for p in graded_pairs() for text in (p.left, p.right)]
        self.learner = TrainableEncoder(encoder, [*sentences.texts, *probe], config, None)
        head = new_head(task.concatenation, encoder.dim, len(CLASSES), task.seed)
        self.weight, self.bias = (torch.nn.Parameter(value) for value in head)
        parameters = self.learner.parameters | {"head.weight": self.weight, "head.bias": self.bias}
        self.settings = LossSettings(concatenation=task.concatenation, head=self.weight, head_bias=self.bias)
        self.optimizer = make_optimizer(parameters, config)
        self.step, self.loss, self.seconds = 0, math.nan, 0.0
        self.laps: tuple[Lap, ...] = ()

    def advance(self) -> None:
        """One step: two passes through the same weights, the parts side by side, softmax, correction."""
        import time

        from ..losses import LOSSES
        from .gradient import learning_rate, seeded
        from .trainer import Diverged

        began, step = time.perf_counter(), self.step + 1
        sample = self.sample(step)
        with seeded(self.task.seed, step):
            z = self.embed(sample.rows)  # (s, d): u and v of all pairs in one pass, which shares the weights
        terms = LOSSES["softmax"].compute(z, sample.batch, self.settings)
        loss = terms.value.item()
        if not math.isfinite(loss):
            raise Diverged(
                f"At step {step} the loss is no longer a finite number. Try a lower learning rate "
                f"(now {self.task.learning_rate:g})."
            )
        self.optimizer.zero_grad()
        terms.value.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, self.config)
        self.optimizer.step()
        self.step, self.loss = step, loss
        self.seconds += time.perf_counter() - began

    def embed(self, rows: IntArray) -> Tensor:
        """Pooled vectors (len(rows), d), not normalised: as in the paper, the classifier sees lengths too."""
        from ..models.encoder import pool

        hidden, places = self.learner.hidden(rows, 0.0)
        return pool(places.pad(hidden), places.mask, self.task.pooling)

    def measure(self) -> Lap:
        """Accuracies, the probe and the mean cosine of each class, now."""
        import torch

        from ..metrics.measures import pair_cosines
        from ..metrics.probe import score

        z = np.empty((len(self.learner.lengths), self.learner.dim), np.float32)
        with torch.no_grad():
            for rows in self.learner.chunks():
                z[rows] = self.embed(rows).numpy()
        u, v = z[self.rows[:, 0]], z[self.rows[:, 1]]  # (m, d)
        right = self.probabilities(u, v).argmax(axis=1) == self.labels
        cosines, held = pair_cosines(z, self.rows), self.held_out
        by_class = [cosines[held][self.labels[held] == i] for i in range(len(CLASSES))]
        return Lap(
            self.step,
            self.loss,
            float(right[self.train].mean()),
            float(right[held].mean()) if len(held) else None,
            score(z[self.count :]).spearman,
            tuple(float(c.mean()) if len(c) else None for c in by_class),
            self.seconds,
        )

    def probabilities(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """What the classifier says of pooled vectors u and v (m, d): (m, 3), each row sums to 1."""
        return probabilities(u, v, self.task.concatenation, _array(self.weight), _array(self.bias))


def features(u: FloatArray, v: FloatArray, concatenation: str) -> FloatArray:
    """The classifier's input (m, k d): the named parts of u and v (m, d), side by side."""
    assert concatenation in CONCATENATIONS, f"unknown concatenation {concatenation!r}"
    parts = {"u": u, "v": v, "|u-v|": np.abs(u - v), "u*v": u * v}
    return np.concatenate([parts[name] for name in concatenation.split(",")], axis=1)


def probabilities(
    u: FloatArray, v: FloatArray, concatenation: str, weight: FloatArray, bias: FloatArray
) -> FloatArray:
    """softmax(W [parts of u, v] + b): (m, classes) from u, v (m, d), W (classes, k d), b (classes,)."""
    logits = features(u, v, concatenation) @ weight.T + bias
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: FloatArray = (grown / grown.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def _array(tensor: Any) -> FloatArray:
    found: FloatArray = tensor.detach().numpy()
    return found
