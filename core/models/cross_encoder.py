"""Pair scores from one joint pass: the cross-encoder's API, and functions that a worker process can run.

Unlike a bi-encoder, which embeds each text alone and compares two vectors, a cross-encoder reads both texts
at once. Scores are better, but nothing can be computed ahead: n texts need a pass for every pair.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..data.assets import ASSETS
from ..types import FloatArray, InputError
from ..words import without_each_word
from .pair_model import JointAttention, PairModel, TextPair

LIKENESS = "likeness"  # the key of the packaged cross-encoder that says how alike two texts are in meaning
RELEVANCE = "relevance"  # ... and of the one that says whether a passage, read second, answers a question
BATCH_SIZE = 32


@dataclass(frozen=True, slots=True, eq=False)
class CrossScores:
    """Scores of n pairs. `truncated` are the rows of pairs too long for the model, which were cut."""

    logits: FloatArray  # (n,) any real number
    scores: FloatArray  # (n,) in [0, 1], the sigmoid of the logits
    truncated: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class OrderScores:
    """The same n pairs read as (left, right) and as (right, left). A cosine has no such difference."""

    forward: CrossScores
    backward: CrossScores

    @property
    def logits(self) -> FloatArray:
        """Mean of both orders, (n,)."""
        return (self.forward.logits + self.backward.logits) * np.float32(0.5)

    @property
    def scores(self) -> FloatArray:
        """Mean of both orders, (n,), in [0, 1]."""
        return (self.forward.scores + self.backward.scores) * np.float32(0.5)

    @property
    def truncated(self) -> tuple[int, ...]:
        return self.forward.truncated

    @property
    def difference(self) -> FloatArray:
        """Forward score minus backward score, (n,), in [-1, 1]."""
        return self.forward.scores - self.backward.scores


@dataclass(frozen=True, slots=True, eq=False)
class WordImportance:
    """What each word does to the logit: positive drops mean that the word raised it."""

    words: tuple[str, ...]  # of the left text, then of the right
    segments: tuple[int, ...]  # 0 left text, 1 right text
    drops: FloatArray  # (words,) logit of the whole pair minus the logit without the word
    logit: float  # of the whole pair


def _part(scores: CrossScores, start: int, stop: int) -> CrossScores:
    cut = tuple(row - start for row in scores.truncated if start <= row < stop)
    return CrossScores(scores.logits[start:stop], scores.scores[start:stop], cut)


class CrossEncoder:
    """A pair model with batching. `activation` names what the model's own config puts on the logit."""

    def __init__(self, model: PairModel, name: str, activation: str = "sigmoid") -> None:
        self.model = model
        self.name = name
        self.activation = activation

    def score(self, pairs: Sequence[TextPair], batch_size: int = BATCH_SIZE) -> CrossScores:
        """Logits and scores of n pairs, each read left to right in one pass.

        Pairs of similar length share a batch and equal pairs are read once; beyond rounding (1e-5) no score
        depends on the other pairs. Raises InputError, with the pair's number, for an empty text.
        """
        check_pairs(pairs)
        unique = list(dict.fromkeys((left, right) for left, right in pairs))
        order = sorted(range(len(unique)), key=lambda i: len(unique[i][0]) + len(unique[i][1]))
        logits = np.zeros(len(unique), np.float32)
        cut = np.zeros(len(unique), bool)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            logits[rows], cut[rows] = self.model.logits([unique[i] for i in rows])
        place = {pair: i for i, pair in enumerate(unique)}
        rows = [place[(left, right)] for left, right in pairs]
        truncated = tuple(i for i, row in enumerate(rows) if cut[row])
        return CrossScores(logits[rows], sigmoid(logits[rows]), truncated)

    def score_both_orders(self, pairs: Sequence[TextPair], batch_size: int = BATCH_SIZE) -> OrderScores:
        """Each pair read in both orders, at twice the cost of `score`."""
        forward = [(left, right) for left, right in pairs]
        both = self.score([*forward, *((right, left) for left, right in forward)], batch_size)
        return OrderScores(_part(both, 0, len(forward)), _part(both, len(forward), 2 * len(forward)))

    def attention(self, left: str, right: str) -> JointAttention:
        """The attention weights of every layer and head in the joint pass of one pair."""
        check_pairs([(left, right)])
        return self.model.attention(left, right)

    def leave_one_word_out(self, left: str, right: str) -> WordImportance:
        """How the logit changes when a word is left out, for each word of both texts.

        Occlusion, after Zeiler & Fergus 2014 and Li et al. 2016. It shows what the score rests on when one
        word goes; two words that say the same can cover for each other and both look unimportant.
        """
        check_pairs([(left, right)])
        words: list[str] = []
        segments: list[int] = []
        pairs = [(left, right)]
        for segment, text in enumerate((left, right)):
            for word, rest in without_each_word(text):
                words.append(word)
                segments.append(segment)
                pairs.append((rest, right) if segment == 0 else (left, rest))
        logits = self._logits_of_any(pairs)
        return WordImportance(tuple(words), tuple(segments), logits[0] - logits[1:], float(logits[0]))

    def _logits_of_any(self, pairs: Sequence[TextPair]) -> FloatArray:
        """Logits (n,) without the check for empty texts: a text may lose its only word."""
        parts = [self.model.logits(pairs[i : i + BATCH_SIZE])[0] for i in range(0, len(pairs), BATCH_SIZE)]
        return np.concatenate(parts)


def sigmoid(logits: ArrayLike) -> FloatArray:
    """1 / (1 + exp(-x)), without overflow, float32."""
    x = np.asarray(logits, np.float64)
    return (0.5 * (1.0 + np.tanh(0.5 * x))).astype(np.float32)


def check_pairs(pairs: Sequence[TextPair]) -> None:
    """Raises InputError for a pair with an empty text; counting starts at 1."""
    for number, (left, right) in enumerate(pairs, start=1):
        if not (left.strip() and right.strip()):
            side = "second" if left.strip() else "first"
            raise InputError(f"Pair {number}: the {side} text is empty; type at least one word.")


@functools.lru_cache(maxsize=3)
def load(model: str = LIKENESS) -> CrossEncoder:
    """A packaged cross-encoder, LIKENESS or RELEVANCE, or a hub id or folder that is allowed
    (EMBEDDING_LAB_MODELS).

    Kept in memory after the first time and shared. Raises InputError when it cannot be had.
    """
    if model in (LIKENESS, RELEVANCE):
        from .adapter import read_adapter
        from .joint_model import JointPairModel

        return CrossEncoder(JointPairModel(read_adapter(ASSETS / model)), f"MiniLM cross-encoder, {model}")
    from .hub import read_hub

    return CrossEncoder(*read_hub(model))


# --- For worker processes: plain values in, plain values out --------------------------------------


def score_likeness(pairs: Sequence[TextPair], batch_size: int = BATCH_SIZE) -> OrderScores:
    """How alike each two texts are in meaning: both orders are read, `scores` (n,) is their mean, 1 the same.

    Raises InputError, with the pair's number, for an empty text.
    """
    return load(LIKENESS).score_both_orders(pairs, batch_size)


def score_relevance(pairs: Sequence[TextPair], batch_size: int = BATCH_SIZE) -> CrossScores:
    """How well each second text, a passage, answers the first, a question; read once, in this order.

    Logits (n,) are for putting passages in order. Raises InputError, with the pair's number, for an empty
    text.
    """
    return load(RELEVANCE).score(pairs, batch_size)


def score(pairs: Sequence[TextPair], batch_size: int = BATCH_SIZE, model: str = LIKENESS) -> CrossScores:
    """`CrossEncoder.score` of the named model."""
    return load(model).score(pairs, batch_size)


def score_both_orders(
    pairs: Sequence[TextPair], batch_size: int = BATCH_SIZE, model: str = LIKENESS
) -> OrderScores:
    """`CrossEncoder.score_both_orders` of the named model."""
    return load(model).score_both_orders(pairs, batch_size)


def attention(left: str, right: str, model: str = LIKENESS) -> JointAttention:
    """`CrossEncoder.attention` of the named model."""
    return load(model).attention(left, right)


def leave_one_word_out(left: str, right: str, model: str = LIKENESS) -> WordImportance:
    """`CrossEncoder.leave_one_word_out` of the named model."""
    return load(model).leave_one_word_out(left, right)


def preload(model: str = LIKENESS) -> None:
    """Load the model now, so that the first question is answered quickly."""
    load(model)
