"""How far a learner is in a lesson: what was predicted, what was measured then, and their own words.

A frozen value and its JSON form. Reading is lenient: what a changed lesson no longer has is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

LONGEST_EXPLANATION = 4000  # characters


@dataclass(frozen=True, slots=True)
class Answer:
    """One prediction step. `outcome` and `says` are what was measured, None and "" before that."""

    prediction: str
    outcome: str | None = None
    says: str = ""

    @property
    def is_right(self) -> bool:
        return self.prediction == self.outcome


@dataclass(frozen=True, slots=True)
class LessonProgress:
    """Steps count from 0. `furthest` is the last step that was reached."""

    step: int = 0
    furthest: int = 0
    answers: tuple[tuple[int, Answer], ...] = ()
    explanations: tuple[tuple[int, str], ...] = ()
    finished: bool = False

    def answer(self, step: int) -> Answer | None:
        return dict(self.answers).get(step)

    def explanation(self, step: int) -> str:
        return dict(self.explanations).get(step, "")

    def at(self, step: int) -> LessonProgress:
        return replace(self, step=step, furthest=max(step, self.furthest))

    def with_answer(self, step: int, answer: Answer | None) -> LessonProgress:
        """None takes the answer away, for another try."""
        kept = {**dict(self.answers), step: answer}
        return replace(self, answers=tuple((i, a) for i, a in sorted(kept.items()) if a is not None))

    def with_explanation(self, step: int, text: str) -> LessonProgress:
        kept = {**dict(self.explanations), step: text[:LONGEST_EXPLANATION]}
        return replace(self, explanations=tuple(sorted(kept.items())))

    def to_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "furthest": self.furthest,
            "finished": self.finished,
            "answers": {
                str(i): {"prediction": a.prediction, "outcome": a.outcome, "says": a.says}
                for i, a in self.answers
            },
            "explanations": {str(i): text for i, text in self.explanations},
        }


def from_json(value: Any, steps: int) -> LessonProgress:
    """to_json's form for a lesson of so many steps; whatever does not fit is left out."""
    if not isinstance(value, Mapping):
        return LessonProgress()

    def number(name: str) -> int:
        found = value.get(name)
        return min(max(0, found), steps - 1) if isinstance(found, int) else 0

    answers = []
    for i, raw in _by_step(value.get("answers"), steps):
        if isinstance(raw, Mapping) and isinstance(raw.get("prediction"), str):
            outcome, says = raw.get("outcome"), raw.get("says")
            answers.append(
                (
                    i,
                    Answer(
                        raw["prediction"],
                        outcome if isinstance(outcome, str) else None,
                        says if isinstance(says, str) else "",
                    ),
                )
            )
    words = [
        (i, t[:LONGEST_EXPLANATION])
        for i, t in _by_step(value.get("explanations"), steps)
        if isinstance(t, str)
    ]
    return LessonProgress(
        number("step"), number("furthest"), tuple(answers), tuple(words), value.get("finished") is True
    )


def _by_step(value: Any, steps: int) -> list[tuple[int, Any]]:
    if not isinstance(value, Mapping):
        return []
    known = {str(i): i for i in range(steps)}
    return sorted((known[k], v) for k, v in value.items() if k in known)
