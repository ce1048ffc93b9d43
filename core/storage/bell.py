"""PostgreSQL's NOTIFY: what one page server changed in a room the others hear of, when it is committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.sql import ColumnElement

from .database import Database

CHANNEL = "lab_rooms"
AGAIN = 2.0  # seconds until a lost connection is made anew
log = logging.getLogger(__name__)


def ring(connection: Connection, word: ColumnElement[str], where: ColumnElement[bool]) -> None:
    """Tell the word of these rows to all servers; nothing where there is one server only."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, word)).where(where))


async def listen(database: Database, tell: Callable[[str | None], Any]) -> None:
    """Call `tell(word)` for each word that is rung, until cancelled; `tell(None)` when some may have been
    missed, because the connection was lost."""
    import psycopg

    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(database.address, autocommit=True)
            async with connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                tell(None)
                async for notice in connection.notifies():
                    tell(notice.payload)
        except psycopg.Error as error:
            log.warning("The database does not answer: %s", error)
        await asyncio.sleep(AGAIN)
