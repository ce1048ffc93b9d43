"""Runs in real worker processes: queue, pause, step, fork, a dead worker; no run touches another."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from core import vectors
from core.data.sentences import parse_sentences
from core.data.split import make_split
from core.models import embedding
from core.runs import pool
from core.runs.executor import LocalExecutor
from core.runs.request import RunRequest
from core.runs.worker import spacing
from core.types import InputError, Run, RunStatus, TrainingConfig

TEXT = "\n".join(
    f"{group} | {text}"
    for group, texts in {
        "weather": ["It will rain.", "The sun is out.", "Snow fell all night.", "A storm is coming."],
        "food": ["This soup is salty.", "The bread is fresh.", "I had rice for lunch.", "The cake is sweet."],
    }.items()
    for text in texts
)
SENTENCES = parse_sentences(TEXT).sentence_set
SPLIT = make_split(SENTENCES, 20, 0.25, 7)
CONFIG = TrainingConfig(base_model="minilm-l3", steps=6, trained_layers=1, batch_size=4)
PATIENCE = 240.0  # seconds; a loaded machine with two cores is slow


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    engine = LocalExecutor(workers=1)
    yield engine
    engine.close()


def request(**changes: object) -> RunRequest:
    config = CONFIG.replace(**changes)
    return RunRequest(config, SENTENCES, SPLIT.train, SPLIT.held_out, layout="pca")


def own(**changes: object) -> RunRequest:
    """A request with an end of its own, which is trained even if an equal run is there."""
    asked = request(**changes)
    return replace(asked, until=asked.config.steps)


@dataclass(frozen=True)
class HangsOnce(RunRequest):
    """A run whose fourth step makes this file and never ends; where the file is there, it does."""

    begun: str = ""

    def trainer(self, resume: Path | None = None) -> Any:
        trainer = super().trainer(resume)
        step = trainer.advance

        def advance() -> None:
            if trainer.step == 3 and not Path(self.begun).exists():
                Path(self.begun).touch()
                time.sleep(3600)
            step()

        trainer.advance = advance
        return trainer


def start_hanging(executor: LocalExecutor, folder: Path, seed: int) -> str:
    """A run that has left a checkpoint at step 3 and hangs."""
    asked, begun = request(seed=seed), folder / "begun"
    hanging = HangsOnce(asked.config, asked.sentences, asked.pairs, asked.held_out, "pca", begun=str(begun))
    run_id = executor.start(hanging)
    wait(executor, run_id, lambda run: begun.exists() and 3 in run.checkpoints)
    return run_id


def wait(executor: LocalExecutor, run_id: str, until: Callable[[Run], bool]) -> Run:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        run = executor.run(run_id)
        if until(run):
            return run
        time.sleep(0.02)
    raise AssertionError(f"still {executor.run(run_id).status} at step {executor.run(run_id).step}")


def rested(run: Run) -> bool:
    return not run.is_active


def drawn(run: Run) -> bool:
    return rested(run) and bool(run.frames) and run.frames[-1].step == run.step


def test_a_run_reports_every_step_and_draws_it(executor: LocalExecutor) -> None:
    run = wait(executor, executor.start(request()), drawn)
    assert run.status is RunStatus.FINISHED
    assert [s.step for s in run.snapshots] == list(range(7))
    assert not np.allclose(run.snapshots[0].embeddings, run.snapshots[-1].embeddings)
    assert not run.snapshots[-1].embeddings.flags.writeable
    assert run.frames[0].xy.shape == (len(SENTENCES), 2)
    assert 0 in run.checkpoints and 6 in run.checkpoints


def test_the_same_request_gives_the_same_numbers(executor: LocalExecutor) -> None:
    first, second = (wait(executor, executor.start(own()), rested) for _ in range(2))
    assert np.array_equal(first.snapshots[-1].embeddings, second.snapshots[-1].embeddings)
    assert np.array_equal(first.snapshots[0].embeddings, second.snapshots[0].embeddings), "base model changed"


def test_single_steps_equal_the_unbroken_run(executor: LocalExecutor) -> None:
    whole = wait(executor, executor.start(request()), rested)
    run_id = executor.start(replace(request(), until=1))
    stepped = wait(executor, run_id, rested)
    assert (stepped.status, stepped.step) == (RunStatus.PAUSED, 1)
    executor.resume(run_id, steps=2)
    stepped = wait(executor, run_id, lambda r: rested(r) and r.step == 3)
    executor.resume(run_id)
    stepped = wait(executor, run_id, lambda r: r.status is RunStatus.FINISHED)
    assert [s.step for s in stepped.snapshots] == [s.step for s in whole.snapshots]
    for a, b in zip(stepped.snapshots, whole.snapshots):
        assert np.array_equal(a.embeddings, b.embeddings)


def test_pause_keeps_the_place_and_play_goes_on(executor: LocalExecutor) -> None:
    run_id = executor.start(request(steps=2000))
    wait(executor, run_id, lambda r: r.step >= 2)
    executor.pause(run_id)
    paused = wait(executor, run_id, rested)
    assert paused.status is RunStatus.PAUSED and 2 <= paused.step < 2000
    executor.resume(run_id, steps=1)
    assert wait(executor, run_id, lambda r: rested(r) and r.step > paused.step).step == paused.step + 1
    executor.resume(run_id)
    wait(executor, run_id, lambda r: r.status is RunStatus.RUNNING)
    executor.stop(run_id)
    assert wait(executor, run_id, rested).status is RunStatus.STOPPED


def test_a_fork_with_the_same_settings_repeats_the_run_exactly(executor: LocalExecutor) -> None:
    whole = wait(executor, executor.start(request()), drawn)
    middle = whole.checkpoints[len(whole.checkpoints) // 2]
    fork_id = executor.fork(whole.id, middle)
    fork = executor.run(fork_id)
    assert (fork.status, fork.step, fork.forked_from) == (RunStatus.PAUSED, middle, (whole.id, middle))
    executor.resume(fork_id)
    fork = wait(executor, fork_id, drawn)
    assert np.array_equal(fork.snapshots[-1].embeddings, whole.snapshots[-1].embeddings)
    assert np.array_equal(fork.frames[-1].xy, whole.frames[-1].xy)


def test_a_fork_with_another_rate_differs_and_leaves_the_first_run_alone(executor: LocalExecutor) -> None:
    whole = wait(executor, executor.start(request()), rested)
    before = whole.snapshots[-1].embeddings.copy()
    fork_id = executor.fork(whole.id, whole.checkpoints[1], CONFIG.replace(learning_rate=1e-3))
    executor.resume(fork_id)
    fork = wait(executor, fork_id, rested)
    assert not np.array_equal(fork.snapshots[-1].embeddings, before)
    assert np.array_equal(executor.run(whole.id).snapshots[-1].embeddings, before)


def test_a_fork_refuses_what_it_cannot_change(executor: LocalExecutor) -> None:
    whole = wait(executor, executor.start(request()), rested)
    with pytest.raises(InputError, match="trained layers"):
        executor.fork(whole.id, 0, CONFIG.replace(trained_layers=2))
    with pytest.raises(InputError, match="Step 99 was not kept"):
        executor.fork(whole.id, 99)


@pytest.mark.parametrize(
    ("steps", "megabytes", "every"), [(4, 0, 1), (100, 0, 10), (20, 57, 3), (30, 113, 10), (6, 900, 2)]
)
def test_no_more_checkpoints_are_written_than_there_is_room_for(steps, megabytes, every) -> None:
    assert spacing(SimpleNamespace(steps=steps, nbytes=megabytes * 1_000_000)) == every


def test_a_run_goes_on_when_its_process_dies(executor: LocalExecutor, tmp_path: Path) -> None:
    """From its last checkpoint, and with the same numbers."""
    run_id = start_hanging(executor, tmp_path, seed=9)
    (worker,) = executor.pool.busy
    os.kill(worker.pid, signal.SIGKILL)
    run = wait(executor, run_id, rested)
    assert run.status is RunStatus.FINISHED and "went on from step 3" in run.note
    whole = wait(executor, executor.start(own(seed=9)), rested)
    assert [s.step for s in run.snapshots] == [s.step for s in whole.snapshots] and not whole.note
    assert np.array_equal(run.snapshots[-1].embeddings, whole.snapshots[-1].embeddings)


def test_a_run_that_ends_two_processes_fails(executor: LocalExecutor) -> None:
    run_id = executor.start(request(steps=2000))
    for step in (3, 6):
        wait(executor, run_id, lambda r, step=step: r.step >= step)  # type: ignore[misc]
        (worker,) = executor.pool.busy
        os.kill(worker.pid, signal.SIGKILL)
        while not worker.dead:
            time.sleep(0.01)
    run = wait(executor, run_id, rested)
    assert run.status is RunStatus.FAILED
    assert run.error is not None and "stopped unexpectedly" in run.error
    executor.resume(run_id, steps=1)  # somebody asks again: from its last checkpoint
    assert wait(executor, run_id, rested).status is RunStatus.PAUSED


def test_a_run_whose_step_hangs_is_ended_by_force(
    executor: LocalExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_id = start_hanging(executor, tmp_path, seed=10)
    (worker,) = executor.pool.busy
    with monkeypatch.context() as soon:
        soon.setattr(pool, "FORCE", 1.0)
        executor.pause(run_id)
        run = wait(executor, run_id, rested)
    assert (run.status, run.note, run.checkpoints[-1]) == (RunStatus.PAUSED, pool.STUCK, 3)
    executor.resume(run_id)
    assert wait(executor, run_id, rested).status is RunStatus.FINISHED
    assert not psutil.pid_exists(worker.pid)


def test_a_dead_helper_is_restarted(executor: LocalExecutor) -> None:
    helper = executor.pool.for_call(pool.TORCH)
    os.kill(helper.pid, signal.SIGKILL)
    while not helper.dead:
        time.sleep(0.01)
    z = executor.call(embedding.embed, "minilm-l3", 0, "mean", ("one", "two")).result(PATIENCE)
    assert z.shape == (2, 384)


def test_a_run_whose_tab_closed_ends_by_itself(
    executor: LocalExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.runs.executor.OWNER_GRACE", 0.5)
    open_tab = [True]
    run_id = executor.start(request(steps=2000), alive=lambda: open_tab[0])
    wait(executor, run_id, lambda r: r.step >= 1)
    open_tab[0] = False
    assert wait(executor, run_id, rested).status is RunStatus.STOPPED


def test_a_reloaded_tab_keeps_its_run_alive(executor: LocalExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.runs.executor.OWNER_GRACE", 0.5)
    old, new = [True], [True]
    run_id = executor.start(request(steps=2000), alive=lambda: old[0])
    executor.renew(run_id, lambda: new[0])
    old[0] = False
    live = executor._live(run_id)
    assert live.abandoned_for() == 0, "the tab was loaded again"
    new[0] = False
    assert wait(executor, run_id, rested).status is RunStatus.STOPPED


def test_bad_input_comes_back_in_its_own_words(executor: LocalExecutor) -> None:
    with pytest.raises(InputError, match="Unknown model 'nope'"):
        executor.call(embedding.embed, "nope", 0, "mean", ("one",)).result(PATIENCE)
    run = wait(executor, executor.start(replace(request(), pairs=())), rested)
    assert run.status is RunStatus.FAILED and run.error


def test_a_bug_in_a_worker_shows_no_traceback(executor: LocalExecutor) -> None:
    with pytest.raises(RuntimeError, match="server's log") as caught:
        executor.call(embedding.embed, "minilm-l3", 0, "mean", 5).result(PATIENCE)
    assert "Traceback" not in str(caught.value)


def test_two_full_pipes_do_not_wait_for_each_other(executor: LocalExecutor) -> None:
    # Each answer asks for the next from the reader's thread, as the map of a run does, while both the
    # question and the answer are larger than a pipe holds.
    large = np.ones((5_000, 384), np.float32)
    done: list[Future[Any]] = [Future() for _ in range(4)]

    def ask_again(place: int, rounds: int) -> None:
        def answered(_: Future[Any]) -> None:
            ask_again(place, rounds - 1) if rounds else done[place].set_result(True)

        executor.call(vectors.unit_rows, large, lane="layout").add_done_callback(answered)

    for place in range(len(done)):
        ask_again(place, 3)
    assert all(future.result(60) for future in done)


def test_a_run_that_rests_makes_room_and_still_goes_on(
    executor: LocalExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the disk budget its checkpoints go; it repeats its steps and stands where it stood."""
    run = wait(executor, executor.start(request(seed=5)), rested)
    with monkeypatch.context() as poor:
        poor.setattr("core.runs.executor.disk_budget", lambda: 0)
        run = wait(executor, run.id, lambda r: not r.checkpoints)
        assert executor.checkpoint_path(run.id, 6) is None and len(run.snapshots) == 7
        with pytest.raises(InputError, match="not kept"):
            executor.fork(run.id, 3)
    executor.resume(run.id, steps=1)
    run = wait(executor, run.id, lambda r: rested(r) and r.step == 7)
    whole = wait(executor, executor.start(request(seed=5, steps=7)), rested)
    assert np.allclose(run.snapshots[6].embeddings, whole.snapshots[6].embeddings, atol=1e-5)


def test_a_rewind_to_a_step_whose_file_is_gone_goes_to_the_nearest_before_it(executor: LocalExecutor) -> None:
    """A worker that is killed may have dropped a file that the server still believes in."""
    run = wait(executor, executor.start(request(seed=6)), rested)
    path = executor.checkpoint_path(run.id, 5)
    assert path is not None
    Path(path).unlink()
    assert executor.checkpoint_path(run.id, 5) is None
    forked = executor.run(executor.fork(run.id, 5))
    assert forked.step == 4 and forked.forked_from == (run.id, 4)
