"""The moving pictures of cards made from a run: a few frames of its map, small enough to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..types import FloatArray, Frame, InputError, Run, Sentence, SentenceSet
from .from_run import RunCard

MOST_FRAMES = 12
MOST_POINTS = 200  # larger maps are shown while the run lives, and not kept
SCALE = 1000  # kept coordinates are whole thousandths of the map's half width
UNREADABLE = "The picture of this card cannot be read."


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Frames (t, n, 2 or 3) at `steps`; `marked` are the sentences that the card's answer names."""

    sentences: SentenceSet
    frames: FloatArray
    steps: tuple[int, ...]
    marked: tuple[str, ...]


def picture(run: Run, made: RunCard) -> Picture | None:
    """At most twelve of the run's frames from the card's first step to its last; None without any."""
    if not run.frames:
        return None
    kept = _thinned(_between(run.frames, min(made.steps), max(made.steps)))
    frames = np.stack([frame.xy for frame in kept]).astype(np.float32)
    return Picture(run.sentences, frames, tuple(frame.step for frame in kept), made.sentences)


def _between(frames: Sequence[Frame], low: int, high: int) -> list[Frame]:
    """The frames of these steps, or the one nearest to `low`; never none."""
    inside = [frame for frame in frames if low <= frame.step <= high]
    return inside or [min(frames, key=lambda frame: abs(frame.step - low))]


def _thinned(frames: list[Frame]) -> list[Frame]:
    places = np.linspace(0, len(frames) - 1, min(MOST_FRAMES, len(frames)))
    return [frames[i] for i in np.unique(places.round().astype(int))]


def album(run: Run, made: Sequence[RunCard]) -> dict[str, Any] | None:
    """One JSON value with the pictures of all cards of a run; None when the map cannot be kept."""
    if not run.frames or len(run.sentences) > MOST_POINTS:
        return None
    wanted = {frame.step: frame for frame in _thinned(list(run.frames))}
    for card in made:
        for step in card.steps:
            nearest = _between(run.frames, step, step)[0]
            wanted[nearest.step] = nearest
    kept = [wanted[step] for step in sorted(wanted)]
    frames = np.stack([frame.xy for frame in kept])
    spread = float(np.abs(frames).max()) or 1.0
    return {
        "sentences": [[s.id, s.text, s.group] for s in run.sentences.sentences],
        "frames": (frames / spread * SCALE).round().astype(int).tolist(),
        "steps": [frame.step for frame in kept],
        "cards": {c.card.id: {"steps": [min(c.steps), max(c.steps)], "marked": c.sentences} for c in made},
    }


def from_album(value: Any, card_id: str) -> Picture | None:
    """The picture of one card, None if the album has none. Raises InputError for an unreadable album,
    since it may come from a file."""
    try:
        entry = value["cards"].get(card_id)
        if entry is None:
            return None
        sentences = tuple(
            Sentence(str(i), str(text), None if group is None else str(group))
            for i, text, group in value["sentences"]
        )
        frames = np.asarray(value["frames"], np.float32)  # (t, n, 2 or 3)
        steps = [int(step) for step in value["steps"]]
        low, high = (int(step) for step in entry["steps"])
        marked = tuple(str(i) for i in entry["marked"])
        shown = SentenceSet(sentences)
    except (AttributeError, KeyError, TypeError, ValueError, AssertionError) as error:
        raise InputError(UNREADABLE) from error
    fits = frames.ndim == 3 and frames.shape[:2] == (len(steps), len(sentences)) and frames.shape[2] in (2, 3)
    if not fits or not steps or not np.isfinite(frames).all():
        raise InputError(UNREADABLE)
    inside = [i for i, step in enumerate(steps) if low <= step <= high]
    inside = inside or [min(range(len(steps)), key=lambda i: abs(steps[i] - low))]
    return Picture(shown, frames[inside] / np.float32(SCALE), tuple(steps[i] for i in inside), marked)
