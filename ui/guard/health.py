"""What a proxy or a service manager asks: does the server live, and may visitors be sent to it?

    /_lab/live    200 while the event loop answers
    /_lab/ready   200 when the database and a worker answer, else 503; the reason in one line

A server that was told to end (SIGTERM) closes its door at once, so that it is neither.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config
from streamlit.url_util import make_url_path

from core.models import registry
from core.types import InputError
from ui.learner import database
from ui.resources import executor

LIVE, READY = "_lab/live", "_lab/ready"
PATIENCE = 5.0  # seconds that a worker has; it answers between two steps of a run


def routes() -> list[Route]:
    base = config.get_option("server.baseUrlPath") or ""
    return [Route(make_url_path(base, LIVE), _live), Route(make_url_path(base, READY), _ready)]


async def _live(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _ready(_: Request) -> Response:
    try:
        await run_in_threadpool(_ask_database)
        await asyncio.wait_for(asyncio.wrap_future(executor().call(registry.preload)), PATIENCE)
    except InputError as error:
        return PlainTextResponse(str(error), 503)
    except (TimeoutError, RuntimeError):
        return PlainTextResponse("No worker answers yet.", 503)
    return PlainTextResponse("ok")


def _ask_database() -> None:
    with database().read() as connection:
        connection.execute(select(1))
