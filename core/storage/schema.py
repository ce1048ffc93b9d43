"""The tables of the database, in terms that SQLite and PostgreSQL know.

Whoever changes a table raises VERSION and writes, in database.py, what turns a database of the version before
into one of the new; a test opens the first version's. Version 2 brought the tables of class rooms, version 3
that of visits. Moments are stored as whole microseconds since 1970 in UTC, because SQLite would drop the time
zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect

VERSION = 3

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

visits = Table(  # what a browser's next page has to find again, on whichever server that is
    "lab_visits",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    _text_key("name"),
    Column("value", Text, nullable=False),  # JSON
    Column("at", StoredTime, nullable=False, index=True),
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

# ---- class rooms: core/classroom reads and writes them ------------------------------------------------

rooms = Table(
    "lab_rooms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(5), nullable=False, unique=True),
    Column("topic", String(64), nullable=False, unique=True),  # of the push channel: the same after a restart
    Column("title", String(120), nullable=False),
    Column("teacher_hash", String(64), nullable=False),
    Column("moving_hash", String(64)),  # of the one-time link that moves the teacher's key
    Column("moving_ends", StoredTime),
    Column("created", StoredTime, nullable=False),
    Column("ends", StoredTime, nullable=False),
    Column("approval", Boolean, nullable=False),  # sentences wait until the teacher lets them be seen
    Column("activity", Integer),  # where the room stands; NULL before the first
    Column("version", Integer, nullable=False),  # of what everybody sees
    Column("news", Integer, nullable=False),  # of all that the teacher sees
)


def _room() -> Column[int]:
    return Column("room_id", ForeignKey("lab_rooms.id", ondelete="CASCADE"), primary_key=True)


room_activities = Table(
    "lab_room_activities",
    metadata,
    _room(),
    Column("number", Integer, primary_key=True),
    Column("place", Integer, nullable=False),  # in the teacher's list
    Column("content", Text, nullable=False),  # JSON
    Column("phase", String(16), nullable=False),
    Column("round", Integer, nullable=False),
    Column("outcome", Text),  # what came out, as JSON
)

room_members = Table(
    "lab_room_members",
    metadata,
    _room(),
    Column("number", Integer, primary_key=True),
    Column("key_hash", String(64), nullable=False),
    Column("nickname", String(40), nullable=False),
    Column("joined", StoredTime, nullable=False),
    UniqueConstraint("room_id", "key_hash"),
)

room_votes = Table(
    "lab_room_votes",
    metadata,
    _room(),
    Column("activity", Integer, primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("member", Integer, primary_key=True),
    Column("value", Float(53), nullable=False),  # the option's place, or the number
)

room_entries = Table(
    "lab_room_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("room_id", ForeignKey("lab_rooms.id", ondelete="CASCADE"), nullable=False),
    Column("activity", Integer, nullable=False),
    Column("member", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("group", String(60), nullable=False),
    Column("status", String(16), nullable=False),
    Index("lab_room_entries_of_room", "room_id", "activity"),
)

room_tests = Table(
    "lab_room_tests",
    metadata,
    _room(),
    Column("member", Integer, primary_key=True),
    Column("value", Text, nullable=False),  # an InventoryRecord as JSON
)

code_tries = Table(
    "lab_code_tries",
    metadata,
    Column("address_hash", String(64), primary_key=True),
    Column("since", StoredTime, nullable=False),
    Column("count", Integer, nullable=False),
)
