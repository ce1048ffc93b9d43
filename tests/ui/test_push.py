"""The route as a browser meets it: late, slow and foreign listeners, unknown topics, the base path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit import config

from core.runs.channel import Hub, Topic
from core.runs.encoding import unpack
from core.types import InputError, Run, SentenceSet, TrainingConfig, Turn
from ui.runs import push

RUN = Run("id", TrainingConfig(), SentenceSet(()), (), ())
OWN = {"origin": "http://testserver"}


class World:
    """A hub over one run that tests change, and a client of its route."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place: int | None = 1
        self.hub = Hub(self.read, lambda run_id, observer: None)
        monkeypatch.setattr(push, "hub", lambda: self.hub)
        self.topic: Topic = self.hub.topic("id")
        self.url = f"/_live/{self.topic.name}"

    def read(self, run_id: str) -> Run:
        if self.place is None:
            raise InputError("forgotten")
        return replace(RUN, turn=Turn(self.place, 0, None))

    def put(self, place: int | None) -> None:
        self.place = place
        self.topic.changed()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[push.route()])) as started:
        yield started


def place(data: bytes) -> int | None:
    header, _ = unpack(data)
    return header.get("place")


def test_a_late_listener_gets_the_newest_state_at_once(world, client):
    world.put(5)
    with client.websocket_connect(world.url, headers=OWN) as socket:
        first = socket.receive_bytes()
        assert place(first) == 5 and unpack(first)[0]["kind"] == "history"
        world.put(6)
        assert place(socket.receive_bytes()) == 6


def test_all_frames_come_when_asked_for(world, client, monkeypatch):
    asked = []
    original = Topic.now
    monkeypatch.setattr(Topic, "now", lambda self, **kinds: asked.append(kinds) or original(self, **kinds))
    for query in ("", "?frames"):
        with client.websocket_connect(world.url + query, headers=OWN) as socket:
            socket.receive_bytes()
    assert [kinds.get("frames", False) for kinds in asked] == [False, True]


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://testserver.elsewhere.org", "null"])
def test_another_sites_page_is_refused(world, client, origin):
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(world.url, headers={"origin": origin}),
    ):
        pass
    assert world.topic.listeners == 0


def test_an_origin_that_the_settings_name_is_let_in(world, client):
    before = config.get_option("server.corsAllowedOrigins")
    config.set_option("server.corsAllowedOrigins", ["https://lab.example"])
    try:
        with client.websocket_connect(world.url, headers={"origin": "https://lab.example"}) as socket:
            assert place(socket.receive_bytes()) == 1
    finally:
        config.set_option("server.corsAllowedOrigins", before)


def test_a_host_that_the_settings_do_not_name_is_refused(world, client):
    config.set_option("server.allowedHosts", ["lab.example"])
    try:
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(world.url, headers=OWN):
            pass
    finally:
        config.set_option("server.allowedHosts", [])


@pytest.mark.parametrize("name", ["id", "x" * 32, "%00", "é"])
def test_an_unknown_topic_says_so(client, name):
    with client.websocket_connect(f"/_live/{name}", headers=OWN) as socket:
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
        assert closed.value.code == push.UNKNOWN


def test_a_run_that_is_forgotten_closes_its_listeners(world, client):
    with client.websocket_connect(world.url, headers=OWN) as socket:
        socket.receive_bytes()
        world.put(None)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                socket.receive_bytes()
        assert closed.value.code == push.UNKNOWN


def test_who_speaks_is_closed(world, client):
    with client.websocket_connect(world.url, headers=OWN) as socket:
        socket.receive_bytes()
        socket.send_text("hello")
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                socket.receive_bytes()
        assert closed.value.code == 1003
    assert world.topic.listeners == 0


def test_the_route_lies_below_the_base_path(world):
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "/class/lab/")
    try:
        with TestClient(Starlette(routes=[push.route()])) as client:
            with client.websocket_connect(f"/class/lab{world.url}", headers=OWN) as socket:
                assert place(socket.receive_bytes()) == 1
            with pytest.raises(WebSocketDisconnect), client.websocket_connect(world.url, headers=OWN):
                pass
    finally:
        config.set_option("server.baseUrlPath", before)


def test_pages_are_told_whether_anything_is_pushed(world):
    assert push.address(RUN) == {"topic": world.topic.name, "pushed": False}
    with push.mounted():
        assert push.address(RUN) == {"topic": world.topic.name, "pushed": True}
    world.place = None
    world.topic.ended = True
    assert push.newest(RUN) is None
