"""Checkpoints that have to go are told to the server before their files do, or it would offer steps that are
gone: by the worker that drops them, by the run that makes room, by a cluster's part on the server."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.runs.cluster.driver import Driver
from core.runs.live import LiveRun
from core.runs.worker import TrainingLane, Work
from core.training.checkpoints import checkpoint_file, checkpoints_in

BEFORE = (4, 8)


def by_the_worker(folder: Path, tell: Any) -> None:
    wire = SimpleNamespace(send=lambda message: tell(message[2]))
    trainer = SimpleNamespace(step=12, save=lambda file: file.write_text("weights"))
    TrainingLane(cast(Any, wire)).keep(
        Work("run", cast(Any, None), None, str(folder), 12, False), cast(Any, trainer)
    )


def by_the_run(folder: Path, tell: Any) -> None:
    LiveRun.drop_checkpoints(cast(Any, SimpleNamespace(folder=str(folder), take_checkpoints=tell)))


def by_the_cluster(folder: Path, tell: Any) -> None:
    here = SimpleNamespace(
        _lock=Lock(), _places={"run": (str(folder), False)}, _there={}, tell=lambda *said: tell(said[3])
    )
    Driver._keep(cast(Any, here), 1, "run", 12, {checkpoint_file("", 12).name: b"weights"})


@pytest.mark.parametrize(("drop", "stays"), [(by_the_worker, [12]), (by_the_run, []), (by_the_cluster, [12])])
def test_what_goes_is_told_before_its_file_does(tmp_path, drop, stays):
    for step in BEFORE:
        checkpoint_file(str(tmp_path), step).write_text("weights")
    heard: list[tuple[list[int], list[int]]] = []
    drop(tmp_path, lambda steps: heard.append((list(steps), checkpoints_in(str(tmp_path)))))
    assert heard == [(stays, [*BEFORE, *stays])] and checkpoints_in(str(tmp_path)) == stays
