"""A class on one server: 1, 10 and 30 learners press Train at once, with the same set or with their own.

Learners without browsers: each speaks Streamlit's own protocol, opens Train live, presses Train, does every
tick that the page asks for, and listens to the run's channel as a browser does. All stays on this machine.

    first move   seconds from the click to the first message with the points of a later step: median, p95
    frames/s     messages with new points a learner gets in a second of its run, median
    gap          longest time between two of them, p95 of the learners
    last done    seconds from the click to the end of the last run; x own: as many times the sum of what the
                 steps of all runs took by themselves, one after the other; each run's once, if some share it
    Jain         fairness of the steps that all had after 30 s: 1 when equal, 1/n when one has them all
    server, workers   processor time in percent of one core, from the click to the last end; unique memory

    python -m benchmarks.crowd.bench_class [--learners 1 10 30] [--cases same own static] [--seconds 120]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import psutil
import websockets
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.bench_app import sentences
from benchmarks.crowd import protocol
from core.models.registry import BASE_MODELS
from core.runs.encoding import unpack
from tests.browser.fixtures import Server, start_server, stop_server
from tests.browser.helpers import packed

TOPIC = re.compile(rb'"topic": ?"([\w-]{20,})"')
READY = 150.0  # seconds that all pages may take to open
FAIR_AT = 30.0  # seconds after the click
GOALS = {
    ("same", 1): "first move <= 0.6 s; last done <= 7 s",
    ("same100", 1): "last done <= 18 s",
    ("same", 30): "first move p95 <= 1.5 s; frames/s >= 5; server <= 15%",
    ("own", 30): "first move p95 <= 6 s; Jain >= 0.9; last done <= 1.1 x the sum of the steps' own time",
    ("static", 30): "last done <= 15 s",
}


def query(case: str, number: int) -> str:
    """The page's address of one learner: the first set as it opens, or 16 to 40 sentences of one's own."""
    if case == "same":
        return ""
    if case == "same100":
        return "steps=100"
    some = random.Random(number).sample(sentences(4000).split("\n"), random.Random(number).randint(16, 40))
    own = {"set": "own", "steps": "40"} | ({"base_model": "static"} if case == "static" else {})
    return f"{urlencode(own)}&data={packed(chr(10).join(some))}"


@dataclass
class Learner:
    """One tab: opens the page, waits for the others, presses Train, and notes what it then sees."""

    url: str
    query: str
    page: str = ""
    train: str = ""  # the button's id
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    clicked: float = 0.0
    moves: list[tuple[float, int]] = field(default_factory=list)  # (when, step) of every new picture
    done: float = 0.0
    own: float = 0.0  # seconds that the steps of its run took by themselves
    topic: str = ""  # learners of the same one watch the same run
    problems: list[str] = field(default_factory=list)
    ticks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    listening: asyncio.Task[None] | None = None
    socket: websockets.ClientConnection | None = None
    drawn: bool = False  # this script run has drawn the button

    async def attend(self, go: asyncio.Event, until: float) -> None:
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        async with websockets.connect(
            address, subprotocols=["streamlit"], max_size=None, ping_interval=None, open_timeout=READY
        ) as s:  # type: ignore[list-item]
            self.socket = s
            starter = asyncio.create_task(self.start(go))
            try:
                async with asyncio.timeout_at(until):
                    await self.rerun()
                    async for raw in s:
                        message = ForwardMsg()
                        message.ParseFromString(bytes(raw))
                        await self.take(message)
                        if self.done:
                            return
            except TimeoutError:
                self.problems.append("not done in time")
            finally:
                for task in (starter, self.listening, *self.ticks.values()):
                    if task is not None:
                        task.cancel()

    async def start(self, go: asyncio.Event) -> None:
        await go.wait()
        self.clicked = time.perf_counter()
        await self.rerun(button=self.train)

    async def rerun(self, fragment: str = "", button: str = "") -> None:
        message = protocol.rerun_of(self.url, "train", self.query, self.page, fragment)
        message.rerun_script.is_auto_rerun = bool(fragment)
        if button:
            protocol.press(message, button)
        assert self.socket is not None
        await self.socket.send(message.SerializeToString())

    async def tick(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self.rerun(fragment)

    async def take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "navigation":
                found = [p for p in message.navigation.app_pages if p.url_pathname == "train"]
                self.page = found[0].page_script_hash if found else self.page
            case "new_session" if not message.metadata.run.fragment_ids:
                self.drawn = False
                for name in list(self.ticks):
                    self.ticks.pop(name).cancel()
            case "auto_rerun":
                asked = message.auto_rerun
                if asked.fragment_id in self.ticks:
                    self.ticks.pop(asked.fragment_id).cancel()
                self.ticks[asked.fragment_id] = asyncio.create_task(
                    self.tick(asked.fragment_id, asked.interval)
                )
            case "stop_auto_rerun":
                if task := self.ticks.pop(message.stop_auto_rerun.fragment_id, None):
                    task.cancel()
            case "delta":
                self.see(message)
            case "script_finished" if self.drawn and not self.clicked and not self.ticks:
                self.ready.set()

    def see(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        match element.WhichOneof("type"):
            case "exception":
                self.problems.append(element.exception.message[:100])
            case "button" if element.button.label == "Train":
                self.train, self.drawn = element.button.id, True
            case "button" if element.button.label == "Train again" and self.clicked and not self.listening:
                self.done = time.perf_counter()  # before there was anything to listen to
            case "bidi_component" if self.clicked and self.listening is None:
                if found := TOPIC.search(element.bidi_component.SerializeToString()):
                    self.listening = asyncio.create_task(self.listen(found[1].decode()))

    async def listen(self, topic: str) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/_live/{topic}"
        async with websockets.connect(
            address, origin=websockets.Origin(self.url), max_size=None, open_timeout=READY
        ) as socket:
            async for data in socket:
                header, _ = unpack(bytes(data))
                if header["kind"] == "alive":
                    continue
                now, self.own, self.topic = time.perf_counter(), header["seconds"] or 0.0, topic
                if header["drawn"] > (self.moves[-1][1] if self.moves else 0):
                    self.moves.append((now, header["drawn"]))
                if header["phase"] == "rest":
                    break
        await self.rerun()  # the buttons are others now
        self.done = time.perf_counter()

    # ---- what came of it ---------------------------------------------------------------------------

    @property
    def first(self) -> float | None:
        return self.moves[0][0] - self.clicked if self.moves else None

    @property
    def rate(self) -> float | None:
        if len(self.moves) < 2:
            return None
        return (len(self.moves) - 1) / (self.moves[-1][0] - self.moves[0][0])

    @property
    def gap(self) -> float | None:
        times = [at for at, _ in self.moves]
        return max((b - a for a, b in pairwise(times)), default=None)

    def steps_after(self, seconds: float) -> int:
        return max((step for at, step in self.moves if at <= self.clicked + seconds), default=0)


def jain(values: Sequence[float]) -> float:
    """Jain's index, (sum x)^2 / (n sum x^2), in [1/n, 1]; nan when nobody had anything.

    Source: R. Jain, D. Chiu, W. Hawe, A Quantitative Measure of Fairness, DEC TR-301, 1984.
    """
    squares = sum(x * x for x in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else float("nan")


def p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))] if ordered else float("nan")


def middle(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


@dataclass
class Meter:
    """Processor time and memory: of the server, and of its workers together."""

    server: psutil.Process

    def read(self) -> dict[int, float]:
        return {p.pid: sum(p.cpu_times()[:2]) for p in [self.server, *self.server.children(recursive=True)]}

    def share(self, before: dict[int, float], seconds: float) -> tuple[float, float]:
        """(server, all workers) in percent of one core since `before`."""
        spent = {pid: used - before.get(pid, 0.0) for pid, used in self.read().items()}
        own = spent.pop(self.server.pid)
        return 100 * own / seconds, 100 * sum(spent.values()) / seconds

    def memory(self) -> tuple[float, float]:
        """(server, all workers) in MiB."""
        workers = self.server.children(recursive=True)
        return self._unique(self.server), sum(self._unique(p) for p in workers)

    def _unique(self, process: psutil.Process) -> float:
        return float(process.memory_full_info().uss) / 2**20


async def lesson(server: Server, case: str, count: int, seconds: float) -> str:
    """One row of the table."""
    meter = Meter(psutil.Process(server.process.pid))
    loop = asyncio.get_running_loop()
    await warm(server, seconds)
    go = asyncio.Event()
    learners = [Learner(server.url, query(case, n)) for n in range(count)]
    until = loop.time() + READY + seconds
    async with asyncio.TaskGroup() as group:
        for learner in learners:
            group.create_task(learner.attend(go, until))
            await asyncio.sleep(0.1)
        async with asyncio.timeout(READY):
            await asyncio.gather(*(learner.ready.wait() for learner in learners))
        await asyncio.sleep(1)
        before, began = meter.read(), time.perf_counter()
        go.set()
    ended = max((learner.done for learner in learners), default=0.0) or time.perf_counter()
    own, workers = meter.share(before, ended - began)
    memory, workers_memory = meter.memory()

    def all_of(read: Callable[[Learner], float | None]) -> list[float]:
        return [value for value in map(read, learners) if value is not None]

    first, undone = all_of(lambda x: x.first), sum(not x.done for x in learners)
    rates = all_of(lambda x: x.rate)
    cells = (
        case,
        f"{count}",
        f"{middle(first):.2f}",
        f"{p95(first):.2f}",
        f"{middle(rates):.1f}",
        f"{p95(all_of(lambda x: x.gap)):.2f}",
        f"{ended - began:.1f}",
        f"{(ended - began) / (sum({x.topic: x.own for x in learners}.values()) or math.inf):.2f}",
        f"{jain([x.steps_after(FAIR_AT) for x in learners]):.2f}",
        f"{own:.0f}%",
        f"{workers:.0f}%",
        f"{memory:.0f} MiB",
        f"{workers_memory:.0f} MiB",
    )
    problems = sorted({problem for learner in learners for problem in learner.problems})
    note = f"   {undone} not done" if undone else ""
    return line(cells) + note + "".join(f"\n    {problem}" for problem in problems)


async def warm(server: Server, seconds: float) -> None:
    """One learner trains one step, so that models are loaded and layouts compiled."""
    learner = Learner(server.url, "steps=1")
    go = asyncio.Event()
    task = asyncio.create_task(learner.attend(go, asyncio.get_running_loop().time() + READY + seconds))
    await learner.ready.wait()
    go.set()
    await task


HEAD = (
    "case",
    "learners",
    "first move",
    "p95",
    "frames/s",
    "gap p95",
    "last done",
    "x own",
    "Jain",
    "server",
    "workers",
    "server mem",
    "workers mem",
)


def line(cells: Sequence[str]) -> str:
    return "  ".join(f"{cell:>{max(8, len(name))}s}" for cell, name in zip(cells, HEAD))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--cases", nargs="+", default=["same100", "same", "own", "static"])
    parser.add_argument("--seconds", type=float, default=120, help="after the click; a row takes no longer")
    asked = parser.parse_args()
    print(line(HEAD))
    for case in asked.cases:
        if case == "static" and "static" not in BASE_MODELS:
            continue
        for count in [1] if case == "same100" else asked.learners:
            with tempfile.TemporaryDirectory() as home:
                server = start_server(Path(home))
                try:
                    print(asyncio.run(lesson(server, case, count, asked.seconds)), flush=True)
                finally:
                    stop_server(server)
    print("\nGoals on two cores:")
    for (case, count), goal in GOALS.items():
        print(f"  {case}, {count} {'learner' if count == 1 else 'learners'}: {goal}")


if __name__ == "__main__":
    main()
