"""A fixture for page tests: what a page asks its worker processes is answered in this process, at once."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from core.runs.worker import resolve
from ui import batches, resources


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def later(target: str, *args: Any, lane: str = "encode", **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(resolve(target)(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    monkeypatch.setattr(resources, "later", later)


@pytest.fixture
def batch_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each batch of ui.batches asked for; the batches too are answered in this process."""
    sizes: list[int] = []

    class Engine:
        def call(self, target: str, *args: Any, lane: str = "encode") -> Future[Any]:
            sizes.append(len(args[-1]))
            future: Future[Any] = Future()
            future.set_result(resolve(target)(*args))
            return future

    monkeypatch.setattr(batches, "executor", Engine)
    for store in (batches.vectors, batches.readings, batches.pair_scores):
        store.cache_clear()
    return sizes
