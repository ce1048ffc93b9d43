"""What a measurement of a lesson is: the evidence it may look at, what it finds, and a row of the table.

Apart from the rows themselves, which stand in outcomes.py, map_outcomes.py and model_outcomes.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..types import FloatArray, Pair, SentenceSet

CHANGES = ("rises", "stays", "falls")
LEVELS = ("low", "middle", "high")
PLACES = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a measurement looks at. Arrays are (n, d) unit rows in the order of the sentences, or (m, d) in
    the order of the texts; those after training are None where nothing was trained."""

    sentences: SentenceSet | None = None
    attributes: tuple[str | None, ...] = ()
    train: tuple[Pair, ...] = ()
    held_out: tuple[Pair, ...] = ()
    before: FloatArray | None = None
    after: FloatArray | None = None
    texts: tuple[str, ...] = ()
    texts_before: FloatArray | None = None
    texts_after: FloatArray | None = None


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
    limits: tuple[float, ...]
    compute: Callable[[Evidence, tuple[float, ...]], Measured] = field(repr=False)
    texts: tuple[int, int] = (0, 0)  # how many texts it compares, at least and at most
    value: str | None = None  # the number it reads, where it reads one

    def possible(self, texts: int) -> tuple[str, ...]:
        """What can come out for so many texts."""
        return self.outcomes[: texts - 1] if self.outcomes is PLACES else self.outcomes
