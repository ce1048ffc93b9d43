"""Tuned weights as a difference to the base model, and back to a checkpoint file. Needs torch: in a worker.

The difference is one of bit patterns, so base plus difference is the tuned weight exactly, to the last bit.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.folders import no_room
from ..models.device import numbers
from ..types import FloatArray, InputError, IntArray, Run, TrainingConfig
from .run_file import RunFile, Weights, pack, unpack

if TYPE_CHECKING:
    from ..models.encoder import Encoder

ABANDONED = 3600  # seconds after which an unfinished file is nobody's any more


def save(run: Run, checkpoint: str | None, title: str, note: str, created: str, path: str) -> int:
    """Write the run file of `run`, with the weights of that checkpoint file, to `path`; its size in bytes.

    It appears whole or not at all. Raises InputError when the checkpoint does not fit or the disk is full.
    """
    weights = None if checkpoint is None else weights_of(run.config, checkpoint)
    data = pack(RunFile(run, title, note, created, weights))
    file = Path(path)
    unfinished = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for part in file.parent.glob("*.part"):  # of a server that was killed while it saved
            with contextlib.suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > ABANDONED:
                    part.unlink()
        unfinished.write_bytes(data)
        unfinished.replace(file)
    except OSError as error:
        raise InputError(no_room(file.parent, error)) from error
    return len(data)


def weights_of(config: TrainingConfig, checkpoint: str) -> Weights:
    """What the checkpoint changed, as a difference to the base model of these settings."""
    from ..models import registry
    from ..training import checkpoints

    kept = checkpoints.load(Path(checkpoint))
    encoder = registry.load(config.base_model, seed=config.seed)
    before = base_slices(encoder, kept.parameters, kept.words)
    differences = {name: difference(value, before[name]) for name, value in kept.parameters.items()}
    return Weights(kept.step, digest(before), differences, kept.words)


def restore(path: str, checkpoint: str) -> int:
    """Turn the weights in the run file at `path` into a checkpoint file; the step they are of.

    Raises InputError when there are none, or this machine's base model is not the one they count from.
    """
    from ..models import registry
    from ..training import checkpoints

    kept = unpack(Path(path).read_bytes(), Path(path).name)
    if kept.weights is None:
        raise InputError("This run file holds no weights: it replays, but its model cannot be used.")
    config, weights = kept.run.config, kept.weights
    encoder = registry.load(config.base_model, seed=config.seed)
    shapes = {name: np.broadcast_to(np.float32(0), v.shape) for name, v in weights.differences.items()}
    before = base_slices(encoder, shapes, weights.words)
    if digest(before) != weights.base:
        raise InputError(
            f"The base model {config.base_model!r} of this machine is not the one this run started from, so "
            "its tuned weights cannot be used; the run itself can still be replayed."
        )
    parameters = {name: applied(before[name], weights.differences[name]) for name in before}
    saved = checkpoints.Checkpoint(
        weights.step, config, parameters, words=weights.words, seconds=kept.run.snapshots[-1].seconds
    )
    checkpoints.save(saved, Path(checkpoint))
    checkpoints.load(Path(checkpoint))  # refuses weights that are not finite or incomplete
    return weights.step


def difference(tuned: FloatArray, base: FloatArray) -> np.ndarray:
    """int32: the bits of `tuned` minus the bits of `base`, wrapping around."""
    with np.errstate(over="ignore"):
        gap: np.ndarray = np.ascontiguousarray(tuned, np.float32).view(np.int32) - base.view(np.int32)
    return gap


def applied(base: FloatArray, gap: np.ndarray) -> FloatArray:
    """The inverse of difference()."""
    with np.errstate(over="ignore"):
        value: FloatArray = (base.view(np.int32) + gap).view(np.float32)
    return value


def base_slices(
    encoder: Encoder, parameters: Mapping[str, np.ndarray], words: IntArray | None
) -> dict[str, FloatArray]:
    """The base model's weights of the same names and rows. A loss's own classifier counts from zero."""
    own = dict(encoder.named_parameters())
    found: dict[str, FloatArray] = {}
    for name, value in parameters.items():
        if name.startswith("head."):
            found[name] = np.zeros(value.shape, np.float32)
            continue
        whole = numbers(own[name]) if name in own else np.zeros((0,), np.float32)
        if name == "embeddings.word" and words is not None:
            inside = len(words) and 0 <= words.min() <= words.max() < len(whole)
            rows = whole[words] if inside else whole[:0]
        else:
            rows = whole[: len(value)] if value.ndim and whole.ndim == value.ndim else whole
        if rows.shape != value.shape:
            raise InputError(f"The weights {name[:60]} do not fit the base model.")
        found[name] = np.array(rows, np.float32)
    return found


def digest(arrays: Mapping[str, FloatArray]) -> str:
    """sha256 over names and bytes, by name."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        total.update(name.encode())
        total.update(np.ascontiguousarray(arrays[name]).tobytes())
    return total.hexdigest()
