"""The executor on a cluster: a Ray head and two workers, real processes on this machine.

Those of test_executor's tests run again here whose outcome could depend on where a run is trained.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.runs import pool
from core.runs.cluster import driver, proxy
from core.runs.executor import LocalExecutor
from core.types import RunStatus
from tests.core.runs.test_executor import (  # noqa: F401 (collected here again, with this file's fixture)
    PATIENCE,
    own,
    request,
    rested,
    test_a_fork_with_the_same_settings_repeats_the_run_exactly,
    test_bad_input_comes_back_in_its_own_words,
    test_pause_keeps_the_place_and_play_goes_on,
    test_single_steps_equal_the_unbroken_run,
    wait,
)

# Ray gives its parts fixed times to come and to answer, which a busy machine misses; the summary names each.
pytestmark = pytest.mark.flaky(reruns=1)
HEALTH = {"period_ms": "1000", "timeout_ms": "3000", "failure_threshold": "3", "initial_delay_ms": "3000"}

LITTLE = ("--object-store-memory=100000000", "--min-worker-port=0", "--max-worker-port=0")


class Node:
    """A machine of the cluster: `ray start` and all that it starts."""

    address = ""  # the head's

    def __init__(self, folder: str, *options: str) -> None:
        self.folder, self.options = folder, options
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        switches = {f"RAY_health_check_{name}": value for name, value in HEALTH.items()}
        switches["RAY_worker_niceness"] = "0"  # by default 15: hardly any of the cores while other tests run
        return subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *self.options, *LITTLE],
            env=os.environ | driver.SWITCHES | switches | {"RAY_TMPDIR": self.folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start_again(self) -> None:
        """Where it has ended by itself."""
        if self.process.poll() is not None:
            self.process = self.start()

    def kill(self) -> None:
        """With SIGKILL."""
        with contextlib.suppress(psutil.NoSuchProcess):
            ours = psutil.Process(self.process.pid)
            for one in [ours, *ours.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    """A head without cores, and two machines with one core each."""
    os.environ["RAY_AUTH_MODE"] = "disabled"  # whatever token this machine has
    folder = tempfile.mkdtemp(prefix="el-")  # short: the paths of sockets are
    Path(folder, "ray").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    port = address.partition(":")[2]
    head = ["--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false"]
    made = [Node(folder, "--node-ip-address=127.0.0.1", *head)]
    made[0].address = address
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", int(port))).close()
            break
        assert time.monotonic() < deadline and made[0].process.poll() is None, "the head did not start"
        time.sleep(0.1)
    worker = ("--num-cpus=1", f"--address={address}")
    made += [Node(folder, *worker), Node(folder, *worker)]
    yield made
    for node in made:
        node.kill()
    del os.environ["RAY_AUTH_MODE"]
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def executor(nodes: list[Node]) -> Iterator[LocalExecutor]:
    proxy.PATIENCE = PATIENCE
    engine = LocalExecutor(workers=1, cluster=nodes[0].address)
    deadline = time.monotonic() + PATIENCE
    while engine.pool.cores < 2:  # Ray gives a machine 30 s to join, which a busy one may miss
        assert time.monotonic() < deadline, "two machines did not join"
        for node in nodes[1:]:
            node.start_again()
        time.sleep(0.2)
    yield engine
    engine.close()


def test_a_run_goes_on_when_its_machine_dies(nodes: list[Node], executor: LocalExecutor) -> None:
    """From the checkpoint that had left that machine, on the other one, with the same numbers."""
    whole = wait(executor, executor.start(own(steps=40, seed=9)), rested)
    run_id = executor.start(own(steps=40, seed=9))
    wait(executor, run_id, lambda run: max(run.checkpoints, default=0) > 0)
    (worker,) = executor.pool.busy
    above = {one.pid for one in psutil.Process(worker.pid).parents()}
    (node,) = (node for node in nodes if node.process.pid in above)
    node.kill()
    run = wait(executor, run_id, rested)
    assert run.status is RunStatus.FINISHED and "went on from step" in run.note and not whole.note
    assert [s.step for s in run.snapshots] == [s.step for s in whole.snapshots]
    assert np.array_equal(run.snapshots[-1].embeddings, whole.snapshots[-1].embeddings)
    assert executor.fork(run_id, run.checkpoints[1]), "all its checkpoints are on the server"


def test_a_cluster_that_is_gone_ends_its_runs_and_they_go_on_here_when_asked(
    nodes: list[Node], executor: LocalExecutor
) -> None:
    run_id = executor.start(request(steps=2000))
    reached = wait(executor, run_id, lambda run: run.step > 0).step
    nodes[0].kill()
    run = wait(executor, run_id, rested)
    assert (run.status, run.error) == (RunStatus.FAILED, pool.GONE)
    executor.resume(run_id, steps=1)
    run = wait(executor, run_id, rested)
    assert run.status is RunStatus.PAUSED and run.step > reached and run.note == pool.HERE


OTHER_VERSION = """Version mismatch: The cluster was started with:
    Ray: 2.40.0
    Python: 3.11.7
This process on 10.0.0.2 was started with:
    Ray: 2.60.0
    Python: 3.12.1
"""


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        ("auto", ConnectionError("Could not find any running Ray instance."), "no Ray is running on this"),
        ("10.0.0.1:6379", ConnectionError("ray.init"), "no Ray cluster answers there"),
        ("ray://head:10001", ValueError(), "without ray://"),
        ("auto", ImportError("No module named 'ray'"), r"pip install embedding-lab\[cluster\]"),
        (
            "auto",
            RuntimeError(OTHER_VERSION),
            "runs Ray 2.40.0 with Python 3.11.7, this server Ray 2.60.0 with Python 3.12.1",
        ),
    ],
)
def test_a_cluster_that_cannot_be_used_is_refused_in_one_sentence(address, error, says) -> None:
    said = driver.refusal(address, error)
    assert said.startswith(f"EMBEDDING_LAB_CLUSTER={address}") and re.search(says, said)
