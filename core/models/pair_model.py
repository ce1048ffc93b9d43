"""What a model for pairs gives, so that a CrossEncoder can hold any: the packaged one or one of the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..types import FloatArray

TextPair = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class JointAttention:
    """Which token looks at which in one joint pass. Each row of `weights` sums to 1."""

    tokens: tuple[str, ...]  # t pieces, special ones included
    segments: tuple[int, ...]  # 0 left text, 1 right text
    weights: FloatArray  # (layers, heads, t, t): row looks at column


class PairModel(Protocol):
    """A model that reads both texts of a pair at once (core/models/joint_model.py, core/models/hub.py)."""

    def logits(self, pairs: Sequence[TextPair]) -> tuple[FloatArray, list[bool]]:
        """Logits (n,) of one batch, and which of the pairs had to be cut."""

    def attention(self, left: str, right: str) -> JointAttention: ...
