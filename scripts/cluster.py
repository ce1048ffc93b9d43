"""What several machines would run, on this one: PostgreSQL, nginx, two page servers, a Ray cluster.

    python scripts/cluster.py [--port 8080]      prints the address; Ctrl-C ends it all

Needs PostgreSQL and nginx (Debian: postgresql, nginx) and `pip install embedding-lab[cluster]`. What it keeps
lies in one temporary folder and goes at the end. scripts/cluster_journey.py walks through it and kills parts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0  # seconds until a part answers
PAGES, WORKERS = 2, 2


class Cluster:
    """The parts by name, each with its process. `with Cluster() as cluster: ...`."""

    def __init__(self, port: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="embedding-lab-cluster-"))
        self.folder.chmod(0o755)  # PostgreSQL runs as another user
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.pages = [free_port() for _ in range(PAGES)]
        self.database_port, self.ray_port = free_port(), free_port()
        self.database = f"postgresql://lab@127.0.0.1:{self.database_port}/lab"
        self.secret = secrets.token_hex(16)
        self.token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Cluster:
        try:
            self._postgresql()
            self._ray()
            for number in range(PAGES):
                self.start_page(number)
            self._nginx()
            for port in (*self.pages, self.port):
                answers(f"http://127.0.0.1:{port}/_lab/ready")
        except BaseException:
            for name in self.processes:
                print(f"---- {name}\n{self.log(name).read_text()[-1500:]}", file=sys.stderr)
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for name in reversed(self.processes):
            end(self.processes[name])
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start(self, name: str, command: Sequence[str], **environment: str) -> None:
        with self.log(name).open("ab") as out:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _postgresql(self) -> None:
        place = self.folder / "postgresql"
        place.mkdir()
        as_user: list[str] = []
        if os.geteuid() == 0:  # it refuses root
            shutil.chown(place, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        quiet = {"check": True, "stdout": subprocess.DEVNULL}
        data = ["-D", str(place / "data")]
        subprocess.run([*as_user, postgresql("initdb"), *data, "-A", "trust", "-U", "lab"], **quiet)
        listens = ["-p", str(self.database_port), "-k", str(place), "-c", "listen_addresses=127.0.0.1"]
        self.start("postgresql", [*as_user, postgresql("postgres"), *data, *listens])
        where = ["-h", "127.0.0.1", "-p", str(self.database_port), "-U", "lab"]
        wait_for(lambda: subprocess.run([postgresql("pg_isready"), *where], **quiet), "PostgreSQL")
        subprocess.run([postgresql("createdb"), *where, "lab"], **quiet)

    def _ray(self) -> None:
        """A head that computes nothing and, as on machines of their own, so many workers of one core each."""
        ray = [sys.executable, "-m", "ray.scripts.scripts"]
        # By itself Ray makes its workers so nice that the servers beside them leave them next to nothing.
        quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", **self.token}
        common = ["--block", "--disable-usage-stats", f"--temp-dir={self.folder / 'ray'}"]
        head = ["--head", f"--port={self.ray_port}", "--num-cpus=0", "--include-dashboard=false"]
        self.start("ray-head", [*ray, "start", *head, *common], **quiet)
        wait_for(lambda: socket.create_connection(("127.0.0.1", self.ray_port), 1).close(), "Ray's head")
        for number in range(WORKERS):
            joins = [
                f"--address=127.0.0.1:{self.ray_port}",
                "--num-cpus=1",
                "--block",
                "--disable-usage-stats",
            ]
            self.start(f"ray-worker-{number + 1}", [*ray, "start", *joins], **quiet)

    def start_page(self, number: int) -> None:
        options = {"address": "127.0.0.1", "port": self.pages[number], "headless": "true"}
        flags = [f"--server.{name}={value}" for name, value in options.items()]
        self.start(
            f"page-{number + 1}",
            [sys.executable, "-m", "streamlit", "run", "server.py", *flags],
            DATABASE_URL=self.database,
            STREAMLIT_SERVER_COOKIE_SECRET=self.secret,
            EMBEDDING_LAB_HOME=str(self.folder / "home"),
            EMBEDDING_LAB_CLUSTER=f"127.0.0.1:{self.ray_port}",
            **self.token,
        )

    def _nginx(self) -> None:
        text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8").replace("8080", str(self.port))
        for number, port in enumerate(self.pages, start=1):
            text = text.replace(f"page{number}:8501", f"127.0.0.1:{port}")
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = " ".join(f"{name}_temp_path {self.folder}/nginx-{name};" for name in places)
        main = self.folder / "nginx.conf"
        main.write_text(
            f"daemon off; pid {self.folder}/nginx.pid; error_log stderr;\n"
            f"events {{}}\nhttp {{ access_log off; {temporary}\n{text}\n}}\n"
        )
        self.start("nginx", ["nginx", "-p", str(self.folder), "-e", "stderr", "-c", str(main)])


def postgresql(name: str) -> str:
    """The newest of Debian's, which lie outside the path, or the one on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda file: int(file.parts[4]))
    return str(found[-1]) if found else name


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(attempt: Callable[[], object], what: str) -> None:
    """Until it raises no more. Raises SystemExit, one sentence, when that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            attempt()
            return
        except (OSError, subprocess.CalledProcessError) as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"{what} did not come up within {PATIENCE:.0f} s: {error}") from error
            time.sleep(0.2)


def answers(url: str) -> None:
    wait_for(lambda: urllib.request.urlopen(url, timeout=10).close(), url)  # an answer of 503 raises too


def end(process: subprocess.Popen[bytes]) -> None:
    """It and what it has started."""
    for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8080)
    try:
        with Cluster(parser.parse_args().port) as cluster:
            print(f"{cluster.url}\nLogs: {cluster.folder}\nCtrl-C ends it.", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
    except FileNotFoundError as error:
        raise SystemExit(f"{error.filename} is missing. See scripts/cluster.py for what it needs.") from error


if __name__ == "__main__":
    main()
