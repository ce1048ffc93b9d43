"""What a measurement of a lesson is: the evidence it may look at, what it finds, and a row of the table.

Apart from the rows themselves, which stand in outcomes.py, map_outcomes.py and model_outcomes.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..types import FloatArray, Pair, SentenceSet

Limits = tuple[float, ...]

MOST_COMPARED = 24  # sentences whose pairs are all read by the cross-encoder: about two seconds
CHANGES = ("rises", "stays", "falls")
LEVELS = ("low", "middle", "high")
PLACES = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a measurement looks at. Arrays are (n, d) unit rows in the order of the sentences, or (m, d) in
    the order of the texts; those after training are None where nothing was trained. What comes after
    `texts_after` is there for the rows that gather it (core/lessons/evidence.py)."""

    sentences: SentenceSet | None = None
    attributes: tuple[str | None, ...] = ()
    train: tuple[Pair, ...] = ()
    held_out: tuple[Pair, ...] = ()
    before: FloatArray | None = None
    after: FloatArray | None = None
    texts: tuple[str, ...] = ()
    texts_before: FloatArray | None = None
    texts_after: FloatArray | None = None
    texts_again: FloatArray | None = None  # the texts once more, after the model was used on the sentences
    maps: tuple[FloatArray, ...] = ()  # (n, 2) each, in the order of the step's projections
    mapped: tuple[FloatArray, ...] = ()  # (n, d) that each was drawn of
    by_model: tuple[FloatArray, ...] = ()  # (n, d) each, the sentences under each of the step's models
    joint: FloatArray | None = None  # (m,) the cross-encoder's logits of the training and held-out pairs
    seconds: tuple[float, float] = (0.0, 0.0)  # bi-encoder and cross-encoder, for all pairs of sentences
    probe: tuple[float | None, float | None] = (None, None)  # rank correlation, before and after
    sample: int = 0  # pairs in a sample
    seed: int = 7

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return (*self.train, *self.held_out)


@dataclass(frozen=True, slots=True)
class Measured:
    """An outcome with the numbers behind it. `rows` are (what, before or None, after or None)."""

    outcome: str
    says: str
    rows: tuple[tuple[str, float | None, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """A row of the table: what a lesson names, what can come out, and the function that finds it out.

    `limits` are the defaults of the field of that name: the tolerance of a change, or the bounds of
    "middle". `outcomes` are all that can come out; for texts, only as many places as there are candidates.
    """

    key: str
    title: str
    meaning: str
    trains: bool
    needs: tuple[str, ...]
    outcomes: tuple[str, ...]
    limits: Limits
    compute: Callable[[Evidence, Limits], Measured] = field(repr=False)
    texts: tuple[int, int] = (0, 0)  # how many texts it compares, at least and at most
    value: str | None = None  # the number it reads, where it reads one
    gathers: str = ""  # the row of evidence.GATHERERS that it needs
    projections: int = 0  # how many projections, models and pairs of a sample the step names, at least
    models: int = 0
    sample: int = 0

    def possible(self, texts: int) -> tuple[str, ...]:
        """What can come out for so many texts."""
        return self.outcomes[: texts - 1] if self.outcomes is PLACES else self.outcomes


def level(number: float, limits: Limits) -> str:
    """Below the first limit is low, above the second high."""
    low, high = limits
    return LEVELS[(number >= low) + (number > high)]
