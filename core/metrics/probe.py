"""The forgetting probe: does a model still rank everyday pairs as people do? The pairs: assets/graded_pairs.

Fine-tuning on a narrow task can cost general knowledge (McCloskey & Cohen 1989, "Catastrophic interference
in connectionist networks"). The rank correlation before and after shows how much.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..data.assets import ASSETS
from ..types import FloatArray, InputError, TrainingConfig
from ..vectors import pair_cosines
from .measures import spearman

FILE = ASSETS / "graded_pairs" / "everyday.toml"
HIGHEST_GRADE = 5.0


@dataclass(frozen=True, slots=True)
class GradedPair:
    left: str
    right: str
    grade: float  # 0 nothing in common .. 5 the same meaning


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """`cosines` (m,) in the order of the pairs; `spearman` of cosines and grades, None if undefined."""

    cosines: FloatArray
    spearman: float | None


@cache
def graded_pairs(file: Path = FILE) -> tuple[GradedPair, ...]:
    """The graded pairs. Raises InputError, naming the entry, when the file does not fit."""
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8"))["pairs"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError(f"{file.name} cannot be read as a list of graded pairs: {error}.") from error
    pairs = []
    for number, row in enumerate(rows, start=1):
        if len(row) != 3 or not all(isinstance(t, str) and t.strip() for t in row[:2]):
            raise InputError(f"{file.name}, pair {number}: it must be [left, right, grade].")
        if (
            isinstance(row[2], bool)
            or not isinstance(row[2], int | float)
            or not 0 <= row[2] <= HIGHEST_GRADE
        ):
            raise InputError(f"{file.name}, pair {number}: the grade must be from 0 to {HIGHEST_GRADE:g}.")
        pairs.append(GradedPair(row[0], row[1], float(row[2])))
    return tuple(pairs)


def probe_source(file: Path = FILE) -> str:
    return str(tomllib.loads(file.read_text(encoding="utf-8"))["source"])


def probe(config: TrainingConfig, checkpoint: str | None) -> ProbeScore:
    """Score a model on the probe: its cosines and their rank correlation with the grades. In a worker."""
    from ..training.tuned import embed

    pairs = graded_pairs()
    z = embed(config, checkpoint, [text for p in pairs for text in (p.left, p.right)])  # (2 m, d)
    return score(z)


def score(z: FloatArray) -> ProbeScore:
    """From embeddings (2 m, d) of left and right texts in turn."""
    pairs = graded_pairs()
    cosines = pair_cosines(z, np.arange(2 * len(pairs)).reshape(-1, 2))
    return ProbeScore(cosines, spearman(cosines, [p.grade for p in pairs]))
