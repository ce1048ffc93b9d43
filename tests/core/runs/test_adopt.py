"""A run from a file lives among the runs of the server: it can be compared, encode, and be gone on with."""

from __future__ import annotations

import numpy as np

from core.export import run_file_weights
from core.export.run_file import unpack
from core.runs.executor import LocalExecutor
from core.training import tuned
from core.types import RunStatus
from tests.core.runs.test_executor import executor, request, rested, wait  # noqa: F401 (executor is a fixture)


def test_a_saved_run_is_adopted_and_trained_on(executor: LocalExecutor, tmp_path) -> None:  # noqa: F811
    first = executor.start(request())
    run = wait(executor, first, rested)
    checkpoint = executor.checkpoint_path(first, run.step)
    assert checkpoint is not None and executor.checkpoint_path(first, 999) is None
    file = tmp_path / "run.zip"
    saving = executor.call(run_file_weights.save, run, checkpoint, "t", "n", "", str(file))
    assert saving.result(120) == file.stat().st_size

    kept = unpack(file.read_bytes())
    second, target = executor.adopt(kept.run, "pca")
    assert second != first and executor.run(second).checkpoints == ()
    assert executor.call(run_file_weights.restore, str(file), target).result(120) == run.step
    executor.adopted(second)
    opened = executor.run(second)
    assert opened.status is RunStatus.FINISHED and opened.checkpoints == (run.step,)
    path = executor.checkpoint_path(second, run.step)
    z = executor.call(tuned.embed, run.config, path, run.sentences.texts).result(120)
    assert np.abs(z - run.snapshots[-1].embeddings).max() < 1e-5

    executor.resume(second, 1)
    wait(executor, second, lambda now: now.step == run.step + 1 and not now.is_active)
    assert executor.run(first).step == run.step
