"""Equal runs are one: joined while it is on, seen again when it has finished, and nobody stops another's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from core.runs.executor import LocalExecutor
from core.runs.live import Tab
from core.runs.messages import status_line
from core.types import Run, RunStatus
from tests.core.runs.test_executor import drawn, executor, request, rested, wait  # noqa: F401 (a fixture)


@pytest.fixture
def three(executor: LocalExecutor) -> Iterator[list[str]]:  # noqa: F811
    """Three learners who asked for the same long run, which has begun."""
    found = [
        executor.start(request(seed=21, steps=2000), Tab(f"browser {i}", lambda: True)) for i in range(3)
    ]
    wait(executor, found[0], lambda run: run.step >= 3)
    yield found
    for run_id in found:
        executor.forget(run_id)


def test_who_asks_for_the_same_joins_the_run_that_is_on(executor: LocalExecutor, three: list[str]) -> None:  # noqa: F811
    runs = [executor.run(run_id) for run_id in three]
    assert len({run.id for run in runs}) == 3 and len(executor.pool.busy) == 1
    assert runs[1].snapshots[0] is runs[0].snapshots[0], "one run, kept once"
    assert runs[0].others == 2 and "one run with 2 others" in status_line(runs[0])
    assert runs[0].turn is not None and runs[0].turn.others == 0, "it takes no turns with itself"
    assert len({executor.audience(run_id) for run_id in three}) == 1, "they hear one and the same message"
    again = executor.start(request(seed=21, steps=2000), Tab("browser 0", lambda: True))
    assert executor.run(again).others == 2, "two tabs of a browser are one learner"
    executor.forget(again)
    other = executor.start(request(seed=22, steps=2000))
    assert executor.run(other).others == 0 and executor.audience(other) != executor.audience(three[0])
    executor.forget(other)


def test_who_pauses_gets_a_copy_and_the_others_go_on(executor: LocalExecutor, three: list[str]) -> None:  # noqa: F811
    first, second, third = three  # the first began it: its folder and its id are nothing special
    executor.pause(first)
    assert executor.audience(first) != executor.audience(second), "it hears of its own pause"
    paused = wait(executor, first, rested)
    assert paused.status is RunStatus.PAUSED and paused.checkpoints[-1] == paused.step >= 3
    assert executor.checkpoint_path(first, paused.step) is not None
    wait(executor, second, lambda run: run.step > paused.step + 2)
    assert executor.run(first).step == paused.step and executor.run(second).others == 1
    executor.stop(third)
    assert wait(executor, third, rested).status is RunStatus.STOPPED
    executor.resume(first, steps=2)
    alone = wait(executor, first, lambda run: rested(run) and run.step > paused.step)
    going = wait(executor, second, lambda run: run.step >= alone.step)
    assert going.is_active and alone.step == paused.step + 2
    there = next(s for s in going.snapshots if s.step == alone.step)
    assert np.array_equal(there.embeddings, alone.snapshots[-1].embeddings), "the same numbers as theirs"
    executor.forget(first)
    three.remove(first)
    assert executor.run(second).is_active


def test_a_run_goes_on_while_any_of_its_tabs_is_open(
    executor: LocalExecutor,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.runs.executor.OWNER_GRACE", 0.5)
    open_tabs = {"a", "b"}
    asked = request(seed=23, steps=2000)
    one = executor.start(asked, Tab("a", lambda: "a" in open_tabs))
    two = executor.start(asked, Tab("b", lambda: "b" in open_tabs))
    wait(executor, two, lambda run: run.step >= 1)
    open_tabs.remove("a")
    wait(executor, two, lambda _: executor._live(one).abandoned_for() > 3)
    assert executor.run(two).is_active and executor.run(one).is_active
    open_tabs.clear()
    assert wait(executor, two, rested).status is RunStatus.STOPPED
    executor.forget(one)
    executor.forget(two)


def test_a_finished_run_is_seen_again_and_is_the_learners_own_then(executor: LocalExecutor) -> None:  # noqa: F811
    first = wait(executor, executor.start(request(seed=24)), drawn)
    again = executor.start(request(seed=24))
    seen: list[Run] = [executor.run(again)]
    while seen[-1].is_active:
        seen.append(executor.run(again))
    assert seen[0].step == 0 and seen[0].replayed and "Replay of an equal run" in status_line(seen[0])
    assert [run.step for run in seen] == sorted(run.step for run in seen) and len(
        {run.step for run in seen}
    ) > 3
    run = seen[-1]
    assert run.status is RunStatus.FINISHED and not run.replayed
    assert all(a is b for a, b in zip(first.snapshots, run.snapshots, strict=True)), "nothing was trained"
    assert [frame.step for frame in run.frames] == [frame.step for frame in first.frames]
    assert executor.checkpoint_path(again, run.step) is not None
    fork = executor.run(executor.fork(again, run.checkpoints[1]))
    assert fork.status is RunStatus.PAUSED and fork.forked_from == (again, run.checkpoints[1])
    executor.resume(again, steps=2)
    assert wait(executor, again, lambda run: rested(run) and run.step == 8)
    assert executor.run(first.id).step == 6, "going on beyond the end is one's own"
    executor.forget(first.id)
    assert executor.run(again).step == 8


def test_who_pauses_a_replay_stands_at_a_checkpoint(executor: LocalExecutor) -> None:  # noqa: F811
    first = wait(executor, executor.start(request(seed=25)), rested)
    again = executor.start(request(seed=25))
    executor.pause(again)
    paused = executor.run(again)
    assert paused.status is RunStatus.PAUSED and paused.step in first.checkpoints and paused.step < 6
    executor.resume(again)
    run = wait(executor, again, lambda run: run.status is RunStatus.FINISHED)
    assert np.array_equal(run.snapshots[-1].embeddings, first.snapshots[-1].embeddings)


def test_what_was_interrupted_or_differs_is_not_joined(executor: LocalExecutor) -> None:  # noqa: F811
    first = executor.start(request(seed=26, steps=2000))
    wait(executor, first, lambda run: run.step >= 1)
    executor.pause(first)
    begins_anew = executor.start(request(seed=26, steps=2000))
    stops_early = executor.start(replace(request(seed=26, steps=2000), until=2))
    wait(executor, first, rested)
    assert all(executor.run(i).others == 0 for i in (first, begins_anew, stops_early))
    assert wait(executor, stops_early, rested).step == 2
    executor.forget(begins_anew)
