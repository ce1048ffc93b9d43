"""What can be read off a run at one moment (movement, losses, counts of held-out pairs), and a moment itself.

Apart from the moments so that each of these stands as few lines of what is measured and what is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..metrics.intervals import wilson
from ..types import FloatArray, Run

WINDOW = 5  # a loss is the mean of so many steps: single batches jump
NEAR_ZERO = 0.05  # of the first losses: there is little left to learn from these pairs


@dataclass(frozen=True, slots=True)
class Moment:
    """What to ask now. `weight` says how telling it is, `rows` which sentences it is about."""

    key: str
    question: str
    answer: str
    advice: str
    weight: float
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A run with what was measured beside it; `step` (default: the newest) is the moment looked at.

    `cross` holds the cross-encoder's score [0, 1] of pairs of rows; `everyday` the rank correlation with
    graded everyday pairs before and now (core/metrics/probe.py).
    """

    run: Run
    cross: Mapping[tuple[int, int], float] = field(default_factory=dict)
    everyday: tuple[float, float] | None = None

    def score(self, a: int, b: int) -> float:
        """The cross-encoder's score of two rows; nan, for which no comparison holds, where unknown."""
        return self.cross.get((a, b), self.cross.get((b, a), math.nan))

    @property
    def first(self) -> FloatArray:
        return self.run.snapshots[0].embeddings

    @property
    def last(self) -> FloatArray:
        return self.run.snapshots[-1].embeddings

    @cached_property
    def moved(self) -> FloatArray:
        """1 - cosine of each sentence with its own beginning, (n,)."""
        return np.asarray(1.0 - np.sum(self.first * self.last, axis=1), np.float32)

    @cached_property
    def losses(self) -> list[float]:
        return [s.loss for s in self.run.snapshots if s.step > 0]

    @property
    def learned(self) -> bool:
        """Whether the loss of the last steps is near zero, measured by the first ones."""
        return len(self.losses) >= 2 * WINDOW and self.late_loss <= NEAR_ZERO * self.early_loss

    @property
    def early_loss(self) -> float:
        return float(np.mean(self.losses[:WINDOW]))

    @property
    def late_loss(self) -> float:
        return float(np.mean(self.losses[-WINDOW:]))

    @cached_property
    def right(self) -> list[int]:
        """How many held-out pairs each snapshot tells right; empty where that is not measured."""
        shares = [s.metrics.held_out_accuracy for s in self.run.snapshots]
        return [round(share * len(self.run.held_out)) for share in shares if share is not None]

    @cached_property
    def pairs(self) -> tuple[np.ndarray, FloatArray, FloatArray, FloatArray]:
        """Rows (m, 2), labels, cosines at the start and now, (m,) each, of the training pairs."""
        pairs = dict.fromkeys(self.run.pairs)
        rows = self.run.sentences.rows_of(pairs)
        labels = np.array([p.label for p in pairs], np.float32)
        before, now = ((z[rows[:, 0]] * z[rows[:, 1]]).sum(axis=1) for z in (self.first, self.last))
        return rows, labels, before, now

    def count(self, right: int) -> str:
        """'37 of 60 (49% to 73%)': a count with its 95% interval."""
        low, high = wilson(right, len(self.run.held_out))
        return f"{right} of {len(self.run.held_out)} ({low:.0%} to {high:.0%})"
