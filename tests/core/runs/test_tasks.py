"""Any task runs through the executor, in real worker processes: watched, paused, gone on with, failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.concepts import sbert
from core.runs.executor import LocalExecutor
from core.training import nli, word2vec
from core.training.race import Race, curve
from core.training.word2vec.grammar import text as grammar_text
from core.types import InputError, RunStatus, TaskRun, TrainingConfig
from tests.core.runs.test_executor import PATIENCE, SENTENCES, SPLIT, executor  # noqa: F401 (a fixture)

RACE = Race(
    SENTENCES,
    SPLIT.train,
    SPLIT.held_out,
    TrainingConfig(loss="contrastive", steps=4, trained_layers=1, batch_size=4, snapshot_every=2),
)
WORDS = word2vec.Word2vecTask(grammar_text(), word2vec.Settings(epochs=1, dimensions=8))


def wait(engine: LocalExecutor, run_id: str, until: Callable[[TaskRun[Any]], bool]) -> TaskRun[Any]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        run = engine.task_run(run_id)
        if until(run):
            return run
        time.sleep(0.02)
    raise AssertionError(f"still {engine.task_run(run_id)}")


def rested(run: TaskRun[Any]) -> bool:
    return not run.is_active


def test_a_race_is_paused_and_goes_on_to_its_end(executor: LocalExecutor) -> None:  # noqa: F811
    run_id = executor.start(RACE, until=3)
    half = wait(executor, run_id, rested)
    assert (half.status, half.step, half.steps) == (RunStatus.PAUSED, 3, 8)
    executor.resume(run_id)
    whole = wait(executor, run_id, lambda run: run.status is RunStatus.FINISHED)
    assert whole.step == 8 and whole.snapshots[: len(half.snapshots)] == half.snapshots
    for side in ("bi", "cross"):
        steps = [m.step for m in curve(whole.snapshots, side)]
        assert steps[0] == 0 and steps[-1] == 4


def test_a_classifier_leaves_a_checkpoint_that_answers(executor: LocalExecutor) -> None:  # noqa: F811
    task = nli.NliTask(nli.examples(), steps=3, trained_layers=1)
    run = wait(executor, executor.start(task), rested)
    assert run.status is RunStatus.FINISHED and run.checkpoints == (3,)
    path = executor.checkpoint_path(run.id, 3)
    assert path is not None
    chances, cosine = executor.call(sbert.classify, task, path, "A dog runs.", "An animal moves.").result(120)
    assert chances.shape == (3,) and abs(float(chances.sum()) - 1) < 1e-5 and -1 <= cosine <= 1


def test_word_vectors_do_not_depend_on_pauses_and_get_a_map(executor: LocalExecutor) -> None:  # noqa: F811
    whole = wait(executor, executor.start(WORDS), rested)
    run_id = executor.start(WORDS, until=0)
    untrained = wait(executor, run_id, lambda run: rested(run) and bool(run.snapshots))
    assert (untrained.status, untrained.step) == (RunStatus.PAUSED, 0)
    executor.draw(run_id, "pca", (0, 1, 2, 3, 4))
    executor.resume(run_id, 7)
    assert wait(executor, run_id, lambda run: rested(run) and run.step > 0).step == 7
    executor.resume(run_id)

    def drawn(run: TaskRun[Any]) -> bool:
        return run.status is RunStatus.FINISHED and run.frames[-1].step == run.step

    parts = wait(executor, run_id, drawn)
    assert np.array_equal(parts.snapshots[-1].vectors, whole.snapshots[-1].vectors)
    assert parts.frames[-1].xy.shape == (5, 2)
    assert not len(parts.snapshots[-2].vectors), "of older states a run keeps the outline"
    assert parts.snapshots[-1].skip_grams is not None


def test_what_cannot_be_trained_fails_in_its_own_words(executor: LocalExecutor) -> None:  # noqa: F811
    run = wait(executor, executor.start(word2vec.Word2vecTask("too short", word2vec.Settings())), rested)
    assert run.status is RunStatus.FAILED and run.error is not None and "paste a longer text" in run.error


def test_a_forgotten_run_is_gone(executor: LocalExecutor) -> None:  # noqa: F811
    run_id = executor.start(RACE)
    executor.forget(run_id)
    with pytest.raises(InputError, match="no longer in memory"):
        executor.task_run(run_id)
    assert wait(executor, executor.start(WORDS), rested).status is RunStatus.FINISHED


def test_a_file_dropped_a_moment_ago_gives_way_to_the_nearest_older(executor: LocalExecutor) -> None:  # noqa: F811
    from core.training.checkpoints import checkpoint_file
    from tests.core.runs.test_executor import request
    from tests.core.runs.test_executor import rested as at_rest
    from tests.core.runs.test_executor import wait as wait_for

    whole = wait_for(executor, executor.start(request()), at_rest)
    *_, older, newest = whole.checkpoints
    path = executor.checkpoint_path(whole.id, newest)
    assert path is not None
    checkpoint_file(executor._live(whole.id).live.folder, newest).unlink()
    fork = executor.run(executor.fork(whole.id, newest))
    assert fork.step == older and fork.checkpoints[-1] == older
