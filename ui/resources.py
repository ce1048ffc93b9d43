"""What all sessions share: the executor with its worker processes, and a cache of computed results.

The server process itself never imports torch or umap; it asks a worker (`later`, or kit.ask, which waits).
"""

from __future__ import annotations

import atexit
import hashlib
import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar, TypeVarTuple

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from core.data.folders import LIVE, data_folder
from core.runs.executor import LocalExecutor
from core.runs.functions import name_of
from core.runs.live import Tab
from core.storage.database import several_servers

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

KEPT_RESULTS = 300  # answers remembered for all sessions together
PATIENCE = 120.0  # seconds a page waits for an answer before it says so


class Results:
    """The latest answers of the workers, found by what was asked. Shared, so answers are not mutated."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # script threads of several sessions come here at once
        self._futures: OrderedDict[bytes, Future[Any]] = OrderedDict()

    def ask(self, call: Callable[[], Future[R]], question: object) -> Future[R]:
        """The answer to `question`, from `call` unless it is remembered. What failed is asked again."""
        digest = hashlib.sha256(pickle.dumps(question)).digest()
        with self._lock:
            future = self._futures.get(digest)
            if future is None or (future.done() and future.exception() is not None):
                future = self._futures[digest] = call()
            self._futures.move_to_end(digest)
            while len(self._futures) > KEPT_RESULTS:
                self._futures.popitem(last=False)
        return future


@cache
def executor() -> LocalExecutor:
    """The worker processes. The first call starts them and warms them up in the background.

    One per server, whichever thread comes first: server.py calls it at start-up, before any browser. Raises
    InputError when EMBEDDING_LAB_CLUSTER names none that can be used.
    """
    shared = data_folder() / LIVE if several_servers() else None
    engine = LocalExecutor(cluster=os.environ.get("EMBEDDING_LAB_CLUSTER"), shared=shared)
    atexit.register(engine.close)
    return engine


@cache
def _results() -> Results:
    return Results()


def later(function: Callable[[*Ts], R], *args: *Ts, lane: str = "encode") -> Future[R]:
    """Ask a worker for `function(*args)`, a function of core; the same question is only computed once.

    `lane="layout"` asks the process that has umap-learn loaded.
    """
    question = (name_of(function), args, lane)
    return _results().ask(lambda: executor().call(function, *args, lane=lane), question)


def anew(function: Callable[[*Ts], R], *args: *Ts) -> R:
    """What a worker returns for it, waited for and not remembered: files are made, or a point is dragged."""
    return executor().call(function, *args).result(timeout=PATIENCE)


def session_is_open() -> Tab:
    """The current browser tab: a test, callable from any thread, of whether it is still connected."""
    context = get_script_run_ctx()
    if context is None or not Runtime.exists():
        return Tab("", lambda: True)
    session, runtime = context.session_id, Runtime.instance()
    return Tab(_browser() or session, lambda: bool(runtime.is_active_session(session)))


def _browser() -> str:
    """What all tabs of a browser have in common: the token in Streamlit's cookie, whose mask differs."""
    token, _ = decode_xsrf_token_string(st.context.cookies.get(XSRF_COOKIE_NAME, ""))
    return "" if token is None else token.hex()
