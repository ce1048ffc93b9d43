"""Entailment, neutral or contradiction: Sentence-BERT's own training task in small, with three classes.

Both sentences of a pair pass through one encoder; a linear layer sees the parts of u and v that it is given
and guesses the class. Here are data, task and formulas, without torch; nli_trainer.py trains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.assets import ASSETS
from ..data.schema import Line, Table, load
from ..data.text import clean, lines_of, shown
from ..losses.softmax import CONCATENATIONS
from ..types import FloatArray, InputError, IntArray, Pair, Sentence, SentenceSet, TrainingConfig

if TYPE_CHECKING:
    from .nli_trainer import NliTrainer

FILE = ASSETS / "nli" / "everyday.toml"
CLASSES = ("entailment", "neutral", "contradiction")
MAX_EXAMPLES, MAX_CHARACTERS = 300, 300
HELD_OUT = 1 / 3  # of the premises
BATCH = 16
SNAPSHOTS = 3  # of each training, beside those at its start; measuring takes as long as some steps
BASE = "minilm-l6"
HEAD = ("head.weight", "head.bias")  # the classifier's names in a checkpoint


@dataclass(frozen=True, slots=True)
class Example:
    """A premise, a hypothesis and its class, a place in CLASSES."""

    premise: str
    hypothesis: str
    label: int


class Situation(Table):
    """A premise of the file, with one hypothesis of each class."""

    premise: Line
    entailment: Line
    neutral: Line
    contradiction: Line


class Situations(Table):
    """The file."""

    title: Line
    source: Line
    situation: tuple[Situation, ...]


@dataclass(frozen=True, slots=True)
class NliTask:
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
            snapshot_every=max(1, self.steps // SNAPSHOTS),
        )

    def trainer(self, resume: Path | None = None) -> NliTrainer:
        from ..models import registry
        from . import checkpoints
        from .nli_trainer import NliTrainer

        known = None if resume is None else checkpoints.load(resume)
        return NliTrainer(registry.load(BASE), self, known)


@dataclass(frozen=True, slots=True)
class NliSnapshot:
    """What a training reports. Accuracies in [0, 1], chance is 1/3; `cosines` of held-out pairs by class.

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
    return tuple(
        Example(situation.premise, getattr(situation, name), label)
        for situation in load(file, Situations).situation
        for label, name in enumerate(CLASSES)
    )


def parse(text: str) -> tuple[Example, ...]:
    """One example a line: premise | hypothesis | class. Raises InputError naming the line.

    >>> parse("A dog runs. | An animal moves. | entailment")[0].label
    0
    """
    found: list[Example] = []
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip():
            continue
        parts = [clean(part) for part in line.split("|")]
        if len(parts) != 3 or not parts[0] or not parts[1]:
            raise InputError(f"Line {number}: write premise | hypothesis | class, with two bars.")
        if max(len(parts[0]), len(parts[1])) > MAX_CHARACTERS:
            raise InputError(f"Line {number}: a sentence may have at most {MAX_CHARACTERS} characters.")
        named = [i for i, name in enumerate(CLASSES) if parts[2] and name.startswith(parts[2].lower())]
        if len(named) != 1:
            raise InputError(f"Line {number}: “{shown(parts[2])}” is none of {', '.join(CLASSES)}.")
        if len(found) == MAX_EXAMPLES:
            raise InputError(
                f"Line {number:,} is one too many: at most {MAX_EXAMPLES} pairs can be trained on here."
            )
        found.append(Example(parts[0], parts[1], named[0]))
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


# ---- the classifier in plain numbers ------------------------------------------------------------------


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
