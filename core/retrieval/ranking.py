"""Retrieve and re-rank: three ways to order passages for a query, and how good an order is.

Numpy only, so a page can call it directly. Models stay outside: embeddings and pair scores come in as arrays.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..types import FloatArray, IntArray
from ..vectors import highest
from ..words import search_terms
from .corpus import Corpus

_COUNT = "count"
NO_MATCH = 0.0  # BM25's score of a passage that shares no word with the query


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Passages in order, best first. `rows` (k,) are rows of the corpus, `scores` (k,) never increase."""

    rows: IntArray
    scores: FloatArray

    def ranks(self) -> dict[int, int]:
        """Row of the corpus -> place in this order, 1 is the best."""
        return {int(row): place for place, row in enumerate(self.rows, start=1)}

    def top(self, k: int) -> Ranking:
        return Ranking(self.rows[:k], self.scores[:k])


# --- Retrieve ------------------------------------------------------------------------------------


def rank_by_cosine(query: ArrayLike, embeddings: ArrayLike, k: int | None = None) -> Ranking:
    """Exact search: every passage compared. query (d,), embeddings (n, d), all of unit length.

    The k best, all by default; passages with equal scores keep the corpus's order.
    """
    scores = np.asarray(embeddings, np.float32) @ np.asarray(query, np.float32)  # (n,)
    return _best(scores, k)


def _best(scores: FloatArray, k: int | None) -> Ranking:
    few = k is not None and k < len(scores)
    order = highest(scores[None], k or 0)[0] if few else np.argsort(-scores, kind="stable")
    order = order.astype(np.int64)
    return Ranking(order, scores[order].astype(np.float32))


class Bm25Index:
    """BM25 over texts (Robertson & Zaragoza 2009, "The probabilistic relevance framework"), by bm25s.

    Words are lower-cased, accents and common English words dropped; nothing else is done to them, so "cats"
    is not "cat". That is the point of the comparison.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        """Reads one text after the other; a word is in memory once, however often it stands there."""
        import bm25s

        number: dict[str, int] = {}
        ids = [array("i", [number.setdefault(w, len(number)) for w in self._words(text)]) for text in texts]
        self.count = len(ids)
        self._index: Any = bm25s.BM25()
        self._index.vocab_dict = number
        if number:
            self._index.index((ids, number), show_progress=False)

    def save(self, folder: Path) -> None:
        """Into files that `opened` reads as they are needed."""
        folder.mkdir()
        if self._index.vocab_dict:
            self._index.save(folder, show_progress=False)
        (folder / _COUNT).write_text(str(self.count))

    @classmethod
    def opened(cls, folder: Path) -> Bm25Index:
        """An index that was saved: its postings stay on the disk, the words are in memory."""
        import bm25s

        index = cls(())
        index.count = int((folder / _COUNT).read_text())
        if next(folder.glob("*.json"), None):
            index._index = bm25s.BM25.load(folder, mmap=True, show_progress=False)
        return index

    def rank(self, query: str, k: int | None = None) -> Ranking:
        """The passages that share a word with the query, best first; possibly none."""
        words = [word for word in self._words(query) if word in self._index.vocab_dict]
        if not words:
            return Ranking(np.zeros(0, np.int64), np.zeros(0, np.float32))
        scores = np.asarray(self._index.get_scores(words), np.float32)
        return _best(scores, min(int((scores > NO_MATCH).sum()), self.count if k is None else k))

    @staticmethod
    def _words(text: str) -> list[str]:
        from bm25s.stopwords import STOPWORDS_EN

        return [term for term in search_terms(text) if term not in STOPWORDS_EN]


# --- Re-rank -------------------------------------------------------------------------------------


def pairs_to_read(query: str, corpus: Corpus, ranking: Ranking) -> list[tuple[str, str]]:
    """What a cross-encoder reads: the query with each passage of the ranking."""
    return [(query, corpus.passages[row].full_text) for row in ranking.rows]


def rerank(ranking: Ranking, scores: ArrayLike) -> Ranking:
    """The same passages in the order of new scores (k,); equal ones keep their order."""
    fresh = np.asarray(scores, np.float32)
    assert fresh.shape == ranking.scores.shape, "one score for each passage of the ranking"
    best = _best(fresh, None)
    return Ranking(ranking.rows[best.rows], best.scores)


def moves(before: Ranking, after: Ranking) -> list[int | None]:
    """For each passage of `after`, how many places it rose (positive) or fell; None if it is new."""
    place = before.ranks()
    return [
        place[int(row)] - now if int(row) in place else None for now, row in enumerate(after.rows, start=1)
    ]


# --- How good is an order? -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over all queries with known answers, each in [0, 1]."""

    recall: float  # at k
    reciprocal_rank: float  # MRR, within the first k
    ndcg: float  # at k
    k: int
    queries: int


def recall_at(rows: Sequence[int], answers: Sequence[int], k: int) -> float:
    """Share of the answers that are among the first k, in [0, 1]."""
    assert answers, "a query without known answers has no recall"
    return len(set(rows[:k]) & set(answers)) / len(set(answers))


def reciprocal_rank(rows: Sequence[int], answers: Sequence[int], k: int | None = None) -> float:
    """1 / place of the first answer, 0 if none is among the first k. Its mean is MRR (Voorhees 1999)."""
    known = set(answers)
    return next((1.0 / place for place, row in enumerate(rows[:k], start=1) if row in known), 0.0)


def ndcg_at(rows: Sequence[int], answers: Sequence[int], k: int) -> float:
    """Normalised discounted cumulative gain with gain 1 for an answer, in [0, 1].

    Järvelin & Kekäläinen 2002: gains are divided by log2(place + 1) and the sum by the best possible one.
    """
    assert answers, "a query without known answers has no nDCG"
    known = set(answers)
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    gained = sum(discount[i] for i, row in enumerate(rows[:k]) if row in known)
    return float(gained / discount[: len(known)].sum())


def evaluate(rankings: Sequence[Ranking], answers: Sequence[Sequence[int]], k: int) -> Quality | None:
    """Mean recall@k, MRR@k and nDCG@k of one ranking a query; None without queries."""
    assert len(rankings) == len(answers), "one list of answers for each ranking"
    if not rankings:
        return None
    lists = [(ranking.rows.tolist(), list(known)) for ranking, known in zip(rankings, answers)]
    return Quality(
        recall=float(np.mean([recall_at(rows, known, k) for rows, known in lists])),
        reciprocal_rank=float(np.mean([reciprocal_rank(rows, known, k) for rows, known in lists])),
        ndcg=float(np.mean([ndcg_at(rows, known, k) for rows, known in lists])),
        k=k,
        queries=len(lists),
    )
