"""Where the database lies and how to talk to it: location, engine, transactions.

SQLite's peculiarities end here. A write is on disk when its transaction returns: WAL with
synchronous=FULL syncs at every commit, so a kill or a power cut loses nothing acknowledged.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from ..data.folders import data_folder
from ..types import InputError
from . import schema

FILE_NAME = "embedding-lab.sqlite3"
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # both know upserts
_LOCK = 4_021_977  # any fixed number: of two servers that start at once one makes the tables
_BUSY_SECONDS = 30  # how long a writer waits for another; a class of thirty writes for milliseconds each


def database_url(environment: Mapping[str, str] = os.environ) -> str:
    """DATABASE_URL, or a SQLite file in the data folder. "postgres://" is read as "postgresql://"."""
    if url := environment.get("DATABASE_URL"):
        return "postgresql://" + url.removeprefix("postgres://") if url.startswith("postgres://") else url
    return URL.create("sqlite", database=str(data_folder(environment) / FILE_NAME)).render_as_string()


def several_servers(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether other page servers may work on the same database, on this machine or another."""
    return not database_url(environment).startswith("sqlite")


class Database:
    """An open database. Safe to share between threads: every call takes its own connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str | None = None) -> Self:
        """Connect, and make the tables of an empty database. Raises InputError with one sentence."""
        parsed = _parsed(url if url is not None else database_url())
        shown = parsed.render_as_string(hide_password=True)
        try:
            database = cls(_engine(parsed))
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise InputError(
                f"The database {shown} needs a driver that is not installed: {error}."
            ) from error
        except OSError as error:
            raise InputError(f"The database {shown} cannot be opened: {error}.") from error
        try:
            with database.write() as connection:
                _make_tables(connection, shown)
        except BaseException as error:
            database.close()
            cause = error.__cause__
            if isinstance(cause, SQLAlchemyError):  # what write() made a sentence of says less here
                error = cause
            if isinstance(error, SQLAlchemyError):
                reason = str(getattr(error, "orig", None) or error).splitlines()[0]
                raise InputError(f"The database {shown} cannot be opened: {reason}.") from error
            raise
        return database

    @property
    def address(self) -> str:
        """For PostgreSQL's own client library, password and all: never to be shown."""
        return self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: it sees one consistent state."""
        with self._refusals(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; committed, and on disk, when the block ends without an error."""
        with (
            self._refusals(),
            self._engine.connect().execution_options(lab_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """A full disk, a folder that became read-only, a server that is gone: a sentence that names it."""
        try:
            yield
        except OperationalError as error:
            reason = str(error.orig).splitlines()[0].rstrip(".")
            if self._engine.dialect.name == "sqlite":
                where = f"The folder {Path(str(self._engine.url.database)).parent}"
            else:
                where = f"The database {self._engine.url.render_as_string(hide_password=True)}"
            raise InputError(
                f"{where} did not take this: {reason}. What was saved before is safe; try again when "
                "that is mended."
            ) from error


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise InputError(
            "DATABASE_URL is not a database address. It looks like postgresql://user:password@host/name."
        ) from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url, pool_pre_ping=True)
        if engine.dialect.name not in INSERTS:
            raise InputError(f"Progress is kept in SQLite or PostgreSQL, not in {engine.dialect.name}.")
        return engine
    if not url.database or url.database == ":memory:":
        raise InputError("The database needs a file: sqlite:///path/to/file.sqlite3.")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would leave out DDL; _on_sqlite_begin does it
    _write_ahead(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Turn WAL on. Only here SQLite doesn't wait for others that open the same new file, so we do."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _on_sqlite_begin(connection: Connection) -> None:
    # A deferred transaction that turns from reading to writing fails at once when another has written
    # in between; one that says so at the start waits its turn.
    writes = connection.get_execution_options().get("lab_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_tables(connection: Connection, shown: str) -> None:
    """Make what is not there yet. Raises InputError for tables of another version than schema.VERSION."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    known = schema.schema_version
    version = None
    if inspect(connection).has_table(known.name):
        version = connection.execute(select(known.c.version)).scalar_one_or_none()
    if version is None:
        schema.metadata.create_all(connection)
        connection.execute(insert(known).values(version=schema.VERSION))
    elif version in (1, 2):  # they lack tables only
        schema.metadata.create_all(connection)
        connection.execute(update(known).values(version=schema.VERSION))
    elif version != schema.VERSION:
        raise InputError(
            f"The database {shown} has format {version}, made by a newer version of the app; this one reads "
            f"format {schema.VERSION}. Update the app, or point EMBEDDING_LAB_HOME or DATABASE_URL elsewhere."
        )


def put(connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert the row with this key, or overwrite its values."""
    row = INSERTS[connection.dialect.name](table).values(**key, **values)
    connection.execute(row.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def remove(connection: Connection, table: Table, key: Mapping[str, Any]) -> None:
    """Delete the rows with these values."""
    connection.execute(delete(table).filter_by(**key))
