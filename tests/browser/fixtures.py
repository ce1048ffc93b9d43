"""A real server and a real browser: one of each for the whole run, a fresh browser context for every test."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from scripts import browser as chromium
from tests.browser.helpers import ROOT, WARM_UP, listen, settled

ARTIFACTS = ROOT / ".artifacts"
START_SECONDS = 90.0
# Chromium as root in a container, without a graphics card, and without calling home.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Server:
    """The app as learners meet it: its address, its data folder, its log and its process."""

    url: str
    home: Path
    log: Path
    process: subprocess.Popen[bytes]

    def said(self, since: int = 0) -> str:
        return self.log.read_bytes()[since:].decode("utf-8", "replace")


def start_server(
    home: Path, script: str = "server.py", base: str = "", address: str = "127.0.0.1", **environment: str
) -> Server:
    """`streamlit run server.py` on a free port; returns once it answers. Stop it with stop_server().

    `base`: the path below which the app lies, with a slash in front.
    """
    options = f"--server.address={address}", "--server.headless=true", "--server.fileWatcherType=none"
    command = [sys.executable, "-m", "streamlit", "run", script, *options, f"--server.baseUrlPath={base}"]
    return launch([*command, "--server.port={port}"], ROOT, home, base, **environment)


def launch(command: Sequence[str], folder: Path, home: Path, base: str = "", **environment: str) -> Server:
    """The command, started in a folder, with a free port for {port}; returns once the server answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (ARTIFACTS / "logs").mkdir(parents=True, exist_ok=True)
    log = ARTIFACTS / "logs" / f"server-{port}.log"
    command = [part.format(port=port) for part in command]
    settings = {**os.environ, "EMBEDDING_LAB_HOME": str(home), "EMBEDDING_LAB_TUNED": str(home / "models")}
    settings |= {"EMBEDDING_LAB_WARM_UP": "1", "NO_COLOR": "1", **environment}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=settings, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    server = Server(f"http://127.0.0.1:{port}{base}", home, log, process)
    deadline = time.monotonic() + START_SECONDS
    while not _healthy(server.url):
        if process.poll() is not None or time.monotonic() > deadline:
            stop_server(server)
            pytest.fail(f"the app did not start:\n{server.said()}", pytrace=False)
        time.sleep(0.2)
    return server


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def stop_server(server: Server) -> None:
    """End the server and every process it started, politely at first."""
    try:
        parent = psutil.Process(server.process.pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        family = []
    for process in family:
        _quietly(process.terminate)
    _, alive = psutil.wait_procs(family, timeout=5)
    for process in alive:
        _quietly(process.kill)
    server.process.wait(timeout=10)


def _quietly(action: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        action()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("home"))
    yield running
    stop_server(running)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium.find(), args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def open_page(
    request: pytest.FixtureRequest, server: Server, browser: Browser
) -> Iterator[Callable[..., Page]]:
    """`open_page("/train", width=400, scheme="dark")`: that page in its own context, drawn and settled."""
    pages: list[Page] = []

    def open_(
        path: str = "/",
        *,
        width: int = 1440,
        height: int = 900,
        scheme: str = "light",
        wait: bool = True,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            accept_downloads=True,
        )
        page = context.new_page()
        page.set_default_timeout(WARM_UP / 2)
        listen(page)
        pages.append(page)
        page.goto(server.url + path)
        if wait:
            settled(page)
        return page

    yield open_
    if getattr(request.node, "failed", False):
        for number, page in enumerate(pages):
            _keep_picture(page, request.node.nodeid, number)
    for page in pages:
        page.context.close()


def _keep_picture(page: Page, test: str, number: int) -> None:
    folder = ARTIFACTS / "failures"
    folder.mkdir(parents=True, exist_ok=True)
    if not page.is_closed():
        page.screenshot(path=folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', test)}-{number}.png")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show what the server said at the end of its log when a browser test fails."""
    report = yield
    if report.failed:
        item.failed = True  # type: ignore[attr-defined]
        running = getattr(item, "funcargs", {}).get("server")
        if isinstance(running, Server):
            report.sections.append(("app server log", running.said()[-6000:]))
    return report
