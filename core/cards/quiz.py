"""The ways to ask a card besides flipping it: multiple choice and the typed answer. Pure and seeded.

The two scores of a typed answer are computed elsewhere, by the app's own encoders; here they become
a suggestion, and the learner's verdict stays final.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .decks.fences import segments
from .types import Card, Rating

OPTIONS = 4
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?]”))\s+(?=[A-Z0-9\"'“(])")


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """Options in the order they are shown; `right` is the index of the correct one."""

    options: tuple[str, ...]
    right: int

    def is_right(self, picked: int) -> bool:
        return picked == self.right


def short_answer(card: Card) -> str:
    """The first sentence of the answer, without code: what stands among the options of a quiz.

    The app's own decks open every answer with a sentence that stands alone.
    """
    parts = segments(card.answer)
    prose = " ".join(" ".join(content for kind, content in parts if kind == "text").split())
    for end in _SENTENCE_END.finditer(prose):
        sentence = prose[: end.start()]
        if sentence.count("“") <= sentence.count("”"):  # not within a quotation
            return sentence
    return prose or " ".join(card.answer.split())


def multiple_choice(
    card: Card, others: Sequence[Card], seed: int, options: int = OPTIONS
) -> MultipleChoice | None:
    """One right and up to `options` - 1 wrong options, shuffled by `seed`; None if there is no wrong one.

    The card's own wrong choices come first, because they are the tempting ones; short answers of
    `others` fill the rest, those of the nearest length first, so that length gives nothing away.
    """
    chance = random.Random(f"{card.id}:{seed}")
    right = short_answer(card)
    own = [choice for choice in dict.fromkeys(card.choices) if not _same(choice, right)]
    wrong = chance.sample(own, min(len(own), options - 1))
    if len(wrong) < options - 1:
        pool = dict.fromkeys(short_answer(other) for other in others if other.id != card.id)
        spare = [text for text in pool if not any(_same(text, taken) for taken in (right, *wrong))]
        spare.sort(key=lambda text: (abs(len(text) - len(right)), chance.random()))
        wrong += spare[: options - 1 - len(wrong)]
    if not wrong:
        return None
    shown = [right, *wrong]
    chance.shuffle(shown)
    return MultipleChoice(tuple(shown), shown.index(right))


def _same(one: str, other: str) -> bool:
    return re.sub(r"\W+", " ", one).strip().casefold() == re.sub(r"\W+", " ", other).strip().casefold()


@dataclass(frozen=True, slots=True)
class Scores:
    """How close a typed text is to a reference: cosine [-1, 1] and the cross-encoder's score [0, 1]."""

    cosine: float
    cross: float | None = None  # None where the cross-encoder is not at hand: the cosine speaks alone


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the scores suggest. `rating` preselects a button; the learner decides."""

    rating: Rating
    text: str
    agree: bool  # both encoders say the same


# Without rivals: on 60 answers typed for the app's own decks, 40 of them right, these cuts let few wrong ones
# through as close, and leave most in between; the ranks (AUC 0.78 and 0.88) are too weak for more. Measured
# with the cross-encoder of an earlier training run of the same recipe.
COSINE_FAR, COSINE_CLOSE = 0.30, 0.58
CROSS_FAR, CROSS_CLOSE = 0.25, 0.50


def verdict(answer: Scores, rival: Scores | None = None) -> Suggestion:
    """A suggestion from the scores of the typed text against the card's short answer and its wrong choices.

    `answer` is the closeness to `short_answer(card)`, `rival` the highest one to any of `card.choices`,
    each of its two numbers by itself. With a rival the question is the contrastive one, why P and not
    Q: closer to the answer than to every wrong choice? On the 60 typed answers this ranks better (AUC
    0.89 by cosine, 0.94 by cross-encoder): 19 of 20 wrong ones are told, and 30 of 40 right ones are
    accepted by at least one encoder. Scores measure closeness of meaning as a model sees it, not truth.
    """
    if rival is None:
        bi = _level(answer.cosine, COSINE_FAR, COSINE_CLOSE)
        joint = bi if answer.cross is None else _level(answer.cross, CROSS_FAR, CROSS_CLOSE)
        texts = _NEAR
    else:
        bi = 2 * (answer.cosine > rival.cosine)
        joint = bi if answer.cross is None or rival.cross is None else 2 * (answer.cross > rival.cross)
        texts = _NEARER
    if bi != joint:
        return Suggestion(Rating.HARD, _DISAGREE, False)
    return Suggestion((Rating.AGAIN, Rating.HARD, Rating.GOOD)[bi], texts[bi], True)


_DISAGREE = "The two models disagree about your answer. Compare it with the card and decide yourself."
_NEAR = (
    "Your answer is far from the card's. Read both: other words can still be right.",
    "Your answer is near the card's, not the same. Look for what is missing.",
    "Your answer is close to the card's. Check that no direction or 'not' is turned round.",
)
_NEARER = (
    "Your answer is closer to a wrong answer than to the card's. Read both: it may still be right.",
    "",
    "Your answer is closer to the card's than to the wrong ones. Check that no 'not' is turned round.",
)


def _level(score: float, far: float, close: float) -> int:
    return (score >= far) + (score >= close)


def search(cards: Sequence[Card], query: str) -> tuple[Card, ...]:
    """Cards that hold every word of `query` somewhere, in deck order; all of them for an empty query."""
    words = query.casefold().split()
    return tuple(card for card in cards if all(word in _searched(card) for word in words))


def _searched(card: Card) -> str:
    parts = (card.title, card.background, card.question, card.answer, card.wrong, card.source, *card.choices)
    return "\n".join(parts).casefold()
