"""The nearest of a hundred thousand vectors: exact up to some number, by faiss's graph of neighbours beyond.

The graph is HNSW (Malkov & Yashunin 2018) on one byte a number (faiss, Douze et al. 2024). What it misses is
measured against exact search whenever it is built, and again for every query.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..types import FloatArray, InputError, IntArray
from ..vectors import highest
from .collection import Texts
from .embedding_run import vectors, vectors_file
from .ranking import Bm25Index, Ranking

EXACT_UP_TO = 20_000  # texts; comparing all takes a few milliseconds
LINKS, BREADTH = 16, 128  # of a text in the graph; candidates that a search keeps
ASKED, FIRST = 200, 10  # texts of its own that an index is tried with, and how many neighbours of each
KEPT_INDEXES = 4
BLOCK = 16_384  # rows that exact search compares at once
SEED = 0
WORDS = "words"


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an index is and misses. `recall` is the share of the FIRST nearest by exact search that it finds,
    over `asked` of its own texts, each left out itself; 1 without a graph."""

    texts: int
    is_exact: bool
    seconds: float  # that building took
    recall: float = 1.0
    asked: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The index's order, and the first rows (FIRST,) by exact search; seconds of both."""

    ranking: Ranking
    seconds: float
    exact: IntArray
    exact_seconds: float
    is_graph: bool = True

    @property
    def found(self) -> int:
        """How many of the exact first ones are among as many first ones of the index."""
        return len(set(self.exact.tolist()) & set(self.ranking.rows[: len(self.exact)].tolist()))


# --- Vectors ---------------------------------------------------------------------------------------


def build(folder: str, base_model: str, exact_up_to: int = EXACT_UP_TO) -> IndexReport:
    """Index words and vectors of a collection that is embedded, and measure what the index misses."""
    if (before := known(folder, base_model)) is not None:
        return before
    count_words(folder)
    z, began = vectors(folder, base_model), time.perf_counter()
    n, d = z.shape
    if n <= exact_up_to:
        found = IndexReport(n, True, 0.0)
    else:
        import faiss

        make: Any = faiss.IndexHNSWSQ
        index = make(d, faiss.ScalarQuantizer.QT_8bit, LINKS, faiss.METRIC_INNER_PRODUCT)
        index.train(z[np.sort(np.random.default_rng(SEED).choice(n, min(n, exact_up_to), replace=False))])
        for first in range(0, n, BLOCK):  # a copy of so many rows at a time
            index.add(np.ascontiguousarray(z[first : first + BLOCK]))
        file = _graph_file(folder, base_model)
        faiss.write_index(index, str(file.with_suffix(".part")))
        file.with_suffix(".part").rename(file)
        seconds = time.perf_counter() - began
        found = IndexReport(n, False, seconds, *_recall(index, z))
    _report_file(folder, base_model).write_text(json.dumps(asdict(found)))
    return found


def known(folder: str, base_model: str) -> IndexReport | None:
    """What was measured when the index was built; None until then."""
    try:
        return IndexReport(**json.loads(_report_file(folder, base_model).read_text()))
    except OSError:
        return None


def _recall(index: Any, z: FloatArray) -> tuple[float, int]:
    rows = np.random.default_rng(SEED).choice(len(z), min(ASKED, len(z)), replace=False)
    asked = np.ascontiguousarray(z[rows])
    index.hnsw.efSearch = BREADTH
    _, near = index.search(asked, FIRST + 1)
    hits = 0
    for row, true, found in zip(rows, exact(asked, z, FIRST + 1), near, strict=True):
        hits += len({*true[true != row][:FIRST].tolist()} & {*found[found != row][:FIRST].tolist()})
    return hits / (FIRST * len(rows)), len(rows)


def exact(asked: FloatArray, z: FloatArray, k: int) -> IntArray:
    """Rows of the k highest cosines of each query (m, d) with unit vectors (n, d), best first, (m, k); the
    vectors are read a block at a time."""
    best, scores = np.zeros((len(asked), 0), np.int64), np.zeros((len(asked), 0), np.float32)
    for first in range(0, len(z), BLOCK):
        here = asked @ z[first : first + BLOCK].T  # (m, block)
        columns = highest(here, min(k, here.shape[1]))
        best = np.hstack([best, columns + first])
        scores = np.hstack([scores, np.take_along_axis(here, columns, axis=1)])
        keep = highest(scores, min(k, scores.shape[1]))
        best = np.take_along_axis(best, keep, axis=1)
        scores = np.take_along_axis(scores, keep, axis=1)
    return best


def nearest(folder: str, base_model: str, query: FloatArray, k: int) -> Nearest:
    """The texts nearest to a unit vector (d,), at most k. Raises InputError when the collection is gone."""
    z, graph = _opened(folder, base_model)
    k, asked = min(k, len(z)), np.ascontiguousarray(query, np.float32)[None]
    began = time.perf_counter()
    true = exact(asked, z, k if graph is None else min(FIRST, k))[0]
    exact_seconds = time.perf_counter() - began
    if graph is None:
        return Nearest(Ranking(true, z[true] @ asked[0]), exact_seconds, true[:FIRST], exact_seconds, False)
    began = time.perf_counter()
    graph.hnsw.efSearch = max(BREADTH, k)
    rows = graph.search(asked, k)[1][0].astype(np.int64)
    seconds = time.perf_counter() - began
    rows = rows[rows >= 0]
    scores = z[rows] @ asked[0]  # exact ones: the graph's are rounded
    order = np.argsort(-scores, kind="stable")
    return Nearest(Ranking(rows[order], scores[order]), seconds, true, exact_seconds)


@lru_cache(maxsize=KEPT_INDEXES)
def _opened(folder: str, base_model: str) -> tuple[FloatArray, Any]:
    file = _graph_file(folder, base_model)
    if not vectors_file(folder, base_model).exists():
        raise InputError("These texts are no longer on the server. Upload the file again.")
    if not file.exists():
        return vectors(folder, base_model), None
    import faiss

    return vectors(folder, base_model), faiss.read_index(str(file))


def _graph_file(folder: str, base_model: str) -> Path:
    return vectors_file(folder, base_model).with_suffix(".faiss")


def _report_file(folder: str, base_model: str) -> Path:
    return vectors_file(folder, base_model).with_suffix(".json")


# --- Words -----------------------------------------------------------------------------------------


def count_words(folder: str) -> float:
    """Build BM25's index of a collection, unless there is one; the seconds that it took."""
    place, began = Path(folder) / WORDS, time.perf_counter()
    if not place.exists():
        texts, part = Texts(Path(folder)), place.with_name("new-words")
        Bm25Index(texts).save(part)
        part.rename(place)
    return time.perf_counter() - began


def by_words(folder: str, query: str, k: int) -> tuple[Ranking, float]:
    """BM25's order of a collection whose words are counted, at most k, and the seconds it took."""
    index = _words(folder)
    began = time.perf_counter()
    return index.rank(query, k), time.perf_counter() - began


def all_orders(
    folder: str, base_model: str, queries: tuple[str, ...], asked: FloatArray, k: int
) -> tuple[list[Ranking], list[Ranking]]:
    """The k first of every query by words and by its vector, a row of `asked` (m, d)."""
    words = [by_words(folder, query, k)[0] for query in queries]
    return words, [nearest(folder, base_model, vector, k).ranking for vector in asked]


@lru_cache(maxsize=KEPT_INDEXES)
def _words(folder: str) -> Bm25Index:
    return Bm25Index.opened(Path(folder) / WORDS)
