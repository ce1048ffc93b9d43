"""The forgetting probe: does a model still rank everyday pairs as people do? The pairs: assets/graded_pairs.

Fine-tuning on a narrow task can cost general knowledge (McCloskey & Cohen 1989, "Catastrophic interference
in connectionist networks"). The rank correlation before and after shows how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np

from ..data.assets import ASSETS
from ..data.schema import Between, Line, Table, load
from ..types import FloatArray
from ..vectors import pair_cosines
from .measures import spearman

FILE = ASSETS / "graded_pairs" / "everyday.toml"


class GradedPair(NamedTuple):
    left: Line
    right: Line
    grade: Annotated[float, Between(0, 5)]  # 0 nothing in common, 5 the same meaning


class GradedPairs(Table):
    """The file."""

    title: Line
    source: Line
    pairs: tuple[GradedPair, ...]


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """`cosines` (m,) in the order of the pairs; `spearman` of cosines and grades, None if undefined."""

    cosines: FloatArray
    spearman: float | None


@cache
def graded_pairs(file: Path = FILE) -> tuple[GradedPair, ...]:
    """The graded pairs. Raises InputError, naming the entry, when the file does not fit."""
    return load(file, GradedPairs).pairs


def probe_source(file: Path = FILE) -> str:
    return load(file, GradedPairs).source


def score(z: FloatArray) -> ProbeScore:
    """From embeddings (2 m, d) of left and right texts in turn."""
    pairs = graded_pairs()
    cosines = pair_cosines(z, np.arange(2 * len(pairs)).reshape(-1, 2))
    return ProbeScore(cosines, spearman(cosines, [p.grade for p in pairs]))
