"""Runs that differ take turns: on one real process, and what a process keeps of those that wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.runs import machine
from core.runs.executor import LocalExecutor
from core.runs.live import Tab
from core.runs.worker import TrainingLane, Work
from core.training.checkpoints import checkpoints_in
from core.types import RunStatus
from tests.core.runs.test_executor import executor, own, request, rested, wait  # noqa: F401 (a fixture)


def test_everybody_moves_and_gets_the_numbers_of_a_run_alone(executor: LocalExecutor) -> None:  # noqa: F811
    alone = wait(executor, executor.start(request(seed=11)), rested)
    others = [executor.start(request(seed=seed, steps=2000)) for seed in (1, 2)]
    mine = executor.start(own(seed=11))
    first = executor.run(others[0])
    for run_id in others:
        wait(executor, run_id, lambda run: run.step >= 5)
    run = wait(executor, mine, rested)
    assert run.status is RunStatus.FINISHED and len(executor.pool.training) == 1
    assert np.array_equal(run.snapshots[-1].embeddings, alone.snapshots[-1].embeddings)
    beside = executor.run(others[0])
    assert beside.turn is not None and beside.turn.others == 1 and first.step < beside.step
    executor.pause(others[1])  # mostly while it waits for its turn
    paused = wait(executor, others[1], rested)
    assert paused.status is RunStatus.PAUSED and paused.checkpoints[-1] == paused.step
    executor.resume(others[1], steps=1)
    assert wait(executor, others[1], rested).step == paused.step + 1
    executor.stop(others[0])
    wait(executor, others[0], rested)


def test_a_place_in_line_is_told_until_the_first_step(executor: LocalExecutor) -> None:  # noqa: F811
    tab = Tab("one browser", lambda: True)
    runs = [executor.start(request(seed=seed, steps=2000), tab) for seed in range(4)]
    turns = [executor.run(run_id).turn for run_id in runs]
    assert [None if turn is None else turn.place for turn in turns[1:]] == [1, 2, 3]
    executor.stop(runs[1])
    assert wait(executor, runs[1], rested).turn is None
    for run_id in (runs[0], *runs[2:]):
        run = wait(executor, run_id, lambda run: run.step >= 1 and bool(run.turn and run.turn.seconds))
        assert run.turn is not None and run.turn.place is None, "the time is that to its end now"
        executor.forget(run_id)


class Wire:
    """A connection that nobody reads: what was said on it."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []
        self.send = self.said.append

    def poll(self) -> bool:
        return False

    def of(self, run_id: str, kind: str) -> list[tuple[Any, ...]]:
        return [message for message in self.said if message[:2] == (kind, run_id)]


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[TrainingLane]:
    for name in "abc":
        (tmp_path / name).mkdir()
    yield TrainingLane(Wire())  # type: ignore[arg-type]


def turn(lane: TrainingLane, folder: Path, name: str, step: int, seed: int = 7) -> None:
    lane.run(Work(name, request(seed=seed, steps=4), None, str(folder / name), step, True, 0.0))


@pytest.mark.parametrize("room", [0, 10**12])
def test_a_run_in_turns_repeats_the_unbroken_run_from_memory_or_from_disk(
    lane: TrainingLane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(machine, "trainer_bytes", lambda: room)
    for step in range(4):
        turn(lane, tmp_path, "a", step)
        turn(lane, tmp_path, "b", step, seed=8)
        in_turn = {name for name in lane.kept if name not in lane.resting}
        if step < 3:
            assert in_turn == ({"a"} if room == 0 else {"a", "b"}), "who had its turn just now goes first"
    lane.run(replace(Work("c", request(steps=4), None, str(tmp_path / "c"), 0, True)))
    wire: Any = lane.connection
    whole, parts = wire.of("c", "snapshot"), wire.of("a", "snapshot")
    assert [message[2] for message in parts] == [0, 1, 2, 3, 4]
    for one, other in zip(whole, parts, strict=True):
        assert np.array_equal(one[-1].embeddings, other[-1].embeddings)
    assert len(wire.of("a", "turn")) == 3 and len(wire.of("a", "rested")) == 1
    assert not lane.kept, "what has reached its end leaves memory"


def test_a_run_whose_process_died_catches_up_in_as_many_turns_as_it_takes(
    lane: TrainingLane, tmp_path: Path
) -> None:
    wire: Any = lane.connection
    for _ in range(4):  # each of a single step
        turn(lane, tmp_path, "a", 3)
    assert [message[2] for message in wire.of("a", "step")] == [1, 2, 3, 4] and wire.of("a", "rested")


def test_who_leaves_puts_its_last_step_on_disk_unless_it_is_dropped(
    lane: TrainingLane, tmp_path: Path
) -> None:
    wire: Any = lane.connection
    for name in "abc":
        turn(lane, tmp_path, name, 0)
        turn(lane, tmp_path, name, 1)
    for folder in "abc":
        for file in (tmp_path / folder).glob("*"):
            file.unlink()
    lane.answer(("leave", "pause", "a"))
    lane.answer(("leave", "move", "b"))
    lane.answer(("leave", "drop", "c"))
    kept = {name: checkpoints_in(str(tmp_path / name)) for name in "abc"}
    assert kept == {"a": [2], "b": [2], "c": []} and list(lane.kept) == ["a"]
    assert wire.said[-1] == ("rested", "c") and wire.of("b", "moved") and wire.of("a", "rested")
