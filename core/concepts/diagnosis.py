"""Why a run got worse: its held-out pairs that changed side, and a check-list of what usually goes wrong.

Each check measures one number on the run itself and compares it with a limit that is told; what it suggests
is a change of settings or of pairs, to be tried and compared. What a check finds is a suspicion, no proof.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..losses import LOSSES
from ..metrics.comparison import pair_scores
from ..metrics.measures import auc, scored
from ..types import Pair, Run
from ..vectors import pair_cosines, row_cosines

PULLERS = 3  # training pairs that are named for a held-out pair
COLLAPSED, TURNED, FORGOT, GAP, FALSE, NOISY = 0.7, 0.5, 0.05, 0.15, 0.1, 0.05  # limits; see `checks`
JUDGES = 2  # of three that have to contradict a label
CLEAR = 0.3  # a cross-encoder's score this near to 0 or 1 is a judgement


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the check-list. `found`: the value is above the limit; None where it cannot be measured.
    `change` goes into the settings of the run that tries it, `without` are pairs that it leaves out."""

    title: str
    what: str
    value: float | None
    limit: float
    advice: str
    change: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[Pair, ...] = ()

    @property
    def found(self) -> bool | None:
        return None if self.value is None else self.value > self.limit


@dataclass(frozen=True, slots=True)
class Crossed:
    """A held-out pair that was told right before the run and wrong after it, with the training pairs that
    pulled (or pushed) sentences like its own most: (pair, how strongly, from 0)."""

    pair: Pair
    before: float
    after: float
    because: tuple[tuple[Pair, float], ...]


def crossed(run: Run) -> tuple[Crossed, ...]:
    """The pairs of `run.held_out` that changed from right to wrong, those that changed most first.

    A training pair bears on a held-out one by its force over all snapshots (negative pulls) times how near
    its two sentences are, in the untouched model, to those of the held-out pair; only forces in the direction
    in which the held-out cosine changed count.
    """
    first, last = run.snapshots[0].embeddings, run.snapshots[-1].embeddings
    old, new = (pair_scores(z, run.sentences, run.held_out, run.pairs) for z in (first, last))
    if old.margins is None or new.margins is None:
        return ()
    row, forces = run.sentences.row(), _forces(run)
    ends = run.sentences.rows_of(run.pairs).tolist()
    found = []
    for i in np.flatnonzero((old.margins > 0) & (new.margins <= 0)):
        pair, change = run.held_out[i], float(new.cosines[i] - old.cosines[i])
        a, b = row[pair.left], row[pair.right]
        near = first[[a, b]] @ first.T  # (2, n)
        near = np.maximum(near, 0)
        weighed = []
        for trained, (c, d) in zip(run.pairs, ends):
            force = -forces.get((min(c, d), max(c, d)), 0.0) * np.sign(change)
            share = max(near[0, c] * near[1, d], near[0, d] * near[1, c])
            if force > 0 and share > 0:
                weighed.append((trained, float(force * share)))
        strongest = tuple(sorted(weighed, key=lambda w: -w[1])[:PULLERS])
        found.append(Crossed(pair, float(old.cosines[i]), float(new.cosines[i]), strongest))
    return tuple(sorted(found, key=lambda c: -abs(c.after - c.before)))


def _forces(run: Run) -> dict[tuple[int, int], float]:
    """Two rows -> the sum of their forces over all snapshots."""
    total: dict[tuple[int, int], float] = defaultdict(float)
    for snapshot in run.snapshots:
        for (i, j), value in zip(snapshot.forces.rows.tolist(), snapshot.forces.values.tolist()):
            total[min(i, j), max(i, j)] += value
    return total


def checks(
    run: Run, probe: tuple[float | None, float | None] = (None, None), joint: Sequence[float] | None = None
) -> tuple[Check, ...]:
    """The whole list, in the order in which causes are worth trying.

    `probe` is the rank correlation with the graded everyday pairs before and after; `joint` the
    cross-encoder's score in [0, 1] of each training pair.
    """
    first, last, config = run.snapshots[0], run.snapshots[-1], run.config
    slower = {"learning_rate": config.learning_rate / 10}
    lost = None if None in probe else float(probe[0] or 0) - float(probe[1] or 0)
    noisy, best = contradicted(run, joint), _best_step(run)
    return (
        Check(
            "Collapse",
            "Mean cosine of random pairs at the end",
            last.metrics.mean_random_cosine,
            COLLAPSED,
            "Nothing pushes hard enough. Take the loss with in-batch negatives, or a lower rate.",
            {"loss": "mnrl"} if config.loss != "mnrl" and any(p.is_similar for p in run.pairs) else slower,
        ),
        Check(
            "Rate too high",
            "How far the average sentence turned, as 1 − cosine",
            float(np.mean(1 - row_cosines(first.embeddings, last.embeddings))),
            TURNED,
            "The run left little of the base model. Train at a tenth of the rate.",
            slower,
        ),
        Check(
            "Overfitting",
            "AUC on the training pairs minus AUC on held-out pairs",
            _gap(run),
            GAP,
            "The training pairs are known better than their idea. "
            + (
                "Stop where held-out pairs were told apart best."
                if best < run.step
                else "Train one layer only."
            ),
            {"steps": best} if best < run.step else {"trained_layers": 1},
        ),
        Check(
            "False negatives",
            "Share of what is pushed apart that was as near as an average similar pair",
            _false_negatives(run),
            FALSE,
            "Sentences as near as similar ones are pushed apart. If they mean the same, name their groups, "
            "or take a loss that pushes only the dissimilar pairs it is given.",
            {"loss": "contrastive"} if config.loss != "contrastive" else {},
        ),
        Check(
            "Forgetting",
            "Rank correlation with graded everyday pairs, before minus after",
            lost,
            FORGOT,
            "What the base model knew of other texts was paid for this. Train one layer at half the rate.",
            {"trained_layers": 1, "learning_rate": config.learning_rate / 2},
        ),
        Check(
            "Label noise",
            f"Share of training pairs whose label at least {JUDGES} of three contradict: cross-encoder, "
            "neighbours, other labels",
            len(noisy) / len(run.pairs) if run.pairs else None,
            NOISY,
            "Read these pairs: the label may be wrong, or the judges. Leave them out and compare.",
            {},
            noisy,
        ),
    )


def _gap(run: Run) -> float | None:
    z = run.snapshots[-1].embeddings
    trained, held = (auc(*scored(z, run.sentences, pairs)) for pairs in (run.pairs, run.held_out))
    return None if trained is None or held is None else trained - held


def _best_step(run: Run) -> int:
    """Where held-out pairs were told apart best, but for the untouched model; the last without any."""
    areas = [(s.metrics.held_out_auc, -s.step) for s in run.snapshots[1:]]
    measured = [(area, step) for area, step in areas if area is not None]
    return -max(measured)[1] if measured else run.step


def _false_negatives(run: Run) -> float | None:
    """Of the dissimilar pairs given, or for a loss with in-batch negatives of all pairs of partners that no
    group joins, the share whose cosine before was at least that of the median similar pair."""
    z = run.snapshots[0].embeddings
    cosines, similar = scored(z, run.sentences, run.pairs)
    if not similar.any():
        return None
    usual = float(np.median(cosines[similar]))
    if LOSSES[run.config.loss].needs == "labelled":
        return float((cosines[~similar] >= usual).mean()) if (~similar).any() else None
    groups = run.sentences.groups
    ends = run.sentences.rows_of(p for p in run.pairs if p.is_similar).tolist()
    pushed = [
        (a, d)
        for i, (a, _) in enumerate(ends)
        for j, (_, d) in enumerate(ends)
        if i != j and a != d and (groups[a] is None or groups[a] != groups[d])
    ]
    return float((pair_cosines(z, np.array(pushed)) >= usual).mean()) if pushed else None


def contradicted(run: Run, joint: Sequence[float] | None = None) -> tuple[Pair, ...]:
    """Training pairs whose label at least JUDGES of three contradict: the cross-encoder's score, the
    neighbourhood in the untouched model, and the other labels (groups, and chains of similar pairs)."""
    cosines, similar = scored(run.snapshots[0].embeddings, run.sentences, run.pairs)
    if not similar.any() or similar.all():
        return ()
    low, high = np.quantile(cosines[~similar], 0.25), np.quantile(cosines[similar], 0.75)
    groups, partners = dict(zip(run.sentences.ids, run.sentences.groups)), _partners(run.pairs)
    found = []
    for i, pair in enumerate(run.pairs):
        near = cosines[i] < low if pair.is_similar else cosines[i] > high
        read = False
        if joint is not None:
            read = joint[i] < CLEAR if pair.is_similar else joint[i] > 1 - CLEAR
        one, other = groups[pair.left], groups[pair.right]
        grouped = one is not None and other is not None and (one == other) != pair.is_similar
        chained = not pair.is_similar and not partners[pair.left].isdisjoint(partners[pair.right])
        if int(near) + int(read) + int(grouped or chained) >= JUDGES:
            found.append(pair)
    return tuple(found)


def _partners(pairs: Sequence[Pair]) -> dict[str, set[str]]:
    """Sentence id -> those that it is paired with as similar."""
    partners: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        if pair.is_similar:
            partners[pair.left].add(pair.right)
            partners[pair.right].add(pair.left)
    return partners
