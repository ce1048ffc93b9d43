"""Who answered what in the before-and-after test, and what that says of the items and of the gain.

A learner's record is kept like the progress of a lesson, under the key TEST. All numbers here are computed
from records without names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inventory import RIGHT, Form, Inventory

TEST = "concept-inventory"  # among the lessons of a learner; no lesson's file is called so
FEWEST = 5  # finished sittings before anything is shown: fewer would show what single people answered
RESAMPLES = 2_000
CONFIDENCE = 0.95
OTHER: dict[Form, Form] = {"a": "b", "b": "a"}


@dataclass(frozen=True, slots=True)
class Sitting:
    """The answers of one sitting: item key -> RIGHT or a belief, in pairs. `done`: it was handed in."""

    form: Form
    answers: tuple[tuple[str, str], ...] = ()
    done: bool = False

    def answer(self, item: str) -> str | None:
        return dict(self.answers).get(item)

    def with_answer(self, item: str, answer: str) -> Sitting:
        return replace(self, answers=tuple(sorted({**dict(self.answers), item: answer}.items())))

    @property
    def right(self) -> int:
        return sum(answer == RIGHT for _, answer in self.answers)


@dataclass(frozen=True, slots=True)
class InventoryRecord:
    """The sittings of one learner, at most two, the second with the other form."""

    sittings: tuple[Sitting, ...] = ()

    @property
    def open(self) -> Sitting | None:
        """The sitting that has begun and was not handed in."""
        return self.sittings[-1] if self.sittings and not self.sittings[-1].done else None

    @property
    def done(self) -> tuple[Sitting, ...]:
        return tuple(sitting for sitting in self.sittings if sitting.done)

    def begin(self, first: Form) -> InventoryRecord:
        """With a new sitting: of form `first`, or the second one with the form that is left."""
        assert self.open is None and len(self.sittings) < 2
        form = OTHER[self.sittings[0].form] if self.sittings else first
        return InventoryRecord((*self.sittings, Sitting(form)))

    def changed(self, sitting: Sitting) -> InventoryRecord:
        """With the last sitting in this state."""
        return InventoryRecord((*self.sittings[:-1], sitting))

    def to_json(self) -> dict[str, Any]:
        return {
            "sittings": [{"form": s.form, "answers": dict(s.answers), "done": s.done} for s in self.sittings]
        }


def from_json(value: Any, of: Inventory) -> InventoryRecord:
    """to_json's form; whatever does not fit the items there are is left out."""
    found: list[Sitting] = []
    raw = value.get("sittings") if isinstance(value, Mapping) else None
    for one in raw if isinstance(raw, list) else []:
        form = one.get("form") if isinstance(one, Mapping) else None
        answers = one.get("answers") if isinstance(one, Mapping) else None
        if form not in OTHER or not isinstance(answers, Mapping) or len(found) == 2:
            break
        if found and (form == found[0].form or not found[0].done):
            break
        kept = {i.key: answers[i.key] for i in of.items if answers.get(i.key) in i.form(form).options(i.key)}
        done = one.get("done") is True and len(kept) == len(of.items)
        found.append(Sitting(form, tuple(sorted(kept.items())), done))
    return InventoryRecord(tuple(found))


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """One item in one sitting. `difficulty` is the share of right answers, [0, 1]; `discrimination` the
    correlation with the rest of the test, [-1, 1], None where one of the two does not vary."""

    item: str
    sitting: int  # 1 or 2
    count: int
    difficulty: float
    discrimination: float | None
    belief: str | None  # the misbelief that was chosen most
    believers: int


@dataclass(frozen=True, slots=True)
class Gain:
    """Shares of right answers before and after, and the normalised gain with its interval."""

    count: int
    before: float
    after: float
    gain: float | None  # None where nothing was left to gain
    low: float | None
    high: float | None


def item_statistics(records: Iterable[InventoryRecord], of: Inventory) -> tuple[ItemStatistics, ...]:
    """Every item in every sitting that enough people have finished.

    Difficulty and the point-biserial correlation as in Ding and Beichner 2009, "Approaches to data analysis
    of multiple-choice questions", Phys. Rev. ST Phys. Educ. Res. 5, 020103; the item itself is left out of
    the score it is correlated with, which for so few items would else raise it.
    """
    finished = [record.done for record in records]
    rows: list[ItemStatistics] = []
    for number in (1, 2):
        sittings = [done[number - 1] for done in finished if len(done) >= number]
        if len(sittings) < FEWEST:
            continue
        right = _right(sittings, of)  # (learners, items)
        for i, item in enumerate(of.items):
            rest = right.sum(axis=1) - right[:, i]
            varies = np.ptp(right[:, i]) > 0 and np.ptp(rest) > 0
            beliefs = Counter(b for s in sittings if (b := s.answer(item.key)) not in (None, RIGHT))
            most = beliefs.most_common(1)
            rows.append(
                ItemStatistics(
                    item.key,
                    number,
                    len(sittings),
                    float(right[:, i].mean()),
                    float(np.corrcoef(right[:, i], rest)[0, 1]) if varies else None,
                    most[0][0] if most else None,
                    most[0][1] if most else 0,
                )
            )
    return tuple(rows)


def gain(records: Iterable[InventoryRecord], of: Inventory, seed: int = 0) -> Gain | None:
    """Normalised gain of those with both sittings: (after - before) / (1 - before) of the mean shares.

    Hake 1998, "Interactive-engagement versus traditional methods", Am. J. Phys. 66, 64-74. The interval is
    the bootstrap's percentile interval over learners (Efron 1979). None with fewer than FEWEST learners.
    """
    both = [record.done for record in records if len(record.done) == 2]
    if len(both) < FEWEST:
        return None
    scores = np.stack([_right([s[i] for s in both], of).mean(axis=1) for i in (0, 1)], axis=1)  # (n, 2)
    rows = np.random.default_rng(seed).integers(0, len(scores), (RESAMPLES, len(scores)))
    drawn = [g for g in (_normalised(scores[row]) for row in rows) if g is not None]
    low, high = None, None
    if drawn:
        low, high = (float(q) for q in np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    before, after = (float(mean) for mean in scores.mean(axis=0))
    return Gain(len(both), before, after, _normalised(scores), low, high)


def _normalised(scores: NDArray[np.float64]) -> float | None:
    before, after = scores.mean(axis=0)
    return float((after - before) / (1 - before)) if before < 1 else None


def _right(sittings: Sequence[Sitting], of: Inventory) -> NDArray[np.float64]:
    """1 for a right answer, else 0: (sittings, items)."""
    return np.array([[s.answer(item.key) == RIGHT for item in of.items] for s in sittings], np.float64)


def item_columns(rows: Sequence[ItemStatistics], of: Inventory) -> dict[str, list[Any]]:
    """The statistics as a table for the page and for the CSV."""
    concept = {item.key: item.concept for item in of.items}
    return {
        "item": [concept[row.item] for row in rows],
        "sitting": [row.sitting for row in rows],
        "answers": [row.count for row in rows],
        "difficulty (share right)": [row.difficulty for row in rows],
        "discrimination": [np.nan if row.discrimination is None else row.discrimination for row in rows],
        "most chosen misbelief": [row.belief or "" for row in rows],
        "chosen by": [row.believers for row in rows],
    }


def gain_columns(found: Gain) -> dict[str, list[Any]]:
    """The gain as one row of a table."""
    numbers = {"normalised gain": found.gain, "95% interval, from": found.low, "to": found.high}
    shares: dict[str, list[Any]] = {
        "learners": [found.count],
        "right before": [found.before],
        "right after": [found.after],
    }
    return shares | {name: [np.nan if v is None else v] for name, v in numbers.items()}
