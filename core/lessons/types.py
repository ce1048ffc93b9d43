"""A lesson as frozen values: its steps, one class a kind. core/lessons/reader.py reads them from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..types import InputError
from .outcomes import MEASUREMENTS, Measurement
from .preparation import Experiment, Prepared, prepare


@dataclass(frozen=True, slots=True)
class Read:
    """Words to read."""

    title: str
    text: str
    kind = "read"


@dataclass(frozen=True, slots=True)
class Look:
    """Something to try: sentences that the learner may change, and what the base model makes of them.

    `show`: the numbers of one sentence, the cosines of several, or the map of the experiment's sentences.
    """

    title: str
    text: str
    show: str
    sentences: tuple[str, ...]
    kind = "look"


@dataclass(frozen=True, slots=True)
class Predict:
    """A question answered before it is measured. `options` and `because` go from outcomes to words."""

    title: str
    text: str
    question: str
    measure: str
    options: tuple[tuple[str, str], ...]
    after: str
    because: tuple[tuple[str, str], ...]
    texts: tuple[str, ...]
    editable: bool
    limits: tuple[float, ...]
    also: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...]
    kind = "predict"

    @property
    def measurement(self) -> Measurement:
        return MEASUREMENTS[self.measure]


@dataclass(frozen=True, slots=True)
class Explain:
    """A question for the learner's own words; `hint` is shown once they are written."""

    title: str
    text: str
    hint: str
    kind = "explain"


@dataclass(frozen=True, slots=True)
class Cards:
    """Flashcards that belong to the lesson, by their ids."""

    title: str
    text: str
    cards: tuple[str, ...]
    kind = "cards"


Step = Read | Look | Predict | Explain | Cards


@dataclass(frozen=True, slots=True)
class Lesson:
    """`key` is the file name without .toml."""

    key: str
    title: str
    summary: str
    minutes: int
    order: int
    experiment: Experiment | None
    steps: tuple[Step, ...]

    def prepared(self, step: Predict | None = None, seed: int = 7) -> Prepared:
        """What the step trains or measures. Raises InputError where the lesson has no experiment."""
        if self.experiment is None:
            raise InputError("This lesson has no [experiment].")
        return prepare(self.experiment, step.settings if step is not None else (), seed)
