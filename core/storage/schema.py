"""The tables of the database, in terms that SQLite and PostgreSQL know.

There has been one version. Whoever changes a table raises VERSION and writes, in database.py, what turns a
database of the version before into one of the new; a test opens the first version's. Moments are stored as
whole microseconds since 1970 in UTC, because SQLite would drop the time zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect

VERSION = 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class StoredTime(TypeDecorator[datetime]):
    """A timezone-aware datetime, exact to the microsecond."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + int(value) * _MICROSECOND


metadata = MetaData()

schema_version = Table("lab_schema_version", metadata, Column("version", Integer, nullable=False))

learners = Table(
    "lab_learners",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created", StoredTime, nullable=False),
)


def _learner() -> Column[int]:
    return Column("learner_id", ForeignKey("lab_learners.id", ondelete="CASCADE"), primary_key=True)


def _text_key(name: str, length: int = 120) -> Column[str]:
    return Column(name, String(length), primary_key=True)


card_states = Table(
    "lab_card_states",
    metadata,
    _learner(),
    _text_key("card_id"),
    Column("stage", String(16), nullable=False),
    Column("due", StoredTime, nullable=False),
    Column("step", Integer),
    Column("stability", Float(53)),
    Column("difficulty", Float(53)),
    Column("last_review", StoredTime),
)

reviews = Table(
    "lab_reviews",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("learner_id", ForeignKey("lab_learners.id", ondelete="CASCADE"), nullable=False),
    Column("card_id", String(120), nullable=False),
    Column("rating", Integer, nullable=False),
    Column("at", StoredTime, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("confidence", Integer),
    Column("seconds", Float(53)),
    Column("before", Text, nullable=False),  # the schedule it replaced, as JSON: undo is exact
    Index("lab_reviews_of_learner", "learner_id", "id"),
)

suspended = Table(
    "lab_suspended", metadata, _learner(), _text_key("card_id"), Column("at", StoredTime, nullable=False)
)

card_edits = Table(
    "lab_card_edits",
    metadata,
    _learner(),
    _text_key("card_id"),
    Column("card", Text, nullable=False),  # JSON
    Column("at", StoredTime, nullable=False),
)

decks = Table(
    "lab_decks",
    metadata,
    _learner(),
    _text_key("key"),
    Column("text", Text, nullable=False),  # in the deck format of core/cards/parse.py
    Column("at", StoredTime, nullable=False),
)

settings = Table(
    "lab_settings",
    metadata,
    _learner(),
    _text_key("name"),
    Column("value", Text, nullable=False),  # JSON
)

lessons = Table(
    "lab_lessons",
    metadata,
    _learner(),
    _text_key("lesson"),
    Column("value", Text, nullable=False),  # JSON
    Column("at", StoredTime, nullable=False),
)

runs = Table(
    "lab_runs",
    metadata,
    _learner(),
    _text_key("run_id"),
    Column("title", String(200), nullable=False),
    Column("created", StoredTime, nullable=False),
    Column("config", Text, nullable=False),  # TrainingConfig as JSON
    Column("path", Text, nullable=False),  # relative to the data folder
    Column("size", BigInteger, nullable=False),  # bytes
)
