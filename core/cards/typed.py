"""A typed answer under the app's own two encoders: how close is it to the card's answer?"""

from __future__ import annotations

from dataclasses import dataclass

from core.cards.quiz import Suggestion, verdict


@dataclass(frozen=True, slots=True)
class TypedScore:
    """Bi-encoder cosine in [-1, 1] and cross-encoder score in [0, 1] of one typed answer."""

    cosine: float
    cross: float

    @property
    def suggestion(self) -> Suggestion:
        return verdict(self.cosine, self.cross)


def score(typed: str, expected: str) -> TypedScore:
    """Embed both texts and compare the vectors; read both at once, in both orders. Runs in a worker.

    Raises InputError when a model cannot be loaded.
    """
    from core import cross_encoder
    from core.embedding import embed

    left, right = embed("minilm-l6", 0, "mean", (typed, expected))
    cross = cross_encoder.score_both_orders([(typed, expected)]).scores[0]
    return TypedScore(float(left @ right), float(cross))
