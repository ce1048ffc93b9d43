"""Embeddings as the pages ask for them: plain values in, an array out, in whichever process has the model."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import FloatArray


def embed(
    base_model: str, seed: int, pooling: str, texts: Sequence[str], normalize: bool = True
) -> FloatArray:
    """Embeddings (n, d) float32 of `texts` under an untrained base model; of length 1 with `normalize`.

    Raises InputError when the model is unknown or cannot be loaded.
    """
    from . import registry

    return registry.load(base_model, seed=seed).encode(list(texts), pooling=pooling, normalize=normalize)
