"""What a run tells those who watch it: one binary message a frame, the same for all of them.

The bytes are core/runs/encoding.py's: a JSON header, then raw arrays. `frontend/channel.js` of the moving map
receives them and hands them on to whatever on the page shows them.

    header   topic    whose message it is
             kind     "frame", or "history": the first message of a connection, whose `series` is complete
             status   a RunStatus; `phase` what the page's buttons depend on: active, drawing or rest
             line     the status line in words
             place    in the queue, 1 is next, or null;  others  how many runs take turns with it
             wait     seconds expected until the first step, after it until the end, or null
             step     that the model has reached;  steps  planned;  loss, seconds  of that step, or null
             drawn    the step that `xy` shows, -1 for none yet;  space  names its coordinate system
             unseen   {right, before, count, range}: held-out pairs told right and Wilson's interval, or null
             moment   {key, step, question, answer, advice, ids}: the card of the moment, or null
             columns  of `series`: step, loss, seconds, then the fields of Metrics
             seriesSteps  the step of each row of `cosinesByStep`
             drawnSteps  only with `frames`: the step of each
    arrays   xy (n, 2 or 3), trust (n,)       the newest frame of the map
             moved (n,)                       1 - cosine to step 0 in the full space
             forceRows (m, 2), forceValues (m,)   the strongest forces of the last batch
             pairRows (p, 2), pairLabels (p,), pairHeldOut (p,), cosinesBefore (p,), cosines (p,)
                                              up to 24 pairs, those first that the base model has most wrong
             cosinesByStep (s, p)             the same cosines at every snapshot, only in "history"
             series (s, columns)              the newest 16 snapshots, all in "history"; nan where undefined
             frames (T, n, 2 or 3)            all frames of the map, in "history" if asked for

Rows count in the run's sentence set. Arrays that there is nothing for yet are left out. A message of 48
sentences has about 3 kB. "alive" (no more than its kind) says that nothing has happened for a while.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cards.reading import Moment
from ..data.text import plural
from ..metrics.intervals import wilson
from ..types import FloatArray, IntArray, Metrics, Run, RunStatus, SentenceSet, Turn
from .encoding import pack

TAIL = 16  # snapshots that a message repeats, so that a listener that missed some has no gap
FORCES = 64
PAIRS = 24
METRICS = tuple(f.name for f in dataclasses.fields(Metrics))
COLUMNS = ("step", "loss", "seconds", *METRICS)
ALIVE = pack({"kind": "alive"}, {})

STATUS_WORDS = {
    RunStatus.STARTING: "Preparing the model",
    RunStatus.RUNNING: "Training",
    RunStatus.PAUSED: "Paused",
    RunStatus.FINISHED: "Finished",
    RunStatus.STOPPED: "Stopped",
    RunStatus.FAILED: "Stopped by an error",
}


@dataclass(frozen=True, slots=True)
class ShownPairs:
    """The pairs whose cosines the messages carry: rows (p, 2), labels (p,), held out (p,) 0 or 1."""

    rows: IntArray
    labels: FloatArray
    held_out: IntArray
    before: FloatArray  # (p,) the base model's cosines

    @classmethod
    def of(cls, run: Run) -> ShownPairs:
        """Hardest first: where the base model's cosine is farthest from the label. Half may be held out."""
        pairs = (*run.pairs, *run.held_out)
        rows = run.sentences.rows_of(pairs)
        labels = np.array([p.label for p in pairs], np.float32)
        held = np.arange(len(pairs)) >= len(run.pairs)
        before = cosines(run.snapshots[0].embeddings, rows)
        order = np.argsort(-np.abs(labels - before), kind="stable")
        unseen = order[held[order]][: max(PAIRS // 2, PAIRS - len(run.pairs))]
        seen = order[~held[order]][: PAIRS - len(unseen)]
        order = order[np.isin(order, (*seen, *unseen))]
        return cls(rows[order], labels[order], held[order].astype(np.int64), before[order])


def cosines(embeddings: FloatArray, rows: IntArray) -> FloatArray:
    """(p,) cosines of unit vectors (n, d) for pairs of rows (p, 2)."""
    return (embeddings[rows[:, 0]] * embeddings[rows[:, 1]]).sum(axis=1)


def message(
    run: Run,
    topic: str,
    pairs: ShownPairs | None = None,
    moment: dict[str, Any] | None = None,
    *,
    history: bool = False,
    frames: bool = False,
) -> bytes:
    """What `contents` says, as bytes."""
    return pack(*contents(run, topic, pairs, moment, history=history, frames=frames))


def contents(
    run: Run,
    topic: str,
    pairs: ShownPairs | None = None,
    moment: dict[str, Any] | None = None,
    *,
    history: bool = False,
    frames: bool = False,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The run as it is now, for a topic's listeners.

    `history`: with all snapshots in `series`; `frames`: with all frames too.
    `pairs` are the run's ShownPairs, found once a run because a large set has thousands to choose from.
    """
    last = run.snapshots[-1] if run.snapshots else None
    header: dict[str, Any] = {
        "topic": topic,
        "kind": "history" if history else "frame",
        "status": run.status,
        "phase": phase(run),
        "line": status_line(run),
        "place": None if run.turn is None else run.turn.place,
        "others": 0 if run.turn is None else run.turn.others,
        "wait": None if run.turn is None else run.turn.seconds,
        "step": run.step,
        "steps": max(run.config.steps, run.step),
        "loss": last.loss if last is not None and math.isfinite(last.loss) else None,
        "seconds": last.seconds if last is not None else None,
        "drawn": run.frames[-1].step if run.frames else -1,
        "unseen": unseen(run),
        "moment": moment,
        "columns": COLUMNS,
    }
    arrays: dict[str, Any] = {}
    if run.frames:
        frame = run.frames[-1]
        header["space"] = space(frame.method, run.sentences)
        arrays |= {"xy": np.asarray(frame.xy, np.float32), "trust": frame.trust}
    if last is not None:
        strongest = np.argsort(-np.abs(last.forces.values))[:FORCES]
        arrays |= {
            "moved": moved(run),
            "forceRows": last.forces.rows[strongest],
            "forceValues": last.forces.values[strongest],
        }
        pairs = pairs or ShownPairs.of(run)
        arrays |= {
            "pairRows": pairs.rows,
            "pairLabels": pairs.labels,
            "pairHeldOut": pairs.held_out,
            "cosinesBefore": pairs.before,
            "cosines": cosines(last.embeddings, pairs.rows),
        }
    if history and run.snapshots and pairs is not None:
        header["seriesSteps"] = [s.step for s in run.snapshots]
        arrays["cosinesByStep"] = np.stack([cosines(s.embeddings, pairs.rows) for s in run.snapshots])
    arrays["series"] = series(run) if history else series(run, TAIL)
    if frames and run.frames:
        shown = [f for f in run.frames if f.xy.shape == run.frames[-1].xy.shape]
        header["drawnSteps"] = [f.step for f in shown]
        arrays["frames"] = np.stack([f.xy for f in shown])
    return header, arrays


def unseen(run: Run) -> dict[str, Any] | None:
    """How many held-out pairs the model tells right, before and now, as counts; None where not measured."""
    if not run.snapshots or not run.held_out:
        return None
    before, now = (run.snapshots[i].metrics.held_out_accuracy for i in (0, -1))
    if before is None or now is None:
        return None
    count = len(run.held_out)
    right = round(now * count)
    return {"right": right, "before": round(before * count), "count": count, "range": wilson(right, count)}


def told(moment: Moment, run: Run, step: int) -> dict[str, Any]:
    """A moment as messages carry it."""
    ids = [run.sentences.sentences[row].id for row in moment.rows]
    return {
        "key": moment.key,
        "step": step,
        "question": moment.question,
        "answer": moment.answer,
        "advice": moment.advice,
        "ids": ids,
    }


def phase(run: Run) -> str:
    """What the page's buttons depend on: "active"; at "rest", all drawn; or still "drawing" the last step."""
    if run.is_active:
        return "active"
    drawn = run.frames[-1].step if run.frames else -1
    return "drawing" if run.snapshots and drawn < run.step else "rest"


def space(method: str, sentences: SentenceSet) -> str:
    """Names the coordinate system of a map: the layout's method and the set whose points it holds."""
    return f"{method} {sentences.sentences[0].id if len(sentences) else ''} {len(sentences)}"


def status_line(run: Run) -> str:
    """One line: what is happening, where, how fast, and who else is at it; then what happened on the way."""
    return f"{_line(run).rstrip('.')}. {run.note}" if run.note else _line(run)


def _line(run: Run) -> str:
    if run.status is RunStatus.WAITING:
        return waiting_line(run.turn)
    words = "Replay of an equal run" if run.replayed else STATUS_WORDS[run.status]
    if run.others and not run.replayed:
        words += f", one run with {run.others} {plural(run.others, 'other')}"
    if run.status is RunStatus.STARTING:
        return words
    line = f"{words} · step {run.step} of {max(run.config.steps, run.step)}"
    if run.snapshots and run.step:
        last = run.snapshots[-1]
        line += f" · loss {last.loss:.3f}"
        if last.seconds > 0:
            trained = "trained at " if run.replayed else ""  # the replay has a pace of its own
            line += f" · {trained}{run.step / last.seconds:.1f} steps a second"
    if run.turn is not None and run.turn.others:
        line += f" · in turns with {run.turn.others} {plural(run.turn.others, 'other run')}"
        if run.turn.seconds is not None:
            line += f" · about {duration(run.turn.seconds)} left"
    return line


def waiting_line(turn: Turn | None) -> str:
    if turn is None or turn.place is None:
        return "Waiting for a free worker"
    place = "next in line" if turn.place == 1 else f"number {turn.place} in line"
    line = f"Waiting for the first step: {place}"
    if turn.seconds is not None:
        line += f", estimated {duration(turn.seconds)}"
    return (
        f"{line}. {turn.others} {plural(turn.others, 'other run')} in training on this server."
        if turn.others
        else line
    )


def duration(seconds: float) -> str:
    """Rounded as an estimate deserves: whole seconds, from ten on tens, from two minutes on minutes."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds, -1):.0f} s" if seconds < 120 else f"{round(seconds / 60)} min"


def moved(run: Run) -> FloatArray:
    """How far each sentence has moved since step 0: 1 - cosine, in the original dimensions, (n,)."""
    first, last = run.snapshots[0].embeddings, run.snapshots[-1].embeddings
    return (1.0 - (first * last).sum(axis=1)).clip(0.0, 2.0).astype(np.float32)


def series(run: Run, newest: int | None = None) -> FloatArray:
    """COLUMNS of the newest snapshots (of all for None), (s, columns); nan where there is no value."""
    chosen = run.snapshots if newest is None else run.snapshots[-newest:]
    rows = [(s.step, s.loss, s.seconds, *(getattr(s.metrics, name) for name in METRICS)) for s in chosen]
    return np.array(rows, np.float32).reshape(len(rows), len(COLUMNS))
