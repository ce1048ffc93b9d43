"""All progress of a learner as one JSON file, and back: checked whole before anything is changed.

Files of saved runs are not in it. The format has its own version, apart from the database's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from ..cards.parse import parse, write
from ..cards.types import Card, CardState, Deck, Review, Stage
from ..types import InputError
from . import codec, schema
from .learners import LearnerTables, checked_name, study_settings_from, to_json
from .study import MAX_OWN_DECKS, StudyTables, review_values, state_values

FORMAT = "embedding-lab-progress"
FORMAT_VERSION = 1
MAX_BYTES = 20 * 1024 * 1024  # about 60,000 answers


@dataclass(frozen=True, slots=True)
class Progress:
    """A progress file, read and checked."""

    name: str
    states: tuple[CardState, ...]
    reviews: tuple[Review, ...]
    suspended: tuple[str, ...]
    edits: tuple[Card, ...]
    decks: tuple[Deck, ...]
    settings: dict[str, Any]
    lessons: dict[str, Any]

    @property
    def summary(self) -> str:
        """One line for the person who is about to import it."""
        return (
            f"{self.name}: {len(self.states)} cards with a schedule, {len(self.reviews)} answers, "
            f"{len(self.decks)} own decks, {len(self.lessons)} lessons."
        )


class TransferTables(StudyTables, LearnerTables):
    def export_progress(self, learner_id: int, now: datetime) -> str:
        """Everything stored about a learner's studies, as JSON text."""
        table = schema.learners
        with self.read() as connection:
            name = connection.execute(select(table.c.name).where(table.c.id == learner_id)).scalar_one()
        content = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "exported_at": now.isoformat(),
            "name": name,
            "states": [codec.state_to_json(state) for state in self.states(learner_id).values()],
            "reviews": [codec.review_to_json(review) for review in self.log(learner_id)],
            "suspended": sorted(self.suspended(learner_id)),
            "edits": [codec.card_to_json(card) for card in self.edits(learner_id).values()],
            "decks": [{"key": deck.key, "text": write(deck)} for deck in self.own_decks(learner_id)],
            "settings": self.settings(learner_id),
            "lessons": self.lesson_progress(learner_id),
        }
        return json.dumps(content, ensure_ascii=False, indent=1)

    def import_progress(self, learner_id: int, progress: Progress, now: datetime) -> None:
        """Replace everything a learner has by what the file holds, in one transaction.

        The learner keeps name and key; their list of saved runs stays.
        """
        with self.write() as connection:
            self._lock(connection, learner_id)
            for table in _TABLES:
                connection.execute(delete(table).where(table.c.learner_id == learner_id))
            for table, rows in _rows(progress, now):
                if rows:
                    connection.execute(insert(table), [{"learner_id": learner_id} | row for row in rows])


_TABLES = (
    schema.card_states,
    schema.reviews,
    schema.suspended,
    schema.card_edits,
    schema.decks,
    schema.settings,
    schema.lessons,
)


def _rows(p: Progress, now: datetime) -> list[tuple[Any, list[dict[str, Any]]]]:
    states = [{"card_id": s.card_id} | state_values(s) for s in p.states]
    edits = [{"card_id": c.id, "card": json.dumps(codec.card_to_json(c)), "at": now} for c in p.edits]
    return [
        (schema.card_states, states),
        (schema.reviews, [review_values(review) for review in p.reviews]),
        (schema.suspended, [{"card_id": card_id, "at": now} for card_id in p.suspended]),
        (schema.card_edits, edits),
        (schema.decks, [{"key": deck.key, "text": write(deck), "at": now} for deck in p.decks]),
        (schema.settings, [{"name": k, "value": json.dumps(v)} for k, v in p.settings.items()]),
        (schema.lessons, [{"lesson": k, "value": json.dumps(v), "at": now} for k, v in p.lessons.items()]),
    ]


def read_progress(data: bytes) -> Progress:
    """A progress file, checked whole. Raises InputError that names the first place that does not fit."""
    if len(data) > MAX_BYTES:
        raise InputError(
            f"The file has {len(data) / 2**20:.1f} MB; a progress file has at most {MAX_BYTES // 2**20} MB."
        )
    content = _json(data)
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
    states = tuple(codec.state_from_json(v, w) for v, w in _list(content, "states"))
    _unique([state.card_id for state in states], "states", "card_id")
    edits = tuple(codec.card_from_json(v, w) for v, w in _list(content, "edits"))
    _unique([card.id for card in edits], "edits", "id")
    suspended = [
        codec.text({"card_id": v}, "card_id", w, codec.MAX_ID) for v, w in _list(content, "suspended")
    ]
    return Progress(
        name=checked_name(codec.text(content, "name", "file", 1000)),
        states=tuple(state for state in states if state.stage is not Stage.NEW),
        reviews=tuple(codec.review_from_json(v, w) for v, w in _list(content, "reviews")),
        suspended=tuple(dict.fromkeys(suspended)),
        edits=edits,
        decks=_decks(content),
        settings=_settings(content),
        lessons=_named_values(content, "lessons"),
    )


def _json(data: bytes) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise InputError(f"The file is not valid JSON: line {error.lineno}, {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            "The file is not valid JSON text in UTF-8. Choose the file that the export made."
        ) from error


def _list(content: dict[str, Any], name: str) -> list[tuple[Any, str]]:
    """(item, where it stands) for a list that may be absent."""
    value = content.get(name, [])
    if not isinstance(value, list):
        raise InputError(f"{name} must be a list.")
    return [(item, f"{name}[{i}]") for i, item in enumerate(value)]


def _unique(values: list[str], name: str, field: str) -> None:
    first: dict[str, int] = {}
    for i, value in enumerate(values):
        if value in first:
            raise InputError(f"{name}[{i}].{field} repeats that of {name}[{first[value]}].")
        first[value] = i


def _decks(content: dict[str, Any]) -> tuple[Deck, ...]:
    decks = []
    for value, where in _list(content, "decks"):
        data = codec.mapping(value, where)
        key = codec.text(data, "key", where, codec.MAX_ID)
        text = codec.text(data, "text", where, 10_000_000)
        try:
            decks.append(parse(text, key))
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    if len(decks) > MAX_OWN_DECKS:
        raise InputError(f"decks holds {len(decks)} decks; at most {MAX_OWN_DECKS} are allowed.")
    _unique([deck.key for deck in decks], "decks", "key")
    return tuple(decks)


def _settings(content: dict[str, Any]) -> dict[str, Any]:
    settings = _named_values(content, "settings")
    if "study" in settings:
        kept = study_settings_from(settings["study"])
        settings["study"] = {name: getattr(kept, name) for name in kept.__slots__}
    return settings


def _named_values(content: dict[str, Any], name: str) -> dict[str, Any]:
    values = codec.mapping(content.get(name, {}), name)
    for key, value in values.items():
        codec.text({"name": key}, "name", name, codec.MAX_ID)
        to_json(value, f"{name}.{key[:40]}")
    return dict(values)
