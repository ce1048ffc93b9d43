"""A fixture for page tests: what a page asks its worker processes is answered in this process, at once."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from core.worker import resolve
from ui import resources


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
