"""The process of a server that speaks Ray: `python -m core.runs.cluster.driver`, started as a worker is.

Ray ends its driver a while after its cluster is gone, so the server is none. And this process reads and
writes the checkpoints, which the server so need not hold. Messages of workers pass through unread.

    it hears    connect   address
                start     number, environment         an actor, which has that number from now on
                hear      number, message, place      for the actor; `place` is None, or of a run to be
                                                      trained (run id, folder, step, whether it rewinds)
                end       number
    it says     connected   cores of the cluster, of its largest machine; again whenever they change
                refused     why, in one sentence
                ready       number, process id, host
                message     number, message           from the actor
                checkpoints number, run id, steps     that lie in the run's folder now
                unkept      number, run id, why
                ended       number                    the actor, by itself or with its machine
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ...data.folders import no_room
from ...training.checkpoints import checkpoint_file, checkpoints_in, files_of
from ..process import PACKAGE, ROOT, connect
from ..worker import drop_others, staying

SETTING = "EMBEDDING_LAB_CLUSTER"
SHARE = 0.25  # of a core that an actor reserves: several servers may each use all cores of a cluster
LOOK = 5.0  # seconds between two looks at how large the cluster is
KNOCK = 5.0  # seconds the cluster's head has to take a first connection
PATIENCE = "10"  # seconds without an answer of the cluster's head after which Ray ends this process
SWITCHES = {  # before Ray is imported: it asks nobody outside
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_gcs_rpc_server_reconnect_timeout_s": PATIENCE,
}
TOKEN = Path.home() / ".ray" / "auth_token"


class Driver:
    """Knows which actors there are, and of which runs they have which checkpoint."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()  # guards all of this: one thread for each actor, and the main one
        self._actors: dict[int, Any] = {}
        self._there: dict[tuple[int, str], int] = {}  # (actor, run): the step whose checkpoint lies there
        self._places: dict[str, tuple[str, bool]] = {}  # by run: its folder here, and whether it keeps many
        self._actor_class: Any = None

    def tell(self, *message: Any) -> None:
        with self._lock, contextlib.suppress(OSError):  # the server is gone: the main thread ends us
            self._connection.send(message)

    def serve(self) -> None:
        """Until the server says exit or goes away."""
        while True:
            match self._connection.recv():
                case ("connect", address):
                    try:
                        self._connect(address)
                    except Exception as error:  # Ray's own, of many kinds
                        self.tell("refused", refusal(address, error))
                        return
                case ("start", int() as number, environment):
                    actor = self._actor_class.options(runtime_env={"env_vars": environment}).remote()
                    with self._lock:
                        self._actors[number] = actor
                    threading.Thread(target=self._listen, args=(number, actor), daemon=True).start()
                case ("hear", int() as number, message, place):
                    files = {} if place is None else self._needed(number, *place)
                    self._actors[number].hear.remote(message, files)
                case ("end", int() as number):
                    self._end(number)
                case ("exit",):
                    return

    def _connect(self, address: str) -> None:
        import ray

        if address.startswith("ray://"):
            raise ValueError("ray:// is another protocol")
        host, colon, port = address.rpartition(":")
        if colon:  # Ray itself would try for half a minute
            socket.create_connection((host, int(port)), KNOCK).close()
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
        self._actor_class = actor_class()
        self.tell("connected", *size())
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        """Machines come and go."""
        known, pause = size(), threading.Event()
        while not pause.wait(LOOK):
            if (now := size()) != known:
                known = now
                self.tell("connected", *now)

    def _end(self, number: int) -> None:
        import ray

        with self._lock:
            actor = self._actors.pop(number, None)
            self._there = {key: step for key, step in self._there.items() if key[0] != number}
        if actor is not None:
            ray.kill(actor)

    # ---- checkpoints -------------------------------------------------------------------------

    def _needed(self, number: int, run_id: str, folder: str, step: int, rewinds: bool) -> dict[str, bytes]:
        """The files of the newest checkpoint not past `step`, unless the actor has it, or a later one."""
        with self._lock:
            self._places[run_id] = folder, rewinds
            kept = max((s for s in checkpoints_in(folder) if s <= step), default=None)
            there = self._there.get((number, run_id))
            if kept is None or (there is not None and kept <= there <= step):
                return {}
            self._there[number, run_id] = kept
        with contextlib.suppress(OSError):  # dropped a moment ago: the run repeats its steps
            return {file.name: file.read_bytes() for file in files_of(folder, kept)}
        return {}

    def _keep(self, number: int, run_id: str, step: int, files: dict[str, bytes]) -> None:
        """Put a checkpoint into the run's folder, and drop those that there is no room for."""
        with self._lock:
            folder, rewinds = self._places[run_id]
            self._there[number, run_id] = step
        if not Path(folder).is_dir():  # the run was forgotten meanwhile
            return
        try:
            for name, content in files.items():
                part = Path(folder) / f"{name}.part"
                part.write_bytes(content)
                part.replace(Path(folder) / name)
        except OSError as error:
            self.tell("unkept", number, run_id, no_room(Path(folder), error))
            return
        stay = staying(checkpoint_file(folder, step), rewinds)
        self.tell("checkpoints", number, run_id, stay)
        drop_others(folder, stay)

    # ---- what the actors say -----------------------------------------------------------------

    def _listen(self, number: int, actor: Any) -> None:
        for what in self._said(number, actor):
            match what:
                case ("files", run_id, step, files):
                    self._keep(number, run_id, step, files)
                case ("gone", run_id):
                    with self._lock:
                        self._there.pop((number, run_id), None)
                case (kind, *rest):
                    self.tell(kind, number, *rest)
        self._end(number)
        self.tell("ended", number)

    def _said(self, number: int, actor: Any) -> Iterator[tuple[Any, ...]]:
        """What the actor says, until it ends, however it does."""
        import ray

        try:
            for one in actor.said.remote():
                yield ray.get(one)
        except ray.exceptions.RayError as error:
            if number in self._actors:  # else we ended it
                logging.getLogger(__name__).error("A worker of the cluster ended: %s", error)


def size() -> tuple[int, int]:
    """Cores of the whole cluster, and of its largest machine."""
    import ray

    cores = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    return sum(cores), max(cores, default=0)


def actor_class() -> Any:
    """A class that travels as a value: a machine finds this package only when one is made there, where the
    server has it or installed."""
    import ray

    package, root = PACKAGE, str(ROOT)
    remote: Any = ray.remote

    @remote(num_cpus=SHARE, scheduling_strategy="SPREAD", concurrency_groups={"hearing": 1, "saying": 1})
    class TrainingActor:
        def __init__(self) -> None:
            import importlib
            import importlib.util

            found = importlib.util.find_spec("embedding_lab")
            places = [] if found is None else list(found.submodule_search_locations or ())
            sys.path[:0] = [root, *places]
            self.wire = importlib.import_module(f"{package}.cluster.actor").ActorWire()

        @ray.method(concurrency_group="hearing")
        def hear(self, message: bytes, files: dict[str, bytes]) -> None:
            self.wire.hear(message, files)

        @ray.method(concurrency_group="saying")
        def said(self) -> Iterator[tuple[Any, ...]]:
            yield from self.wire.said()

    return TrainingActor


def refusal(address: str, error: Exception) -> str:
    """Why the cluster cannot be used, in one sentence that names the setting."""
    named = f"{SETTING}={address}"
    if isinstance(error, ImportError):
        return f"{named} asks for Ray, which is not installed: pip install embedding-lab[cluster]."
    if "ersion mismatch" in str(error):
        theirs, ours = versions(str(error))
        return f"{named}: the cluster runs {theirs}, this server {ours}. Both have to be the same."
    if address.startswith("ray://"):
        return f"{named}: give the address of the cluster's head as host:port, without ray://."
    if address == "auto":
        return (
            f"{named}: no Ray is running on this computer. Start it there, or give the address of its head."
        )
    return (
        f"{named}: no Ray cluster answers there, or this computer is not one of its machines "
        "(ray start --address=host:port --num-cpus=0 makes it one)."
    )


def versions(told: str) -> tuple[str, str]:
    """Ray and Python of the cluster, and of this process, out of Ray's own message."""
    found = [
        line.split(":", 1)[1].strip() for line in told.splitlines() if line.strip().startswith(("Ray:", "Py"))
    ]
    assert len(found) == 4, told
    return f"Ray {found[0]} with Python {found[1]}", f"Ray {found[2]} with Python {found[3]}"


if __name__ == "__main__":
    os.environ |= SWITCHES
    if TOKEN.is_file():  # as `ray start` does: a cluster that was begun there asks for it
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),  # Ray prints there what its own processes log
        contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt),
    ):
        Driver(connect()).serve()
