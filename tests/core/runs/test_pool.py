"""Which processes there are: few at rest, more when runs wait, each with its part of the cores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psutil
import pytest

from core.models import embedding
from core.runs import machine, pool
from core.runs.executor import LocalExecutor
from core.runs.pool import Pool
from core.runs.turns import TURN
from core.types import RunStatus
from tests.core.runs.test_executor import PATIENCE, own, request, rested, wait


class Fake:
    """A worker that hears and does nothing."""

    def __init__(self, lane: str, on_message: Callable[..., None]) -> None:
        self.lane, self.dead, self.ready = lane, False, threading.Event()
        self.heard: list[tuple[Any, ...]] = []
        self.says = partial(on_message, self)

    def close(self) -> None:
        self.dead = True

    def send(self, *message: Any) -> None:
        self.heard.append(message)

    def last(self, kind: str) -> Any:
        return [message[1:] for message in self.heard if message[0] == kind][-1]


class FakeProcess(Fake):
    def __init__(self, lane: str, threads: int, on_message: Callable[..., None]) -> None:
        super().__init__(lane, on_message)


class FakeCluster:
    """Two machines of four cores."""

    def __init__(self) -> None:
        self.cores, self.widest, self.worker = 8, 4, Fake

    @property
    def is_there(self) -> bool:
        return self.cores > 0

    def on_change(self) -> None: ...
    def tend(self) -> None: ...


class FakeRun:
    """What the pool asks of a run."""

    is_active = undisturbed = True

    def __init__(self, name: str, owner: str = "") -> None:
        self.id, self.owners, self.resting_status = name, (owner or name,), None
        self.rested: list[Any] = []
        self.notes: list[str] = []
        self.note, self.fail = self.notes.append, self.rested.append
        self.lives = 1

    def begin(self, seconds: float) -> tuple[str, float]:
        return self.id, seconds

    def left(self, seconds: float) -> float:
        return 10.0

    def rest(self, status: Any) -> None:
        self.rested.append(status or self.resting_status)

    def outlives(self, reason: str, began: bool) -> bool:
        self.lives -= 1
        if self.lives < 0:
            self.fail(reason)
        return self.lives >= 0

    def changed(self) -> None:
        pass


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pool, "WorkerProcess", FakeProcess)
    monkeypatch.setattr(machine, "cores", lambda: 8)
    return Pool(lambda _: None, lambda _: None, lambda _: None, most=2)


def warm(fake: Any) -> list[Any]:
    """Two processes that have their model loaded."""
    for name in "ab":
        fake.train(FakeRun(name))
    for worker in list(fake.training):
        worker.says(("warm",))
        worker.says(("rested", fake.busy[worker]))
    assert len(fake.training) == 2 and not fake.busy
    return list(fake.training)


def test_cores_are_shared_by_the_runs_there_are(fake: Any) -> None:
    workers = warm(fake)
    for name in "cde":
        fake.train(FakeRun(name))
    assert [worker.last("threads") for worker in workers] == [(4,), (4,)]  # 8 cores, 2 at a time
    fake.interrupt(FakeRun("e"), RunStatus.PAUSED)
    workers[1].says(("rested", "d"))
    assert workers[0].last("threads") == (8,), "who stays alone takes them all"


def test_there_are_never_more_processes_than_the_machine_bears(fake: Any) -> None:
    warm(fake)
    for name in "cdefg":
        fake.train(FakeRun(name))
    assert len(fake.training) == 2 and sorted(fake.busy.values()) == ["c", "d"]


def test_a_process_that_still_loads_gets_no_run_while_another_could_take_it(fake: Any) -> None:
    fake.train(FakeRun("a"))
    (first,) = fake.training
    first.says(("warm",))
    fake.train(FakeRun("b"))
    assert len(fake.training) == 2 and list(fake.busy.values()) == ["a"]
    first.says(("turn", "a", 0.3, 0.0))
    assert list(fake.busy.values()) == ["b"], "its turn comes on the process that is warm"
    fake.training[1].says(("warm",))
    assert first.last("leave") == ("move", "a"), "the other one is idle, and a waits"
    first.says(("moved", "a"))
    assert fake.busy == {first: "b", fake.training[1]: "a"}


def test_runs_take_turns_and_each_begins_with_a_single_step(fake: Any) -> None:
    one, two = warm(fake)
    for name in "cde":
        fake.train(FakeRun(name))
    assert [one.last("train"), two.last("train")] == [(("c", 0.0),), (("d", 0.0),)]
    one.says(("turn", "c", 0.4, 0.1))
    assert one.last("train") == (("e", 0.0),), "a new run goes before everybody's second turn"
    two.says(("turn", "d", 0.3, 0.1))
    assert two.last("train") == (("d", TURN),), "the process that has it goes on with it"


def test_a_run_that_waits_for_its_next_turn_is_paused_by_the_process_that_has_it(fake: Any) -> None:
    one, _ = warm(fake)
    runs = {name: FakeRun(name) for name in "cde"}
    for run in runs.values():
        fake.train(run)
    one.says(("turn", "c", 0.4, 0.1))
    fake.interrupt(runs["c"], RunStatus.PAUSED)
    assert one.last("leave") == ("pause", "c") and not runs["c"].rested
    one.says(("turn", "e", 0.4, 0.1))
    assert fake.busy[one] != "c", "it gets no further turn"
    one.says(("rested", "c"))
    assert runs["c"].rested == [RunStatus.PAUSED] and fake.turn("c") is None


def test_a_run_that_never_had_a_turn_rests_at_once(fake: Any) -> None:
    warm(fake)
    runs = [FakeRun(name) for name in "cde"]
    for run in runs:
        fake.train(run)
    fake.interrupt(runs[2], RunStatus.STOPPED)
    assert runs[2].rested == [RunStatus.STOPPED] and fake.turn("e") is None


def test_when_a_process_dies_those_in_its_memory_go_on_elsewhere_or_rest(fake: Any) -> None:
    one, two = warm(fake)
    runs = {name: FakeRun(name) for name in "cdef"}
    for run in runs.values():
        fake.train(run)
    one.says(("turn", "c", 0.4, 0.1))
    one.says(("turn", "e", 0.4, 0.1))
    fake.interrupt(runs["c"], RunStatus.PAUSED)
    one.dead, runs["f"].lives = True, 0
    one.says(("died", -9))
    assert runs["c"].rested == [RunStatus.PAUSED], "it was to rest"
    assert runs["f"].rested == [pool.BROKEN_WORKER], "it was having its turn, and is taken for the cause"
    two.says(("turn", "d", 9.0, 0.0))
    assert fake.busy[two] == "e", "it goes on from its last checkpoint"


def test_a_run_goes_on_where_the_process_that_trained_it_died_for_the_first_time(fake: Any) -> None:
    one, two = warm(fake)
    run, other = FakeRun("c"), FakeRun("d")
    fake.train(run)
    fake.train(other)
    one.dead = True
    one.says(("died", -9))
    assert not run.rested and fake.turn("c") is not None
    two.says(("rested", "d"))
    assert fake.busy[two] == "c"


def test_runs_are_trained_on_the_cluster_and_here_only_once_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "WorkerProcess", FakeProcess)
    monkeypatch.setattr(machine, "cores", lambda: 2)
    cluster: Any = FakeCluster()
    far: Any = Pool(lambda _: None, lambda _: None, lambda _: None, cluster=cluster)
    assert far.most == 8 and isinstance(far.for_call("encode"), FakeProcess), "calls stay here"
    run, waiting = FakeRun("a"), FakeRun("b")
    (there,) = far.training
    far.train(run)
    assert far.busy == {there: "a"} and type(there) is Fake
    assert there.last("threads") == (4,), "as many as one machine has, not all of them"
    far.most = 1
    far.train(waiting)

    cluster.cores = 0
    cluster.on_change()
    there.dead = True
    there.says(("died", None))
    assert run.rested == waiting.rested == [pool.GONE] and not far.busy and far.turn("b") is None
    far.train(run)
    (here,) = far.busy
    assert isinstance(here, FakeProcess) and run.notes == [pool.HERE] and far.most == 2

    cluster.cores = 8
    cluster.on_change()
    far.retire()
    assert here in far.training, "it has a run"
    here.says(("rested", "a"))
    far.retire()
    assert here.dead and here not in far.training
    far.train(run)
    assert type(next(iter(far.busy))) is Fake


def test_a_call_goes_to_whoever_does_not_train_and_has_least_to_answer(fake: Any) -> None:
    first, second = warm(fake)
    fake.train(FakeRun("c"))
    assert fake.busy == {first: "c"} and fake.for_call("encode") is second
    fake.train(FakeRun("d"))
    assert fake.for_call("encode") is first
    fake.call(embedding.embed, (), "encode")
    assert fake.for_call("encode") is second


def test_a_dead_process_is_replaced(fake: Any) -> None:
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
    until(lambda: [worker.lane for worker in executor.processes()] == ["layout", "train"])
    for worker in executor.processes():
        process = psutil.Process(worker.pid)
        until(lambda process=process: process.nice() > psutil.Process().nice())
        assert process.environ()["OMP_WAIT_POLICY"] == "PASSIVE"
        assert int(process.environ()["GOMP_SPINCOUNT"]) > 0  # but not at once: most waits are short


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
    beside = wait(executor, executor.start(own(seed=3)), rested)  # with another number of threads
    assert len(executor.pool.training) == 2
    assert (beside.snapshots[-1].embeddings == alone.snapshots[-1].embeddings).all()
    executor.stop(other)
    wait(executor, other, rested)


def test_idle_processes_end_and_start_again_when_somebody_asks(executor, monkeypatch) -> None:
    until(lambda: not executor.pool._futures)
    pids = [worker.pid for worker in executor.processes()]
    monkeypatch.setattr(pool, "IDLE_END", 0.0)
    until(lambda: not executor.processes() and not any(psutil.pid_exists(pid) for pid in pids))
    assert not executor.layout_ready.is_set(), "until it has warmed up again, PCA stands in"
    monkeypatch.undo()
    assert wait(executor, executor.start(request()), rested).status is RunStatus.FINISHED
    until(executor.layout_ready.is_set)
