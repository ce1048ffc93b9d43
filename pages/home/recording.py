"""The recorded run that Home replays: assets/recording/home.json, written by scripts/record_home.py.

Apart from the page because nothing of it needs a model, a worker or the network: it is there at first paint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from core.data.assets import ASSETS
from core.data.text import sentence_id
from core.types import FloatArray, Sentence, SentenceSet

FILE = ASSETS / "recording" / "home.json"


@dataclass(frozen=True, slots=True)
class Recording:
    """A run as it was: `xy` (T, n, 2) at `steps`, of n sentences; `about` says with which settings."""

    sentences: SentenceSet
    steps: tuple[int, ...]
    xy: FloatArray
    layout: str
    held_out: tuple[int, ...]  # rows
    about: str

    @property
    def named(self) -> tuple[int, ...]:
        """Rows that carry their text: the first of each group, and the one that went farthest."""
        groups = self.sentences.groups
        farthest = int(np.linalg.norm(self.xy[-1] - self.xy[0], axis=1).argmax())
        return (*(groups.index(group) for group in dict.fromkeys(groups)), farthest)


@cache
def recording() -> Recording:
    data = json.loads(FILE.read_text(encoding="utf-8"))
    rows = zip(data["texts"], data["groups"], strict=True)
    sentences = SentenceSet(tuple(Sentence(sentence_id(t), t, g) for t, g in rows), data["title"])
    settings, unseen = data["settings"], data["unseen"]
    about = (
        f"A recording: {data['model']} learns “{data['title']}” in {settings['steps']} steps "
        f"({data['pairs']} pairs, {settings['trained_layers']} of 6 layers, seed {settings['seed']}). Unseen "
        f"pairs right: {unseen['before']} of {unseen['count']} before, {unseen['right']} after."
    )
    xy = np.array(data["xy"], np.float32)
    return Recording(sentences, tuple(data["steps"]), xy, data["layout"], tuple(data["held_out"]), about)
