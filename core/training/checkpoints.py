"""A training run frozen at a step: exact save, load, and which steps to keep. Rewind and fork start here.

A checkpoint holds what the run changed (trained weights, AdamW's moments) and nothing it did not; the
frozen weights come from the base model. Randomness needs no place: it derives from seed and step.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..data.folders import no_room
from ..types import FloatArray, InputError, IntArray, TrainingConfig

FORMAT = "embedding-lab-checkpoint-1"
WORDS = "words"
MOMENTS = ("first", "second")


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Everything a run needs to go on from `step` as if it had never stopped.

    `parameters` name -> trained weights float32; `first` and `second` the moments of AdamW (Loshchilov &
    Hutter 2019) with the same names and shapes; `updates` how often each was updated, for the bias
    correction. `words` (v,) are the token ids of the trained rows of the word embeddings, if any.
    """

    step: int
    config: TrainingConfig
    parameters: Mapping[str, FloatArray]
    first: Mapping[str, FloatArray] = field(default_factory=dict)
    second: Mapping[str, FloatArray] = field(default_factory=dict)
    updates: Mapping[str, int] = field(default_factory=dict)
    words: IntArray | None = None
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        arrays = [a for group in (self.parameters, self.first, self.second) for a in group.values()]
        return sum(a.nbytes for a in arrays)


def save(checkpoint: Checkpoint, file: Path) -> None:
    """Write a safetensors file. It appears whole or not at all."""
    from safetensors.numpy import save_file

    tensors: dict[str, np.ndarray] = {f"parameters/{k}": v for k, v in checkpoint.parameters.items()}
    for moment in MOMENTS:
        tensors |= {f"{moment}/{k}": v for k, v in getattr(checkpoint, moment).items()}
    if checkpoint.words is not None:
        tensors[WORDS] = checkpoint.words
    about = {
        "format": FORMAT,
        "step": str(checkpoint.step),
        "config": checkpoint.config.to_json(),
        "updates": json.dumps(dict(checkpoint.updates)),
        "seconds": repr(checkpoint.seconds),
    }
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(file.name + ".part")
        save_file(tensors, unfinished, metadata=about)
        unfinished.replace(file)


@contextlib.contextmanager
def writing(file: Path) -> Iterator[None]:
    """What the disk refuses inside becomes a sentence that names the folder."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise InputError(no_room(file.parent, error)) from error


def load(file: Path) -> Checkpoint:
    """Read what save() wrote, bit for bit. Raises InputError, one sentence, for any other file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            about = opened.metadata() or {}
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 (not a dict)
    except FileNotFoundError as error:
        raise InputError(f"There is no checkpoint {file.name}.") from error
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise InputError(f"{file.name} is damaged or not a checkpoint, so it cannot be loaded.") from error
    if about.get("format") != FORMAT:
        raise InputError(f"{file.name} is not a checkpoint of this app, so it cannot be loaded.")
    try:
        checkpoint = Checkpoint(
            step=int(about["step"]),
            config=TrainingConfig.from_json(about["config"]),
            parameters=_group(tensors, "parameters"),
            first=_group(tensors, "first"),
            second=_group(tensors, "second"),
            updates={str(k): int(v) for k, v in json.loads(about["updates"]).items()},
            words=tensors.get(WORDS),
            seconds=float(about["seconds"]),
        )
        problem = _problem(checkpoint)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{file.name} does not describe its run as this app does.") from error
    if problem:
        raise InputError(f"{file.name} cannot be used: {problem}.")
    return checkpoint


def _group(tensors: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {key.split("/", 1)[1]: value for key, value in tensors.items() if key.startswith(f"{name}/")}


def _problem(checkpoint: Checkpoint) -> str:
    """What is wrong with it in words, or nothing."""
    if checkpoint.step < 0 or not checkpoint.parameters:
        return "it holds no weights or a negative step"
    for name, weights in checkpoint.parameters.items():
        for moment in (checkpoint.first, checkpoint.second):
            if name in moment and moment[name].shape != weights.shape:
                return f"the optimizer's state of {name} has another shape than its weights"
        if weights.dtype != np.float32 or not np.isfinite(weights).all():
            return f"{name} holds something other than finite float32 numbers"
    if not (set(checkpoint.first) == set(checkpoint.second) == set(checkpoint.updates)):
        return "the optimizer's state is incomplete"
    if not set(checkpoint.first) <= set(checkpoint.parameters):
        return "the optimizer's state names weights that are not there"
    word = checkpoint.parameters.get("embeddings.word")
    if (word is None) != (checkpoint.words is None) or (
        word is not None and checkpoint.words is not None and checkpoint.words.shape != word.shape[:1]
    ):
        return "the word embeddings and their token ids do not match"
    return ""


def thin(steps: Sequence[int], room: int) -> tuple[int, ...]:
    """Which checkpoints to keep when there is room for `room`: evenly spread, the first and last always.

    >>> thin([0, 5, 10, 15, 20], 3)
    (0, 10, 20)
    """
    assert room >= 1, "there is room for at least one"
    ordered = sorted(set(steps))
    if len(ordered) <= room:
        return tuple(ordered)
    if room == 1:
        return (ordered[-1],)
    targets = np.linspace(ordered[0], ordered[-1], room)
    kept = {ordered[0], ordered[-1]}
    for target in targets[1:-1]:
        left = [step for step in ordered if step not in kept]
        kept.add(min(left, key=lambda step: (abs(step - target), step)))
    return tuple(sorted(kept))


# ---- the files of a run: step-000123.safetensors, and others that begin with that name --------------------


def checkpoint_file(folder: str, step: int) -> Path:
    return Path(folder) / f"step-{step:06d}.safetensors"


def checkpoints_in(folder: str) -> list[int]:
    """The steps whose checkpoints lie there, in order."""
    return sorted(int(file.stem.split("-")[1]) for file in Path(folder).glob("step-*.safetensors"))


def files_of(folder: str, step: int) -> list[Path]:
    """The files of a step's checkpoint, the one that makes it known last."""
    return sorted(Path(folder).glob(checkpoint_file(folder, step).name + "*"), reverse=True)


def copy_checkpoints(source: str, target: str, step: int) -> tuple[int, ...]:
    """Put all checkpoints up to `step` there too, and say which: the worker may be dropping some just now.

    Raises InputError when there is none any more.
    """
    copied = []
    for kept in (s for s in checkpoints_in(source) if s <= step):
        with contextlib.suppress(FileNotFoundError):
            with contextlib.suppress(FileExistsError):
                os.link(checkpoint_file(source, kept), checkpoint_file(target, kept))
            copied.append(kept)
    if not copied:
        raise InputError("The steps of this run are no longer kept. Train again to make new ones.")
    return tuple(copied)
