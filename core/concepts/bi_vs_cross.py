"""What the pages about the cross-encoder ask the workers for: both encoders on the same texts, side by side.

Plain values in, frozen dataclasses out. The models are loaded inside the functions, so the server can import
this file for the types and for the small sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..data.text import clean, lines_of
from ..models.pair_model import JointAttention
from ..types import FloatArray, InputError, IntArray, Notice
from ..words import without_each_word

if TYPE_CHECKING:
    from ..retrieval.costs import CostCurve

BASE_MODEL = "minilm-l6"  # the bi-encoder that the cross-encoder grew from
MAX_CANDIDATES = 50
MAX_CHARACTERS = 300  # of one text; attention over more words than that is no picture any more


class PairReading(NamedTuple):
    """A pair's logit, and whether the end of a text did not fit into the pass."""

    logit: float
    is_cut: bool


@dataclass(frozen=True, slots=True, eq=False)
class QueryScores:
    """A query against n candidates under both encoders; every array is (n,), in the order typed."""

    query: str
    candidates: tuple[str, ...]
    cosine: FloatArray  # [-1, 1]
    logit: FloatArray  # (query, candidate) read in this order
    score: FloatArray  # [0, 1], sigmoid of the logit
    logit_swapped: FloatArray  # (candidate, query)
    score_swapped: FloatArray
    cut: int = 0  # pairs of which the cross-encoder does not read the end

    @property
    def bi_rank(self) -> IntArray:
        """1 is the candidate with the highest cosine."""
        return ranks(self.cosine)

    @property
    def cross_rank(self) -> IntArray:
        """1 is the candidate with the highest logit, the query read first."""
        return ranks(self.logit)


@dataclass(frozen=True, slots=True, eq=False)
class WordEffects:
    """What each word of two texts does under both encoders: value of the whole minus value without it."""

    words: tuple[str, ...]  # of the left text, then of the right
    segments: tuple[int, ...]  # 0 left text, 1 right text
    logit_drops: FloatArray  # (words,) positive: the word raised the logit
    cosine_drops: FloatArray  # (words,) positive: the word raised the cosine
    logit: float  # of the whole pair
    cosine: float


def ranks(scores: ArrayLike) -> IntArray:
    """Place of each score, 1 is the highest; equal scores keep their order. (n,) int64.

    >>> ranks([0.2, 0.9, 0.5]).tolist()
    [3, 1, 2]
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    found = np.empty(len(order), np.int64)
    found[order] = np.arange(1, len(order) + 1)
    return found


def swapped_pairs(first: IntArray, second: IntArray) -> int:
    """How many pairs of items two orders (n,) put the other way round: Kendall's distance, at least 0."""
    before = np.sign(first[:, None] - first[None, :])
    after = np.sign(second[:, None] - second[None, :])
    return int((before * after < 0).sum() // 2)


def read_candidates(text: str) -> tuple[str, ...]:
    """One candidate a line, blank lines and repeats skipped. Raises InputError for too many or too long."""
    found: dict[str, None] = {}
    for number, line in enumerate(lines_of(text), start=1):
        candidate = clean(line)
        if len(candidate) > MAX_CHARACTERS:
            raise InputError(
                f"Line {number}: the candidate has {len(candidate):,} characters; at most {MAX_CHARACTERS} "
                "are compared here. Shorten it."
            )
        if candidate:
            found[candidate] = None
    if not found:
        raise InputError("There is no candidate yet. Type one on each line.")
    if len(found) > MAX_CANDIDATES:
        raise InputError(f"There are {len(found)} candidates; at most {MAX_CANDIDATES} are compared here.")
    return tuple(found)


def read_text(text: str, name: str) -> str:
    """One typed text, cleaned. Raises InputError, with its name, when it is empty or too long."""
    found = clean(text)
    if not found:
        raise InputError(f"{name} is empty. Type at least one word.")
    if len(found) > MAX_CHARACTERS:
        raise InputError(f"{name} has {len(found):,} characters; at most {MAX_CHARACTERS} are compared here.")
    return found


def compare(query: str, candidates: Sequence[str]) -> QueryScores:
    """Cosines and joint scores of the query with every candidate, both orders. Raises InputError."""
    from ..models import cross_encoder
    from ..models.embedding import embed

    z = embed(BASE_MODEL, 0, "mean", [query, *candidates])  # (1 + n, d)
    both = cross_encoder.score_likeness([(query, candidate) for candidate in candidates])
    return QueryScores(
        query,
        tuple(candidates),
        z[1:] @ z[0],
        both.forward.logits,
        both.forward.scores,
        both.backward.logits,
        both.backward.scores,
        len(both.truncated),
    )


def word_effects(left: str, right: str) -> WordEffects:
    """Leave each word out in turn and ask both encoders again. A text of one word has nothing to compare
    when that word goes, so its cosine without it counts as 0."""
    from ..models import cross_encoder
    from ..models.embedding import embed

    joint = cross_encoder.leave_one_word_out(left, right)
    rest = [(side, short) for side, text in enumerate((left, right)) for _, short in without_each_word(text)]
    z = embed(BASE_MODEL, 0, "mean", [left, right, *(short or "." for _, short in rest)])
    whole = float(z[0] @ z[1])
    without = [
        float(vector @ z[1 - segment]) if short else 0.0 for (segment, short), vector in zip(rest, z[2:])
    ]
    drops = np.array([whole - value for value in without], np.float32)
    return WordEffects(joint.words, joint.segments, joint.drops, drops, joint.logit, whole)


def relevance(pairs: Sequence[tuple[str, str]]) -> tuple[PairReading, ...]:
    """What the cross-encoder for relevance finds of each pair: does the second text answer the first?"""
    from ..models import cross_encoder

    found = cross_encoder.score_relevance(pairs)
    return tuple(PairReading(float(logit), i in found.truncated) for i, logit in enumerate(found.logits))


def cut(count: int, of: int) -> tuple[Notice, ...]:
    """What is said of pairs that are longer together than a cross-encoder reads."""
    told = f"Pairs too long for the cross-encoder, of which the end is cut: {count:,} of {of:,}."
    return (Notice(told),) if count else ()


def likeness(pairs: Sequence[tuple[str, str]]) -> FloatArray:
    """Scores (n,) in [0, 1] of the cross-encoder for likeness, the mean of both orders."""
    from ..models import cross_encoder

    return cross_encoder.score_likeness(pairs).scores


def averaged(found: JointAttention, layer: int | None, head: int | None) -> FloatArray:
    """One head's attention (t, t), or the mean over all layers or heads where the number is None."""
    weights = found.weights if layer is None else found.weights[layer : layer + 1]
    weights = weights if head is None else weights[:, head : head + 1]
    mean: FloatArray = weights.mean(axis=(0, 1))
    return mean


def across(found: JointAttention, weights: FloatArray) -> tuple[float, float]:
    """The share of attention that left tokens give to right ones, and right ones to left, each in [0, 1]."""
    segments = np.asarray(found.segments)
    left, right = segments == 0, segments == 1
    there = weights[np.ix_(left, right)].sum(axis=1).mean()
    back = weights[np.ix_(right, left)].sum(axis=1).mean()
    return float(there), float(back)


def costs_now(number: int) -> CostCurve:
    """costs.measure_costs. `number` only tells one measurement from the next in a cache of answers."""
    from ..retrieval.costs import measure_costs

    del number
    return measure_costs()
