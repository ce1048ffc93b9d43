"""A fixture for page tests: what a page asks its worker processes is answered in this process, at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from ui import batches, resources


def answered(function: Callable[..., Any], *args: Any, lane: str = "encode") -> Future[Any]:
    """As Executor.call, in this process and over before it returns."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*args))
    except Exception as error:
        future.set_exception(error)
    return future


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "later", answered)


@pytest.fixture
def batch_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each batch of ui.batches asked for; the batches too are answered in this process."""
    sizes: list[int] = []

    class Engine:
        def call(self, function: Callable[..., Any], *args: Any, lane: str = "encode") -> Future[Any]:
            sizes.append(len(args[-1]))
            return answered(function, *args)

    monkeypatch.setattr(batches, "executor", Engine)
    for store in (batches.vectors, batches.readings, batches.pair_scores):
        store.cache_clear()
    return sizes
