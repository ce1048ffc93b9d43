"""The words of a run file: a Run as JSON values beside its arrays, and back, every value checked.

Apart from core/export/run_file.py, which knows zips and sizes, this file knows what a run is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter

from ..data.schema import Between
from ..data.text import MAX_CHARACTERS, MAX_GROUP_CHARACTERS, MAX_PAIRS, MAX_SENTENCES
from ..types import (
    Forces,
    Frame,
    InputError,
    Metrics,
    Notice,
    Pair,
    Run,
    RunStatus,
    Sentence,
    SentenceSet,
    Snapshot,
    TrainingConfig,
)

MAX_TITLE, MAX_NOTE, MAX_NAME = 120, 4_000, 300
MAX_TOLD = 40  # notices about the run's data

Name = Annotated[str, StringConstraints(max_length=MAX_NAME)]
Step = Annotated[int, Between(0, 100_000_000)]
Finite = Annotated[float, Between(-1e39, 1e39)]  # any float32
End = Annotated[int, Between(0, MAX_SENTENCES - 1)]
Row = tuple[End, End, Annotated[float, Between(0, 1)]]  # rows of the sentence list, label
Rows = Annotated[tuple[Row, ...], Field(max_length=2 * MAX_PAIRS)]


def _scores(values: dict[str, float | None]) -> dict[str, float | None]:
    if unknown := set(values) - {field.name for field in dataclasses.fields(Metrics)}:
        raise ValueError(f"there is no score {min(unknown)!r:.60}")
    return values


class SentenceText(NamedTuple):
    id: Annotated[str, StringConstraints(max_length=64)]
    text: Annotated[str, StringConstraints(max_length=MAX_CHARACTERS)]
    group: Annotated[str, StringConstraints(max_length=MAX_GROUP_CHARACTERS)] | None


@dataclass(frozen=True, slots=True)
class SentencesText:
    title: Name
    source: Name
    items: Annotated[tuple[SentenceText, ...], Field(min_length=1, max_length=MAX_SENTENCES)]
    told: Annotated[tuple[Name, ...], Field(max_length=MAX_TOLD)] = ()


@dataclass(frozen=True, slots=True)
class SnapshotText:
    step: Step
    loss: Finite | None
    seconds: Finite
    metrics: Annotated[dict[str, Finite | None], AfterValidator(_scores)]


@dataclass(frozen=True, slots=True)
class FrameText:
    step: Step
    method: Annotated[str, StringConstraints(max_length=40)]
    trustworthiness: Finite | None


@dataclass(frozen=True, slots=True)
class WeightsText:
    step: Step
    base: str


@dataclass(frozen=True, slots=True)
class About:
    """run.json: everything of a run file that is no array."""

    title: Annotated[str, StringConstraints(max_length=MAX_TITLE)]
    note: Annotated[str, StringConstraints(max_length=MAX_NOTE)]
    created: Annotated[str, StringConstraints(max_length=64)]
    weights: WeightsText | None
    config: dict[str, Any]
    sentences: SentencesText
    pairs: Rows
    held_out: Rows
    snapshots: tuple[SnapshotText, ...]
    frames: tuple[FrameText, ...]
    forked_from: tuple[Name, Step] | None
    id: Name


ABOUT = TypeAdapter(About)


def as_json(run: Run) -> dict[str, Any]:
    """Everything of a run that is no array. Pairs are rows of the sentence list; nan becomes null."""
    row = run.sentences.row()
    frames = [f for f in run.frames if f.xy.shape == run.frames[-1].xy.shape]
    return {
        "config": dataclasses.asdict(run.config),
        "sentences": {
            "title": run.sentences.title,
            "source": run.sentences.source,
            "items": [[s.id, s.text, s.group] for s in run.sentences.sentences],
            "told": [notice.said()[:MAX_NAME] for notice in run.sentences.notices[:MAX_TOLD]],
        },
        "pairs": [[row[p.left], row[p.right], p.label] for p in run.pairs],
        "held_out": [[row[p.left], row[p.right], p.label] for p in run.held_out],
        "snapshots": [
            {
                "step": s.step,
                "loss": s.loss if math.isfinite(s.loss) else None,
                "seconds": s.seconds,
                "metrics": dataclasses.asdict(s.metrics),
            }
            for s in run.snapshots
        ],
        "frames": [
            {"step": f.step, "method": f.method, "trustworthiness": f.trustworthiness} for f in frames
        ],
        "status": run.status.value,
        "forked_from": None if run.forked_from is None else list(run.forked_from),
        "id": run.id,
    }


def run_from_json(about: About, arrays: Mapping[str, np.ndarray]) -> Run:
    """Raises InputError where parts do not fit each other, KeyError for an array that is not there."""
    config = TrainingConfig.from_mapping(about.config)
    found = tuple(Sentence(*item) for item in about.sentences.items)
    if len({s.id for s in found}) != len(found):
        raise InputError("two of its sentences share an id.")
    told = tuple(map(Notice, about.sentences.told))
    sentences = SentenceSet(found, about.sentences.title, about.sentences.source, told)
    snapshots = _snapshots(about.snapshots, arrays, len(sentences))
    finished = snapshots[-1].step >= config.steps
    return Run(
        id=about.id,
        config=config,
        sentences=sentences,
        pairs=_pairs(about.pairs, sentences.ids),
        held_out=_pairs(about.held_out, sentences.ids),
        snapshots=snapshots,
        frames=_frames(about.frames, arrays, len(sentences)),
        status=RunStatus.FINISHED if finished else RunStatus.STOPPED,
        forked_from=about.forked_from,
    )


def _pairs(rows: Sequence[Row], ids: tuple[str, ...]) -> tuple[Pair, ...]:
    if any(max(left, right) >= len(ids) for left, right, _ in rows):
        raise InputError("one of its pairs names no sentence.")
    return tuple(Pair(ids[left], ids[right], label) for left, right, label in rows)


def _snapshots(
    items: Sequence[SnapshotText], arrays: Mapping[str, np.ndarray], n: int
) -> tuple[Snapshot, ...]:
    z, counts = arrays["embeddings"], arrays["force_counts"]
    rows, values = arrays["force_rows"], arrays["force_values"]
    if z.ndim != 3 or z.shape[:2] != (len(items), n) or not items or not np.isfinite(z).all():
        raise InputError("its embeddings do not fit its sentences.")
    fits = counts.shape == (len(items),) and (counts >= 0).all() and counts.sum() == len(values) == len(rows)
    if not fits or rows.shape != (len(values), 2) or (rows.size and not (0 <= rows.min() <= rows.max() < n)):
        raise InputError("its forces do not fit its snapshots.")
    steps = [item.step for item in items]
    if any(b <= a for a, b in pairwise(steps)):
        raise InputError("its snapshots are not in order.")
    ends = np.cumsum(counts)
    return tuple(
        Snapshot(
            step,
            math.nan if item.loss is None else item.loss,
            _frozen(z[i], np.float32),
            Forces(
                _frozen(rows[ends[i] - counts[i] : ends[i]], np.int64),
                _frozen(values[ends[i] - counts[i] : ends[i]], np.float32),
            ),
            Metrics(**item.metrics),
            item.seconds,
        )
        for i, (step, item) in enumerate(zip(steps, items))
    )


def _frames(items: Sequence[FrameText], arrays: Mapping[str, np.ndarray], n: int) -> tuple[Frame, ...]:
    if not items:
        return ()
    xy, trust = arrays["xy"], arrays["trust"]
    if xy.ndim != 3 or xy.shape[:2] != (len(items), n) or xy.shape[2] not in (2, 3):
        raise InputError("its maps do not fit its sentences.")
    if trust.shape != (len(items), n) or not (np.isfinite(xy).all() and np.isfinite(trust).all()):
        raise InputError("its maps hold something other than numbers.")
    return tuple(
        Frame(
            item.step,
            _frozen(xy[i], np.float32),
            _frozen(trust[i], np.float32),
            item.trustworthiness,
            item.method,
        )
        for i, item in enumerate(items)
    )


def _frozen(array: np.ndarray, dtype: Any) -> Any:
    copy = np.array(array, dtype)
    copy.setflags(write=False)
    return copy
