"""All progress of a learner as one JSON file, and back: checked whole before anything is changed.

Files of saved runs are not in it. The format has its own version, apart from the database's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, TypeAdapter
from sqlalchemy import insert, select

from ..cards.parse import parse, write
from ..cards.types import Card, CardId, Stage, StoredReview, StoredState
from ..data.schema import from_json, refuse, storable
from ..types import InputError
from ..untrusted import door, json_value
from . import learners, schema, study
from .database import Database, remove

FORMAT = "embedding-lab-progress"
FORMAT_VERSION = 1
MAX_NAMED = 2_000  # settings or lessons of a learner
MAX_BYTES = 20 * 1024 * 1024  # about 60,000 answers


def _unique(name: str) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        first: dict[str, int] = {}
        for i, value in enumerate(getattr(item, name) for item in items):
            if first.setdefault(value, i) != i:
                refuse(((i, name), f"it repeats that of [{first[value]}]"))
        return items

    return check


def _short(value: JsonValue) -> JsonValue:
    learners.to_json(value, "It")
    return value


def _known_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Settings that the app reads, in the form that it reads."""
    if learners.RUN_NOTES in values:
        values[learners.RUN_NOTES] = learners.run_notes_from(values[learners.RUN_NOTES])
    if learners.PREDICTIONS in values:
        kept_ones = learners.predictions_from(values[learners.PREDICTIONS])
        values[learners.PREDICTIONS] = learners.STORED_PREDICTIONS.dump_python(kept_ones, mode="json")
    if "study" in values:
        kept = learners.study_settings_from(values["study"])
        values["study"] = {name: getattr(kept, name) for name in kept.__slots__}
    return values


@dataclass(frozen=True, slots=True)
class DeckText:
    """A deck in its text form (core/cards/parse.py)."""

    key: CardId
    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000_000), AfterValidator(storable)]


def _in_normal_form(deck: DeckText) -> DeckText:
    return DeckText(deck.key, write(parse(deck.text, deck.key)))


Named = Annotated[dict[CardId, Annotated[JsonValue, AfterValidator(_short)]], Field(max_length=MAX_NAMED)]


@dataclass(frozen=True, slots=True)
class StoredProgress:
    """What a progress file holds."""

    name: Annotated[str, AfterValidator(learners.checked_name)]
    states: Annotated[tuple[StoredState, ...], AfterValidator(_unique("card_id"))] = ()
    reviews: tuple[StoredReview, ...] = ()
    suspended: tuple[CardId, ...] = ()
    edits: Annotated[tuple[Card, ...], AfterValidator(_unique("id"))] = ()
    decks: Annotated[
        tuple[Annotated[DeckText, AfterValidator(_in_normal_form)], ...],
        Field(max_length=study.MAX_OWN_DECKS),
        AfterValidator(_unique("key")),
    ] = ()
    settings: Annotated[Named, AfterValidator(_known_settings)] = field(default_factory=dict)
    lessons: Named = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line for the person who is about to import it."""
        return (
            f"{self.name}: {len(self.states)} cards with a schedule, {len(self.reviews)} answers, "
            f"{len(self.decks)} own decks, {len(self.lessons)} lessons."
        )


PROGRESS = TypeAdapter(StoredProgress)


def export_progress(database: Database, learner_id: int, now: datetime) -> str:
    """Everything stored about a learner's studies, as JSON text."""
    table = schema.learners
    with database.read() as connection:
        name = connection.execute(select(table.c.name).where(table.c.id == learner_id)).scalar_one()
    progress = StoredProgress(
        name,
        tuple(study.states(database, learner_id).values()),
        study.log(database, learner_id),
        tuple(sorted(study.suspended(database, learner_id))),
        tuple(study.edits(database, learner_id).values()),
        tuple(DeckText(deck.key, write(deck)) for deck in study.own_decks(database, learner_id)),
        learners.settings(database, learner_id),
        learners.lesson_progress(database, learner_id),
    )
    head = {"format": FORMAT, "version": FORMAT_VERSION, "exported_at": now.isoformat()}
    return json.dumps(head | PROGRESS.dump_python(progress, mode="json"), ensure_ascii=False, indent=1)


def import_progress(database: Database, learner_id: int, progress: StoredProgress, now: datetime) -> None:
    """Replace everything a learner has by what the file holds, in one transaction.

    The learner keeps name and key; their list of saved runs stays.
    """
    with database.write() as connection:
        learners.lock(connection, learner_id)
        for table, rows in _rows(progress, now):
            remove(connection, table, {"learner_id": learner_id})
            if rows:
                connection.execute(insert(table), [{"learner_id": learner_id} | row for row in rows])


def _rows(p: StoredProgress, now: datetime) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Every table of a learner's studies with the rows it is to have."""
    begun = [s for s in p.states if s.stage is not Stage.NEW]
    edits = [{"card_id": c.id, "card": study.CARD.dump_json(c).decode(), "at": now} for c in p.edits]
    return [
        (schema.card_states, [{"card_id": s.card_id} | study.state_values(s) for s in begun]),
        (schema.reviews, [study.review_values(review) for review in p.reviews]),
        (schema.suspended, [{"card_id": card_id, "at": now} for card_id in dict.fromkeys(p.suspended)]),
        (schema.card_edits, edits),
        (schema.decks, [{"key": deck.key, "text": deck.text, "at": now} for deck in p.decks]),
        (schema.settings, [{"name": k, "value": json.dumps(v)} for k, v in p.settings.items()]),
        (schema.lessons, [{"lesson": k, "value": json.dumps(v), "at": now} for k, v in p.lessons.items()]),
    ]


@door("The file cannot be read as a progress file. Choose the file that the export made.")
def read_progress(data: bytes) -> StoredProgress:
    """A progress file, checked whole. Raises InputError that names the first place that does not fit."""
    if len(data) > MAX_BYTES:
        raise InputError(
            f"The file has {len(data) / 2**20:.1f} MB; a progress file has at most {MAX_BYTES // 2**20} MB."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("The file is not text in UTF-8. Choose the file that the export made.") from error
    content = json_value(text, "The file")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(
            "This is not a progress file of Embedding Lab. Choose the file that the export made."
        )
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(f"The file's version is {version!r:.40}; it must be a whole number from 1.")
    if version > FORMAT_VERSION:
        raise InputError(
            f"The file has format {version}, made by a newer version of the app; this one reads up to "
            f"{FORMAT_VERSION}. Update the app."
        )
    return from_json(PROGRESS, text)
