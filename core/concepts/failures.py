"""Experiments that break fine-tuning on purpose: how their runs are set up, and what is measured.

Every experiment is two runs, a broken and a sound one, so that the damage can be read off. Both also embed
the graded probe pairs at every snapshot, without training on them. The rows stand in failure_modes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..data.pairs import pairs_from_groups
from ..data.sentences import sentence_id
from ..data.split import make_split
from ..metrics.measures import auc, scored
from ..metrics.probe import graded_pairs, score
from ..types import FloatArray, InputError, Pair, Sentence, SentenceSet, Snapshot, TrainingConfig
from ..vectors import cosine_matrix

PAIRS = 80
FEW = 10  # pairs of the experiment that learns them by heart
SAME = 0.05  # changes below this count as none
HELD_OUT = 0.3


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: what it is given. `groups` (n,) are the true ones, which the run itself may not know."""

    sentences: SentenceSet  # of the experiment, then those of the probe
    groups: tuple[str | None, ...]
    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    config: TrainingConfig


@dataclass(frozen=True, slots=True)
class Readings:
    """What one snapshot shows; None where it cannot be measured."""

    apart: float | None  # mean cosine of sentences of different groups
    unpaired: float | None  # mean cosine of one group's sentences that are no training pair
    train_auc: float | None
    held_out_auc: float | None
    probe: float | None  # rank correlation with the graded pairs


# Reading -> its name on the page.
READINGS = {
    "apart": "mean cosine, different groups",
    "unpaired": "mean cosine, same group, not paired",
    "train_auc": "AUC, training pairs",
    "held_out_auc": "AUC, held-out pairs",
    "probe": "rank correlation with the probe",
}
Make = Callable[[SentenceSet, int], Plan]
Judge = Callable[[Readings, Readings], tuple[str, float | None]]  # first, last -> answer and its number


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One row. `broken` and `sound` are two ways to train; `shown` are the readings to draw, main one first.

    `judge` gives the answer to the question and the number behind it, from the broken run's first and last
    readings.
    """

    key: str
    title: str
    set_key: str  # the built-in set it comes with
    about: str
    question: str
    options: tuple[str, str, str]
    broken_name: str
    sound_name: str
    broken: Make
    sound: Make
    shown: tuple[str, ...]
    judge: Judge
    number: str  # what the judge's number is
    why: str
    remedy: str
    usual: str  # the answer with the built-in sentences and the default seed


# ---- plans -------------------------------------------------------------------------------------------


def _plan(
    given: SentenceSet,
    train: Sequence[Pair],
    held_out: Sequence[Pair],
    config: TrainingConfig,
    hide_groups: bool = False,
) -> Plan:
    """The run's sentences: the given ones, then those of the probe, which no pair names."""
    if not train:
        raise InputError("These sentences give no pair to learn: put at least two in each of two groups.")
    known = {s.id for s in given.sentences}
    extra = dict.fromkeys(text for p in graded_pairs() for text in (p.left, p.right))
    probe = [Sentence(sentence_id(text), text) for text in extra if sentence_id(text) not in known]
    own = [replace(s, group=None) for s in given.sentences] if hide_groups else given.sentences
    sentences = SentenceSet((*own, *probe), given.title, given.source)
    groups = (*given.groups, *(None for _ in probe))
    return Plan(sentences, groups, tuple(train), tuple(held_out), config)


def _config(seed: int, **changes: object) -> TrainingConfig:
    usual = TrainingConfig(loss="contrastive", steps=40, learning_rate=1e-4, seed=seed, snapshot_every=5)
    return usual.replace(**changes)


def positives_only(given: SentenceSet, seed: int) -> Plan:
    pairs = pairs_from_groups(given, PAIRS // 2, seed, similar_share=1.0)
    return _plan(given, pairs, (), _config(seed, learning_rate=2e-4))


def both_kinds(given: SentenceSet, seed: int) -> Plan:
    positives = pairs_from_groups(given, PAIRS // 2, seed, similar_share=1.0)
    negatives = pairs_from_groups(given, PAIRS // 2, seed, similar_share=0.0)
    return _plan(given, (*positives, *negatives), (), _config(seed, learning_rate=2e-4))


def partners(given: SentenceSet, seed: int) -> tuple[Pair, ...]:
    """Similar pairs within groups that share no sentence, so most of a group is not known to be alike."""
    rng = np.random.default_rng(seed)
    pairs = []
    for group in dict.fromkeys(g for g in given.groups if g is not None):
        ids = [s.id for s in given.sentences if s.group == group]
        mixed = [ids[i] for i in rng.permutation(len(ids))]
        pairs += [Pair(a, b, 1.0) for a, b in zip(mixed[::2], mixed[1::2])]
    if len(pairs) < 2:
        raise InputError("There are too few sentences in a group: give at least two groups of two.")
    return tuple(pairs)


def _negatives(given: SentenceSet, seed: int, hide_groups: bool) -> Plan:
    pairs = partners(given, seed)
    config = _config(seed, loss="mnrl", batch_size=min(32, len(pairs)), learning_rate=2e-4)
    return _plan(given, pairs, (), config, hide_groups)


def false_negatives(given: SentenceSet, seed: int) -> Plan:
    return _negatives(given, seed, hide_groups=True)


def true_negatives(given: SentenceSet, seed: int) -> Plan:
    return _negatives(given, seed, hide_groups=False)


def _halves(given: SentenceSet, seed: int, count: int, **changes: object) -> Plan:
    split = make_split(given, count, HELD_OUT, seed)
    if not split.held_out:
        raise InputError("There are too few sentences to hold any out: give at least 8 in two groups.")
    return _plan(given, split.train, split.held_out, _config(seed, **changes))


def fast(given: SentenceSet, seed: int) -> Plan:
    return _halves(given, seed, PAIRS, learning_rate=1e-2)


def at_usual_rate(given: SentenceSet, seed: int) -> Plan:
    return _halves(given, seed, PAIRS)


def all_layers(given: SentenceSet, seed: int) -> Plan:
    return _halves(given, seed, PAIRS, learning_rate=3e-4, trained_layers=6)


def gently(given: SentenceSet, seed: int) -> Plan:
    return _halves(given, seed, PAIRS, learning_rate=5e-5, trained_layers=1)


def by_heart(given: SentenceSet, seed: int) -> Plan:
    return _halves(given, seed, FEW, learning_rate=3e-4)


def many_pairs(given: SentenceSet, seed: int) -> Plan:
    return _halves(given, seed, 3 * PAIRS, learning_rate=3e-4)


# ---- measuring ---------------------------------------------------------------------------------------


def read(plan: Plan, snapshot: Snapshot) -> Readings:
    """All readings of one snapshot, from the embeddings of that step."""
    z = snapshot.embeddings
    row = plan.sentences.row()
    paired = {frozenset((row[p.left], row[p.right])) for p in plan.train}
    inside = np.array([g is not None for g in plan.groups])
    names = np.array([g or "" for g in plan.groups])
    cosines = cosine_matrix(z)
    upper = np.triu(inside[:, None] & inside[None, :], 1)
    same = upper & (names[:, None] == names[None, :])
    apart = upper & ~same
    for left, right in (sorted(pair) for pair in paired if len(pair) == 2):
        same[left, right] = False
    probe = [row[sentence_id(text)] for p in graded_pairs() for text in (p.left, p.right)]
    return Readings(
        _mean(cosines[apart]),
        _mean(cosines[same]),
        auc(*scored(z, plan.sentences, plan.train)),
        auc(*scored(z, plan.sentences, plan.held_out)),
        score(z[probe]).spearman,
    )


def at_start(plan: Plan) -> Readings:
    """The readings of the untouched base model, before any run. Loads torch: for a worker."""
    from ..models import registry
    from ..types import Forces, Metrics

    encoder = registry.load(plan.config.base_model, seed=plan.config.seed)
    z = encoder.encode(list(plan.sentences.texts), pooling=plan.config.pooling)
    return read(plan, Snapshot(0, float("nan"), z, Forces.none(), Metrics()))


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None


def _between(value: float | None, low: float, high: float, options: tuple[str, str, str]) -> str:
    value = 0.0 if value is None else value
    return options[0] if value < low else options[1] if value <= high else options[2]


def _change(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else last - first


COLLAPSE = ("Below 0.3", "From 0.3 to 0.7", "Above 0.7")
MOVES = ("They are pushed apart", f"They change by {SAME:g} at most", "They come closer")
FARES = ("Worse than before training", f"As before, within {SAME:g}", "Better than before training")
DROPS = ("Less than 0.05", "From 0.05 to 0.2", "More than 0.2")
GAPS = ("Less than 0.1", "From 0.1 to 0.3", "More than 0.3")


def judge_collapse(first: Readings, last: Readings) -> tuple[str, float | None]:
    return _between(last.apart, 0.3, 0.7, COLLAPSE), last.apart


def judge_negatives(first: Readings, last: Readings) -> tuple[str, float | None]:
    moved = _change(first.unpaired, last.unpaired)
    return _between(moved, -SAME, SAME, MOVES), moved


def judge_rate(first: Readings, last: Readings) -> tuple[str, float | None]:
    moved = _change(first.held_out_auc, last.held_out_auc)
    return _between(moved, -SAME, SAME, FARES), moved


def judge_forgetting(first: Readings, last: Readings) -> tuple[str, float | None]:
    lost = _change(last.probe, first.probe)
    return _between(lost, 0.05, 0.2, DROPS), lost


def judge_overfitting(first: Readings, last: Readings) -> tuple[str, float | None]:
    gap = _change(last.held_out_auc, last.train_auc)
    return _between(gap, 0.1, 0.3, GAPS), gap
