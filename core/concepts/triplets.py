"""Triplets: an anchor, a positive that means the same, a negative that only looks alike. Does a model tell?

They are typed by people or come from the challenge sets (Isabelle, Cherry and Foster 2017): lists of one
known difficulty each, one TOML file a list in assets/challenge_sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from ..data.assets import ASSETS
from ..data.schema import Between, Line, Table, load
from ..data.text import check_length, clean, is_blank, lines_of, split_bars
from ..models.embedding import embed
from ..types import FloatArray, InputError
from ..vectors import row_cosines

CHALLENGE_SETS = ASSETS / "challenge_sets"
MOST_TRIPLETS = 200


@dataclass(frozen=True, slots=True)
class Triplet:
    """Three texts; the anchor should be nearer to the positive than to the negative."""

    anchor: str
    positive: str
    negative: str
    kind: str = "Your own"  # the title of its challenge set


class ChallengeSet(Table):
    """Triplets of one known difficulty."""

    key: str = Field(exclude=True)  # file name without .toml
    title: Line
    order: Annotated[int, Between(0, 100_000)]
    why: Line
    source: Line
    rows: tuple[tuple[Line, Line, Line], ...] = Field(alias="triplets")

    @property
    def triplets(self) -> tuple[Triplet, ...]:
        return tuple(Triplet(*row, kind=self.title) for row in self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class JudgedTriplets:
    """A model's value (m,) for each anchor with its positive and with its negative: cosines, or scores."""

    triplets: tuple[Triplet, ...]
    positive: FloatArray
    negative: FloatArray

    @property
    def wrong(self) -> np.ndarray:
        """(m,) bool: the negative is at least as close as the positive."""
        return self.negative >= self.positive

    def share_wrong(self) -> dict[str, tuple[int, int]]:
        """Kind -> (how many are wrong, how many there are), in the order of the triplets."""
        found: dict[str, tuple[int, int]] = {}
        for triplet, wrong in zip(self.triplets, self.wrong.tolist()):
            bad, count = found.get(triplet.kind, (0, 0))
            found[triplet.kind] = (bad + int(wrong), count + 1)
        return found


def measure(triplets: tuple[Triplet, ...], base_model: str = "minilm-l6", seed: int = 0) -> JudgedTriplets:
    """Ask the untrained model about every triplet. Raises InputError when the model cannot be loaded."""
    texts = [text for t in triplets for text in (t.anchor, t.positive, t.negative)]
    z = embed(base_model, seed, "mean", texts).reshape(len(triplets), 3, -1)
    return JudgedTriplets(triplets, row_cosines(z[:, 0], z[:, 1]), row_cosines(z[:, 0], z[:, 2]))


def measure_together(triplets: tuple[Triplet, ...]) -> JudgedTriplets:
    """The cross-encoder's scores, the mean of both orders: how alike are the two, read together?"""
    from .bi_vs_cross import likeness

    pairs = [(t.anchor, other) for t in triplets for other in (t.positive, t.negative)]
    scores = likeness(pairs).reshape(len(triplets), 2)
    return JudgedTriplets(triplets, scores[:, 0], scores[:, 1])


def parse_triplets(
    text: str, form: str = "anchor | positive | negative", most: int = MOST_TRIPLETS
) -> tuple[Triplet, ...]:
    r"""One a line, its three texts in the order of `form`; blank lines are skipped, \| is a | in a text.

    Raises InputError, naming the line, when one has not three texts or a text is too long; and when there
    are more than `most`.
    """
    found: list[Triplet] = []
    for number, line in enumerate(lines_of(text), start=1):
        if is_blank(line):
            continue
        parts = [clean(part) for part in split_bars(line)]
        if len(parts) != 3 or not all(parts):
            raise InputError(
                f"Line {number:,} has {sum(map(bool, parts))} of the three texts it needs. Write: {form}."
            )
        for part in parts:
            check_length(number, part)
        found.append(Triplet(*parts))
    if len(found) > most:
        raise InputError(f"There are {len(found):,} triplets; at most {most} are taken. Leave some out.")
    return tuple(found)


@cache
def challenge_sets(folder: Path = CHALLENGE_SETS) -> tuple[ChallengeSet, ...]:
    """The challenge sets in their order. Raises InputError, naming the file, for a bad one."""
    found = (load(file, ChallengeSet, key=file.stem) for file in folder.glob("*.toml"))
    return tuple(sorted(found, key=lambda one: (one.order, one.key)))
