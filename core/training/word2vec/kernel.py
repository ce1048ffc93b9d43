"""The inner loop of skip-gram with negative sampling, compiled by numba. Import it lazily: numba is heavy.

Apart from __init__.py, which says what is learned and why; here is only how it is made fast. Every
random number is a hash of (seed, epoch, word's place, use), so nothing depends on where a call begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from ...types import FloatArray, IntArray

Pairs = NDArray[np.int32]  # (m, 2 + negatives): the word, a neighbour, random words; -1 where none was left
KEEP, REACH, NEGATIVE = 0, 1, 2  # uses of random numbers; negatives take NEGATIVE and everything above


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with a cache on disk, or without one where no cache folder can be written."""
    try:
        return numba.njit(cache=True, fastmath=True, error_model="numpy")(function)
    except RuntimeError:
        return numba.njit(fastmath=True, error_model="numpy")(function)


@_compiled
def uniform(seed: int, epoch: int, place: int, use: int) -> float:
    """A number in [0, 1) that depends on the four numbers only: splitmix64's mixer over all of them.

    Source: Steele, Lea and Flood 2014, Fast splittable pseudorandom number generators.
    """
    x = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
    for part in (epoch, place, use):
        x = x ^ (np.uint64(part) + np.uint64(0x9E3779B97F4A7C15))
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return np.float64(x >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@_compiled
def pairs_of_sentence(
    words: NDArray[np.int32],  # (t,) the whole text as rows of the vocabulary
    begin: int,
    end: int,  # the sentence is words[begin:end]
    keep: NDArray[np.float64],  # (v,) chance of a word to be kept
    table: NDArray[np.float64],  # (v,) cumulative chance of a word to be drawn as a negative
    window: int,
    negatives: int,
    seed: int,
    epoch: int,
) -> Pairs:
    """Every training pair of one sentence in this epoch, with its negatives."""
    kept = np.empty(end - begin, np.int64)
    n = 0
    for place in range(begin, end):
        if uniform(seed, epoch, place, KEEP) < keep[words[place]]:
            kept[n] = place
            n += 1
    out = np.empty((n * 2 * window, 2 + negatives), np.int32)
    m = 0
    for i in range(n):
        place = kept[i]
        reach = 1 + int(uniform(seed, epoch, place, REACH) * window)
        for j in range(max(0, i - reach), min(n, i + reach + 1)):
            if j == i:
                continue
            out[m, 0] = words[place]
            out[m, 1] = words[kept[j]]
            for k in range(negatives):
                use = NEGATIVE + (j - i + window) * negatives + k
                drawn = np.searchsorted(table, uniform(seed, epoch, place, use), side="right")
                drawn = min(drawn, len(table) - 1)
                out[m, 2 + k] = -1 if drawn == words[kept[j]] else drawn
            m += 1
    return out[:m]


@_compiled
def learn(
    pairs: Pairs,
    vectors: FloatArray,  # (v, d) changed in place
    contexts: FloatArray,  # (v, d) changed in place
    rate: float,
) -> float:
    """One step of gradient descent for each pair in turn. Returns the sum of their losses."""
    dimensions = vectors.shape[1]
    push = np.empty(dimensions, np.float32)  # minus the gradient of the loss at the word's vector
    total = 0.0
    for p in range(pairs.shape[0]):
        word = vectors[pairs[p, 0]]
        push[:] = 0.0
        for k in range(1, pairs.shape[1]):
            if pairs[p, k] < 0:
                continue
            other = contexts[pairs[p, k]]
            score = np.float32(0.0)
            for d in range(dimensions):
                score += word[d] * other[d]
            small = np.exp(-abs(score))  # in (0, 1], so nothing overflows
            chance = (1.0 if score > 0.0 else small) / (1.0 + small)  # sigmoid(score)
            total += np.log1p(small) + max(-score if k == 1 else score, np.float32(0.0))
            error = np.float32((1.0 if k == 1 else 0.0) - chance)  # minus d loss / d score
            step = np.float32(rate) * error
            for d in range(dimensions):
                push[d] += step * other[d]
                other[d] += step * word[d]
        for d in range(dimensions):
            word[d] += push[d]
    return total


@_compiled
def learn_sentences(
    words: NDArray[np.int32],
    bounds: IntArray,  # (s + 1,) where sentences begin, and the end
    first: int,
    last: int,  # sentences first..last-1 of this epoch
    keep: NDArray[np.float64],
    table: NDArray[np.float64],
    window: int,
    negatives: int,
    seed: int,
    epoch: int,
    epochs: int,
    rate: float,
    lowest: float,
    vectors: FloatArray,
    contexts: FloatArray,
) -> tuple[float, int]:
    """Learn from several sentences, the rate falling in a line from `rate` to `lowest` over the whole run.

    Returns the sum of the losses of all pairs, and how many pairs there were.
    """
    total, count = 0.0, 0
    whole = float(epochs) * bounds[-1]
    for s in range(first, last):
        done = (epoch * float(bounds[-1]) + bounds[s]) / whole
        now = rate - (rate - lowest) * done
        pairs = pairs_of_sentence(
            words, bounds[s], bounds[s + 1], keep, table, window, negatives, seed, epoch
        )
        total += learn(pairs, vectors, contexts, now)
        count += pairs.shape[0]
    return total, count
