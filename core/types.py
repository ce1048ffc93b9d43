"""The values that travel between the layers: frozen, plain, numpy and standard library only.

Everything else in the project imports from here and nothing here imports from the project, so a
notebook, a worker process and a page all mean the same thing by "snapshot".
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
S = TypeVar("S")
NAMED_LINES = 10  # of a notice


class InputError(ValueError):
    """Something a person gave us cannot be used; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One text. `id` joins map, table, pairs and cards; it depends on the text, not on its place."""

    id: str
    text: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class SentenceSet:
    """Sentences in the order they were typed. Ids are unique. Editing makes a new set."""

    sentences: tuple[Sentence, ...]
    title: str = "Your sentences"
    source: str = "typed"
    notices: tuple[Notice, ...] = field(default=(), compare=False)  # what was noticed when they were read

    def __post_init__(self) -> None:
        assert len({s.id for s in self.sentences}) == len(self.sentences), "sentence ids repeat"

    def __len__(self) -> int:
        return len(self.sentences)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(s.id for s in self.sentences)

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(s.text for s in self.sentences)

    @property
    def groups(self) -> tuple[str | None, ...]:
        return tuple(s.group for s in self.sentences)

    @property
    def has_groups(self) -> bool:
        """True when at least two different groups are named."""
        return len({g for g in self.groups if g is not None}) >= 2

    def row(self) -> dict[str, int]:
        """Sentence id -> row in every (n, d) embedding matrix of this set."""
        return {s.id: i for i, s in enumerate(self.sentences)}

    def rows_of(self, pairs: Iterable[Pair]) -> IntArray:
        """The rows (m, 2) of the pairs' left and right sentences."""
        row = self.row()
        return np.array([(row[p.left], row[p.right]) for p in pairs], np.int64).reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentence ids and how alike they should be: 1 similar, 0 dissimilar, or between."""

    left: str
    right: str
    label: float

    def __post_init__(self) -> None:
        assert 0.0 <= self.label <= 1.0, f"label {self.label} is outside [0, 1]"

    @property
    def is_similar(self) -> bool:
        return self.label >= 0.5


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Every setting of a run. Bounds and help texts stand in core/training/controls.py, one row a field."""

    base_model: str = "minilm-l6"
    loss: str = "mnrl"
    steps: int = 100
    learning_rate: float = 1e-4
    batch_size: int = 16
    margin: float = 0.5
    temperature: float = 0.05
    trained_layers: int = 2
    train_word_embeddings: bool = False
    pooling: str = "own"  # the model's own
    concatenation: str = "u,v,|u-v|"
    dropout: float = 0.0
    warmup: float = 0.1
    weight_decay: float = 0.0
    seed: int = 7
    snapshot_every: int = 1

    def replace(self, **changes: Any) -> TrainingConfig:
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> TrainingConfig:
        """Read to_json's form. Raises InputError for unknown fields or text that is not JSON."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"The settings are not valid JSON: {error}.") from error
        return cls.from_mapping(values)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> TrainingConfig:
        known = {f.name: f for f in dataclasses.fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InputError(f"Unknown setting {unknown[0]!r:.60}. Known: {', '.join(known)}.")
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Forces:
    """How each pair of the last batch pulled or pushed.

    `rows` (m, 2) are rows of the sentence set, `values` (m,) the derivative of the loss with
    respect to that pair's cosine similarity: negative pulls the two together (more similarity
    lowers the loss), positive pushes them apart.
    """

    rows: IntArray
    values: FloatArray

    @classmethod
    def none(cls) -> Forces:
        return cls(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class Metrics:
    """What core/metrics/measures.py measures at a snapshot. None where the data cannot define it."""

    held_out_accuracy: float | None = None
    held_out_auc: float | None = None
    alignment: float | None = None
    uniformity: float | None = None
    mean_random_cosine: float | None = None
    neighbour_purity: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What train() yields. Step 0 is the untouched base model and has no loss (nan).

    `embeddings` (n, d) float32, unit length, read-only. `seconds` of training so far, without the
    time spent paused or measuring.
    """

    step: int
    loss: float
    embeddings: FloatArray
    forces: Forces
    metrics: Metrics
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A snapshot drawn. `xy` (n, 2) or (n, 3) float32; `trust` (n,) in [0, 1] per point."""

    step: int
    xy: FloatArray
    trust: FloatArray
    trustworthiness: float | None
    method: str


class RunStatus(StrEnum):
    WAITING = "waiting"  # in the queue
    STARTING = "starting"  # a worker is preparing it
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"  # by the user, or because nobody watched
    FAILED = "failed"

    @property
    def is_active(self) -> bool:
        """It waits for its turn, or has it."""
        return self in (RunStatus.WAITING, RunStatus.STARTING, RunStatus.RUNNING)


class _Activity:
    """What every kind of run has in common."""

    __slots__ = ()
    status: RunStatus

    @property
    def is_active(self) -> bool:
        return self.status.is_active


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a run stands among those that share the workers."""

    place: int | None  # 1 is next; None from its first step on: everybody's turn comes again
    others: int  # runs that take turns with it
    seconds: float | None  # expected until its first turn, from its first step on until its end


@dataclass(frozen=True, slots=True)
class TaskRun(_Activity, Generic[S]):
    """The run of any task (core/training/trainer.py) as it is now; a bi-encoder's is a `Run`.

    `step` may be ahead of the last snapshot. `frames` are drawn only where somebody asked for a map.
    """

    id: str
    task: Any
    snapshots: tuple[S, ...] = ()
    step: int = 0
    steps: int = 0  # planned; 0 while the task is being prepared for the first time
    frames: tuple[Frame, ...] = ()
    status: RunStatus = RunStatus.WAITING
    error: str | None = None
    note: str = ""  # what happened to it on its way, in one sentence
    turn: Turn | None = None  # while it wants to be trained
    checkpoints: tuple[int, ...] = ()  # steps whose state was kept


@dataclass(frozen=True, slots=True)
class Run(_Activity):
    """A run as it is now; it replays without retraining."""

    id: str
    config: TrainingConfig
    sentences: SentenceSet
    pairs: tuple[Pair, ...]  # trained on
    held_out: tuple[Pair, ...]  # measured on, never trained on
    snapshots: tuple[Snapshot, ...] = ()
    frames: tuple[Frame, ...] = ()
    status: RunStatus = RunStatus.WAITING
    error: str | None = None
    note: str = ""  # what happened to it on its way, in one sentence
    turn: Turn | None = None  # while it wants to be trained
    others: int = 0  # learners who asked for the same, for whom this run is theirs too
    replayed: bool = False  # an equal run had finished before; this one shows what it did
    checkpoints: tuple[int, ...] = ()  # steps one can rewind to
    forked_from: tuple[str, int] | None = None  # (run id, step)

    @property
    def step(self) -> int:
        return self.snapshots[-1].step if self.snapshots else 0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth telling about input that was accepted: a duplicate, a blank line, a text that was cut.

    `lines` are those it is about, the first few of many; `count` says how many there are, at least those.
    """

    text: str
    lines: tuple[int, ...] = ()
    count: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", max(self.count, len(self.lines)))

    def said(self, where: str = "") -> str:
        """With what it is about in front.

        >>> Notice("Blank lines were skipped.", (2, 5), 2).said("Pairs")
        'Pairs, lines 2, 5: Blank lines were skipped.'
        """
        if not self.lines:
            return f"{where}: {self.text}" if where else self.text
        named = ", ".join(f"{line:,}" for line in self.lines[:NAMED_LINES])
        more = f", … ({self.count:,} in all)" if self.count > NAMED_LINES else ""
        return f"{where or 'The text'}, line{'s' * (self.count > 1)} {named}{more}: {self.text}"
