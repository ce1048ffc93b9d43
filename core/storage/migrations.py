"""From an older database to the present one: an ordered list of steps, run in one transaction.

A fresh database gets today's tables at once. To change a table: change schema.py, raise its VERSION,
and append a Migration that does the same to a database of the version before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, insert, inspect, select, update

from ..types import InputError
from . import schema

_LOCK = 4_021_977  # any fixed number: two servers that start at once migrate one after the other


@dataclass(frozen=True, slots=True)
class Migration:
    """The step to `version` from the version before; `why` is for the reader of this list."""

    version: int
    why: str
    upgrade: Callable[[Connection], None]


MIGRATIONS: tuple[Migration, ...] = ()  # version 1 is the first: nothing is older


def migrate(
    connection: Connection, migrations: Sequence[Migration] = MIGRATIONS, latest: int = schema.VERSION
) -> None:
    """Bring the database to `latest` inside the caller's transaction.

    Raises InputError when the database is newer than this program.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    version = current_version(connection)
    if version is None:
        schema.metadata.create_all(connection)
        connection.execute(insert(schema.schema_version).values(version=latest))
        return
    if version > latest:
        raise InputError(
            f"The saved progress has format {version}, made by a newer version of the app; "
            f"this one reads up to {latest}. "
            "Update the app, or point EMBEDDING_LAB_HOME or DATABASE_URL elsewhere."
        )
    steps = {step.version: step for step in migrations}
    for target in range(version + 1, latest + 1):
        steps[target].upgrade(connection)
        connection.execute(update(schema.schema_version).values(version=target))


def current_version(connection: Connection) -> int | None:
    """The version of the tables, None for a database without them."""
    if not inspect(connection).has_table(schema.schema_version.name):
        return None
    return connection.execute(select(schema.schema_version.c.version)).scalar_one_or_none()


def describe(engine: Engine) -> dict[str, tuple[str, ...]]:
    """Table name -> its column names and types, to compare two databases."""
    inspector = inspect(engine)
    return {
        table: tuple(f"{c['name']} {c['type']} {c['nullable']}" for c in inspector.get_columns(table))
        for table in sorted(inspector.get_table_names())
        if table.startswith("lab_")
    }
