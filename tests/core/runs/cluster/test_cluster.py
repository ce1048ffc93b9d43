"""The executor on a cluster: a Ray head and two workers, real processes on this machine.

All of test_executor's tests of runs run again here. Those that end machines come last.
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
from core.types import InputError, RunStatus
from tests.core.runs.test_executor import *  # noqa: F403 (its tests, with this file's fixture)
from tests.core.runs.test_executor import PATIENCE, own, request, rested, start_hanging, wait

# Calls stay on the server.
del test_a_dead_helper_is_restarted, test_two_full_pipes_do_not_wait_for_each_other  # noqa: F821

# Ray gives its parts fixed times to come and to answer, which a busy machine misses; the summary names each.
pytestmark = pytest.mark.flaky(reruns=1)
JOIN = 150.0  # seconds Ray's own machines have to find their own head; beyond, there is no cluster to test on
JOINED = "Ray runtime started"
HEALTH = {"period_ms": "1000", "timeout_ms": "3000", "failure_threshold": "3", "initial_delay_ms": "3000"}

LITTLE = ("--object-store-memory=100000000", "--min-worker-port=0", "--max-worker-port=0")


class Node:
    """A machine of the cluster: `ray start` and all that it starts."""

    def __init__(self, folder: str, name: str, *options: str) -> None:
        self.folder, self.name, self.options = folder, name, options
        self.file = Path(folder, f"{name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        switches = {f"RAY_health_check_{name}": value for name, value in HEALTH.items()}
        switches["RAY_worker_niceness"] = "0"  # by default 15: hardly any of the cores while other tests run
        with self.file.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *self.options, *LITTLE],
                env=os.environ | driver.SWITCHES | switches | {"RAY_TMPDIR": self.folder},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def joined(self) -> bool:
        """By Ray's own words, and it has not ended since."""
        return self.process is not None and self.process.poll() is None and JOINED in self.file.read_text()

    def join(self, deadline: float) -> None:
        """Wait until it has, and start it again where it ends by itself, as Ray's parts do after half a
        minute without an answer. A machine that is too busy for Ray is no fault of ours: skipped."""
        while not self.joined:
            if self.process is not None:
                said = " / ".join(self.file.read_text().strip().splitlines()[-3:]) or "nothing"
                ours = self.process.poll() == 2 or "No module" in said
                assert not ours, f"Ray cannot be called this way: {said}"
                if time.monotonic() > deadline:
                    pytest.skip(f"Ray's {self.name} did not start within {JOIN:.0f} s. It said last: {said}")
            if self.process is None or self.process.poll() is not None:
                self.start()
            time.sleep(0.2)

    def kill(self) -> None:
        """With SIGKILL."""
        if self.process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            ours = psutil.Process(self.process.pid)
            for one in [ours, *ours.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        self.process.wait()


class Machines:
    """A head without cores, and two machines with one core each."""

    def __init__(self, folder: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        head = ("--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false")
        self.head = Node(folder, "head", "--node-ip-address=127.0.0.1", *head)
        worker = ("--num-cpus=1", f"--address={self.address}")
        self.workers = [Node(folder, f"worker-{number}", *worker) for number in (1, 2)]
        self.deadline = time.monotonic() + JOIN

    @property
    def joined(self) -> bool:
        return all(node.joined for node in (self.head, *self.workers))

    def gather(self) -> None:
        """Until all of them have joined."""
        self.head.join(self.deadline)
        for node in self.workers:  # both at once
            if node.process is None:
                node.start()
        for node in self.workers:
            node.join(self.deadline)


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    os.environ["RAY_AUTH_MODE"] = "disabled"  # whatever token this machine has
    folder = tempfile.mkdtemp(prefix="el-")  # short: the paths of sockets are
    made = Machines(folder)
    try:
        made.gather()
        yield made
    finally:
        for node in (made.head, *made.workers):
            node.kill()
        del os.environ["RAY_AUTH_MODE"]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def executor(machines: Machines) -> Iterator[LocalExecutor]:
    engine = first_executor(machines)
    deadline = time.monotonic() + PATIENCE
    while engine.pool.cores < 2:
        assert time.monotonic() < deadline, "two machines have joined, and the driver does not count them"
        machines.gather()
        time.sleep(0.2)
    yield engine
    engine.close()


def first_executor(machines: Machines) -> LocalExecutor:
    proxy.PATIENCE = JOIN / 2
    while True:
        machines.gather()
        try:
            return LocalExecutor(workers=1, cluster=machines.address)
        except InputError:
            if machines.joined:  # they were there to be found
                raise


def test_a_run_goes_on_when_its_machine_dies(
    machines: Machines, executor: LocalExecutor, tmp_path: Path
) -> None:
    """From the checkpoint that had left that machine, on the other one, with the same numbers."""
    whole = wait(executor, executor.start(own(seed=9)), rested)
    run_id = start_hanging(executor, tmp_path, seed=9)
    (worker,) = executor.pool.busy
    above = {one.pid for one in psutil.Process(worker.pid).parents()}
    (node,) = (node for node in machines.workers if node.process and node.process.pid in above)
    node.kill()
    run = wait(executor, run_id, rested)
    assert run.status is RunStatus.FINISHED and "went on from step 3" in run.note and not whole.note
    assert [s.step for s in run.snapshots] == [s.step for s in whole.snapshots]
    assert np.array_equal(run.snapshots[-1].embeddings, whole.snapshots[-1].embeddings)
    assert executor.fork(run_id, run.checkpoints[1]), "all its checkpoints are on the server"


def test_a_cluster_that_is_gone_ends_its_runs_and_they_go_on_here_when_asked(
    machines: Machines, executor: LocalExecutor
) -> None:
    run_id = executor.start(request(steps=2000))
    reached = wait(executor, run_id, lambda run: run.step > 0).step
    machines.head.kill()
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
