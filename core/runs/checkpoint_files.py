"""Where the checkpoints of a run lie: `step-000123.safetensors` and others that begin with that name."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..types import InputError


def checkpoint_file(folder: str, step: int) -> Path:
    return Path(folder) / f"step-{step:06d}.safetensors"


def checkpoints_in(folder: str) -> list[int]:
    """The steps whose checkpoints lie there, in order."""
    return sorted(int(file.stem.split("-")[1]) for file in Path(folder).glob("step-*.safetensors"))


def copy_checkpoints(source: str, target: str, step: int) -> tuple[int, ...]:
    """Put all checkpoints up to `step` there too, and say which: the worker may be dropping some just now.

    Raises InputError when there is none any more.
    """
    copied = []
    for kept in (s for s in checkpoints_in(source) if s <= step):
        with contextlib.suppress(FileNotFoundError):
            os.link(checkpoint_file(source, kept), checkpoint_file(target, kept))
            copied.append(kept)
    if not copied:
        raise InputError("The steps of this run are no longer kept. Train again to make new ones.")
    return tuple(copied)
