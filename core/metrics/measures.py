"""How good a set of embeddings is: each measure a function of plain arrays, and `measure` for all at once.

Apart from training so that a page, a benchmark or a notebook can measure any embeddings. Numpy only.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..types import FloatArray, Metrics, Pair, SentenceSet
from ..vectors import label_codes, most_similar, pair_cosines, unit_rows
from .table import METRICS as METRICS
from .table import NEIGHBOURS
from .table import Metric as Metric

Floats = NDArray[np.floating[Any]]


def measure(
    embeddings: ArrayLike, sentences: SentenceSet, held_out: Sequence[Pair], train_pairs: Sequence[Pair] = ()
) -> Metrics:
    """Everything that Metrics holds, from embeddings (n, d) in the order of `sentences`.

    The accuracy's threshold is fit on `train_pairs` where these hold both labels, so that held-out pairs
    never choose it; see `pair_accuracy` for what happens otherwise. A measure is None where the data
    cannot define it: no held-out pairs, one label only, no groups, a single sentence.
    """
    units = unit_rows(embeddings)  # (n, d)
    assert len(units) == len(sentences), f"{len(units)} embeddings for {len(sentences)} sentences"
    cosines, similar = scored(units, sentences, held_out)
    train_cosines, train_similar = scored(units, sentences, train_pairs)
    matrix = units @ units.T if len(units) > 1 else None  # (n, n), the costly part, made once
    return Metrics(
        held_out_accuracy=pair_accuracy(cosines, similar, train_cosines, train_similar),
        held_out_auc=auc(cosines, similar),
        alignment=alignment(cosines[similar]),
        uniformity=None if matrix is None else _uniformity(matrix),
        mean_random_cosine=mean_random_cosine(units),
        neighbour_purity=None if matrix is None else _purity(matrix, sentences.groups, NEIGHBOURS),
    )


def scored(
    embeddings: ArrayLike, sentences: SentenceSet, pairs: Sequence[Pair]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Cosine and "is similar" of each pair, (m,) each, from embeddings (n, d) in the order of `sentences`."""
    cosines = pair_cosines(embeddings, sentences.rows_of(pairs))
    return cosines, np.array([pair.is_similar for pair in pairs], bool)


# --- Pairs: are similar ones told from dissimilar ones? -------------------------------------------


def best_threshold(cosines: ArrayLike, similar: ArrayLike) -> float | None:
    """The cosine that parts similar from dissimilar pairs with the fewest errors; None without both labels.

    A pair counts as similar when its cosine is at or above it. Candidates are the middles of the gaps
    between neighbouring cosines and the two ends (all similar, none similar); of equally good ones the
    widest gap wins, then the lowest.
    """
    scores, truth = np.asarray(cosines, np.float64), np.asarray(similar, bool)
    if not _both(truth):
        return None
    order = np.argsort(scores, kind="stable")
    scores, truth = scores[order], truth[order]
    # correct[i]: pairs told right when the i lowest count as dissimilar and the rest as similar
    below = np.concatenate([[0], np.cumsum(~truth)])
    above = truth.sum() - np.concatenate([[0], np.cumsum(truth)])
    correct = below + above  # (m + 1,)
    gaps = np.concatenate([[0.0], np.diff(scores), [0.0]])
    possible = np.concatenate([[True], np.diff(scores) > 0, [True]])  # equal cosines cannot be parted
    best = np.flatnonzero(possible & (correct == correct[possible].max()))
    i = int(best[np.argmax(gaps[best])])
    if i == 0:
        return float(scores[0])
    if i == len(scores):
        return float(np.nextafter(scores[-1], np.inf))
    return float((scores[i - 1] + scores[i]) / 2)


def pair_accuracy(
    cosines: ArrayLike, similar: ArrayLike, train_cosines: ArrayLike = (), train_similar: ArrayLike = ()
) -> float | None:
    """Share of pairs told right by one cosine threshold, in [0, 1]; None without pairs.

    The threshold is `best_threshold` of the training pairs. Taking the best one on the measured pairs
    themselves, as is common, flatters small sets, so without training pairs of both labels a weaker
    rule stands in: as many pairs count as similar as there are similar ones, those with the highest
    cosines. That uses how many similar pairs there are, but not which.
    """
    scores, truth = np.asarray(cosines, np.float64), np.asarray(similar, bool)
    if len(scores) == 0:
        return None
    threshold = best_threshold(train_cosines, train_similar)
    if threshold is not None:
        return float(np.mean((scores >= threshold) == truth))
    if not _both(truth):
        return None  # the stand-in would be right about every pair by construction
    places = int(truth.sum())
    last = np.sort(scores)[::-1][places - 1]  # the lowest cosine that still counts as similar
    tied = scores == last
    chance = np.where(scores > last, 1.0, np.where(tied, (places - (scores > last).sum()) / tied.sum(), 0.0))
    return float(np.mean(np.where(truth, chance, 1.0 - chance)))  # equal cosines share what is left


def auc(scores: ArrayLike, similar: ArrayLike) -> float | None:
    """Area under the ROC curve, [0, 1]; ties count half. None without both labels.

    Hanley & McNeil 1982: the chance that a random similar pair outscores a random dissimilar one.
    """
    values, truth = np.asarray(scores, np.float64), np.asarray(similar, bool)
    if not _both(truth):
        return None
    positives, negatives = int(truth.sum()), int((~truth).sum())
    rank_sum = _ranks(values)[truth].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def alignment(similar_cosines: ArrayLike) -> float | None:
    """Mean squared distance of similar pairs on the unit sphere, in [0, 4], from their cosines (m,).

    Wang & Isola 2020, "Understanding contrastive representation learning through alignment and
    uniformity on the hypersphere", with alpha = 2: |u - v|^2 = 2 - 2 cos. None without similar pairs.
    """
    cosines = np.asarray(similar_cosines, np.float64)
    return float(np.mean(2.0 - 2.0 * cosines)) if len(cosines) else None


def spearman(a: ArrayLike, b: ArrayLike) -> float | None:
    """Rank correlation of two lists (m,), [-1, 1]; ties get their mean rank. None if either is constant."""
    ranks_a, ranks_b = _ranks(np.asarray(a, np.float64)), _ranks(np.asarray(b, np.float64))
    assert len(ranks_a) == len(ranks_b), "the two lists differ in length"
    if len(ranks_a) < 2 or np.ptp(ranks_a) == 0 or np.ptp(ranks_b) == 0:
        return None
    return float(np.corrcoef(ranks_a, ranks_b)[0, 1])


# --- The whole cloud: spread and collapse ---------------------------------------------------------


def uniformity(embeddings: ArrayLike) -> float | None:
    """log of the mean of exp(-2 |u - v|^2) over all pairs of different rows, in [-8, 0].

    Wang & Isola 2020 with t = 2. Lower is more even; 0 when all rows are the same; about -4 for many
    directions at right angles. None for fewer than two rows.
    """
    units = unit_rows(embeddings)
    return _uniformity(units @ units.T) if len(units) > 1 else None


def _uniformity(cosines: FloatArray) -> float:
    n = len(cosines)
    kernel = np.exp(4.0 * cosines - 4.0)  # exp(-2 (2 - 2 cos)), (n, n) float32
    total = kernel.sum(dtype=np.float64) - np.trace(kernel, dtype=np.float64)
    return min(0.0, float(np.log(total / (n * (n - 1)))))


def mean_random_cosine(embeddings: ArrayLike) -> float | None:
    """Exact mean cosine over all pairs of different rows, in [-1, 1]; None for fewer than two rows.

    Ethayarajh 2019, "How contextual are contextualized word representations?" (anisotropy). No sampling:
    the sum over all pairs is |sum of unit rows|^2 - sum of |unit row|^2.
    """
    units = unit_rows(embeddings)
    n = len(units)
    if n < 2:
        return None
    total = units.sum(axis=0, dtype=np.float64)
    lengths = np.einsum("nd,nd->", units, units, dtype=np.float64)
    return float(np.clip((total @ total - lengths) / (n * (n - 1)), -1.0, 1.0))


# --- Neighbours -----------------------------------------------------------------------------------


def neighbour_purity(
    embeddings: ArrayLike, groups: Sequence[Hashable | None], k: int = NEIGHBOURS
) -> float | None:
    """Share of the k nearest neighbours that are of the same group, mean over sentences, in [0, 1].

    Sentences without a group neither count nor are counted. A group of g sentences is asked for its
    g - 1 nearest only, where that is fewer than k, so that 1 can always be reached; groups of one are
    left out. None with fewer than two groups, or where every group has one sentence.
    """
    units = unit_rows(embeddings)
    return _purity(units @ units.T, groups, k)


def _purity(cosines: FloatArray, groups: Sequence[Hashable | None], k: int) -> float | None:
    every = label_codes(groups)
    if every.max(initial=0) < 1:
        return None
    grouped = np.flatnonzero(every >= 0)
    group = every[grouped]  # (g,)
    within = cosines if len(grouped) == len(cosines) else cosines[np.ix_(grouped, grouped)]
    nearest = most_similar(within, k)  # (g, k)
    asked = np.minimum(np.bincount(group)[group] - 1, nearest.shape[1])  # (g,)
    same = (group[nearest] == group[:, None]) & (np.arange(nearest.shape[1]) < asked[:, None])
    counts = asked > 0
    return float(np.mean(same.sum(axis=1)[counts] / asked[counts])) if counts.any() else None


# --- Helpers --------------------------------------------------------------------------------------


def _both(truth: NDArray[np.bool_]) -> bool:
    return bool(truth.any() and not truth.all())


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, ties their mean, (m,)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[place]
