"""Topics without any web framework: who hears what, when, and that nobody gets a backlog."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from core.runs import channel
from core.runs.channel import Hub, Topic, relay
from core.runs.encoding import unpack
from core.types import InputError, Run, RunStatus, SentenceSet, TrainingConfig, Turn

RUN = Run("id", TrainingConfig(steps=100), SentenceSet(()), (), ())


class Source:
    """A run that tests change: its place in the queue numbers its states."""

    def __init__(self) -> None:
        self.run: Run | None = replace(RUN, turn=Turn(0, 0, None))
        self.reads = 0
        self.topic = Topic(self.read)

    def read(self) -> Run:
        self.reads += 1
        if self.run is None:
            raise InputError("gone")
        return self.run

    def put(self, place: int | None) -> None:
        self.run = None if place is None else replace(RUN, turn=Turn(place, 0, None))
        self.topic.changed()


def place(data: bytes) -> tuple[str, int | None]:
    header, _ = unpack(data)
    return header["kind"], header.get("place")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(channel, "SHORTEST_GAP", 0.0)


def test_names_cannot_be_guessed_and_differ():
    names = {Source().topic.name for _ in range(50)}
    assert len(names) == 50 and min(map(len, names)) * 6 >= 128


def test_a_listener_begins_with_the_state_now_and_hears_every_change(quick):
    async def scene() -> list:
        source = Source()
        source.put(7)  # nobody listens yet: nothing is made, nothing is lost
        heard = []
        async for data in source.topic.listen():
            heard.append(place(data))
            if len(heard) == 3:
                return heard
            threading.Thread(target=source.put, args=(7 + len(heard),)).start()
        raise AssertionError("ended")

    assert asyncio.run(scene()) == [("history", 7), ("frame", 8), ("frame", 9)]


def test_a_slow_listener_finds_only_the_newest_and_others_do_not_wait_for_it(quick):
    async def scene() -> tuple[list, list]:
        source = Source()
        heard: dict[str, list] = {"slow": [], "quick": []}

        async def listen(name: str, pause: float) -> None:
            async for data in source.topic.listen():
                heard[name].append(place(data)[1])
                if heard[name][-1] == 20:
                    return
                await asyncio.sleep(pause)

        tasks = [asyncio.create_task(listen("slow", 0.3)), asyncio.create_task(listen("quick", 0))]
        for number in range(1, 21):
            await asyncio.sleep(0.01)
            source.put(number)
        await asyncio.gather(*tasks)
        return heard["slow"], heard["quick"]

    slow, quick_ = asyncio.run(scene())
    assert slow[-1] == 20 and len(slow) <= 4
    assert quick_ == list(range(21))


def test_a_frame_is_made_once_for_all_and_a_burst_of_changes_is_one(quick):
    async def scene() -> tuple[int, list]:
        source = Source()
        arrived: list[int] = []

        async def listen() -> None:
            async for data in source.topic.listen():
                if place(data) == ("frame", 50):
                    arrived.append(id(data))
                    return

        tasks = [asyncio.create_task(listen()) for _ in range(30)]
        await asyncio.sleep(0.05)
        before = source.reads
        for number in range(1, 51):
            source.put(number)
        await asyncio.gather(*tasks)
        return source.reads - before, arrived

    reads, arrived = asyncio.run(scene())
    assert reads == 1 and len(arrived) == 30 and len(set(arrived)) == 1


def test_messages_keep_a_distance(monkeypatch):
    monkeypatch.setattr(channel, "SHORTEST_GAP", 0.2)

    async def scene() -> list:
        source, heard = Source(), []
        async with asyncio.timeout(10):
            async for data in source.topic.listen():
                heard.append(place(data)[1])
                if heard[-1] == 30:
                    return heard
                if len(heard) == 1:
                    loop = asyncio.get_running_loop()
                    for number in range(1, 31):
                        loop.call_later(number / 100, source.put, number)
        raise AssertionError

    assert len(asyncio.run(scene())) <= 5


def test_a_listener_of_a_quiet_run_knows_that_the_connection_lives(monkeypatch):
    monkeypatch.setattr(channel, "QUIET", 0.02)

    async def scene() -> list:
        heard = []
        async for data in Source().topic.listen():
            heard.append(place(data)[0])
            if len(heard) == 3:
                return heard
        raise AssertionError

    assert asyncio.run(scene()) == ["history", "alive", "alive"]


def test_a_forgotten_run_ends_its_topic(quick):
    async def scene() -> Topic:
        source = Source()
        async for _ in source.topic.listen():
            source.put(None)
        return source.topic

    topic = asyncio.run(scene())
    assert topic.ended and topic.listeners == 0
    with pytest.raises(InputError):
        topic.now()


def test_changes_without_listeners_or_after_the_loop_cost_nothing():
    source = Source()
    source.put(1)

    async def scene() -> None:
        async for _ in source.topic.listen():
            break

    asyncio.run(scene())
    source.put(2)  # its loop is closed
    assert source.reads == 1


def test_relay_ends_when_the_other_side_speaks_or_leaves(quick):
    async def scene() -> int:
        source, sent = Source(), []
        spoken = asyncio.Event()

        async def send(data: bytes) -> None:
            sent.append(data)
            spoken.set()

        await asyncio.wait_for(relay(source.topic, send, spoken.wait), 5)
        return source.topic.listeners

    assert asyncio.run(scene()) == 0


def test_relay_passes_on_that_sending_failed(quick):
    async def send(_: bytes) -> None:
        raise RuntimeError("closed")

    async def scene() -> None:
        await asyncio.wait_for(relay(Source().topic, send, asyncio.Event().wait), 5)

    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(scene())


def test_the_hub_has_one_topic_a_run_and_forgets_old_ones(monkeypatch):
    monkeypatch.setattr(channel, "KEPT_TOPICS", 3)
    watched = []
    hub = Hub(lambda run_id: replace(RUN, id=run_id), lambda run_id, observer: watched.append(run_id))
    first = hub.topic("a")
    assert hub.topic("a") is first and watched == ["a"]
    assert hub.find(first.name) is first and hub.find("a") is None and hub.find("") is None
    first.listeners = 1
    others = [hub.topic(name) for name in "bcde"]
    assert hub.find(first.name) is first, "somebody listens"
    assert hub.find(others[0].name) is None and hub.find(others[-1].name) is others[-1]


def test_the_hub_makes_a_new_topic_for_a_run_that_came_back():
    hub = Hub(lambda run_id: RUN, lambda run_id, observer: None)
    first = hub.topic("a")
    first.ended = True
    assert hub.topic("a") is not first


def test_a_status_is_said_as_a_word():
    assert place(Source().topic.now(history=True)) == ("history", 0)
    assert unpack(Source().topic.now())[0]["status"] == str(RunStatus.WAITING)


def test_all_who_see_the_same_run_share_a_topic():
    hub = Hub(lambda _: RUN, lambda *_: None, lambda run_id: {"b": "a"}.get(run_id, run_id))
    assert hub.topic("b") is hub.topic("a") is not hub.topic("c")
