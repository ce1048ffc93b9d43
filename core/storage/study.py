"""What a learner studied: schedules, the log of answers, suspended and edited cards, their own decks."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, func, insert, select

from ..cards.parse import parse, write
from ..cards.types import (
    Card,
    CardState,
    Confidence,
    Deck,
    Rating,
    Review,
    Stage,
    StoredState,
    StudyMode,
    in_utc,
)
from ..data.schema import from_json, storable
from ..types import InputError
from . import schema
from .database import Database, put, remove
from .learners import lock

R = TypeVar("R")
T = TypeVar("T")

MAX_OWN_DECKS = 100
CARD = TypeAdapter(Card)
STATE: TypeAdapter[CardState] = TypeAdapter(StoredState)
_log = logging.getLogger(__name__)


def states(database: Database, learner_id: int) -> dict[str, CardState]:
    """Card id -> schedule, for every card the learner has answered."""
    t = schema.card_states
    with database.read() as connection:
        rows = connection.execute(select(t).where(t.c.learner_id == learner_id)).mappings().all()
    return {state.card_id: state for state in _readable(rows, _state)}


def log(database: Database, learner_id: int) -> tuple[Review, ...]:
    """The learner's answers, oldest first."""
    t = schema.reviews
    query = select(t).where(t.c.learner_id == learner_id).order_by(t.c.id)
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
    return tuple(_readable(rows, _review))


def record(database: Database, learner_id: int, review: Review, after: CardState) -> None:
    """Keep an answer and the schedule it leads to; both are on disk when this returns.

    Raises InputError when the card was answered elsewhere since `review.before` was read (two
    tabs, a double click): the first answer stands.
    """
    assert review.card_id == after.card_id
    with database.write() as connection:
        lock(connection, learner_id)
        if _stored_state(connection, learner_id, review.card_id) != _begun(review.before):
            raise InputError("This card was answered in another tab a moment ago. That answer stands.")
        connection.execute(insert(schema.reviews).values(learner_id=learner_id, **review_values(review)))
        put(connection, schema.card_states, _key(learner_id, after.card_id), state_values(after))


def undo(database: Database, learner_id: int) -> Review | None:
    """Take the learner's last answer back, exactly; it is returned. None when there is none."""
    t = schema.reviews
    with database.write() as connection:
        lock(connection, learner_id)
        query = select(t).where(t.c.learner_id == learner_id).order_by(t.c.id.desc()).limit(1)
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        review = _review(row)
        remove(connection, t, {"id": row["id"]})
        key = _key(learner_id, review.card_id)
        if review.before.stage is Stage.NEW:
            remove(connection, schema.card_states, key)
        else:
            put(connection, schema.card_states, key, state_values(review.before))
        return review


def suspended(database: Database, learner_id: int) -> frozenset[str]:
    t = schema.suspended
    with database.read() as connection:
        return frozenset(connection.scalars(select(t.c.card_id).where(t.c.learner_id == learner_id)))


def suspend(database: Database, learner_id: int, card_id: str, now: datetime) -> None:
    """Keep a card out of every plan until it is resumed; its schedule stays."""
    with database.write() as connection:
        put(connection, schema.suspended, _key(learner_id, card_id), {"at": now})


def resume(database: Database, learner_id: int, card_id: str) -> None:
    with database.write() as connection:
        remove(connection, schema.suspended, _key(learner_id, card_id))


def edits(database: Database, learner_id: int) -> dict[str, Card]:
    """Card id -> the learner's own version of that card."""
    t = schema.card_edits
    with database.read() as connection:
        rows = connection.execute(select(t.c.card_id, t.c.card).where(t.c.learner_id == learner_id)).all()
    return dict(_readable(rows, lambda row: (row[0], from_json(CARD, row[1]))))


def save_edit(database: Database, learner_id: int, card: Card, now: datetime) -> None:
    """Keep the learner's version of a card. Raises InputError for one without question or answer."""
    text = json.dumps(asdict(from_json(CARD, json.dumps(asdict(card)))))
    with database.write() as connection:
        key = _key(learner_id, card.id)
        put(connection, schema.card_edits, key, {"card": text, "at": now})


def drop_edit(database: Database, learner_id: int, card_id: str) -> None:
    """Go back to the card as it was shipped."""
    with database.write() as connection:
        remove(connection, schema.card_edits, _key(learner_id, card_id))


def own_decks(database: Database, learner_id: int) -> tuple[Deck, ...]:
    """The learner's decks by key."""
    t = schema.decks
    query = select(t.c.key, t.c.text).where(t.c.learner_id == learner_id).order_by(t.c.key)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return tuple(_readable(rows, lambda row: parse(row[1], row[0])))


def left_out(database: Database, learner_id: int) -> int:
    """How many stored schedules, answers, edited cards and decks cannot be read, and so are not shown."""
    tables = (schema.card_states, schema.reviews, schema.card_edits, schema.decks)
    counts = [select(func.count()).select_from(t).where(t.c.learner_id == learner_id) for t in tables]
    with database.read() as connection:
        stored = sum(connection.execute(count).scalar_one() for count in counts)
    shown = (read(database, learner_id) for read in (states, log, edits, own_decks))
    return int(stored) - sum(map(len, shown))


def save_deck(database: Database, learner_id: int, deck: Deck, now: datetime) -> None:
    """Keep a deck of the learner, or overwrite the one with its key."""
    t = schema.decks
    text = storable(write(deck))
    assert parse(text, deck.key) == deck, "a deck must survive its own text form"
    with database.write() as connection:
        lock(connection, learner_id)
        count = select(func.count()).select_from(t)
        others = count.where(t.c.learner_id == learner_id, t.c.key != deck.key)
        if connection.execute(others).scalar_one() >= MAX_OWN_DECKS:
            raise InputError(
                f"You have {MAX_OWN_DECKS} decks of your own, the most there can be. Delete one."
            )
        key = {"learner_id": learner_id, "key": deck.key}
        put(connection, t, key, {"text": text, "at": now})


def delete_deck(database: Database, learner_id: int, deck_key: str) -> None:
    """Remove a deck; the schedules of its cards stay, in case it comes back."""
    with database.write() as connection:
        remove(connection, schema.decks, {"learner_id": learner_id, "key": deck_key})


def with_edits(cards: Iterable[Card], edits: dict[str, Card]) -> tuple[Card, ...]:
    """The cards, each in the learner's own version where there is one."""
    return tuple(edits.get(card.id, card) for card in cards)


def state_values(state: CardState) -> dict[str, object]:
    """The columns of a schedule besides its key."""
    return {
        "stage": state.stage.value,
        "due": state.due,
        "step": state.step,
        "stability": state.stability,
        "difficulty": state.difficulty,
        "last_review": state.last_review,
    }


def review_values(review: Review) -> dict[str, object]:
    """The columns of an answer besides its id and learner."""
    return {
        "card_id": review.card_id,
        "rating": int(review.rating),
        "at": review.at,
        "mode": review.mode.value,
        "confidence": None if review.confidence is None else int(review.confidence),
        "seconds": review.seconds,
        "before": STATE.dump_json(review.before).decode(),
    }


def _readable(rows: Iterable[R], read: Callable[[R], T]) -> Iterator[T]:
    """What is read of the rows. One that cannot be (written by hand, let in by an earlier version) is left
    out: it would close the page to its learner for ever."""
    for row in rows:
        try:
            yield read(row)
        except (InputError, ValueError) as error:
            _log.warning("A stored row cannot be read: %.200s", error)


def _state(row: RowMapping) -> CardState:
    return CardState(
        row["card_id"],
        Stage(row["stage"]),
        in_utc(row["due"]),
        row["step"],
        row["stability"],
        row["difficulty"],
        row["last_review"],
    )


def _review(row: RowMapping) -> Review:
    return Review(
        row["card_id"],
        Rating(row["rating"]),
        in_utc(row["at"]),
        from_json(STATE, row["before"]),
        StudyMode(row["mode"]),
        None if row["confidence"] is None else Confidence(row["confidence"]),
        row["seconds"],
    )


def _key(learner_id: int, card_id: str) -> dict[str, object]:
    return {"learner_id": learner_id, "card_id": card_id}


def _begun(state: CardState) -> CardState | None:
    """What is stored for this schedule: nothing while the card is new."""
    return None if state.stage is Stage.NEW else state


def _stored_state(connection: Connection, learner_id: int, card_id: str) -> CardState | None:
    t = schema.card_states
    query = select(t).where(t.c.learner_id == learner_id, t.c.card_id == card_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else next(_readable((row,), _state), None)
