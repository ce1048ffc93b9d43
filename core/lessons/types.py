"""A lesson as frozen values, which are at once the schema of its file: its steps, one class a kind.

What a file must hold beyond the kinds of its values is checked here too: outcomes, counts, what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StringConstraints, ValidationInfo, field_validator, model_validator

from ..cards.built_in import all_cards
from ..data.schema import LONGEST_TEXT, Between, Line, Place, Table, Text, refuse
from ..models.registry import BASE_MODELS
from ..types import InputError
from .measurement import Measurement
from .outcomes import MEASUREMENTS
from .preparation import Experiment, Prepared, Settings, configure, prepare

TextOrNone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)]
Number = Annotated[float, Between(-1e9, 1e9)]
MAX_STEPS = 60  # each prediction prepares its experiment once while the lesson is checked
COUNTS = {"numbers": (1, 1), "cosines": (2, 12)}  # sentences that a look shows
MOST_PROJECTIONS = 4
PLANNED = 45  # minutes of a plan


class Projection(Table):
    """A flat map of the experiment's sentences, or of as many (or `count`) random vectors.

    `seed` is added to the one that the learner chose, so that two projections differ.
    """

    layout: Literal["equilibrium", "umap", "pca"] = "umap"
    neighbours: Annotated[int, Between(2, 50)] = 10
    seed: Annotated[int, Between(0, 1000)] = 0
    of: Literal["sentences", "random"] = "sentences"
    count: Annotated[int, Between(4, 300)] | None = None


class Read(Table):
    """Words to read."""

    kind: Literal["read"]
    title: Line
    text: Text


Projections = Annotated[tuple[Projection, ...], Field(max_length=MOST_PROJECTIONS)]


class Look(Table):
    """Something to try: sentences that the learner may change, and what the base model makes of them.

    `show`: the numbers of one sentence, the cosines of several, the map of the experiment's sentences, or
    several maps of them side by side.
    """

    kind: Literal["look"]
    title: Line
    text: Text
    show: Literal["numbers", "cosines", "map", "maps"]
    sentences: tuple[Line, ...] = ()
    projections: Projections = ()

    @model_validator(mode="after")
    def _maps_are_drawn(self) -> Self:
        if (self.show == "maps") != bool(self.projections):
            refuse((("projections",), 'projections are for show = "maps", which needs at least one'))
        return self

    @field_validator("sentences")
    @classmethod
    def _count(cls, sentences: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return _counted(sentences, *COUNTS.get(info.data.get("show", ""), (0, 12)))


class Predict(Table):
    """A question answered before it is measured. `options` and `because` go from outcomes to words.

    `usual` is the outcome that comes out as a rule, `misbelief` the one that a common misbelief predicts: for
    plans and the benchmark that tries them; a learner's outcome is always measured.
    """

    kind: Literal["predict"]
    title: Line
    text: TextOrNone = ""
    question: Line
    measure: Line
    after: Text
    texts: tuple[Line, ...] = ()
    options: dict[str, Text]
    because: dict[str, Text] = Field({})
    editable: StrictBool = False
    limits: tuple[Number, ...] = ()  # without any, the measurement's own
    also: tuple[Line, ...] = Field((), max_length=6)
    settings: Settings = Field({})
    projections: Projections = ()
    models: tuple[Line, ...] = Field((), max_length=4)  # keys of base models
    sample: Annotated[int, Between(0, 1000)] = 0  # pairs
    usual: Line | None = None
    misbelief: Line | None = None

    @property
    def measurement(self) -> Measurement:
        return MEASUREMENTS[self.measure]

    @property
    def rule(self) -> str:
        """What is measured, and which numbers make which outcome, for whoever is asked."""
        row, limits = self.measurement, self.limits or self.measurement.limits
        if "rises" in row.outcomes:
            return f"{row.meaning} A change of up to {limits[0]:g} counts as none."
        if "middle" in row.outcomes:
            return f"{row.meaning} The middle answer is right from {limits[0]:g} to {limits[1]:g}."
        return row.meaning + (f" Equal: within {limits[0]:g}." if "equal" in row.outcomes else "")

    @field_validator("measure")
    @classmethod
    def _known(cls, measure: str) -> str:
        if measure not in MEASUREMENTS:
            near = ", ".join(get_close_matches(measure, MEASUREMENTS, 3, 0.0))
            raise ValueError(f"there is no measurement {measure!r}. Closest are {near}")
        return measure

    @field_validator("models")
    @classmethod
    def _there(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [model for model in models if model not in BASE_MODELS]:
            raise ValueError(f"there is no model {unknown[0]!r}; there are {', '.join(BASE_MODELS)}")
        return models

    @field_validator("limits")
    @classmethod
    def _bounds(cls, limits: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        row = MEASUREMENTS.get(info.data.get("measure", ""))
        if row is None or not limits:
            return limits if row is None else row.limits
        if len(limits) != len(row.limits) or list(limits) != sorted(limits):
            example = list(row.limits) or "none at all"
            raise ValueError(f"{row.key} takes {len(row.limits)} numbers in rising order, e.g. {example}")
        return limits

    @model_validator(mode="after")
    def _every_outcome_has_words(self) -> Self:
        row = self.measurement
        refuse(*self._problems(row, row.possible(len(self.texts))))
        return self

    def _problems(self, row: Measurement, possible: tuple[str, ...]) -> Iterator[tuple[Place, str]]:
        try:
            _counted(self.texts, *row.texts)
        except ValueError as error:
            yield ("texts",), str(error)
            return
        for field, had, least in (
            ("projections", len(self.projections), row.projections),
            ("models", len(self.models), row.models),
            ("sample", self.sample, row.sample),
        ):
            if had < least:
                yield (field,), f"{row.key} needs at least {least}, and there are {had}"
        for field in ("usual", "misbelief"):
            if getattr(self, field) not in (None, *possible):
                yield (field,), f"{row.key} can only come out as {', '.join(possible)}"
        for field, words in (("options", self.options), ("because", self.because)):
            for outcome in words:
                if outcome not in possible:
                    yield (field, outcome), f"{row.key} can only come out as {', '.join(possible)}"
        if missing := [outcome for outcome in possible if outcome not in self.options]:
            told = f"{row.key} can come out as {', '.join(possible)}, and each needs its words"
            yield ("options",), f"{missing[0]} is missing; {told}"
        for key in self.also:
            if key not in MEASUREMENTS or MEASUREMENTS[key].texts != (0, 0):
                yield ("also",), f"{key!r} is no measurement that can be shown beside another"
            elif MEASUREMENTS[key].gathers not in ("", row.gathers):
                yield ("also",), f"{key} cannot stand beside {row.key}, which looks at something else"
            elif MEASUREMENTS[key].trains and not row.trains:
                yield ("also",), f"{key} needs training, and {row.key} trains nothing"


class Explain(Table):
    """A question for the learner's own words; `hint` is shown once they are written."""

    kind: Literal["explain"]
    title: Line
    text: Text
    hint: TextOrNone = ""


class Cards(Table):
    """Flashcards that belong to the lesson, by their ids."""

    kind: Literal["cards"]
    title: Line
    text: TextOrNone = ""
    cards: tuple[Line, ...] = Field(min_length=1, max_length=12)

    @field_validator("cards")
    @classmethod
    def _exist(cls, cards: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [card for card in cards if card not in {card.id for card in all_cards()}]:
            raise ValueError(f"there is no card {unknown[0]!r}; ids stand after :id in assets/decks")
        return cards


Step = Read | Look | Predict | Explain | Cards


class PlanPart(Table):
    """Some minutes of a lesson in class; `step` (from 1) is the one that is open on the screen in front."""

    minutes: Annotated[int, Between(1, PLANNED)]
    text: Text
    step: Annotated[int, Between(1, MAX_STEPS)] | None = None


class LessonPlan(Table):
    """45 minutes with a class: what to ask when, which run, and what usually surprises."""

    surprise: Text
    parts: tuple[PlanPart, ...] = Field(min_length=2, max_length=12)

    @field_validator("parts")
    @classmethod
    def _fill_the_time(cls, parts: tuple[PlanPart, ...]) -> tuple[PlanPart, ...]:
        if (planned := sum(part.minutes for part in parts)) != PLANNED:
            raise ValueError(f"the parts take {planned} minutes, and a plan has {PLANNED}")
        return parts


class Lesson(Table):
    """`key` is the file name without .toml."""

    key: str = Field(exclude=True)
    title: Line
    summary: Line
    minutes: Annotated[int, Between(1, 240)] = 10
    order: Annotated[int, Between(0, 100_000)] = 1000
    experiment: Experiment | None = None
    steps: tuple[Annotated[Step, Field(discriminator="kind")], ...] = Field(
        (), alias="step", max_length=MAX_STEPS
    )

    plan: LessonPlan | None = None

    def prepared(self, step: Predict | None = None, seed: int = 7) -> Prepared:
        """What the step trains or measures. Raises InputError where the lesson has no experiment."""
        if self.experiment is None:
            raise InputError("This lesson has no [experiment].")
        return prepare(self.experiment, step.settings if step is not None else {}, seed)

    @field_validator("steps")
    @classmethod
    def _some(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if not steps:
            raise ValueError("a lesson needs at least one [[step]]")
        return steps

    @model_validator(mode="after")
    def _experiment_brings_what_is_measured(self) -> Self:
        refuse(*_lacking(self.steps, self.experiment))
        for i, part in enumerate(self.plan.parts if self.plan is not None else ()):
            if part.step is not None and part.step > len(self.steps):
                refuse((("plan", "parts", i, "step"), f"the lesson has {len(self.steps)} steps"))
        return self


def _counted(texts: tuple[str, ...], least: int, most: int) -> tuple[str, ...]:
    if not least <= len(texts) <= most:
        count = f"{least}" if least == most else f"{least} to {most}"
        raise ValueError(f"{count} texts are needed here, and there are {len(texts)}")
    return texts


def _lacking(steps: tuple[Step, ...], experiment: Experiment | None) -> Iterator[tuple[Place, str]]:
    """What a step shows or measures and the experiment does not bring."""
    for i, step in enumerate(steps):
        at = ("step", i, step.kind)
        if isinstance(step, Look) and step.show in ("map", "maps") and experiment is None:
            yield (*at, "show"), "a map needs sentences: add an [experiment] to the lesson"
        if not isinstance(step, Predict):
            continue
        rows = [("measure", step.measurement), *(("also", MEASUREMENTS[key]) for key in step.also)]
        wanted = [(field, row) for field, row in rows if row.trains or row.needs]
        if experiment is None:
            if wanted:
                needs = f"{step.measure} needs an [experiment] with sentences; the lesson has none"
                yield (*at, "measure"), needs
            continue
        try:
            configure(experiment, step.settings, 7)
        except InputError as error:
            yield (*at, "settings"), str(error)
            continue
        brings = prepare(experiment, step.settings).brings
        for field, row in wanted:
            if lacking := [need for need in row.needs if need not in brings]:
                yield (*at, field), f"{row.key} needs {lacking[0]}, which the experiment does not bring"
