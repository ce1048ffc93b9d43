"""What learners write: sentences of a collection, explanations in their own words, sittings of the test.

Nobody's name stands beside a text. The teacher hides, approves, edits and merges; what is hidden is shown to
nobody else and not trained on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select, update

from ..data.schema import storable
from ..data.split import make_split
from ..data.text import MAX_GROUP_CHARACTERS, clean, is_blank, same_text, sentence_id
from ..lessons.inventory import inventory
from ..lessons.sittings import InventoryRecord, from_json
from ..runs.request import RunRequest
from ..storage import schema
from ..storage.database import Database, put
from ..types import InputError, Sentence, SentenceSet, TrainingConfig
from .activities import CollectActivity, ExplainActivity, RunActivity, step_of
from .rooms import changed, still_open
from .stage import Phase, activity

MAX_SENTENCE, MAX_EXPLANATION = 200, 600  # characters, for a phone and a projector
PAIRS, HELD_OUT = 120, 0.25


class Status(StrEnum):
    SHOWN = "shown"
    WAITING = "waiting"  # for the teacher
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that a learner sent. `group` is empty for an explanation."""

    id: int
    activity: int
    member: int
    text: str
    group: str
    status: Status


def send(
    database: Database, room_id: int, member: int, number: int, text: str, group: str, now: datetime
) -> Sent:
    """Keep a sentence with its group, or an explanation. Raises InputError for one that cannot be used."""
    staged = activity(database, room_id, number)
    content = None if staged is None else staged.content
    collects = isinstance(content, CollectActivity)
    text = _checked(text, MAX_SENTENCE if collects else MAX_EXPLANATION)
    if isinstance(content, CollectActivity) and group not in content.groups:
        raise InputError("Choose one of the groups for your sentence.")
    t = schema.room_entries
    with database.write() as connection:
        on = still_open(connection, room_id, now)
        if staged is None or on != number or staged.phase is not Phase.OPEN:
            raise InputError("This is closed now; your text was not taken.")
        if not isinstance(content, CollectActivity | ExplainActivity):
            raise InputError("There is nothing to write here.")
        mine = (t.c.room_id == room_id) & (t.c.activity == number) & (t.c.member == member)
        sent = connection.execute(select(func.count()).where(mine)).scalar_one()
        most = content.most if isinstance(content, CollectActivity) else 1
        if sent >= most:
            raise InputError(f"You have sent {sent}, the most there can be.")
        waits = connection.execute(
            select(schema.rooms.c.approval).where(schema.rooms.c.id == room_id)
        ).scalar_one()
        # An explanation is shown only when the teacher chooses it.
        status = Status.WAITING if waits or not collects else Status.SHOWN
        group = group if collects else ""
        row = {"room_id": room_id, "activity": number, "member": member, "text": text}
        row |= {"group": group, "status": status}
        added = connection.execute(insert(t).values(**row)).inserted_primary_key
        assert added is not None
        changed(connection, room_id, everybody=False)
    return Sent(int(added[0]), number, member, text, group, status)


def entries(database: Database, room_id: int, number: int | None = None) -> tuple[Sent, ...]:
    """Everything that was sent, or what was to one activity, in the order it came."""
    t = schema.room_entries
    query = select(t.c.id, t.c.activity, t.c.member, t.c.text, t.c.group, t.c.status)
    query = query.where(t.c.room_id == room_id).order_by(t.c.id)
    if number is not None:
        query = query.where(t.c.activity == number)
    with database.read() as connection:
        return tuple(Sent(*row[:5], Status(row[5])) for row in connection.execute(query))


def set_status(database: Database, room_id: int, ids: Sequence[int], status: Status) -> None:
    """Hide texts, or let them be seen."""
    _update(database, room_id, ids, {"status": status})


def edit(database: Database, room_id: int, entry_id: int, text: str, group: str) -> None:
    """Change a text and its group. Raises InputError for an empty or overlong one."""
    group = clean(group[: 2 * MAX_GROUP_CHARACTERS])[:MAX_GROUP_CHARACTERS]
    _update(database, room_id, [entry_id], {"text": _checked(text, MAX_EXPLANATION), "group": group})


def merge(database: Database, room_id: int, ids: Sequence[int]) -> None:
    """Of texts that say the same only the first goes on being shown."""
    _update(database, room_id, sorted(ids)[1:], {"status": Status.HIDDEN})


def _update(database: Database, room_id: int, ids: Sequence[int], values: dict[str, Any]) -> None:
    t = schema.room_entries
    with database.write() as connection:
        connection.execute(update(t).where(t.c.room_id == room_id, t.c.id.in_(list(ids))).values(**values))
        changed(connection, room_id)


def sentence_set(found: Sequence[Sent], title: str) -> SentenceSet:
    """What is shown of the class's sentences; of a text that came twice the first."""
    texts: dict[str, Sentence] = {}
    for entry in found:
        if entry.status is Status.SHOWN and entry.group:
            sentence = Sentence(sentence_id(entry.text), entry.text, entry.group)
            texts.setdefault(same_text(entry.text), sentence)
    return SentenceSet(tuple(texts.values()), title, "class")


def run_request(content: RunActivity, of_class: SentenceSet) -> RunRequest:
    """What the room's one run is given. Raises InputError where there are too few sentences."""
    if content.source == "lesson":
        lesson, step = step_of(content.lesson, content.step)
        p = lesson.prepared(step, content.seed)
        return RunRequest(p.config, p.sentences, p.train, p.held_out)
    config = TrainingConfig(steps=content.steps, seed=content.seed)
    if content.source == "set":
        from ..data.sentence_sets import load_set

        known = load_set(content.set or "")
        config = TrainingConfig.from_mapping({**known.settings, "steps": content.steps, "seed": content.seed})
        chosen, own, share = known.sentence_set, known.pairs, known.similar_share
        split = make_split(chosen, known.pair_count, HELD_OUT, 7, pairs=own or None, similar_share=share)
    else:
        chosen = of_class
        if min((chosen.groups.count(group) for group in set(chosen.groups)), default=0) < 2:
            raise InputError("A run needs at least two groups with two sentences each. Collect some more.")
        split = make_split(chosen, PAIRS, HELD_OUT)
        if not chosen.has_groups or not split.train:
            raise InputError("A run needs at least two groups with two sentences each. Collect some more.")
    return RunRequest(config, chosen, split.train, split.held_out)


def freeze(of_class: SentenceSet) -> list[list[str | None]]:
    """The sentences that a run has begun with, as its activity's outcome keeps them."""
    return [[s.text, s.group] for s in of_class.sentences]


def frozen(outcome: Any, title: str) -> SentenceSet:
    """The reverse of freeze."""
    rows = outcome if isinstance(outcome, list) else []
    return SentenceSet(tuple(Sentence(sentence_id(t), t, g) for t, g in rows), title, "class")


def own_sittings(database: Database, room_id: int, member: int) -> InventoryRecord:
    """This learner's sittings of the before-and-after test in this room."""
    t = schema.room_tests
    with database.read() as connection:
        query = select(t.c.value).where(t.c.room_id == room_id, t.c.member == member)
        value = connection.execute(query).scalar_one_or_none()
    return from_json(None if value is None else json.loads(value), inventory())


def keep_sittings(
    database: Database, room_id: int, member: int, record: InventoryRecord, now: datetime
) -> None:
    """Keep the sittings of a learner. Raises InputError when the room is over."""
    with database.write() as connection:
        still_open(connection, room_id, now)
        key = {"room_id": room_id, "member": member}
        put(connection, schema.room_tests, key, {"value": json.dumps(record.to_json())})
        changed(connection, room_id, everybody=False)


def sittings_by_member(database: Database, room_id: int) -> dict[int, InventoryRecord]:
    """Everybody's."""
    t = schema.room_tests
    query = select(t.c.member, t.c.value).where(t.c.room_id == room_id).order_by(t.c.member)
    with database.read() as connection:
        return {who: from_json(json.loads(value), inventory()) for who, value in connection.execute(query)}


def all_sittings(database: Database, room_id: int) -> tuple[InventoryRecord, ...]:
    """The same without whose they are."""
    return tuple(sittings_by_member(database, room_id).values())


def _checked(text: str, most: int) -> str:
    if len(text) > 4 * most:
        raise InputError(f"The text has {len(text):,} characters; at most {most} are allowed.")
    line = storable(clean(text))
    if is_blank(line):
        raise InputError("The text is empty. Write a sentence first.")
    if len(line) > most:
        raise InputError(f"The text has {len(line)} characters; at most {most} are allowed.")
    return line
