"""How models learn: the loop, batches, settings, checkpoints, and one trainer for each kind of model.

What a loss is stands in core/losses, where runs happen in core/runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .trainer import Trainer, iterate

if TYPE_CHECKING:
    from .bi_trainer import BiEncoderTrainer, train

__all__ = ["BiEncoderTrainer", "Trainer", "iterate", "train"]


def __getattr__(name: str) -> Any:
    """`training.train` and its trainer, which need torch: loaded when somebody asks for them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import bi_trainer

    return getattr(bi_trainer, name)
