"""Learners, their settings, their way through the lessons and the list of their saved runs.

A learner is a chosen name plus a random key; only the key's hash is stored, so the file gives no key
away. There is no account and no password.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, insert, select

from ..cards.schedule import StudySettings
from ..data.schema import storable
from ..types import InputError, TrainingConfig
from . import schema
from .database import Database, put, remove

MAX_NAME = 40
RUN_NOTES = "run_notes"  # the setting that holds run id -> note
PREDICTIONS = "predictions"  # the setting that holds question -> prediction
OPENS_REVEALED = "opens_revealed"  # whether a question met before hides its answer no more
MOST_PREDICTIONS = 400  # the newest are kept
MAX_JSON = 200_000  # characters of one setting or one lesson's progress


@dataclass(frozen=True, slots=True)
class Learner:
    id: int
    name: str
    created: datetime


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A line of the run list; the run itself lies in files under `path`, relative to the data folder."""

    id: str
    title: str
    created: datetime
    config: TrainingConfig
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """A guess at a question, and what came out. No guess: the answer was looked at without one. No outcome:
    nothing was measured yet."""

    question: str
    guess: str | None
    outcome: str | None
    at: datetime

    @property
    def is_right(self) -> bool:
        return self.guess is not None and self.guess == self.outcome


STORED_PREDICTIONS = TypeAdapter(dict[str, Prediction])


def new_key() -> str:
    """A fresh learner key: 128 random bits from the system."""
    return secrets.token_urlsafe(16)


def checked_name(name: str) -> str:
    """The name in normal form. Raises InputError for an empty, overlong or unprintable one."""
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    if not clean:
        raise InputError("The name is empty. Choose a name of up to 40 characters.")
    if len(clean) > MAX_NAME:
        raise InputError(f"The name has {len(clean)} characters; at most {MAX_NAME} are allowed.")
    if not clean.isprintable():
        raise InputError("The name holds a character that cannot be shown. Use letters, digits and signs.")
    return clean


def create(database: Database, name: str, key: str, now: datetime) -> Learner:
    """A new learner under `key` (from new_key). Names may repeat; keys may not."""
    clean = checked_name(name)
    assert len(key) >= 16, "a key is long and random"
    with database.write() as connection:
        row = insert(schema.learners).values(name=clean, key_hash=hashed(key), created=now)
        result = connection.execute(row)
        assert result.inserted_primary_key is not None
        return Learner(int(result.inserted_primary_key[0]), clean, now)


def find(database: Database, key: str) -> Learner | None:
    """The learner of this key, None if nobody has it."""
    t = schema.learners
    with database.read() as connection:
        row = connection.execute(
            select(t.c.id, t.c.name, t.c.created).where(t.c.key_hash == hashed(key))
        ).first()
    return None if row is None else Learner(*row)


def lock(connection: Connection, learner_id: int) -> None:
    """Let one transaction of a learner at a time through (SQLite has one writer anyway)."""
    t = schema.learners
    found = connection.execute(select(t.c.id).where(t.c.id == learner_id).with_for_update()).first()
    if found is None:
        raise InputError("This learner is no longer stored here. Choose a name to begin again.")


def settings(database: Database, learner_id: int) -> dict[str, Any]:
    """All settings of a learner by name."""
    t = schema.settings
    with database.read() as connection:
        rows = connection.execute(select(t.c.name, t.c.value).where(t.c.learner_id == learner_id)).all()
    return {name: json.loads(value) for name, value in rows}


def set_setting(database: Database, learner_id: int, name: str, value: Any) -> None:
    """Keep any JSON value under a name."""
    encoded = to_json(value, f"The setting {name!r}")
    with database.write() as connection:
        key = {"learner_id": learner_id, "name": name}
        put(connection, schema.settings, key, {"value": encoded})


def study_settings(database: Database, learner_id: int) -> StudySettings:
    """How this learner studies; the defaults where nothing valid is stored."""
    return study_settings_from(settings(database, learner_id).get("study", {}))


def set_study_settings(database: Database, learner_id: int, settings: StudySettings) -> None:
    checked = settings.checked()
    set_setting(database, learner_id, "study", {f: getattr(checked, f) for f in StudySettings.__slots__})


def run_notes(database: Database, learner_id: int) -> dict[str, str]:
    """Run id -> what the learner noted about it."""
    return run_notes_from(settings(database, learner_id).get(RUN_NOTES))


def set_run_note(database: Database, learner_id: int, run_id: str, note: str | None) -> None:
    """Keep a note about a saved run; without one it is forgotten."""
    notes = run_notes(database, learner_id) | {run_id: note or ""}
    set_setting(database, learner_id, RUN_NOTES, {run: text for run, text in notes.items() if text})


def predictions(database: Database, learner_id: int) -> dict[str, Prediction]:
    """What the learner predicted, by question."""
    return predictions_from(settings(database, learner_id).get(PREDICTIONS))


def add_predictions(database: Database, learner_id: int, more: Mapping[str, Prediction]) -> None:
    """Keep these too; of very many the newest."""
    known = predictions(database, learner_id)
    every = sorted({**known, **more}.items(), key=lambda kept: kept[1].at)
    kept = dict(every[-MOST_PREDICTIONS:])
    set_setting(database, learner_id, PREDICTIONS, STORED_PREDICTIONS.dump_python(kept, mode="json"))


def predictions_from(value: Any) -> dict[str, Prediction]:
    """Predictions from their stored form; none when it does not fit (an edited file)."""
    try:
        return STORED_PREDICTIONS.validate_python(value or {})
    except ValidationError:
        return {}


def opens_revealed(database: Database, learner_id: int) -> bool:
    return settings(database, learner_id).get(OPENS_REVEALED) is True


def lesson_progress(database: Database, learner_id: int) -> dict[str, Any]:
    """Lesson key -> the JSON value the lesson keeps."""
    t = schema.lessons
    with database.read() as connection:
        rows = connection.execute(select(t.c.lesson, t.c.value).where(t.c.learner_id == learner_id)).all()
    return {lesson: json.loads(value) for lesson, value in rows}


def everybodys_progress(database: Database, lesson: str) -> tuple[Any, ...]:
    """The JSON values that all learners of this server keep for a lesson, without who they are, in an order
    that does not say it either."""
    t = schema.lessons
    with database.read() as connection:
        rows = connection.execute(select(t.c.value).where(t.c.lesson == lesson).order_by(t.c.value)).all()
    return tuple(json.loads(value) for (value,) in rows)


def set_lesson_progress(database: Database, learner_id: int, lesson: str, value: Any, now: datetime) -> None:
    encoded = to_json(value, f"The progress of lesson {lesson!r}")
    with database.write() as connection:
        key = {"learner_id": learner_id, "lesson": lesson}
        put(connection, schema.lessons, key, {"value": encoded, "at": now})


def save_run(database: Database, learner_id: int, run: SavedRun) -> None:
    """Put a run on the learner's list, or overwrite the line with its id."""
    values = {
        "title": storable(run.title)[:200],
        "created": run.created,
        "config": run.config.to_json(),
        "path": run.path,
        "size": run.size,
    }
    with database.write() as connection:
        put(connection, schema.runs, {"learner_id": learner_id, "run_id": run.id}, values)


def saved_runs(database: Database, learner_id: int) -> tuple[SavedRun, ...]:
    """The learner's runs, newest first."""
    t = schema.runs
    columns = (t.c.run_id, t.c.title, t.c.created, t.c.config, t.c.path, t.c.size)
    query = select(*columns).where(t.c.learner_id == learner_id).order_by(t.c.created.desc(), t.c.run_id)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return tuple(
        SavedRun(run_id, title, created, TrainingConfig.from_json(config), path, size)
        for run_id, title, created, config, path, size in rows
    )


def forget_run(database: Database, learner_id: int, run_id: str) -> None:
    """Take a run off the list; its files are the caller's to delete."""
    with database.write() as connection:
        remove(connection, schema.runs, {"learner_id": learner_id, "run_id": run_id})


def study_settings_from(value: Any) -> StudySettings:
    """Settings from their stored form; the defaults when it does not fit (a newer or edited file)."""
    if not isinstance(value, dict) or not set(value) <= set(StudySettings.__slots__):
        return StudySettings()
    if not isinstance(value.get("four_buttons", False), bool):
        return StudySettings()
    try:
        return StudySettings(**value).checked()
    except InputError:
        return StudySettings()


def run_notes_from(value: Any) -> dict[str, str]:
    """Run id -> note from their stored form; what is no note is left out."""
    notes = value.items() if isinstance(value, dict) else ()
    return {run: note for run, note in notes if isinstance(note, str)}


def to_json(value: Any, what: str) -> str:
    encoded = json.dumps(value, allow_nan=False)
    if len(encoded) > MAX_JSON:
        raise InputError(f"{what} has {len(encoded):,} characters; at most {MAX_JSON:,} are kept.")
    return encoded


def hashed(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
