"""What all sessions share: the executor with its worker processes, and a cache of computed results.

The server process itself never imports torch or umap; it asks a worker (`compute`, `later`).
"""

from __future__ import annotations

import atexit
import hashlib
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from typing import Any

from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.runs.executor import LocalExecutor

KEPT_RESULTS = 300  # answers remembered for all sessions together
PATIENCE = 120.0  # seconds a page waits for an answer before it says so


class Results:
    """The latest answers of the workers, found by what was asked. Shared, so answers are not mutated."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # script threads of several sessions come here at once
        self._futures: OrderedDict[bytes, Future[Any]] = OrderedDict()

    def ask(self, ask: Callable[..., Future[Any]], target: str, args: Any, kwargs: Any) -> Future[Any]:
        question = hashlib.sha256(pickle.dumps((target, args, sorted(kwargs.items())))).digest()
        with self._lock:
            future = self._futures.get(question)
            if future is None or (future.done() and future.exception() is not None):
                future = self._futures[question] = ask(target, *args, **kwargs)
            self._futures.move_to_end(question)
            while len(self._futures) > KEPT_RESULTS:
                self._futures.popitem(last=False)
        return future


@cache
def executor() -> LocalExecutor:
    """The worker processes. The first call starts them and warms them up in the background.

    One per server, whichever thread comes first: server.py calls it at start-up, before any browser.
    """
    engine = LocalExecutor()
    atexit.register(engine.close)
    return engine


@cache
def _results() -> Results:
    return Results()


def later(target: str, *args: Any, **kwargs: Any) -> Future[Any]:
    """Ask a worker for 'core.module:function'(*args); the same question is only computed once.

    `lane="layout"` asks the process that has umap-learn loaded.
    """
    return _results().ask(executor().call, target, args, kwargs)


def compute(target: str, *args: Any, **kwargs: Any) -> Any:
    """Like `later`, but wait for the answer. Raises what the worker raised: InputError for bad input."""
    return later(target, *args, **kwargs).result(timeout=PATIENCE)


def session_is_open() -> Callable[[], bool]:
    """A test, callable from any thread, of whether the current browser tab is still connected."""
    context = get_script_run_ctx()
    if context is None or not Runtime.exists():
        return lambda: True
    session, runtime = context.session_id, Runtime.instance()
    return lambda: bool(runtime.is_active_session(session))
