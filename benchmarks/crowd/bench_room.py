"""One class room under load: a teacher and 30 phones without browsers, which speak Streamlit's protocol and
hear the room's topic as pages do: collect, vote, a killed server, vote again, one run, the test.

    vote     seconds from a vote to the teacher's page that counts it, p95
    step     seconds from the teacher's press to the phone that shows it, p95
    frames/s of the run that a phone gets, least and median
    server   processor time in percent of one core on average, and what its memory grew by

    python -m benchmarks.crowd.bench_room [--phones 30] [--steps 60]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import websockets
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.bench_app import sentences
from benchmarks.crowd import protocol
from benchmarks.crowd.bench_class import Meter, middle, p95
from core.classroom import entries, rooms, stage
from core.classroom.activities import CollectActivity, PredictActivity, RunActivity, SittingActivity
from core.lessons.inventory import inventory
from core.runs.encoding import unpack
from core.storage.database import FILE_NAME, Database
from tests.browser.fixtures import _healthy, start_server, stop_server

TOPIC = re.compile(rb'"topic": ?"([\w-]{20,})"')
PATIENCE = 45.0
GOALS = "vote p95 <= 1 s; step p95 <= 1 s; frames/s >= 5; server <= 35%; <= 200 MiB more; nothing lost"


@dataclass
class Tab:
    """A page of the room: what it shows, and the widgets by which it acts."""

    url: str
    query: str
    cookie: str
    shown: str = ""
    drawing: list[str] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)  # label -> id
    parts: dict[str, tuple[str, str]] = field(default_factory=dict)  # component -> (id, its data)
    fields: dict[str, str] = field(default_factory=dict)  # label of a text field -> id
    values: dict[str, str] = field(default_factory=dict)
    fragment: str = ""
    drawn: asyncio.Event = field(default_factory=asyncio.Event)
    frames: list[float] = field(default_factory=list)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    problems: set[str] = field(default_factory=set)
    page: str = ""
    asked: float = 0.0
    moved: bool = False
    heard: dict[str, int] = field(default_factory=dict)

    async def live(self) -> None:
        """Until cancelled, also through a restart of the server."""
        while True:
            try:
                address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
                more = {
                    "additional_headers": {"Cookie": self.cookie},
                    "max_size": None,
                    "ping_interval": None,
                }
                async with websockets.connect(address, subprotocols=["streamlit"], **more) as self.socket:  # type: ignore
                    await self.rerun(whole=True)
                    async for raw in self.socket:
                        message = ForwardMsg()
                        message.ParseFromString(bytes(raw))
                        self.take(message)
            except (OSError, websockets.WebSocketException):
                await asyncio.sleep(0.3 + random.random())

    async def rerun(
        self, press: str = "", trigger: tuple[str, str, object] | None = None, whole: bool = False
    ) -> None:
        fragment = "" if whole else self.fragment
        message = protocol.rerun_of(self.url, "class", self.query, self.page, fragment)
        asked = message.rerun_script
        for widget_id, text in self.values.items():
            widget = asked.widget_states.widgets.add()
            widget.id, widget.string_value = widget_id, text
        if press:
            protocol.press(message, press)
        if trigger:
            widget = asked.widget_states.widgets.add()
            widget.id = f"$$STREAMLIT_INTERNAL_KEY_{trigger[0]}__events"
            widget.json_trigger_value = json.dumps([{"event": trigger[1], "value": trigger[2]}])
        await self.socket.send(message.SerializeToString())

    def take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            found = [p for p in message.navigation.app_pages if p.url_pathname == "class"]
            self.page = found[0].page_script_hash if found else self.page
        elif kind == "new_session":
            self.drawing, self.buttons, self.parts, self.fields = [], {}, {}, {}
        elif kind == "delta":
            self.fragment = message.delta.fragment_id or self.fragment
            self.see(message.delta.new_element)
        elif kind == "script_finished":
            self.shown = "\n".join(self.drawing)
            self.drawn.set()
            self.drawn = asyncio.Event()
            self.listen()
            self.follow()

    def see(self, element: object) -> None:
        kind = element.WhichOneof("type")  # type: ignore[attr-defined]
        part = getattr(element, kind or "", None)
        if kind in ("markdown", "text", "heading", "alert"):
            self.drawing.append(part.body)
        elif kind == "progress":
            self.drawing.append(part.text)
        elif kind == "exception":
            self.problems.add(part.message[:120])
        elif kind == "button":
            self.buttons[part.label.replace("\\", "")] = part.id
        elif kind in ("text_area", "text_input"):
            self.fields[part.label] = part.id
        elif kind == "bidi_component":
            data = part.json or part.SerializeToString().decode("latin-1")
            self.parts[part.component_name] = (part.id, data)
            self.drawing.append(part.component_name)

    def listen(self) -> None:
        for name, (_, data) in list(self.parts.items()):
            found = TOPIC.search(data.encode("latin-1", "replace"))
            if found and ("listener" in name or "moving-map" in name) and found[1].decode() not in self.tasks:
                topic = found[1].decode()
                self.tasks[topic] = asyncio.create_task(self.hear(topic, "listener" in name))

    async def hear(self, topic: str, room: bool) -> None:
        while True:
            try:
                address = f"{self.url.replace('http', 'ws', 1)}/_live/{topic}"
                origin = websockets.Origin(self.url)
                async with websockets.connect(address, origin=origin, max_size=None) as socket:
                    async for data in socket:
                        header, _ = unpack(bytes(data))
                        if header["kind"] == "room":
                            self.moved = header["version"] != self.heard.get("version", header["version"])
                            self.heard = header
                            self.follow()
                        elif header["kind"] == "frame":
                            self.frames.append(time.perf_counter())
            except (OSError, websockets.WebSocketException):
                pass
            if not room:
                return
            await asyncio.sleep(0.3 + random.random())

    def follow(self) -> None:
        """As listener.js: a page that is behind what was heard asks for a new one."""
        if (timer := self.tasks.pop("timer", None)) is not None:
            timer.cancel()
        if "embedding-lab-room.listener" not in self.parts or not self.heard:
            return
        listener, data = self.parts["embedding-lab-room.listener"]
        known = json.loads(data)
        if self.heard[known["counts"]] <= known["at"]:
            return
        since = time.perf_counter() - self.asked
        wait = 0.0 if self.moved else max(0.0, known["gap"] - since)
        self.tasks["timer"] = asyncio.create_task(self.ask(listener, wait))

    async def ask(self, listener: str, wait: float) -> None:
        await asyncio.sleep(wait)
        self.asked, self.moved = time.perf_counter(), False
        await self.rerun(trigger=(listener, "changed", 1))

    async def until(self, test: Callable[[Tab], object], what: str) -> float:
        end = time.perf_counter() + PATIENCE
        while not test(self):
            if time.perf_counter() > end:
                raise TimeoutError(f"{what}: {self.shown[-300:]} {self.problems}")
            event = self.drawn
            try:
                await asyncio.wait_for(event.wait(), 1)
            except TimeoutError:
                continue
        return time.perf_counter()

    async def press(self, label: str) -> None:
        def found(tab: Tab) -> str | None:
            return next((i for name, i in tab.buttons.items() if label in name), None)

        await self.until(found, f"a button {label}")
        await self.rerun(press=found(self) or "")

    async def choose(self, place: int) -> None:
        await self.until(lambda tab: "embedding-lab.class-choices" in tab.parts, "choices")
        await self.rerun(trigger=(self.parts["embedding-lab.class-choices"][0], "picked", place))


def cookies(url: str) -> tuple[str, str]:
    """(the Cookie header of a new browser, its key as a teacher)."""
    with urllib.request.urlopen(f"{url}/class") as answer:
        found = [value.split(";")[0] for value in answer.headers.get_all("Set-Cookie")]
    return "; ".join(found), next(v.split("=", 1)[1] for v in found if v.startswith("embedding_lab_teacher"))


async def lead(teacher: Tab, phones: list[Tab], label: str, shows: str) -> list[float]:
    """Press in the panel: seconds until each phone shows it."""
    began = time.perf_counter()
    waits = [asyncio.create_task(phone.until(lambda tab: shows in tab.shown, shows)) for phone in phones]
    await teacher.press(label)
    try:
        return [await wait - began for wait in waits]
    except TimeoutError as error:
        raise TimeoutError(f"{error} / the panel: {teacher.shown[-300:]} {list(teacher.buttons)}") from error


async def votes(teacher: Tab, phones: list[Tab], round_: int, seconds: float) -> list[float]:
    """All vote within so many seconds: how long until the teacher's page counts the first, the second, ..."""
    sent: list[float] = []

    async def cast(phone: Tab, place: int) -> None:
        await asyncio.sleep(random.random() * seconds)
        await phone.choose(place)
        sent.append(time.perf_counter())

    async def count() -> list[float]:
        seen: list[float] = []
        end = time.perf_counter() + PATIENCE
        while len(seen) < len(phones):
            found = re.search(rf"Round {round_}: \*\*(\d+) of", teacher.shown)
            seen += [time.perf_counter()] * (int(found[1]) - len(seen) if found else 0)
            event = teacher.drawn
            if len(seen) < len(phones):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), 1)
            if time.perf_counter() > end:
                raise TimeoutError(f"votes: {teacher.shown[-300:]}")
        return seen

    counting = asyncio.create_task(count())
    await asyncio.gather(*(cast(phone, i % 2) for i, phone in enumerate(phones)))
    seen = await counting
    return [max(0.0, at - began) for at, began in zip(seen, sorted(sent))]


async def lesson(home: Path, count: int, steps: int) -> str:
    server = start_server(home)
    process = psutil.Process(server.process.pid)
    command, environment = process.cmdline(), process.environ()
    database = Database.open(f"sqlite:///{home / FILE_NAME}")
    cookie, key = cookies(server.url)
    room = rooms.open_room(database, "Load", key, 2, datetime.now(UTC))
    listed = [
        CollectActivity(title="Two sentences", groups=("one", "two"), most=2),
        PredictActivity(title="Will they part?", options=("Yes", "No")),
        RunActivity(title="Train", steps=steps, seed=30),
        SittingActivity(title="The test"),
    ]
    stage.add(database, room.id, listed)
    meter = Meter(process)
    teacher = Tab(server.url, f"room={room.code}&as=teacher", cookie)
    phones = [Tab(server.url, f"room={room.code}", cookies(server.url)[0]) for _ in range(count)]
    tabs = [teacher, *phones]
    lives = [asyncio.create_task(teacher.live())]
    await teacher.until(lambda tab: "Nobody sees" in tab.shown, "the panel")
    memory = meter.memory()[0]
    spent = []

    def clock(last: list[tuple[float, dict[int, float]]]) -> None:
        if last:
            began, before = last.pop()
            seconds = time.perf_counter() - began
            spent.append((meter.share(before, seconds)[0], seconds))
        last.append((time.perf_counter(), meter.read()))

    since: list[tuple[float, dict[int, float]]] = []
    clock(since)
    for phone in phones:
        lives.append(asyncio.create_task(phone.live()))
    for phone in phones:
        await phone.press("Join")
    for phone in phones:
        await phone.until(lambda tab: "You are in" in tab.shown, "the lobby")
    reached: dict[str, list[float]] = {}
    reached["1. "] = await lead(teacher, phones, "1. ", "Two sentences")
    some = random.Random(1).sample(sentences(4000).split("\n"), 2 * count)

    async def write(phone: Tab, number: int) -> None:
        for i in (0, 1):
            await asyncio.sleep(random.random() * 8)
            text = phone.fields["Your sentence"]
            phone.values[text] = some[2 * number + i].split("|")[-1].strip()[:150]
            await phone.press("Send")
            await phone.until(
                lambda tab, i=i: f"({i + 1} of 2 sent)" in str(tab.buttons) or "You have sent 2" in tab.shown,
                "sent",
            )
        phone.values.clear()

    began = time.perf_counter()
    await asyncio.gather(*(write(phone, i) for i, phone in enumerate(phones)))
    collected = time.perf_counter() - began
    for i, one in enumerate(entries.entries(database, room.id)):
        entries.edit(
            database, room.id, one.id, one.text, ("one", "two")[i % 2]
        )  # all came with the first group
    reached["2. "] = await lead(teacher, phones, "2. ", "Will they part?")
    counted = await votes(teacher, phones, 1, 5)
    clock(since)
    grown = meter.memory()[0] - memory

    server.process.send_signal(signal.SIGKILL)
    for child in process.children(recursive=True):
        child.kill()
    server.process.wait()
    for tab in tabs:
        tab.shown = ""
    with server.log.open("ab") as out:
        again = subprocess.Popen(command, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    server = replace(server, process=again)
    while not _healthy(server.url):
        await asyncio.sleep(0.2)
    lost = count - len(stage.votes(database, room.id, 2).get(1, {}))
    lost += 2 * count - len(entries.entries(database, room.id))
    for phone in phones:  # without a reload
        await phone.until(lambda tab: "class-choices" in tab.shown, "the phone after the restart")
    await teacher.until(lambda tab: f"**{count} of {count}** have answered" in tab.shown, "the panel again")
    meter = Meter(psutil.Process(again.pid))
    since = []
    clock(since)
    reached["Second round"] = await lead(teacher, phones, "Second round", "Second round")
    counted += await votes(teacher, phones, 2, 5)
    reached["Reveal"] = await lead(teacher, phones, "Reveal", "class-bars")
    reached["3. "] = await lead(teacher, phones, "3. ", "Your teacher starts")
    await asyncio.sleep(3)  # a teacher says what will come
    for tab in tabs:
        tab.frames.clear()
    reached["Start the run"] = await lead(teacher, phones, "Start the run", "moving-map")
    await teacher.until(lambda tab: "Back to before" in str(tab.buttons), "the run")
    await asyncio.sleep(0.25 * steps)
    rates = [(len(f) - 1) / (f[-1] - f[0]) for f in (phone.frames for phone in phones) if len(f) > 2]
    reached["4. "] = await lead(teacher, phones, "4. ", "The test")

    async def answer(phone: Tab) -> None:
        await asyncio.sleep(random.random() * 5)
        await phone.press("Begin")
        for i in range(len(inventory().items)):
            await phone.until(lambda tab, i=i: f"Question {i + 1} of" in tab.shown, "a question")
            await asyncio.sleep(1 + random.random())
            await phone.choose(0)
        await phone.press("Hand in")
        await phone.until(lambda tab: "Handed in" in tab.shown, "handed in")

    await asyncio.gather(*(answer(phone) for phone in phones))
    clock(since)
    lost += count - sum(bool(record.done) for record in entries.all_sittings(database, room.id))
    lost += 2 * count - sum(map(len, stage.votes(database, room.id, 2).values()))
    for task in (*lives, *(task for tab in tabs for task in tab.tasks.values())):
        task.cancel()
    database.close()
    stop_server(server)
    own = sum(share * seconds for share, seconds in spent) / sum(seconds for _, seconds in spent)
    problems = sorted({problem for tab in tabs for problem in tab.problems})
    return (
        f"{count} phones: vote p95 {p95(counted):.2f} s; "
        f"step p95 {p95([wait for waits in reached.values() for wait in waits]):.2f} s ("
        + ", ".join(f"{label.strip()} {max(waits):.2f}" for label, waits in reached.items())
        + "); "
        f"collected in {collected:.1f} s; frames/s {min(rates, default=0):.1f} to {middle(rates):.1f}; "
        f"server {own:.0f}% ({', '.join(f'{share:.0f}% in {seconds:.0f} s' for share, seconds in spent)}), "
        f"{grown:.0f} MiB more; lost: {lost}" + "".join(f"\n    {problem}" for problem in problems)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=30)
    parser.add_argument("--steps", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        print(asyncio.run(lesson(Path(home), asked.phones, asked.steps)))
    print(f"Goals on two cores: {GOALS}")


if __name__ == "__main__":
    main()
