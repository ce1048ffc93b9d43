"""What workers compute for many texts, remembered text by text and asked for a small batch at a time.

Shared by all sessions. A page calls `advance` while it is looked at; when nobody does, nothing more is asked,
so stopping is simply not calling. Vectors of passages and scores of pairs are kept here.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from core.concepts import bi_vs_cross
from core.concepts.bi_vs_cross import BASE_MODEL, PairReading
from core.models import embedding
from core.types import FloatArray
from ui.resources import executor

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

KEPT_VECTORS = 40_000  # of 384 numbers each: about 80 MB with their texts
KEPT_SCORES = 100_000
SECONDS = 0.4  # about what a batch takes, so that others are not kept waiting
SMALLEST, LARGEST = 8, 256


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """`done` of `total` different keys have their value."""

    done: int
    total: int


@dataclass(slots=True)
class _Asked(Generic[K]):
    """A batch under way. `seconds` is set when it has come back."""

    keys: list[K]
    answer: Future[Any]
    began: float
    seconds: float | None = None


class Batches(Generic[K, V]):
    """Values by key. `ask(keys)` returns a future of one value for each key, in order."""

    def __init__(self, ask: Callable[[list[K]], Future[Any]], length: Callable[[K], int], limit: int) -> None:
        self._ask, self._length, self._limit = ask, length, limit
        self._lock = threading.Lock()  # script threads of several sessions come here at once
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._asked: _Asked[K] | None = None
        self._size = SMALLEST

    def progress(self, keys: Sequence[K]) -> BatchProgress:
        """How far it is, without asking for more."""
        return self.advance(keys, go=False)

    def advance(self, keys: Sequence[K], go: bool = True) -> BatchProgress:
        """Take what has come in, ask for the next batch unless `go` is False, and say how far it is.

        Raises what the worker raised; the batch is then asked for again at the next call.
        """
        with self._lock:
            self._collect()
            wanted = list(dict.fromkeys(keys))
            missing = [key for key in wanted if key not in self._kept]
            if go and missing and self._asked is None:
                missing.sort(key=self._length)  # a batch of equal lengths wastes nothing on padding
                self._send(missing[: self._size])
            return BatchProgress(len(wanted) - len(missing), len(wanted))

    def _send(self, batch: list[K]) -> None:
        asked = self._asked = _Asked(batch, self._ask(batch), time.perf_counter())

        def stop_clock(_: Future[Any]) -> None:
            asked.seconds = time.perf_counter() - asked.began

        asked.answer.add_done_callback(stop_clock)

    def _collect(self) -> None:
        asked = self._asked
        if asked is None or not asked.answer.done():
            return
        self._asked = None
        for key, value in zip(asked.keys, asked.answer.result(), strict=True):
            self._kept[key] = value
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        per_key = max((asked.seconds or SECONDS) / len(asked.keys), 1e-4)
        self._size = max(SMALLEST, min(LARGEST, int(SECONDS / per_key), 2 * self._size))

    def known(self, keys: Sequence[K]) -> list[V | None]:
        """The value of each key, None where it is not there yet."""
        with self._lock:
            for key in keys:
                if key in self._kept:
                    self._kept.move_to_end(key)
            return [self._kept.get(key) for key in keys]


@cache
def vectors() -> Batches[str, FloatArray]:
    """Text -> unit vector (384,) of the base model."""

    def ask(texts: list[str]) -> Future[FloatArray]:
        return executor().call(embedding.embed, BASE_MODEL, 0, "mean", texts)

    return Batches(ask, len, KEPT_VECTORS)


@cache
def readings() -> Batches[tuple[str, str], PairReading]:
    """(question, passage) -> what the cross-encoder for relevance finds."""
    return _of_pairs(bi_vs_cross.relevance)


@cache
def pair_scores() -> Batches[tuple[str, str], float]:
    """(left, right) -> score of the cross-encoder for likeness, in [0, 1]."""
    return _of_pairs(bi_vs_cross.likeness)


def _of_pairs(function: Callable[[list[tuple[str, str]]], Any]) -> Batches[tuple[str, str], Any]:
    def ask(pairs: list[tuple[str, str]]) -> Future[Any]:
        return executor().call(function, pairs)

    return Batches(ask, lambda pair: len(pair[0]) + len(pair[1]), KEPT_SCORES)
