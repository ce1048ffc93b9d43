"""Cards, schedules and reviews as plain JSON values and back, every value checked on its way in.

Used for the columns that hold JSON and for the progress file. Errors name the place: "reviews[3].rating".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar

from ..cards.types import Card, CardState, Confidence, Rating, Review, Stage, StudyMode
from ..types import InputError

E = TypeVar("E", bound=Enum)
MAX_ID = 120
MAX_TEXT = 100_000


def state_to_json(state: CardState) -> dict[str, Any]:
    return {
        "card_id": state.card_id,
        "stage": state.stage.value,
        "due": state.due.isoformat(),
        "step": state.step,
        "stability": state.stability,
        "difficulty": state.difficulty,
        "last_review": state.last_review.isoformat() if state.last_review else None,
    }


def state_from_json(value: Any, where: str) -> CardState:
    data = mapping(value, where)
    stage = _member(Stage, data, "stage", where)
    state = CardState(
        card_id=text(data, "card_id", where, MAX_ID),
        stage=stage,
        due=moment(data, "due", where),
        step=_integer_or_none(data, "step", where, 0, 100),
        stability=_number_or_none(data, "stability", where, 1e-6, 1e6),
        difficulty=_number_or_none(data, "difficulty", where, 1.0, 10.0),
        last_review=None if data.get("last_review") is None else moment(data, "last_review", where),
    )
    for name in ("stability", "difficulty", "last_review"):
        if stage is not Stage.NEW and getattr(state, name) is None:
            raise InputError(f"{where}.{name} is missing; a card in stage {stage.value!r} has one.")
    if stage in (Stage.LEARNING, Stage.RELEARNING) and state.step is None:
        raise InputError(f"{where}.step is missing; a card in stage {stage.value!r} has one.")
    return state


def review_to_json(review: Review) -> dict[str, Any]:
    return {
        "card_id": review.card_id,
        "rating": int(review.rating),
        "at": review.at.isoformat(),
        "mode": review.mode.value,
        "confidence": None if review.confidence is None else int(review.confidence),
        "seconds": review.seconds,
        "before": state_to_json(review.before),
    }


def review_from_json(value: Any, where: str) -> Review:
    data = mapping(value, where)
    before = state_from_json(data.get("before"), f"{where}.before")
    identifier = text(data, "card_id", where, MAX_ID)
    if before.card_id != identifier:
        raise InputError(f"{where}.before belongs to another card than {where}.")
    confidence = None if data.get("confidence") is None else _member(Confidence, data, "confidence", where)
    return Review(
        card_id=identifier,
        rating=_member(Rating, data, "rating", where),
        at=moment(data, "at", where),
        before=before,
        mode=_member(StudyMode, data, "mode", where),
        confidence=confidence,
        seconds=_number_or_none(data, "seconds", where, 0.0, 1e7),
    )


def card_to_json(card: Card) -> dict[str, Any]:
    return asdict(card) | {"choices": list(card.choices)}


def card_from_json(value: Any, where: str) -> Card:
    data = mapping(value, where)
    texts = {
        name: text(data, name, where, MAX_TEXT, may_be_empty=name not in ("question", "answer"))
        for name in ("title", "question", "answer", "background", "source", "wrong", "live")
    }
    choices = data.get("choices", [])
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise InputError(f"{where}.choices must be a list of texts.")
    for choice in choices:
        text({"choice": choice}, "choice", where, MAX_TEXT)
    return Card(id=text(data, "id", where, MAX_ID), choices=tuple(choices), **texts)


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be an object with named values.")
    return value


def text(data: Mapping[str, Any], name: str, where: str, longest: int, may_be_empty: bool = False) -> str:
    value = data.get(name)
    if not isinstance(value, str) or (not value and not may_be_empty):
        raise InputError(f"{where}.{name} must be a text.")
    if len(value) > longest:
        raise InputError(f"{where}.{name} has {len(value):,} characters; at most {longest:,} are allowed.")
    return storable(value, f"{where}.{name}")


def storable(value: str, where: str) -> str:
    """The text itself, or InputError for what no database keeps (zero bytes, half characters)."""
    if "\x00" in value or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise InputError(f"{where} holds a character that cannot be saved. Remove it.")
    return value


def moment(data: Mapping[str, Any], name: str, where: str) -> datetime:
    """An ISO 8601 moment with its time zone, in UTC."""
    value = data.get(name)
    try:
        parsed = datetime.fromisoformat(value)  # type: ignore[arg-type]
        if parsed.tzinfo is None:
            raise ValueError("no time zone")
        return parsed.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{where}.{name} is {value!r:.60}; it must be a moment such as 2026-03-02T09:00:00+00:00."
        ) from error


def _member(kind: type[E], data: Mapping[str, Any], name: str, where: str) -> E:
    value = data.get(name)
    try:
        if isinstance(value, bool):
            raise ValueError
        return kind(value)
    except ValueError as error:
        allowed = ", ".join(repr(member.value) for member in kind)
        raise InputError(f"{where}.{name} is {value!r:.60}; allowed are {allowed}.") from error


def _number_or_none(data: Mapping[str, Any], name: str, where: str, low: float, high: float) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise InputError(f"{where}.{name} is {value!r:.60}; allowed are numbers from {low:g} to {high:g}.")
    return float(value)


def _integer_or_none(data: Mapping[str, Any], name: str, where: str, low: int, high: int) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{where}.{name} is {value!r:.60}; allowed are whole numbers from {low} to {high}.")
    return value
