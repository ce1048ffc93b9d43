"""Which processes there are: few at rest, more when runs wait, each with its part of the cores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from core.models import embedding
from core.runs import machine, pool
from core.runs.executor import LocalExecutor
from core.runs.pool import Pool
from core.types import RunStatus
from tests.core.runs.test_executor import PATIENCE, request, rested, wait


class FakeProcess:
    """A worker process that hears and does nothing."""

    def __init__(self, lane: str, threads: int, on_message: object) -> None:
        self.lane, self.threads, self.dead = lane, threads, False
        self.heard: list[tuple[Any, ...]] = []

    def send(self, *message: Any) -> None:
        self.heard.append(message)

    def threads_now(self) -> int:
        return [message[1] for message in self.heard if message[0] == "threads"][-1]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Pool:
    monkeypatch.setattr(pool, "WorkerProcess", FakeProcess)
    monkeypatch.setattr(machine, "cores", lambda: 8)
    return Pool(lambda *_: None, lambda _: None, most=4)


def begin(found: Pool, run_id: str) -> Any:
    worker = found.for_run()
    if worker is not None:
        found.busy[worker] = run_id
        found.share_cores()
    return worker


def test_cores_are_shared_by_the_runs_there_are(fake: Pool) -> None:
    workers = [begin(fake, name) for name in "abc"]
    assert [worker.threads_now() for worker in workers] == [2, 2, 2]  # 8 cores, 3 runs
    for worker in workers[1:]:
        del fake.busy[worker]
    fake.share_cores()
    assert workers[0].threads_now() == 8, "who stays alone takes them all"
    assert len({id(worker) for worker in workers}) == 3


def test_there_are_never_more_processes_than_the_machine_bears(fake: Pool) -> None:
    workers = [begin(fake, name) for name in "abcde"]
    assert workers[4] is None and len(fake.training) == 4
    assert all(worker.threads_now() == 2 for worker in workers[:4])


def test_a_call_goes_to_whoever_does_not_train_and_has_least_to_answer(fake: Pool) -> None:
    first = begin(fake, "a")
    assert fake.for_call("encode") is first, "one process is enough for one learner"
    second = begin(fake, "b")
    del fake.busy[second]
    assert fake.for_call("encode") is second
    third = begin(fake, "c")
    assert third is second
    fake.calls[second] = 3
    assert fake.for_call("encode") is first


def test_a_dead_process_is_replaced(fake: Pool) -> None:
    first: Any = fake.for_call("encode")
    first.dead = True
    assert fake.for_call("encode") is not first and len(fake.training) == 1


@pytest.mark.parametrize(
    ("cores", "memory", "asked", "most"),
    [(8, 64e9, "", 8), (8, 3e9, "", 2), (2, 1e9, "", 1), (8, 64e9, "3", 3), (2, 64e9, "x", 2)],
)
def test_how_many_processes_a_machine_bears(monkeypatch, cores, memory, asked, most) -> None:
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "memory", lambda: int(memory))
    monkeypatch.setenv("EMBEDDING_LAB_WORKERS", asked)
    assert machine.most_workers() == most


def test_a_containers_limits_count(monkeypatch, tmp_path) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text("500000000\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    assert machine.cores() == 1 and machine.memory() == 500_000_000
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.cores() >= 1 and machine.memory() > 500_000_000


# ---- real processes --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    engine = LocalExecutor(workers=2)
    yield engine
    engine.close()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def test_at_rest_there_is_one_process_of_each_kind_and_it_lets_the_server_go_before(executor) -> None:
    executor.call(embedding.embed, "minilm-l3", 0, "mean", ("one",)).result(PATIENCE)
    assert [worker.lane for worker in executor.processes()] == ["layout", "train"]
    for worker in executor.processes():
        process = psutil.Process(worker.pid)
        assert process.nice() > psutil.Process().nice()
        assert process.environ()["OMP_WAIT_POLICY"] == "PASSIVE"


def test_a_question_is_answered_while_the_only_process_trains(executor) -> None:
    run_id = executor.start(request(steps=2000))
    wait(executor, run_id, lambda run: run.step >= 1)
    assert executor.call(embedding.embed, "minilm-l3", 0, "mean", ("one",)).result(PATIENCE).shape == (1, 384)
    run = executor.run(run_id)
    assert run.status is RunStatus.RUNNING and len(executor.pool.training) == 1
    wait(executor, run_id, lambda now: now.step > run.step)
    executor.stop(run_id)
    wait(executor, run_id, rested)


def test_a_second_run_gets_a_process_of_its_own_and_the_numbers_stay(executor) -> None:
    alone = wait(executor, executor.start(request(seed=3)), rested)
    other = executor.start(request(steps=2000))
    wait(executor, other, lambda run: run.step >= 1)
    beside = wait(executor, executor.start(request(seed=3)), rested)  # with another number of threads
    assert len(executor.pool.training) == 2
    assert (beside.snapshots[-1].embeddings == alone.snapshots[-1].embeddings).all()
    executor.stop(other)
    wait(executor, other, rested)


def test_idle_processes_end_and_start_again_when_somebody_asks(executor, monkeypatch) -> None:
    until(lambda: not executor._futures)
    pids = [worker.pid for worker in executor.processes()]
    monkeypatch.setattr(pool, "IDLE_END", 0.0)
    until(lambda: not executor.processes() and not any(psutil.pid_exists(pid) for pid in pids))
    assert not executor.layout_ready.is_set(), "until it has warmed up again, PCA stands in"
    monkeypatch.undo()
    assert wait(executor, executor.start(request()), rested).status is RunStatus.FINISHED
    until(executor.layout_ready.is_set)
