"""Several page servers: what one does the others see, and go on with when it has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.data.folders import locked
from core.runs.executor import LocalExecutor
from core.types import InputError, RunStatus
from tests.core.runs.test_executor import own, request, rested, wait

ROOT = Path(__file__).parents[3]
SERVER = """
import sys, time
from pathlib import Path
from core.data.folders import locked
from core.runs.executor import LocalExecutor
from tests.core.runs.test_executor import request
engine = LocalExecutor(workers=1, shared=Path(sys.argv[1]))
run_id = engine.start(request(seed=int(sys.argv[2]), steps=int(sys.argv[3])))
while engine.run(run_id).step < int(sys.argv[4]):
    time.sleep(0.01)
print(run_id, flush=True)
time.sleep(600)
"""


@pytest.fixture
def second(tmp_path: Path) -> Iterator[LocalExecutor]:
    engine = LocalExecutor(workers=1, shared=tmp_path)
    yield engine
    engine.close()


def first(shared: Path, seed: int, steps: int, until: int) -> tuple[subprocess.Popen[str], str]:
    """Another server, whose run has come to step `until`: its process and the run's id."""
    command = [sys.executable, "-c", SERVER, str(shared), str(seed), str(steps), str(until)]
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server.stdout as says:
        return server, says.readline().strip()


def test_a_run_is_followed_and_goes_on_here_when_its_server_is_killed(
    tmp_path: Path, second: LocalExecutor
) -> None:
    server, run_id = first(tmp_path, 31, 60, 5)
    joined = second.start(request(seed=31, steps=60))
    assert second.run(joined).is_active and not second.pool.busy, "trained once, by the first"
    wait(second, joined, lambda run: run.step >= 12)
    assert not second.pool.busy
    server.send_signal(signal.SIGKILL)
    server.wait()
    assert second.run(run_id).id == run_id, "who comes from there finds the run under its id"
    done = wait(second, joined, rested)
    found = wait(second, run_id, rested)
    assert done.status is found.status is RunStatus.FINISHED
    assert [s.step for s in done.snapshots] == list(range(61)), "no step lost, none twice"
    same = wait(second, second.start(own(seed=31, steps=60)), rested)  # from its beginning
    for ours in (done, found):
        assert np.allclose(ours.snapshots[-1].embeddings, same.snapshots[-1].embeddings, atol=1e-6)
        assert ours.snapshots[-1].metrics == pytest.approx(same.snapshots[-1].metrics)


def test_a_run_at_rest_is_shown_as_it_was(tmp_path: Path, second: LocalExecutor) -> None:
    server, run_id = first(tmp_path, 32, 8, 8)
    time.sleep(0.3)
    server.send_signal(signal.SIGKILL)
    server.wait()
    run = wait(second, run_id, rested)
    assert run.status is RunStatus.FINISHED and len(run.snapshots) == 9 and run.checkpoints[-1] == 8
    fork = wait(second, second.fork(run_id, 4), rested)
    assert fork.forked_from == (run_id, 4) and fork.step == 4
    for strange in ("../x", "nothing", "*"):
        with pytest.raises(InputError, match="no longer in memory"):
            second.run(strange)


def test_while_another_server_begins_a_run_this_one_waits(tmp_path: Path, second: LocalExecutor) -> None:
    with ThreadPoolExecutor(1) as thread:
        with (tmp_path / "lock").open("w") as file, locked(file):  # another process would be kept out as well
            begun = thread.submit(second.start, request(seed=33, steps=2))
            with pytest.raises(TimeoutError):
                begun.result(0.3)
        assert wait(second, begun.result(), rested).status is RunStatus.FINISHED
