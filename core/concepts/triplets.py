"""Triplets: an anchor, a positive that means the same, a negative that only looks alike. Does a model tell?

They are typed by people or come from the challenge sets (Isabelle, Cherry and Foster 2017): lists of one
known difficulty each, one TOML file a list in assets/challenge_sets.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..data.assets import ASSETS
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


@dataclass(frozen=True, slots=True)
class ChallengeSet:
    """Triplets of one known difficulty."""

    key: str
    title: str
    why: str
    source: str
    triplets: tuple[Triplet, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TripletCosines:
    """Cosines (m,) of each anchor with its positive and with its negative."""

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


def measure(triplets: tuple[Triplet, ...], base_model: str = "minilm-l6", seed: int = 0) -> TripletCosines:
    """Ask the untrained model about every triplet. Raises InputError when the model cannot be loaded."""
    texts = [text for t in triplets for text in (t.anchor, t.positive, t.negative)]
    z = embed(base_model, seed, "mean", texts).reshape(len(triplets), 3, -1)
    return TripletCosines(triplets, row_cosines(z[:, 0], z[:, 1]), row_cosines(z[:, 0], z[:, 2]))


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
    read = sorted((_read(file) for file in folder.glob("*.toml")), key=lambda one: (one[0], one[1].key))
    return tuple(found for _, found in read)


def _read(file: Path) -> tuple[int, ChallengeSet]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        title = str(data["title"])
        rows = enumerate(data["triplets"], start=1)
        triplets = tuple(Triplet(*_three(file, number, row), kind=title) for number, row in rows)
        return int(data["order"]), ChallengeSet(file.stem, title, data["why"], data["source"], triplets)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} is not valid TOML: {error}.") from error
    except KeyError as error:
        raise InputError(
            f"{file.name} has no {error.args[0]!r}. It needs title, order, why, source, triplets."
        ) from error


def _three(file: Path, number: int, row: object) -> tuple[str, str, str]:
    if not (isinstance(row, list) and len(row) == 3 and all(isinstance(t, str) and t.strip() for t in row)):
        raise InputError(f"{file.name}, row {number}: a row is three texts: anchor, positive, negative.")
    return row[0], row[1], row[2]
