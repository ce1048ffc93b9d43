"""Rooms and who is in them: opening, the code, the teacher's key, joining, the end, deleting everything.

A code is five letters that nobody confuses when read aloud or from a projector; guessing is slowed by
counting wrong codes per address. Of keys only hashes are stored.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..data.text import clean
from ..storage import schema
from ..storage.bell import ring
from ..storage.database import Database, put
from ..storage.learners import hashed
from ..types import InputError

ALPHABET = "ACDEFGHJKLMNPQRTUVWXY"  # without B (8), I, O, S (5), Z (2)
CODE_LENGTH = 5
CAPACITY = 60
HOURS = (1, 24)  # that a room may be open
KEPT = timedelta(days=30)  # that a room which has ended can still be taken home by its teacher
MOVING = timedelta(minutes=15)  # that the one-time link is good for
MAX_TITLE, MAX_NICKNAME = 80, 30
TRIES, TRIES_WITHIN = 30, timedelta(minutes=10)  # wrong codes of an address
NO_ROOM = "There is no room {code}. Check the five letters with your teacher."
OVER = "This room is over. Ask your teacher for a new code."
FULL = f"This room is full: {CAPACITY} have joined. Share a phone with somebody beside you."
NOT_YOURS = (
    "This browser does not have the teacher's key of room {code}. Another browser opened it, or took it."
)


@dataclass(frozen=True, slots=True)
class Room:
    """A room as it is now. `version` counts what everybody sees, `news` also what only the teacher does."""

    id: int
    code: str
    topic: str
    title: str
    created: datetime
    ends: datetime
    approval: bool
    activity: int | None
    version: int
    news: int

    def is_over(self, now: datetime) -> bool:
        return now >= self.ends


@dataclass(frozen=True, slots=True)
class Member:
    """Who has joined. The nickname may be empty, and only its owner and the teacher see it."""

    number: int
    nickname: str


def open_room(database: Database, title: str, key: str, hours: int, now: datetime) -> Room:
    """A new room whose teacher has `key`. Raises InputError for a title or hours that cannot be used."""
    assert len(key) >= 16, "a key is long and random"
    title = _short(title, MAX_TITLE, "title") or "Class"
    if not HOURS[0] <= hours <= HOURS[1]:
        raise InputError(f"A room is open for {HOURS[0]} to {HOURS[1]} hours, not {hours}.")
    with database.write() as connection:
        _sweep(connection, now)
        for _ in range(20):  # of four million codes one that is taken is rare
            code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
            values = {
                "code": code,
                "topic": secrets.token_urlsafe(24),
                "title": title,
                "teacher_hash": hashed(key),
                "created": now,
                "ends": now + timedelta(hours=hours),
                "approval": False,
                "version": 1,
                "news": 1,
            }
            try:
                with connection.begin_nested():
                    connection.execute(insert(schema.rooms).values(**values))
            except IntegrityError:
                continue
            return _read(connection, code)
    raise InputError("No code is free at the moment. Try again.")


def find(database: Database, code: str) -> Room:
    """The room of this code, however it was typed. Raises InputError when there is none."""
    with database.read() as connection:
        return _read(connection, code)


def by_topic(database: Database, topic: str) -> Room | None:
    """The room that is told on this topic."""
    with database.read() as connection:
        row = connection.execute(_rooms().where(schema.rooms.c.topic == topic)).mappings().first()
    return None if row is None else _room(row)


def look_up(database: Database, code: str, address: str, now: datetime) -> Room:
    """As `find`, for somebody at this address who typed a code: wrong ones are counted, and after TRIES of
    them none is looked up for a while. Raises InputError."""
    t, key = schema.code_tries, {"address_hash": hashed(address)}
    with database.read() as connection:
        row = connection.execute(select(t.c.since, t.c.count).filter_by(**key)).first()
    since, count = (now, 0) if row is None or now - row[0] > TRIES_WITHIN else (row[0], row[1])
    if count >= TRIES:
        raise InputError("Too many wrong codes came from this network. Wait ten minutes, then try again.")
    try:
        return find(database, code)
    except InputError:
        with database.write() as connection:
            put(connection, t, key, {"since": since, "count": count + 1})
        raise


def taught_by(database: Database, code: str, key: str) -> Room:
    """The room, for its teacher. Raises InputError for any other key."""
    t = schema.rooms
    room = find(database, code)
    with database.read() as connection:
        stored = connection.execute(select(t.c.teacher_hash).where(t.c.id == room.id)).scalar_one_or_none()
    if stored is None or not secrets.compare_digest(stored, hashed(key)):
        raise InputError(NOT_YOURS.format(code=room.code))
    return room


def of_teacher(database: Database, key: str) -> tuple[Room, ...]:
    """The rooms that this key opens, newest first."""
    query = _rooms().where(schema.rooms.c.teacher_hash == hashed(key)).order_by(schema.rooms.c.id.desc())
    with database.read() as connection:
        return tuple(map(_room, connection.execute(query).mappings()))


def of_learner(database: Database, key: str, now: datetime) -> tuple[Room, ...]:
    """The rooms that this learner has joined and that are not over, newest first."""
    t, m = schema.rooms, schema.room_members
    query = _rooms().join(m, m.c.room_id == t.c.id).where(m.c.key_hash == hashed(key), t.c.ends > now)
    with database.read() as connection:
        return tuple(map(_room, connection.execute(query.order_by(t.c.id.desc())).mappings()))


def moving_token(database: Database, room_id: int, now: datetime) -> str:
    """What the one-time link carries; an earlier one is worth nothing from now on."""
    token = secrets.token_urlsafe(16)
    values = {"moving_hash": hashed(token), "moving_ends": now + MOVING}
    with database.write() as connection:
        connection.execute(update(schema.rooms).where(schema.rooms.c.id == room_id).values(**values))
    return token


def move(database: Database, code: str, token: str, key: str, now: datetime) -> Room:
    """Make `key` the teacher's, with the token of a link. Raises InputError when the link is spent."""
    t, room = schema.rooms, find(database, code)
    with database.write() as connection:
        fits = (t.c.id == room.id) & (t.c.moving_hash == hashed(token)) & (t.c.moving_ends > now)
        values = {"teacher_hash": hashed(key), "moving_hash": None, "moving_ends": None}
        if not connection.execute(update(t).where(fits).values(**values)).rowcount:
            raise InputError(
                "This link has been used, or is older than fifteen minutes. Make a new one in the browser "
                "that teaches the room."
            )
        changed(connection, room.id)
    return room


def join(database: Database, room_id: int, key: str, nickname: str, now: datetime) -> Member:
    """Let the learner with this key in, or change their nickname. Raises InputError when the room is over or
    full, or the nickname cannot be used."""
    name = _short(nickname, MAX_NICKNAME, "nickname")
    t, mine = schema.room_members, hashed(key)
    with database.write() as connection:
        still_open(connection, room_id, now)
        here = (t.c.room_id == room_id) & (t.c.key_hash == mine)
        known = connection.execute(select(t.c.number).where(here)).scalar_one_or_none()
        if known is not None:
            connection.execute(update(t).where(here).values(nickname=name))
            return Member(known, name)
        count, last = connection.execute(
            select(func.count(), func.max(t.c.number)).where(t.c.room_id == room_id)
        ).one()
        if count >= CAPACITY:
            raise InputError(FULL)
        number = (last or 0) + 1
        row = {"room_id": room_id, "number": number, "key_hash": mine, "nickname": name, "joined": now}
        connection.execute(insert(t).values(**row))
        changed(connection, room_id, everybody=False)
    return Member(number, name)


def member(database: Database, room_id: int, key: str) -> Member | None:
    """The learner with this key, None who has not joined."""
    t = schema.room_members
    query = select(t.c.number, t.c.nickname).where(t.c.room_id == room_id, t.c.key_hash == hashed(key))
    with database.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else Member(*row)


def members(database: Database, room_id: int) -> tuple[Member, ...]:
    """All who have joined, for the teacher only."""
    t = schema.room_members
    query = select(t.c.number, t.c.nickname).where(t.c.room_id == room_id).order_by(t.c.number)
    with database.read() as connection:
        return tuple(Member(*row) for row in connection.execute(query))


def set_approval(database: Database, room_id: int, approval: bool) -> None:
    """Whether what learners write waits for the teacher."""
    with database.write() as connection:
        connection.execute(update(schema.rooms).where(schema.rooms.c.id == room_id).values(approval=approval))
        changed(connection, room_id)


def end(database: Database, room_id: int, now: datetime) -> None:
    """Close the room for learners; its teacher can still take everything home."""
    with database.write() as connection:
        connection.execute(update(schema.rooms).where(schema.rooms.c.id == room_id).values(ends=now))
        changed(connection, room_id)


def delete_room(database: Database, room_id: int) -> None:
    """Delete the room and everything that anybody did in it."""
    with database.write() as connection:
        ring(connection, schema.rooms.c.topic, schema.rooms.c.id == room_id)
        _delete(connection, [room_id])


def changed(connection: Connection, room_id: int, everybody: bool = True) -> None:
    """Count a change, within its transaction: of what everybody sees, or of what the teacher does."""
    t = schema.rooms
    values = {"news": t.c.news + 1} | ({"version": t.c.version + 1} if everybody else {})
    connection.execute(update(t).where(t.c.id == room_id).values(**values))
    ring(connection, t.c.topic, t.c.id == room_id)


def still_open(connection: Connection, room_id: int, now: datetime) -> int | None:
    """The activity where the room stands. Raises InputError for a room that is over or was deleted."""
    t = schema.rooms
    row = connection.execute(
        select(t.c.ends, t.c.activity).where(t.c.id == room_id).with_for_update()
    ).first()
    if row is None or now >= row[0]:
        raise InputError(OVER)
    return None if row[1] is None else int(row[1])


def _short(text: str, most: int, what: str) -> str:
    """One line of at most so many characters. Raises InputError for a longer one, whatever it holds."""
    if len(text) > 4 * most:
        raise InputError(f"The {what} has {len(text):,} characters; at most {most} are allowed.")
    line = clean(unicodedata.normalize("NFC", text))
    if len(line) > most:
        raise InputError(f"The {what} has {len(line)} characters; at most {most} are allowed.")
    if not line.isprintable():
        raise InputError(f"The {what} holds a character that cannot be shown. Use letters, digits and signs.")
    return line


def _rooms() -> Select:
    t = schema.rooms
    return select(
        *(t.c[name] for name in ("id", "code", "topic", "title", "created", "ends", "approval")),
        *(t.c[name] for name in ("activity", "version", "news")),
    )


def _room(row: RowMapping) -> Room:
    return Room(**row)


def _read(connection: Connection, code: str) -> Room:
    typed = "".join(code[:40].upper().split())
    if len(typed) == CODE_LENGTH and set(typed) <= set(ALPHABET):
        row = connection.execute(_rooms().where(schema.rooms.c.code == typed)).mappings().first()
        if row is not None:
            return _room(row)
    shown = typed if typed.isascii() and typed.isalnum() and len(typed) <= 8 else "with this code"
    raise InputError(NO_ROOM.format(code=shown))


def _sweep(connection: Connection, now: datetime) -> None:
    """Delete what ended too long ago."""
    t = schema.rooms
    _delete(connection, list(connection.scalars(select(t.c.id).where(t.c.ends < now - KEPT))))
    tries = schema.code_tries
    connection.execute(delete(tries).where(tries.c.since < now - TRIES_WITHIN))


def _delete(connection: Connection, room_ids: list[int]) -> None:
    connection.execute(delete(schema.rooms).where(schema.rooms.c.id.in_(room_ids)))
