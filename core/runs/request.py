"""What a bi-encoder's run is given, and what of it a fork may change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..models import registry
from ..training import checkpoints
from ..types import InputError, Pair, SentenceSet, TrainingConfig

if TYPE_CHECKING:
    from ..training.bi_trainer import BiEncoderTrainer


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The task of a bi-encoder's run. `layout` names a row of core.maps.layouts.LAYOUTS."""

    config: TrainingConfig
    sentences: SentenceSet
    pairs: tuple[Pair, ...]
    held_out: tuple[Pair, ...] = ()
    layout: str = "equilibrium"
    until: int | None = None  # stop there; None means config.steps

    def content(self) -> RunRequest:
        """What decides the numbers: runs whose contents are equal are one."""
        return replace(self, layout="", until=None)

    def trainer(self, resume: Path | None = None) -> BiEncoderTrainer:
        from ..training.bi_trainer import BiEncoderTrainer

        known = None if resume is None else checkpoints.load(resume)
        encoder = registry.load(self.config.base_model, seed=self.config.seed)
        return BiEncoderTrainer(encoder, self.sentences, self.pairs, self.config, self.held_out, known)


def unforkable(old: TrainingConfig, new: TrainingConfig) -> str | None:
    """The setting that keeps `new` from being a fork's; None without one. It continues the same weights and
    the same optimizer, so what they are cannot change."""
    fixed = ["base_model", "trained_layers", "train_word_embeddings", "pooling"]
    if "softmax" in (old.loss, new.loss):  # its classifier is part of the weights
        fixed += ["loss", "concatenation"]
    changed = (field for field in fixed if getattr(new, field) != getattr(old, field))
    return next((field.replace("_", " ") for field in changed), None)


def refuse_unforkable(old: TrainingConfig, new: TrainingConfig) -> None:
    if field := unforkable(old, new):
        raise InputError(
            f'A fork keeps the model it grew from, so "{field}" cannot change there. Press Reset and train '
            "from the start to change it."
        )
