"""The map of a run that grows, drawn at once here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import numpy as np

from core.runs.drawing import Drawing


class AtOnce:
    """An engine that computes where it is asked."""

    def __init__(self) -> None:
        self.layout_ready = threading.Event()
        self.layout_ready.set()

    def call(self, function: Callable[..., Any], *args: Any, lane: str = "encode") -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*args))
        return future


def test_a_fork_draws_the_step_at_which_it_stands_though_its_source_had_not_yet():
    embeddings = np.random.default_rng(0).normal(size=(2, 6, 8)).astype(np.float32)
    snapshots = [SimpleNamespace(step=step, embeddings=z) for step, z in enumerate(embeddings)]
    known = snapshots[:1]
    source, fork = (
        Drawing(AtOnce(), "pca", lambda: tuple(known), lambda: None, lambda: True) for _ in range(2)
    )
    source.go_on()
    known.append(snapshots[1])  # reported, and its frame not yet asked for
    fork.adopt(source, 1)
    assert [frame.step for frame in source.frames] == [0]
    assert [frame.step for frame in fork.frames] == [0, 1]
    assert np.array_equal(fork.frames[0].xy, source.frames[0].xy)
