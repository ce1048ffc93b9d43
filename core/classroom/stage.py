"""Where the room stands: the list of activities, the one that is on, and its votes in two rounds.

Votes are hidden until the teacher reveals them; `tally` is for the teacher and for what was revealed.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from ..storage import schema
from ..storage.database import Database, put
from ..types import InputError, IntArray
from .activities import ACTIVITY, AnyActivity, PredictActivity
from .rooms import changed, still_open

MAX_ACTIVITIES = 60
ROUNDS = (1, 2)


class Phase(StrEnum):
    OPEN = "open"
    CLOSED = "closed"  # nothing more is taken
    REVEALED = "revealed"  # and everybody sees what came of it


@dataclass(frozen=True, slots=True)
class Staged:
    """An activity in a room's list, as it stands. `outcome` is what came out, once that is known."""

    number: int
    content: AnyActivity
    phase: Phase
    round: int
    outcome: Any = None


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes of a question: `bars` (rounds, bins) counts, what each bin is called, and `changes`
    (bins, bins): how many went from one bin to another between the rounds, None with one round."""

    labels: tuple[str, ...]
    bars: IntArray
    changes: IntArray | None

    @property
    def changed(self) -> tuple[int, int]:
        """(how many answered otherwise the second time, of how many who answered twice)."""
        if self.changes is None:
            return 0, 0
        return int(self.changes.sum() - np.trace(self.changes)), int(self.changes.sum())


def activities(database: Database, room_id: int) -> tuple[Staged, ...]:
    """The room's list, in its order."""
    t = schema.room_activities
    query = select(t).where(t.c.room_id == room_id).order_by(t.c.place, t.c.number)
    with database.read() as connection:
        return tuple(map(_staged, connection.execute(query).mappings()))


def activity(database: Database, room_id: int, number: int | None) -> Staged | None:
    """One of them, None before the first and for one that was taken away."""
    if number is None:
        return None
    with database.read() as connection:
        row = _row(connection, room_id, number)
    return None if row is None else _staged(row)


def add(database: Database, room_id: int, more: Iterable[AnyActivity]) -> tuple[int, ...]:
    """Put these at the end of the list: their numbers. Raises InputError when there are too many."""
    t, numbers = schema.room_activities, []
    with database.write() as connection:
        here = t.c.room_id == room_id
        count, last, place = connection.execute(
            select(func.count(), func.max(t.c.number), func.max(t.c.place)).where(here)
        ).one()
        for i, content in enumerate(more, start=1):
            if count + i > MAX_ACTIVITIES:
                raise InputError(f"A room has at most {MAX_ACTIVITIES} activities. Take some away first.")
            number = (last or 0) + i
            values = {"place": (place or 0) + i, "content": ACTIVITY.dump_json(content).decode()}
            fresh = {"phase": Phase.OPEN, "round": 1}
            connection.execute(insert(t).values(room_id=room_id, number=number, **values, **fresh))
            numbers.append(number)
        changed(connection, room_id, everybody=False)
    return tuple(numbers)


def take_away(database: Database, room_id: int, number: int) -> None:
    """Remove an activity with all that was answered. Raises InputError for the one that is on."""
    with database.write() as connection:
        on = connection.execute(select(schema.rooms.c.activity).where(schema.rooms.c.id == room_id)).scalar()
        if on == number:
            raise InputError("This activity is on. Move the room to another one first.")
        for t, column in (
            (schema.room_votes, "activity"),
            (schema.room_entries, "activity"),
            (schema.room_activities, "number"),
        ):
            connection.execute(delete(t).where(t.c.room_id == room_id, t.c[column] == number))
        changed(connection, room_id, everybody=False)


def shift(database: Database, room_id: int, number: int, by: int) -> None:
    """Exchange an activity with the one before (-1) or behind it (1) in the list."""
    t = schema.room_activities
    with database.write() as connection:
        query = select(t.c.number).where(t.c.room_id == room_id).order_by(t.c.place, t.c.number)
        order = list(connection.scalars(query))
        i = order.index(number) if number in order else -1
        if i < 0 or not 0 <= i + by < len(order):
            return
        order[i], order[i + by] = order[i + by], order[i]
        for place, one in enumerate(order, start=1):
            here = (t.c.room_id == room_id) & (t.c.number == one)
            connection.execute(update(t).where(here).values(place=place))
        changed(connection, room_id, everybody=False)


def move_to(database: Database, room_id: int, number: int | None, now: datetime) -> None:
    """Lead the room to an activity; None leads it back to waiting. Raises InputError when it is over."""
    with database.write() as connection:
        still_open(connection, room_id, now)
        if number is not None and _row(connection, room_id, number) is None:
            raise InputError("This activity is no longer in the list.")
        connection.execute(update(schema.rooms).where(schema.rooms.c.id == room_id).values(activity=number))
        changed(connection, room_id)


def set_phase(database: Database, room_id: int, number: int, phase: Phase) -> None:
    """Open, close or reveal an activity."""
    _change(database, room_id, number, {"phase": phase})


def second_round(database: Database, room_id: int, number: int) -> None:
    """Let everybody vote again; the votes of the first round stay as they are, and hidden."""
    _change(database, room_id, number, {"phase": Phase.OPEN, "round": 2})


def set_outcome(database: Database, room_id: int, number: int, outcome: Any) -> None:
    """Keep what came out: any JSON value."""
    _change(database, room_id, number, {"outcome": json.dumps(outcome)})


def vote(database: Database, room_id: int, member: int, number: int, value: float, now: datetime) -> None:
    """Keep a learner's vote, one for each round; a later one replaces it. `value` is an option's place or a
    number. Raises InputError for one that comes too late or is no answer to this question."""
    with database.write() as connection:
        on = still_open(connection, room_id, now)
        row = _row(connection, room_id, number)
        if row is None or on != number:
            raise InputError("The class has moved on to something else; this vote was not counted.")
        staged = _staged(row)
        if staged.phase is not Phase.OPEN:
            raise InputError("Voting is closed; this vote was not counted.")
        if not isinstance(staged.content, PredictActivity):
            raise InputError("There is nothing to vote on here.")
        _check(staged.content, value)
        key = {"room_id": room_id, "activity": number, "round": staged.round, "member": member}
        put(connection, schema.room_votes, key, {"value": float(value)})
        changed(connection, room_id, everybody=False)


def own_votes(database: Database, room_id: int, number: int, member: int) -> dict[int, float]:
    """Round -> what this learner voted."""
    t = schema.room_votes
    query = select(t.c.round, t.c.value).where(
        t.c.room_id == room_id, t.c.activity == number, t.c.member == member
    )
    with database.read() as connection:
        return {int(round_): value for round_, value in connection.execute(query)}


def votes(database: Database, room_id: int, number: int) -> dict[int, dict[int, float]]:
    """Round -> member -> vote, for the teacher and the tally."""
    t = schema.room_votes
    query = select(t.c.round, t.c.member, t.c.value).where(t.c.room_id == room_id, t.c.activity == number)
    found: dict[int, dict[int, float]] = {}
    with database.read() as connection:
        for round_, member, value in connection.execute(query):
            found.setdefault(round_, {})[member] = value
    return found


def tally(content: PredictActivity, cast: Mapping[int, Mapping[int, float]]) -> Tally:
    """Count the votes: of options, or of numbers in equal parts of the allowed range."""
    labels = content.answers
    size = len(labels)
    rounds = [round_ for round_ in ROUNDS if round_ == 1 or cast.get(round_)]
    placed = {r: {m: content.place(v) for m, v in cast.get(r, {}).items()} for r in rounds}
    bars = np.zeros((len(rounds), size), np.int64)
    for i, round_ in enumerate(rounds):
        for place, count in Counter(placed[round_].values()).items():
            bars[i, place] = count
    if len(rounds) < 2:
        return Tally(labels, bars, None)
    changes = np.zeros((size, size), np.int64)
    for who, before in placed[1].items():
        if who in placed[2]:
            changes[before, placed[2][who]] += 1
    return Tally(labels, bars, changes)


def _check(content: PredictActivity, value: float) -> None:
    if content.options:
        if value not in range(len(content.options)):
            raise InputError("This is none of the answers to choose from.")
    elif not (math.isfinite(value) and content.low <= value <= content.high):
        raise InputError(f"The number must lie between {content.low:g} and {content.high:g}.")


def _change(database: Database, room_id: int, number: int, values: Mapping[str, Any]) -> None:
    t = schema.room_activities
    with database.write() as connection:
        connection.execute(update(t).where(t.c.room_id == room_id, t.c.number == number).values(**values))
        changed(connection, room_id)


def _row(connection: Connection, room_id: int, number: int) -> RowMapping | None:
    t = schema.room_activities
    return (
        connection.execute(select(t).where(t.c.room_id == room_id, t.c.number == number)).mappings().first()
    )


def _staged(row: RowMapping) -> Staged:
    outcome = None if row["outcome"] is None else json.loads(row["outcome"])
    content = ACTIVITY.validate_json(row["content"])
    return Staged(row["number"], content, Phase(row["phase"]), row["round"], outcome)
