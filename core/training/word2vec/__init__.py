r"""Word2vec: skip-gram with negative sampling, from a text to one vector a word.

Each word w gets a vector v_w, and as a neighbour of others a second vector u_w. For a word w, a word o that
stands within the window around it, and k words n_1 .. n_k drawn at random, the loss is

    L = -\log \sigma(u_o \cdot v_w) - \sum_i \log \sigma(-u_{n_i} \cdot v_w),   \sigma(x) = 1 / (1 + e^{-x})

Skip-gram: Mikolov, Chen, Corrado and Dean 2013, "Efficient estimation of word representations in vector
space", arXiv:1301.3781. Negative sampling, its distribution f^0.75 and the subsampling of frequent words:
Mikolov, Sutskever, Chen, Corrado and Dean 2013, "Distributed representations of words and phrases and their
compositionality", arXiv:1310.4546, equations 4 and 5. As in the authors' program, the reach around each word
is drawn from 1 .. window, v starts small and random, u starts at zero, and the rate falls in a line.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import FloatArray, InputError, IntArray
from ...vectors import unit_rows
from ..checkpoints import writing
from ..trainer import Diverged, Trainer, iterate
from .text import TokenizedText, read

POWER = 0.75  # of the word frequencies that negatives are drawn by; found by trial in the paper
LOWEST_RATE = 1e-4  # at the end of the run
SNAPSHOTS = 40
AT_ONCE = 100  # sentences between two looks at a clock or a pause, some milliseconds
LOOK_AHEAD = 50  # sentences in which to find one that has pairs


@dataclass(frozen=True, slots=True)
class Settings:
    """Every control of a run. `subsample` is the paper's t (0 keeps every word)."""

    dimensions: int = 50
    window: int = 4
    negatives: int = 5
    subsample: float = 0.01
    epochs: int = 20
    rate: float = 0.05
    seed: int = 7


# field -> smallest and largest value
BOUNDS: dict[str, tuple[float, float]] = {
    "dimensions": (2, 200),
    "window": (1, 10),
    "negatives": (0, 20),
    "subsample": (0.0, 1.0),
    "epochs": (1, 200),
    "rate": (0.001, 0.5),
    "seed": (0, 10_000),
}


@dataclass(frozen=True, slots=True)
class Word2vecTask:
    """One training: a text and how to learn from it."""

    text: str
    settings: Settings

    def trainer(self, resume: Path | None = None) -> Word2vecTrainer:
        trainer = Word2vecTrainer(read(self.text), self.settings)
        if resume is not None:
            trainer.load(resume)
        return trainer


@dataclass(frozen=True, slots=True)
class Word2vecSnapshot:
    """A snapshot. `vectors` and `contexts` (v, d) float32 are v and u above. `step` counts sentences over all
    epochs; `loss` is the mean over the pairs since the snapshot before, nan at the start."""

    step: int
    loss: float
    vectors: FloatArray
    contexts: FloatArray
    skip_grams: SkipGrams | None = None  # what the next sentence will teach

    @property
    def embeddings(self) -> FloatArray:
        """What a map of the words draws."""
        return self.vectors

    def outline(self) -> Word2vecSnapshot:
        """What a run keeps of it once a newer one has come."""
        return Word2vecSnapshot(self.step, self.loss, self.vectors[:0], self.contexts[:0])


@dataclass(frozen=True, slots=True)
class SkipGrams:
    """What one sentence teaches. `pairs` (m, 2 + k): word, neighbour, negatives, as rows; -1 where the draw
    hit the neighbour itself. `chance` (m, 1 + k) in [0, 1]: sigma(u . v), how much a pair seems real now."""

    sentence: tuple[str, ...]
    pairs: NDArray[np.int32]
    chance: FloatArray


def check(settings: Settings) -> None:
    """Raises InputError with the field, its value and what is allowed."""
    for field, (low, high) in BOUNDS.items():
        value = getattr(settings, field)
        if not low <= value <= high:
            raise InputError(f"{field.capitalize()} is {value:g}. Choose a value from {low:g} to {high:g}.")


def keep_chances(counts: IntArray, subsample: float) -> NDArray[np.float64]:
    """(v,) chance of a word to be kept: min(1, sqrt(t / f)), f its share of the text (1310.4546, eq. 5)."""
    if subsample <= 0:
        return np.ones(len(counts))
    return np.minimum(1.0, np.sqrt(subsample / (counts / counts.sum())))


def negative_table(counts: IntArray) -> NDArray[np.float64]:
    """(v,) cumulative chance of each word to be drawn as a negative, proportional to f^0.75."""
    weights = counts.astype(np.float64) ** POWER
    return np.cumsum(weights / weights.sum())


def start(corpus: TokenizedText, settings: Settings) -> Word2vecSnapshot:
    """Before the first step: v uniform in (-0.5, 0.5) / d, u zero. Raises InputError for bad settings."""
    check(settings)
    shape = (len(corpus.vocabulary), settings.dimensions)
    draw = np.random.default_rng(settings.seed)
    vectors = ((draw.random(shape) - 0.5) / settings.dimensions).astype(np.float32)
    return _sealed(Word2vecSnapshot(0, float("nan"), vectors, np.zeros(shape, np.float32)))


def total(corpus: TokenizedText, settings: Settings) -> int:
    """Sentences of the whole run, every epoch counted."""
    return corpus.sentences * settings.epochs


def marks(corpus: TokenizedText, settings: Settings, snapshots: int = SNAPSHOTS) -> tuple[int, ...]:
    """How many sentences are done at each snapshot: 0 first, the end last, closer together at the start."""
    share = np.linspace(0.0, 1.0, snapshots + 1) ** 1.5
    return tuple(sorted({round(s * total(corpus, settings)) for s in share.tolist()}))


class Word2vecTrainer(Trainer[Word2vecSnapshot]):
    """One run; a step is one sentence read, and a few are read at once. The result depends on corpus,
    settings and step only, not on where a run was cut."""

    def __init__(self, corpus: TokenizedText, settings: Settings, snapshots: int = SNAPSHOTS) -> None:
        begun = start(corpus, settings)
        self.corpus, self.settings, self.steps = corpus, settings, total(corpus, settings)
        self.vectors, self.contexts = begun.vectors.copy(), begun.contexts.copy()
        self.keep = keep_chances(corpus.counts, settings.subsample)
        self.table = negative_table(corpus.counts)
        self.marks = marks(corpus, settings, snapshots)
        self.mean, self.loss, self.pairs = begun.loss, 0.0, 0  # loss and pairs since the last snapshot

    def advance(self) -> None:
        """Learn from some sentences: every pair in each, and the negatives drawn for it."""
        from . import kernel

        assert self.step < self.steps, "the rate has come down to its end"
        began = time.perf_counter()
        settings, corpus = self.settings, self.corpus
        epoch, first = divmod(self.step, corpus.sentences)
        end = min(self.until or self.steps, self.marks[bisect_right(self.marks, self.step)])
        last = min(corpus.sentences, first + min(AT_ONCE, end - self.step))
        text = (corpus.words, corpus.bounds, first, last, self.keep, self.table)
        numbers = (settings.window, settings.negatives, settings.seed, epoch, settings.epochs)
        rates = (settings.rate, min(LOWEST_RATE, settings.rate))
        loss, pairs = kernel.learn_sentences(*text, *numbers, *rates, self.vectors, self.contexts)
        self.loss, self.pairs, self.step = self.loss + loss, self.pairs + pairs, self.step + last - first
        self.seconds += time.perf_counter() - began

    def is_due(self) -> bool:
        """Closer together at the start, where the words move most."""
        return self.step in self.marks

    def snapshot(self) -> Word2vecSnapshot:
        if not (np.isfinite(self.vectors).all() and np.isfinite(self.contexts).all()):
            raise Diverged("The vectors grew beyond all bounds. Choose a smaller learning rate.")
        if self.pairs:
            self.mean, self.loss, self.pairs = self.loss / self.pairs, 0.0, 0
        now = _sealed(Word2vecSnapshot(self.step, self.mean, self.vectors.copy(), self.contexts.copy()))
        return replace(now, skip_grams=next_skip_grams(self.corpus, self.settings, now))

    def save(self, file: Path) -> None:
        from safetensors.numpy import save_file

        arrays = {"vectors": self.vectors, "contexts": self.contexts}
        arrays["clock"] = np.array([self.step, self.seconds, self.mean, self.loss, self.pairs])
        with writing(file):
            save_file(arrays, file)

    def load(self, file: Path) -> None:
        """Stand where the trainer of the same task stood that was saved there."""
        from safetensors.numpy import load_file

        arrays = load_file(file)
        self.vectors, self.contexts = arrays["vectors"].copy(), arrays["contexts"].copy()  # not read-only
        self.fresh = False
        step, self.seconds, self.mean, self.loss, pairs = arrays["clock"].tolist()
        self.step, self.pairs = int(step), int(pairs)


def train(
    corpus: TokenizedText, settings: Settings, snapshots: int = SNAPSHOTS
) -> Iterator[Word2vecSnapshot]:
    """The whole run as an iterator of snapshots, the untrained vectors first."""
    trainer = Word2vecTrainer(corpus, settings, snapshots=snapshots)
    yield from (state for state in iterate(trainer) if state is not None)


def next_skip_grams(corpus: TokenizedText, settings: Settings, state: Word2vecSnapshot) -> SkipGrams:
    """The pairs that come next; at the end of the run, those that came last."""
    from . import kernel

    keep, table = keep_chances(corpus.counts, settings.subsample), negative_table(corpus.counts)
    place = min(state.step, total(corpus, settings) - 1)
    for at in range(place, place + LOOK_AHEAD):  # subsampling may leave a short sentence without pairs
        epoch, sentence = divmod(at, corpus.sentences)
        begin, end = (int(b) for b in corpus.bounds[sentence : sentence + 2])
        pairs = kernel.pairs_of_sentence(
            corpus.words, begin, end, keep, table, settings.window, settings.negatives, settings.seed, epoch
        )
        if len(pairs):
            break
    words = tuple(corpus.vocabulary[w] for w in corpus.words[begin:end])
    scores = np.einsum("md,mkd->mk", state.vectors[pairs[:, 0]], state.contexts[pairs[:, 1:]])
    return SkipGrams(words, pairs, _sigmoid(scores).astype(np.float32))


def companions(corpus: TokenizedText, row: int, window: int) -> IntArray:
    """(v,) how often each word stands within `window` words of this one, in the same sentence."""
    sentence = np.repeat(np.arange(corpus.sentences), np.diff(corpus.bounds))
    places = np.flatnonzero(corpus.words == row)
    found = np.zeros(len(corpus.vocabulary), np.int64)
    for offset in (o for o in range(-window, window + 1) if o):
        other = places + offset
        inside = (other >= 0) & (other < len(corpus.words))
        here, there = places[inside], other[inside]
        there = there[sentence[here] == sentence[there]]
        found += np.bincount(corpus.words[there], minlength=len(found))
    return found


def nearest(
    vectors: FloatArray, target: NDArray[Any], without: tuple[int, ...] = (), k: int = 10
) -> list[tuple[int, float]]:
    """The k rows with the highest cosine to `target` (d,), nearest first, with that cosine in [-1, 1]."""
    cosines = unit_rows(vectors) @ unit_rows(target)
    cosines[list(without)] = -np.inf
    order = np.argsort(-cosines, kind="stable")[: min(k, len(cosines) - len(set(without)))]
    return [(int(i), float(cosines[i])) for i in order]


def analogy(vectors: FloatArray, a: int, b: int, c: int, k: int = 5) -> list[tuple[int, float]]:
    """a is to b as c is to ... : the rows nearest to b - a + c, the three themselves left out.

    Unit vectors are added (1301.3781, section 4; called 3CosAdd by Levy and Goldberg 2014).
    """
    unit = unit_rows(vectors)
    return nearest(vectors, unit[b] - unit[a] + unit[c], (a, b, c), k)


def analogy_accuracy(
    corpus: TokenizedText, vectors: FloatArray, questions: tuple[tuple[str, str, str, str], ...]
) -> float | None:
    """Share of the questions a : b :: c : d whose first answer is d; None when no question can be asked."""
    row = corpus.row()
    known = [tuple(row[w] for w in q) for q in questions if all(w in row for w in q)]
    right = [analogy(vectors, a, b, c, 1)[0][0] == d for a, b, c, d in known]
    return sum(right) / len(right) if right else None


def _sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0)))


def _sealed(state: Word2vecSnapshot) -> Word2vecSnapshot:
    """Snapshots are shared, so nobody may write into them."""
    for array in (state.vectors, state.contexts):
        array.setflags(write=False)
    return replace(state)
