"""Topics: each is one run, or one class room, as those who watch it hear it. Any thread says that it has
changed, the event loop makes one message of it and sends that to everybody. ui/runs/push.py is the route.

Nobody gets a backlog: a listener that was slow finds the newest message, one that comes late begins with it.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from ..cards.moments import Shown, most_telling
from ..cards.reading import Reading
from ..types import InputError, Run
from .messages import ALIVE, ShownPairs, message, told

NAME_BYTES = 24  # 192 bits: knowing a topic's name is what allows one to listen
SHORTEST_GAP = 0.04  # seconds between two messages of a topic
QUIET = 1.5  # seconds without news after which a listener is told that the connection lives
KEPT_TOPICS = 200
LOOK_EVERY = 4  # snapshots, and
LOOK_SECONDS = (
    1.0  # at least, between two looks for the card of the moment: one takes as long as ten messages
)


class Broadcast:
    """What many hear. `changed` may be called on any thread, everything else on the event loop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.listeners = 0
        self.ended = False  # what it tells of has been forgotten
        self._lock = threading.Lock()  # other threads say that it has changed while the loop sends
        self._loop: asyncio.AbstractEventLoop | None = None  # of the listeners, while there are any
        self._planned = False  # a message will be made, so a further change need not ask for one
        self._made = 0.0
        self._version = 0
        self._newest = b""
        self._history = (-1, b"")  # (version, message): thirty who come at once get one and the same
        self._news = asyncio.Event()

    def now(self, history: bool = False, frames: bool = False) -> bytes:
        """What there is to tell, made afresh. Raises InputError when that has been forgotten."""
        raise NotImplementedError

    def changed(self) -> None:
        """It is not what it was. Costs next to nothing while a message is already on its way."""
        with self._lock:
            if self._loop is None or self._planned:
                return
            self._planned = True
            loop = self._loop
        try:
            loop.call_soon_threadsafe(self._plan)
        except RuntimeError:  # the loop has closed: the server is going down
            self._planned = False

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(max(0.0, self._made + SHORTEST_GAP - loop.time()), self._make)

    def _make(self) -> None:
        self._planned = False  # before reading: what changes from here on asks for another message
        self._made = asyncio.get_running_loop().time()
        self._version += 1
        try:
            self._newest = self.now()
        except InputError:
            self.ended = True
        self._news.set()
        self._news = asyncio.Event()

    async def listen(self, frames: bool = False) -> AsyncGenerator[bytes]:
        """The state now with its whole history (and `frames`), then the newest state whenever it changes,
        or ALIVE. Ends when that is forgotten."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self.listeners += 1
        try:
            seen = self._version
            yield self._first(frames)
            while not self.ended:
                if seen == self._version:
                    try:
                        async with asyncio.timeout(QUIET):
                            await self._news.wait()
                    except TimeoutError:
                        yield ALIVE
                else:
                    seen = self._version
                    yield self._newest
        except InputError:
            self.ended = True
        finally:
            with self._lock:
                self.listeners -= 1
                if not self.listeners:
                    self._loop, self._planned = None, False

    def _first(self, frames: bool) -> bytes:
        if frames:
            return self.now(history=True, frames=True)
        if self._history[0] != self._version or self.listeners == 1:
            self._history = (self._version, self.now(history=True))
        return self._history[1]


class Topic(Broadcast):
    """One run's messages."""

    def __init__(self, read: Callable[[], Run]) -> None:
        super().__init__(secrets.token_urlsafe(NAME_BYTES))
        self._read = read
        self._pairs: ShownPairs | None = None
        self._shown: Shown | None = None  # the card of the moment
        self._told: dict[str, Any] | None = None
        self._looked = (-LOOK_EVERY, True, 0.0)  # number of snapshots, activity and time of the last look
        self.scores: Mapping[tuple[int, int], float] = {}  # the cross-encoder's, by rows

    def now(self, history: bool = False, frames: bool = False) -> bytes:
        """The run as it is, made afresh. Raises InputError when it has been forgotten."""
        run = self._read()
        if self._pairs is None and run.snapshots:
            self._pairs = ShownPairs.of(run)
        return message(run, self.name, self._pairs, self._moment(run), history=history, frames=frames)

    def _moment(self, run: Run) -> dict[str, Any] | None:
        """The card of the moment, looked for now and then while the run learns, and once when it rests."""
        count, active, when = self._looked
        now = (len(run.snapshots), run.is_active, time.monotonic())
        soon = (active and 0 <= now[0] - count < LOOK_EVERY) or now[2] - when < LOOK_SECONDS
        if now[:2] != (count, active) and not (run.is_active and soon):
            self._looked = now
            shown = most_telling(Reading(run, self.scores), self._shown)
            if shown is not self._shown:
                self._shown = shown
                self._told = None if shown is None else told(shown.moment, run, run.step)
        return self._told


class Hub:
    """The topics of all runs. `read` gives a run by its id; `watch` has a function called when it changes;
    `audience` gives the id under which it is told to all who see the same."""

    def __init__(
        self,
        read: Callable[[str], Run],
        watch: Callable[[str, Callable[[], None]], None],
        audience: Callable[[str], str] = str,
    ) -> None:
        self._read, self._watch, self._audience = read, watch, audience
        self._lock = threading.Lock()  # pages ask for topics on threads of their own
        self._by_run: OrderedDict[str, Topic] = OrderedDict()

    def topic(self, run_id: str) -> Topic:
        """The run's topic. Raises InputError when the run has been forgotten."""
        run_id = self._audience(run_id)
        with self._lock:
            topic = self._by_run.get(run_id)
            if topic is None or topic.ended:
                topic = Topic(lambda: self._read(run_id))
                self._watch(run_id, topic.changed)
                self._by_run[run_id] = topic
            self._by_run.move_to_end(run_id)
            surplus = len(self._by_run) - KEPT_TOPICS
            for old in [i for i, t in self._by_run.items() if not t.listeners][: max(0, surplus)]:
                del self._by_run[old]
        return topic

    def find(self, name: str) -> Topic | None:
        with self._lock:
            return next((t for t in self._by_run.values() if t.name == name), None)


@asynccontextmanager
async def meanwhile(listen: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Listen on the event loop while this is open."""
    task = asyncio.create_task(listen)
    try:
        yield
    finally:
        task.cancel()


async def relay(
    topic: Broadcast,
    send: Callable[[bytes], Awaitable[None]],
    receive: Callable[[], Awaitable[Any]],
    frames: bool = False,
) -> None:
    """Send what the topic says until that is forgotten or the listener goes, or speaks, which nobody asked
    for. `receive` waits for either. Raises what `send` raises."""

    async def speak() -> None:
        async with aclosing(topic.listen(frames)) as messages:
            async for data in messages:
                await send(data)

    tasks = (asyncio.create_task(speak()), asyncio.ensure_future(receive()))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
