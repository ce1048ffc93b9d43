"""A typed answer under the app's own two encoders: closer to the card's answer than to its wrong ones?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .quiz import Scores, Suggestion, verdict

LONGEST = 1000  # characters of a typed answer; the models read about 256 word pieces


@dataclass(frozen=True, slots=True)
class TypedScore:
    """Closeness of a typed text to the answer, and the highest to any wrong choice (None without one)."""

    answer: Scores
    rival: Scores | None

    @property
    def suggestion(self) -> Suggestion:
        return verdict(self.answer, self.rival)


def score(typed: str, answer: str, rivals: Sequence[str] = ()) -> TypedScore:
    """Embed all texts and compare the vectors; read each pair at once, in both orders. Runs in a worker.

    Raises InputError when a model cannot be loaded.
    """
    from ..models import cross_encoder
    from ..models.embedding import embed

    references = (answer, *rivals)
    z = embed("minilm-l6", 0, "mean", (typed, *references))  # (1 + r, d)
    cosines = z[1:] @ z[0]  # (r,)
    crosses = cross_encoder.score_likeness([(typed, text) for text in references]).scores  # (r,)
    rival = Scores(float(cosines[1:].max()), float(crosses[1:].max())) if rivals else None
    return TypedScore(Scores(float(cosines[0]), float(crosses[0])), rival)
