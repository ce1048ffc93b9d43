"""What a class can be asked to do, one type a kind, and how lessons and plans become lists of them.

These are also the form in which they are stored, so what is read back is checked as what is typed.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, StringConstraints, TypeAdapter, field_validator, model_validator

from ..cards.built_in import all_cards
from ..data import sentence_sets
from ..data.schema import LONGEST_TEXT, Between, Line, Table, refuse
from ..data.text import MAX_GROUP_CHARACTERS
from ..lessons.reader import load_lessons
from ..lessons.types import Cards, Explain, Lesson, Predict, Step
from ..types import InputError

MAX_OPTIONS = 6
BINS = 8  # bars of a number
TALK = "What do you think?"  # a plan's own words are for the teacher, and may answer what they ask
Group = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_GROUP_CHARACTERS)
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)]


class Activity(Table):
    """What all have in common: what everybody reads, and a note that only the teacher does."""

    title: Line
    body: Note = ""
    note: Note = ""


class CollectActivity(Activity):
    """Every learner sends up to `most` sentences, each with one of the groups."""

    kind: Literal["collect"] = "collect"
    groups: tuple[Group, ...] = Field(min_length=2, max_length=MAX_OPTIONS)
    most: Annotated[int, Between(1, 20)] = 3

    @field_validator("groups")
    @classmethod
    def _differ(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(groups)) < len(groups):
            raise ValueError("two groups have the same name")
        return groups


class PredictActivity(Activity):
    """A question: options to choose from, or without any a number from `low` to `high`.

    `lesson` and `step` (from 1) name the prediction it was made of: its outcome is then measured.
    """

    kind: Literal["predict"] = "predict"
    options: tuple[Line, ...] = Field((), max_length=MAX_OPTIONS)
    low: float = 0.0
    high: float = 100.0
    lesson: Line | None = None
    step: int = 0

    @property
    def answers(self) -> tuple[str, ...]:
        """What the bars are called: the options, or BINS equal parts of the range."""
        edges = np.linspace(self.low, self.high, BINS + 1)
        return self.options or tuple(f"{low:g} to {high:g}" for low, high in pairwise(edges))

    def words(self, value: float) -> str:
        """A vote, or what came out, as people read it."""
        return self.options[int(value)] if self.options else f"{value:g}"

    def place(self, value: float) -> int:
        """Which bar a vote belongs to."""
        if self.options:
            return int(value)
        return min(BINS - 1, int((value - self.low) / (self.high - self.low) * BINS))

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if len(self.options) == 1 or len(set(self.options)) < len(self.options):
            refuse((("options",), "a choice needs at least two options that differ"))
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            refuse((("high",), "the largest number must be above the smallest"))
        return self


class RunActivity(Activity):
    """One training run that everybody sees: of the class's sentences, of a built-in set, or a lesson's."""

    kind: Literal["run"] = "run"
    source: Literal["class", "set", "lesson"] = "class"
    set: Line | None = None
    lesson: Line | None = None
    step: int = 0
    steps: Annotated[int, Between(1, 400)] = 60
    seed: Annotated[int, Between(0, 100_000)] = 7

    @model_validator(mode="after")
    def _has_sentences(self) -> Self:
        if self.source == "set":
            try:
                sentence_sets.load_set(self.set or "")
            except InputError as error:
                refuse((("set",), str(error)))
        return self


class ExplainActivity(Activity):
    """A question for one's own words."""

    kind: Literal["explain"] = "explain"


class SittingActivity(Activity):
    """A sitting of the before-and-after test: the first, then the second with the other form."""

    kind: Literal["test"] = "test"
    sitting: Annotated[int, Between(1, 2)] = 1


class CardsActivity(Activity):
    """Flashcards to read and to keep."""

    kind: Literal["cards"] = "cards"
    cards: tuple[Line, ...] = Field(min_length=1, max_length=20)

    @field_validator("cards")
    @classmethod
    def _exist(cls, cards: tuple[str, ...]) -> tuple[str, ...]:
        known = {card.id for card in all_cards()}
        if unknown := [card for card in cards if card not in known]:
            raise ValueError(f"there is no card {unknown[0]!r}")
        return cards


AnyActivity = Annotated[
    CollectActivity | PredictActivity | RunActivity | ExplainActivity | SittingActivity | CardsActivity,
    Field(discriminator="kind"),
]
ACTIVITY: TypeAdapter[AnyActivity] = TypeAdapter(AnyActivity)


def from_lesson(lesson: Lesson) -> tuple[AnyActivity, ...]:
    """What of a lesson a class can do together, in its order."""
    return tuple(one for number in range(1, len(lesson.steps) + 1) for one in _of_step(lesson, number))


def from_plan(lesson: Lesson) -> tuple[AnyActivity, ...]:
    """The same in the order of its plan of 45 minutes, whose words become the teacher's notes."""
    found: list[AnyActivity] = []
    begin = 0
    for part in () if lesson.plan is None else lesson.plan.parts:
        note = f"Minutes {begin} to {begin + part.minutes}: {part.text}"
        begin += part.minutes
        if part.step is None:
            found.append(ExplainActivity(title=TALK, note=note[:LONGEST_TEXT]))
            continue
        for one in _of_step(lesson, part.step):
            found.append(one.model_copy(update={"note": note[:LONGEST_TEXT]}))
    return tuple(found)


def step_of(lesson: str | None, number: int) -> tuple[Lesson, Predict]:
    """The prediction of a lesson that an activity names. Raises InputError when it is not there."""
    found = next((one for one in load_lessons()[0] if one.key == lesson), None)
    step = found.steps[number - 1] if found is not None and 0 < number <= len(found.steps) else None
    if found is None or not isinstance(step, Predict):
        raise InputError(f"There is no prediction {number} in a lesson {lesson!r:.60}.")
    return found, step


def _of_step(lesson: Lesson, number: int) -> tuple[AnyActivity, ...]:
    step: Step = lesson.steps[number - 1]
    if isinstance(step, Predict):
        texts = "\n".join(f"{i}. {text}" for i, text in enumerate(step.texts, start=1))
        asked = PredictActivity(
            title=step.question,
            body="\n\n".join(part for part in (step.text, texts) if part)[:LONGEST_TEXT],
            options=tuple(step.options.values()),
            lesson=lesson.key,
            step=number,
        )
        if not step.measurement.trains:
            return (asked,)
        return (asked, RunActivity(title=step.title, source="lesson", lesson=lesson.key, step=number))
    if isinstance(step, Explain):
        return (ExplainActivity(title=step.title, body=step.text),)
    return (CardsActivity(title=step.title, cards=step.cards),) if isinstance(step, Cards) else ()
