"""The words of a run file: a Run as JSON values beside its arrays, and back, every value checked.

Apart from core/export/run_file.py, which knows zips and sizes, this file knows what a run is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..data.text import MAX_CHARACTERS, MAX_GROUP_CHARACTERS, MAX_PAIRS, MAX_SENTENCES
from ..types import (
    Forces,
    Frame,
    InputError,
    Metrics,
    Pair,
    Run,
    RunStatus,
    Sentence,
    SentenceSet,
    Snapshot,
    TrainingConfig,
)

MAX_STEP = 100_000_000
MAX_NAME = 300


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


def run_from_json(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Run:
    """Raises InputError, or KeyError, TypeError and ValueError for what is not there or of another kind."""
    config = TrainingConfig.from_mapping(_object(about["config"]))
    sentences = _sentences(_object(about["sentences"]))
    snapshots = _snapshots(_list(about["snapshots"]), arrays, len(sentences))
    frames = _frames(_list(about["frames"]), arrays, len(sentences))
    finished = snapshots[-1].step >= config.steps
    forked = about["forked_from"]
    return Run(
        id=_string(about["id"], MAX_NAME),
        config=config,
        sentences=sentences,
        pairs=_pairs(_list(about["pairs"]), sentences),
        held_out=_pairs(_list(about["held_out"]), sentences),
        snapshots=snapshots,
        frames=frames,
        status=RunStatus.FINISHED if finished else RunStatus.STOPPED,
        forked_from=None if forked is None else (_string(forked[0], MAX_NAME), _step(forked[1])),
    )


def _sentences(value: Mapping[str, Any]) -> SentenceSet:
    items = _list(value["items"])
    if not 0 < len(items) <= MAX_SENTENCES:
        raise InputError(f"it has {len(items):,} sentences; 1 to {MAX_SENTENCES:,} are allowed.")
    found = []
    for identifier, text, group in items:
        checked = None if group is None else _string(group, MAX_GROUP_CHARACTERS)
        found.append(Sentence(_string(identifier, 64), _string(text, MAX_CHARACTERS), checked))
    if len({s.id for s in found}) != len(found):
        raise InputError("two of its sentences share an id.")
    return SentenceSet(tuple(found), _string(value["title"], MAX_NAME), _string(value["source"], MAX_NAME))


def _pairs(items: Sequence[Any], sentences: SentenceSet) -> tuple[Pair, ...]:
    if len(items) > 2 * MAX_PAIRS:
        raise InputError(f"it has {len(items):,} pairs; at most {2 * MAX_PAIRS:,} are allowed.")
    ids = sentences.ids
    pairs = []
    for left, right, label in items:
        good = all(
            isinstance(r, int) and not isinstance(r, bool) and 0 <= r < len(ids) for r in (left, right)
        )
        if not good or not isinstance(label, int | float) or not 0 <= label <= 1:
            raise InputError("one of its pairs names no sentence, or has a label outside 0 to 1.")
        pairs.append(Pair(ids[left], ids[right], float(label)))
    return tuple(pairs)


def _snapshots(items: Sequence[Any], arrays: Mapping[str, np.ndarray], n: int) -> tuple[Snapshot, ...]:
    z, counts = arrays["embeddings"], arrays["force_counts"]
    rows, values = arrays["force_rows"], arrays["force_values"]
    if z.ndim != 3 or z.shape[:2] != (len(items), n) or not items or not np.isfinite(z).all():
        raise InputError("its embeddings do not fit its sentences.")
    fits = counts.shape == (len(items),) and (counts >= 0).all() and counts.sum() == len(values) == len(rows)
    if not fits or rows.shape != (len(values), 2) or (rows.size and not (0 <= rows.min() <= rows.max() < n)):
        raise InputError("its forces do not fit its snapshots.")
    steps = [_step(item["step"]) for item in items]
    if any(b <= a for a, b in pairwise(steps)):
        raise InputError("its snapshots are not in order.")
    ends = np.cumsum(counts)
    return tuple(
        Snapshot(
            step,
            math.nan if item["loss"] is None else _number(item["loss"]),
            _frozen(z[i], np.float32),
            Forces(
                _frozen(rows[ends[i] - counts[i] : ends[i]], np.int64),
                _frozen(values[ends[i] - counts[i] : ends[i]], np.float32),
            ),
            Metrics(**{k: None if v is None else _number(v) for k, v in _object(item["metrics"]).items()}),
            _number(item["seconds"]),
        )
        for i, (step, item) in enumerate(zip(steps, items))
    )


def _frames(items: Sequence[Any], arrays: Mapping[str, np.ndarray], n: int) -> tuple[Frame, ...]:
    if not items:
        return ()
    xy, trust = arrays["xy"], arrays["trust"]
    if xy.ndim != 3 or xy.shape[:2] != (len(items), n) or xy.shape[2] not in (2, 3):
        raise InputError("its maps do not fit its sentences.")
    if trust.shape != (len(items), n) or not (np.isfinite(xy).all() and np.isfinite(trust).all()):
        raise InputError("its maps hold something other than numbers.")
    return tuple(
        Frame(
            _step(item["step"]),
            _frozen(xy[i], np.float32),
            _frozen(trust[i], np.float32),
            None if item["trustworthiness"] is None else _number(item["trustworthiness"]),
            _string(item["method"], 40),
        )
        for i, item in enumerate(items)
    )


def _frozen(array: np.ndarray, dtype: Any) -> Any:
    copy = np.array(array, dtype)
    copy.setflags(write=False)
    return copy


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _string(value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise InputError(f"a text in it is missing or longer than {longest:,} characters.")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("not a finite number")
    return float(value)


def _step(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_STEP:
        raise TypeError("not a step")
    return value
