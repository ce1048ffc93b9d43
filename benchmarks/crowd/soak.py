"""A soak: ten learners for two hours, who train, search, study, save, load, leave and come back.

They have no browsers: each speaks Streamlit's own protocol, does every tick that its page asks for, and
listens to its runs. The server gets a temporary folder of its own, so that whatever it leaves there is seen.
A line a minute says what grew; the last lines say what is promised. Too long for `make bench`.

    python -m benchmarks.crowd.soak [--learners 10] [--minutes 120] [--pause 20 60] [--seed 17]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import requests
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.bench_app import sentences
from benchmarks.crowd import protocol
from benchmarks.crowd.bench_class import TOPIC, Meter
from core.runs.encoding import unpack
from tests.browser.fixtures import Server, start_server, stop_server
from tests.browser.helpers import packed

PATIENCE = 120.0  # seconds that any one thing may take
SETTLED = 10  # minutes after which the server should not grow
MAY_GROW = 50.0  # MiB
KINDS = ("button", "text_input", "download_button", "file_uploader")
WORDS = ("moon", "bats", "tides", "bread", "memory", "winter", "iron", "music", "river", "bees")


class StuckError(Exception):
    """What a learner waited for did not come."""


@dataclass
class Tab:
    """One open page of a browser."""

    browser: Browser
    path: str
    query: str
    session: str = ""
    page: str = ""
    widgets: dict[str, tuple[str, str]] = field(default_factory=dict)  # label -> (id, deferred file)
    finished: int = 0  # script runs of the whole page
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    files: dict[str, str] = field(default_factory=dict)  # request -> address
    ticks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    listening: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # by topic
    socket: websockets.ClientConnection | None = None

    async def read(self) -> None:
        assert self.socket is not None
        async for raw in self.socket:
            message = ForwardMsg()
            message.ParseFromString(bytes(raw))
            self.take(message)
            self.changed.set()
            self.changed = asyncio.Event()

    def take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "navigation":
                found = [p for p in message.navigation.app_pages if p.url_pathname == self.path]
                self.page = found[0].page_script_hash if found else self.page
            case "new_session":
                self.session = message.new_session.initialize.session_id or self.session
                if not message.metadata.run.fragment_ids:
                    self.widgets.clear()
                    for name in list(self.ticks):
                        self.ticks.pop(name).cancel()
            case "auto_rerun":
                self.rest(message.auto_rerun.fragment_id)
                tick = self.tick(message.auto_rerun.fragment_id, message.auto_rerun.interval)
                self.ticks[message.auto_rerun.fragment_id] = asyncio.create_task(tick)
            case "stop_auto_rerun":
                self.rest(message.stop_auto_rerun.fragment_id)
            case "file_urls_response":
                self.files[message.file_urls_response.response_id] = message.file_urls_response.file_urls[
                    0
                ].upload_url
            case "backend_operation_response":
                said = message.backend_operation_response
                self.files[said.request_id] = said.deferred_file.url or f"refused: {said.error_msg}"
            case "script_finished":
                self.finished += 1
            case "delta":
                self.see(message.delta.new_element)

    def see(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        shown: Any = getattr(element, kind or "", None)
        if kind in KINDS:
            self.widgets[shown.label] = (shown.id, getattr(shown, "deferred_file_id", ""))
        elif kind == "exception":
            self.browser.tell(f"on the screen: {shown.message[:100]}")
        elif kind == "alert" and shown.format == shown.ERROR:
            self.browser.tell(f"on the screen: {shown.body[:100]}")
        elif kind == "bidi_component" and (found := TOPIC.search(shown.SerializeToString())):
            topic = found[1].decode()
            if topic not in self.listening:
                self.listening[topic] = asyncio.create_task(self.listen(topic))

    def rest(self, fragment: str) -> None:
        if task := self.ticks.pop(fragment, None):
            task.cancel()

    async def tick(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self.rerun(fragment=fragment)

    async def listen(self, topic: str) -> None:
        """As the moving map does; when the run rests the page is drawn again."""
        address, own = self.browser.socket_address(f"/_live/{topic}"), self.browser.server.url
        with contextlib.suppress(websockets.ConnectionClosed):
            async with websockets.connect(address, origin=websockets.Origin(own), max_size=None) as socket:
                async for data in socket:
                    if unpack(bytes(data))[0].get("phase") == "rest":
                        break
            await self.rerun()

    async def rerun(self, *, fragment: str = "", press: str = "", fill: str = "", text: str = "") -> None:
        message = protocol.rerun_of(self.browser.server.url, self.path, self.query, self.page, fragment)
        message.rerun_script.is_auto_rerun = bool(fragment)
        if fill:
            field_ = message.rerun_script.widget_states.widgets.add()
            field_.id, field_.string_value = fill, text
        if press:
            protocol.press(message, press)
        await self.send(message)

    async def send(self, message: BackMsg) -> None:
        assert self.socket is not None
        await self.socket.send(message.SerializeToString())

    async def until(self, there: Callable[[], object], what: str) -> None:
        """Wait until it is true."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not there():
                    await self.changed.wait()
        except TimeoutError:
            raise StuckError(f"{what} on /{self.path}; there are {sorted(self.widgets)[:12]}") from None

    async def go(self, path: str) -> None:
        """Follow a link to another page in the same session."""
        self.path, self.page, before = path, "", self.finished
        await self.rerun()
        await self.until(lambda: self.finished > before, "not drawn")

    def find(self, label: str) -> str:
        """The id of the first widget whose label begins so; "" where there is none."""
        return next((i for name, (i, _) in self.widgets.items() if name.startswith(label)), "")

    async def press(self, label: str, then: str = "", **typed: str) -> None:
        """Press the button and wait for `then`, or for the page to be drawn."""
        await self.until(lambda: self.find(label), f"no {label}")
        before = self.finished
        await self.rerun(press=self.find(label), **typed)
        await self.until(lambda: self.finished > before, f"nothing after {label}")
        if then:
            await self.until(lambda: self.find(then), f"no {then} after {label}")

    async def download(self, label: str) -> bytes:
        """The file of a button that makes it when pressed, as the browser asks for it."""
        await self.until(lambda: self.find(label), f"no {label}")
        widget, deferred = next(pair for name, pair in self.widgets.items() if name.startswith(label))
        message, name = BackMsg(), f"file {time.monotonic()}"
        asked = message.backend_operation_request
        asked.request_id, asked.session_id = name, self.session
        asked.deferred_file.file_id = deferred
        await self.send(message)
        await self.rerun(press=widget)
        await self.until(lambda: name in self.files, f"no file from {label}")
        if not self.files[name].startswith("/"):
            raise StuckError(f"{label}: {self.files[name]}")
        return await asyncio.to_thread(self.browser.get, self.files[name])

    async def upload(self, label: str, name: str, data: bytes) -> None:
        await self.until(lambda: self.find(label), f"no {label}")
        message = BackMsg()
        message.file_urls_request.request_id = name
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        await self.send(message)
        await self.until(lambda: name in self.files, "no address to upload to")
        address = self.files.pop(name)
        await asyncio.to_thread(self.browser.put, address, name, data)
        message, before = BackMsg(), self.finished
        asked = message.rerun_script
        asked.query_string, asked.page_script_hash = self.query, self.page
        widget = asked.widget_states.widgets.add()
        widget.id = self.find(label)
        info = widget.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(data), address.rpartition("/")[2]
        info.file_urls.upload_url = info.file_urls.delete_url = address
        info.file_urls.file_id = info.file_id
        await self.send(message)
        await self.until(lambda: self.finished > before, f"nothing after uploading {name}")


@dataclass
class Browser:
    """A learner's browser: its cookies, and what it complains about."""

    server: Server
    number: int
    pauses: tuple[float, float]
    seed: int
    done: Counter[str]
    problems: Counter[str]
    http: requests.Session = field(default_factory=requests.Session)

    def tell(self, problem: str) -> None:
        self.problems[re.sub(r"[0-9a-f]{6,}", "...", problem)] += 1

    def socket_address(self, path: str) -> str:
        return self.server.url.replace("http", "ws", 1) + path

    def get(self, path: str) -> bytes:
        answer = self.http.get(self.server.url + path, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.content

    def put(self, path: str, name: str, data: bytes) -> None:
        token = self.http.cookies.get("_streamlit_xsrf", "")
        headers = {"X-Xsrftoken": token or ""}
        address = path if path.startswith("http") else self.server.url + path
        self.http.put(address, files={"file": (name, data)}, headers=headers, timeout=60).raise_for_status()

    @contextlib.asynccontextmanager
    async def open(self, path: str, query: str = "", session: str = "") -> AsyncIterator[Tab]:
        """Open the page, drawn once; closing it is closing the tab."""
        await asyncio.to_thread(self.get, f"/{path}?{query}")
        await asyncio.to_thread(self.get, "/_stcore/health")
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)
        tab = Tab(self, path, query)
        known = [websockets.Subprotocol(part) for part in ("streamlit", "placeholder", session) if part]
        async with websockets.connect(
            self.socket_address("/_stcore/stream"),
            subprotocols=known if session else known[:1],
            additional_headers={"Cookie": cookies},
            max_size=None,
            ping_interval=None,
            open_timeout=PATIENCE,
        ) as tab.socket:
            reader = asyncio.create_task(tab.read())
            try:
                await tab.rerun()
                await tab.until(lambda: tab.finished, "not drawn")
                yield tab
            finally:
                for task in (reader, *tab.ticks.values(), *tab.listening.values()):
                    task.cancel()

    # ---- what a learner does ---------------------------------------------------------------------

    async def live(self, until: float) -> None:
        """Do one thing after the other, with a pause between them."""
        rng = random.Random(f"{self.seed} {self.number}")
        await asyncio.sleep(rng.uniform(0, self.pauses[1]))
        while time.monotonic() < until:
            act = rng.choices(ACTS, WEIGHTS)[0]
            try:
                await act(self, rng)
                self.done[act.__name__] += 1
            except (StuckError, OSError, requests.RequestException, websockets.WebSocketException) as error:
                self.tell(f"{act.__name__}: {type(error).__name__} {error}"[:300])
            await asyncio.sleep(rng.uniform(*self.pauses))

    async def train(self, rng: random.Random) -> None:
        async with self.open("train", own_run(rng)) as tab:
            await self._name(tab)
            await tab.press("Train", then="Train again")

    async def leave_a_run_and_come_back(self, rng: random.Random) -> None:
        query = own_run(rng)
        async with self.open("train", query) as tab:
            await tab.press("Train")
            await asyncio.sleep(rng.uniform(0, 3))
        await asyncio.sleep(rng.uniform(1, 40))  # beyond the grace of a run that nobody watches, at times
        again = tab.session if rng.random() < 0.5 else ""  # a cable that was pulled, or a reload
        async with self.open("train", query, again) as tab:
            await tab.until(lambda: any(map(tab.find, ("Train", "Pause", "Continue"))), "no button")

    async def save_and_load(self, rng: random.Random) -> None:
        async with self.open("train", own_run(rng)) as tab:
            await tab.press("Train", then="Train again")
            await tab.go("compare")
            data = await tab.download("Download the run")
            await tab.upload("Open a run file", "run.zip", data)

    async def keep_and_delete(self, rng: random.Random) -> None:
        async with self.open("train", own_run(rng)) as tab:
            await tab.press("Train", then="Train again")
            await tab.go("compare")
            await self._name(tab)
            await tab.press("Save in my gallery", then="Open this run")
            await tab.press("Open this run")
            await tab.press("Delete")

    async def search(self, rng: random.Random) -> None:
        query = {"search_query": f"Why do {rng.choice(WORDS)} matter to {rng.choice(WORDS)} {rng.random()}?"}
        async with self.open("search", urlencode(query)) as tab:
            await tab.until(lambda: not tab.ticks, "still reading")

    async def study(self, rng: random.Random) -> None:
        async with self.open("study") as tab:
            await self._name(tab)
            for _ in range(rng.randint(1, 5)):
                if not tab.find("Show the answer"):
                    await tab.press("Learn")
                await tab.press("Show the answer", then="Again")
                await tab.press(rng.choice(("Again", "Good", "Easy")) if tab.find("Easy") else "Got it")
                await asyncio.sleep(rng.uniform(1, 4))

    async def look_around(self, rng: random.Random) -> None:
        pages = ("", "lessons", "glossary", "similarity", "losses", "contrast", "high-dimensions", "sbert")
        async with self.open(rng.choice(pages)) as tab:
            await asyncio.sleep(rng.uniform(1, 10))
            assert tab.finished

    async def _name(self, tab: Tab) -> None:
        """Choose a name where the page asks for one."""
        if box := tab.find("Your name"):
            await tab.press("Begin", fill=box, text=f"Learner {self.number}")


ACTS = (
    Browser.train,
    Browser.leave_a_run_and_come_back,
    Browser.save_and_load,
    Browser.keep_and_delete,
    Browser.search,
    Browser.study,
    Browser.look_around,
)
WEIGHTS = (3, 3, 1, 1, 3, 4, 4)


def own_run(rng: random.Random) -> str:
    """The address of a short run on sentences of one's own."""
    some = "\n".join(rng.sample(sentences(4000).split("\n"), rng.randint(16, 24)))
    base = rng.choice(("static", "static", "minilm-l3"))
    own = {
        "set": "own",
        "steps": f"{rng.randint(10, 20)}",
        "base_model": base,
        "seed": f"{rng.randrange(10**4)}",
    }
    return f"{urlencode(own)}&data={packed(some)}"


class Watch:
    """What there is of the server, once a minute."""

    def __init__(self, server: Server, temporary: Path) -> None:
        self.temporary, self.meter = temporary, Meter(psutil.Process(server.process.pid))
        self.memory: list[float] = []  # of the server, MiB, by minute
        self.began = time.monotonic()

    def left(self) -> tuple[int, float]:
        """Files in the temporary folder, and their MB."""
        sizes = []
        for file in self.temporary.rglob("*"):
            with contextlib.suppress(OSError):
                sizes.append(0 if file.is_dir() else file.stat().st_size)
        return len(sizes), sum(sizes) / 1e6

    def line(self, done: Counter[str], problems: Counter[str]) -> str:
        own, workers = self.meter.memory()
        self.memory.append(own)
        files, size = self.left()
        count = len(self.meter.server.children(recursive=True))
        threads = self.meter.server.num_threads()
        return (
            f"{(time.monotonic() - self.began) / 60:6.1f} min  server {own:6.1f} MiB, {threads} threads, "
            f"{self.meter.server.num_fds()} files open  workers {count}: {workers:6.1f} MiB  "
            f"temporary {files} files, {size:5.1f} MB  done {done.total()}  failed {problems.total()}"
        )

    @property
    def growth(self) -> float:
        """MiB from the tenth minute to the greatest of the last ten."""
        return max(self.memory[-10:]) - self.memory[min(SETTLED, len(self.memory) - 1)]


async def soak(server: Server, watch: Watch, asked: argparse.Namespace) -> tuple[Counter[str], Counter[str]]:
    """The learners' two hours: what they did, and what went wrong, by kind."""
    done: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    until = time.monotonic() + asked.minutes * 60
    browsers = [Browser(server, n, asked.pause, asked.seed, done, problems) for n in range(asked.learners)]
    async with asyncio.TaskGroup() as group:
        for browser in browsers:
            group.create_task(browser.live(until))
        while time.monotonic() < until:
            print(watch.line(done, problems), flush=True)
            await asyncio.sleep(60)
    await asyncio.sleep(30)  # their tabs are closed
    print(watch.line(done, problems), flush=True)
    return done, problems


@contextlib.contextmanager
def serving() -> Iterator[tuple[Server, Watch]]:
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as temporary:
        server = start_server(Path(home), TMPDIR=temporary)
        try:
            yield server, Watch(server, Path(temporary))
        finally:
            stop_server(server)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd.soak", description=__doc__)
    parser.add_argument("--learners", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--pause", type=float, nargs=2, default=(20.0, 60.0), help="seconds between two acts")
    parser.add_argument("--seed", type=int, default=17)
    asked = parser.parse_args()
    with serving() as (server, watch):
        print(f"process {server.process.pid}, log {server.log.name}", flush=True)
        done, problems = asyncio.run(soak(server, watch, asked))
        family = watch.meter.server.children(recursive=True)
        watch.meter.server.terminate()
        _, alive = psutil.wait_procs([watch.meter.server, *family], timeout=20)
        left = [str(file.relative_to(watch.temporary)) for file in watch.temporary.rglob("*")]
        errors = server.said().count("Traceback (most recent call last)")
    print(f"\ndone: {dict(done)}")
    for problem, count in problems.most_common():
        print(f"failed {count}: {problem}")
    print(
        f"server {watch.growth:+.1f} MiB after the first {SETTLED} minutes, at most {MAY_GROW:g} are allowed"
    )
    print(
        f"{len(alive)} processes and {len(left)} temporary files left {left[:5]}, "
        f"{errors} tracebacks in the log"
    )
    if problems or alive or left or errors or watch.growth > MAY_GROW:
        sys.exit(1)


if __name__ == "__main__":
    main()
