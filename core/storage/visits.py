"""What a browser's next page has to find again where several page servers work on one database."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from . import schema
from .database import Database, put
from .learners import hashed

KEPT = timedelta(days=2)


def read(database: Database, key: str) -> dict[str, str]:
    """Name -> JSON, of the browser with this key."""
    t = schema.visits
    with database.read() as connection:
        rows = connection.execute(select(t.c.name, t.c.value).where(t.c.key_hash == hashed(key)))
        return {row.name: row.value for row in rows}


def write(database: Database, key: str, name: str, value: str, now: datetime) -> None:
    """Keep a value, and forget the visits of before yesterday."""
    t = schema.visits
    with database.write() as connection:
        put(connection, t, {"key_hash": hashed(key), "name": name}, {"value": value, "at": now})
        connection.execute(delete(t).where(t.c.at < now - KEPT))
