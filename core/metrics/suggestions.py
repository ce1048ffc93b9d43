"""Groups of sentences whose neighbourhoods changed together, found and named without anybody's labels.

Two sentences changed together when they came nearer to the same others and went away from the same others.
Emblaze (Sivaraman, Wu and Perer 2022, arXiv:2202.02641) suggests selections from neighbourhoods that changed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..types import FloatArray
from ..vectors import cosine_matrix
from .comparison import NeighbourChange, neighbour_changes, similarity_change

FEWEST = 3  # sentences of a group
ALIKE = 0.4  # mean cosine between the changes of two sentences of a group
WORDS = 3  # that name a group
OFTEN = 0.15  # share of the other texts that may have such a word
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True)
class ChangedGroup:
    """Rows that changed together. `words` name them: frequent among them and rare among the others; `came`
    and `went` likewise name the neighbours from outside that they gained and lost. `overlap` is the mean
    share of neighbours that they kept, [0, 1]."""

    rows: tuple[int, ...]
    words: tuple[str, ...]
    overlap: float
    came: tuple[str, ...]
    went: tuple[str, ...]


def suggest(
    before: FloatArray, after: FloatArray, texts: Sequence[str], k: int = 5, most: int = 5
) -> tuple[ChangedGroup, ...]:
    """Groups of at least FEWEST rows of (n, d), those that changed most, and most alike, first.

    Average linkage on how alike the changes are of two rows' cosines to all rows, among the rows that have
    another neighbour than before. What all cosines did alike is taken off.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    changes = neighbour_changes(before, after, k)
    who = np.array([row for row, change in enumerate(changes) if change.gained], np.int64)
    if len(who) < FEWEST:
        return ()
    change = similarity_change(before, after)  # (n, n)
    own = change - change.mean(axis=0) - change.mean(axis=1, keepdims=True) + change.mean()
    alike = cosine_matrix(own[who])  # (m, m)
    distances = np.maximum(1 - alike.astype(np.float64), 0)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), "average")
    labels = fcluster(tree, t=1 - ALIKE, criterion="distance")
    scored = []
    for label in np.unique(labels):
        inside = np.flatnonzero(labels == label)
        if len(inside) >= FEWEST:
            rows = tuple(who[inside].tolist())
            lost = sum(1 - changes[row].overlap for row in rows)
            tight = float(alike[np.ix_(inside, inside)].mean())
            scored.append((-lost * tight, rows))
    return tuple(_described(rows, changes, texts) for _, rows in sorted(scored)[:most])


def _described(
    rows: tuple[int, ...], changes: Sequence[NeighbourChange], texts: Sequence[str]
) -> ChangedGroup:
    def others(sides: Iterable[tuple[int, ...]]) -> tuple[str, ...]:
        return telling_words(texts, {row for side in sides for row in side} - set(rows))

    came = others(changes[row].gained for row in rows)
    went = others(changes[row].lost for row in rows)
    overlap = float(np.mean([changes[row].overlap for row in rows]))
    return ChangedGroup(rows, telling_words(texts, rows), overlap, came, went)


def telling_words(texts: Sequence[str], rows: Iterable[int], most: int = WORDS) -> tuple[str, ...]:
    """Words that at least two of these texts have and the others have seldom, the most telling first: the
    share of these texts that have a word, times the logarithm of how many times the share of the others. A
    word that many others have, such as "was", names nobody."""
    inside = set(rows)
    words = [set(_WORD.findall(text.casefold())) for text in texts]
    here = Counter(word for row in inside for word in words[row])
    there = Counter(word for row in range(len(texts)) if row not in inside for word in words[row])
    few, rest = max(len(inside), 1), max(len(texts) - len(inside), 1)
    score = {
        word: count / few * math.log((count / few) / ((there[word] + 0.5) / (rest + 0.5)))
        for word, count in here.items()
        if count > 1 and there[word] <= OFTEN * rest
    }
    telling = sorted((word for word, value in score.items() if value > 0), key=lambda w: (-score[w], w))
    return tuple(telling[:most])
