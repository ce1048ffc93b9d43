"""Tuned models as others ask for them: settings and a checkpoint file in, an encoder or numbers out.

These functions load torch and run in a worker process; pages call them by name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..metrics.probe import ProbeScore, graded_pairs, score
from ..types import FloatArray, TrainingConfig

if TYPE_CHECKING:
    from ..models.encoder import Encoder

KEPT = 4  # tuned models in memory per process; what they did not change is shared with the base model
_recent: OrderedDict[tuple[str, int, str, int], Encoder] = OrderedDict()


def tuned(config: TrainingConfig, checkpoint: str | None) -> Encoder:
    """The model of these settings at a checkpoint file, or its untouched base model. Read-only.

    Raises InputError when the base model is unknown or the file is missing, damaged or does not fit.
    """
    from ..models import registry
    from . import checkpoints
    from .trainable import with_checkpoint

    base = registry.load(config.base_model, seed=config.seed)
    if checkpoint is None:
        return base
    file = Path(checkpoint)
    key = (config.base_model, config.seed, str(file), file.stat().st_mtime_ns if file.exists() else 0)
    if key not in _recent:
        _recent[key] = with_checkpoint(base, checkpoints.load(file), config)
        while len(_recent) > KEPT:
            _recent.popitem(last=False)
    _recent.move_to_end(key)
    return _recent[key]


def embed(config: TrainingConfig, checkpoint: str | None, texts: Sequence[str]) -> FloatArray:
    """Unit-length embeddings (n, d) float32 of `texts` under that model. Raises InputError as tuned()."""
    return tuned(config, checkpoint).encode(list(texts), pooling=config.pooling)


def probe(config: TrainingConfig, checkpoint: str | None) -> ProbeScore:
    """How well that model still ranks the graded everyday pairs. Raises InputError as tuned()."""
    texts = [text for pair in graded_pairs() for text in (pair.left, pair.right)]
    return score(embed(config, checkpoint, texts))
