"""The push channel's route, beside Streamlit's own: a WebSocket a topic, from the server to the browser only.

server.py mounts it. Started without it (`streamlit run app.py`), pages bring the same messages by slow ticks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import config
from streamlit.url_util import make_url_path
from streamlit.web.server.server_util import allowlisted_origins
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from core.classroom.topics import RoomHub
from core.runs.channel import Hub, relay
from core.types import InputError, Run
from ui.learner import database
from ui.resources import executor

PATH = "_live/{topic}"
UNKNOWN = 4404  # closing code: there is no such topic, or its run has been forgotten
_mounted = False


@cache
def hub() -> Hub:
    """The topics of this server's runs."""
    engine = executor()
    return Hub(engine.run, engine.watch, engine.audience)


@cache
def room_hub() -> RoomHub:
    """The topics of this server's class rooms."""
    return RoomHub(database())


def route() -> WebSocketRoute:
    """Where browsers listen, below `server.baseUrlPath`: what the moving map's channel.js connects to."""
    return WebSocketRoute(make_url_path(config.get_option("server.baseUrlPath") or "", PATH), _serve)


@contextmanager
def mounted() -> Iterator[None]:
    """While this is open the route answers, so pages need no tick of their own."""
    global _mounted
    _mounted = True
    try:
        yield
    finally:
        _mounted = False


def is_mounted() -> bool:
    return _mounted


def address(run: Run) -> dict[str, Any] | None:
    """What a component on the page needs to hear of the run; None when it has been forgotten."""
    try:
        return {"topic": hub().topic(run.id).name, "pushed": _mounted}
    except InputError:
        return None


def newest(run: Run) -> bytes | None:
    """The run's message as it is now, for the slow tick; None when the run has been forgotten."""
    try:
        return hub().topic(run.id).now(history=True)
    except InputError:
        return None


async def _serve(socket: WebSocket) -> None:
    if not is_own_page(socket.headers.get("origin"), socket.headers.get("host")):
        await socket.close(1008)
        return
    await socket.accept()
    name = socket.path_params["topic"]
    topic = hub().find(name) or room_hub().find(name)
    try:
        if topic is not None:
            await relay(topic, socket.send_bytes, socket.receive, "frames" in socket.query_params)
        await socket.close(UNKNOWN if topic is None or topic.ended else 1003)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the other side has gone; Starlette says so in either way


def is_own_page(origin: str | None, host: str | None) -> bool:
    """Whether a page of this app asks, as Streamlit decides it for its own socket, without asking outside
    services for this machine's addresses: the same host, or an origin that the settings name."""
    if not is_host_allowed(host):
        return False
    if origin is None or not config.get_option("server.enableCORS"):  # a program, which could say anything
        return True
    page = urlsplit(origin)
    named = {urlsplit(o).hostname or o for o in allowlisted_origins()}
    if config.is_manually_set("browser.serverAddress"):
        named.add(config.get_option("browser.serverAddress"))
    return page.netloc == host or page.hostname in named
