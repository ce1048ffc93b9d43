"""The values of the study half: cards, decks, ratings, schedules and reviews, frozen and plain.

Time and randomness never start here: every moment and every seed is handed in by the caller. What stands in
Annotated is checked where JSON is read (core/storage), not when our own code makes a value.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StringConstraints

from ..data.schema import Between, refuse, storable


def _no_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("it must be a number, not true or false")
    return value


YEARS = (1970, 2999)  # far from the calendar's ends, so that days can be added and clocks changed


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC. Raises ValueError outside YEARS."""
    if not YEARS[0] < moment.year < YEARS[1]:
        raise ValueError(f"it is outside the years {YEARS[0]} to {YEARS[1]}")
    return moment.astimezone(UTC)


CardId = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(storable)]
CardText = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(storable)]
FilledText = Annotated[CardText, StringConstraints(min_length=1)]
UtcTime = Annotated[AwareDatetime, AfterValidator(in_utc)]


class Rating(IntEnum):
    """How well a card was recalled; the numbers are those of FSRS and of the keys 1 to 4."""

    AGAIN = 1
    HARD = 2
    GOOD = 3
    EASY = 4


class Confidence(IntEnum):
    """What the learner said before the flip."""

    GUESS = 1
    FAIRLY_SURE = 2
    CERTAIN = 3


class StudyMode(StrEnum):
    FLIP = "flip"
    TYPED = "typed"
    CHOICE = "choice"


class Stage(StrEnum):
    """Where a card stands in FSRS. NEW: never reviewed."""

    NEW = "new"
    LEARNING = "learning"
    REVIEW = "review"
    RELEARNING = "relearning"


def card_id(title: str, question: str, occurrence: int = 0) -> str:
    """Id of a card that names none: 12 hex digits of sha1 over title and question, "-2".. for repeats.

    The answer, the deck and the place in it do not count, so a mended answer keeps its schedule.
    """
    text = "\n".join(" ".join(unicodedata.normalize("NFC", part).split()) for part in (title, question))
    digest = hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()[:12]
    return digest if occurrence == 0 else f"{digest}-{occurrence + 1}"


def is_id(text: str) -> bool:
    """Whether a table or a package may give it to a card."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text) is not None


@dataclass(frozen=True, slots=True)
class Card:
    """One question with its answer, in plain text or Markdown.

    `wrong` says why the tempting wrong answer is wrong; `choices` are wrong options for multiple
    choice, one line each; `live` is a page path with query parameters that sets up the experiment.
    """

    id: CardId
    title: CardText
    question: FilledText
    answer: FilledText
    background: CardText = ""
    source: CardText = ""
    wrong: CardText = ""
    live: CardText = ""
    choices: tuple[FilledText, ...] = ()

    def replace(self, **changes: Any) -> Card:
        return dataclasses.replace(self, **changes)

    @property
    def page(self) -> str:
        """The page path of the live link, "" without one."""
        return self.live.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Deck:
    """Cards of one theme. `preamble` is the text between the deck's title and its first card."""

    key: str
    title: str
    cards: tuple[Card, ...]
    preamble: str = ""

    def __len__(self) -> int:
        return len(self.cards)

    def card(self, identifier: str) -> Card | None:
        return next((c for c in self.cards if c.id == identifier), None)


def with_unique_ids(cards: Iterable[Card]) -> tuple[Card, ...]:
    """Cards whose repeated ids got "-2", "-3".. in order; the first of each keeps its own."""
    seen: set[str] = set()
    times: dict[str, int] = {}
    unique = []
    for card in cards:
        identifier = card.id
        while identifier in seen:
            times[card.id] = times.get(card.id, 1) + 1
            identifier = f"{card.id}-{times[card.id]}"
        seen.add(identifier)
        unique.append(card if identifier == card.id else card.replace(id=identifier))
    return tuple(unique)


@dataclass(frozen=True, slots=True)
class CardState:
    """A card's schedule. Stability in days, difficulty in [1, 10]; None until the first review.

    `due` and `last_review` are timezone-aware and in UTC.
    """

    card_id: CardId
    stage: Stage
    due: UtcTime
    step: Annotated[int, Between(0, 100)] | None = None
    stability: Annotated[float, Between(1e-6, 1e6)] | None = None
    difficulty: Annotated[float, Between(1, 10)] | None = None
    last_review: UtcTime | None = None


def _complete(state: CardState) -> CardState:
    needed = [] if state.stage is Stage.NEW else ["stability", "difficulty", "last_review"]
    needed += ["step"] if state.stage in (Stage.LEARNING, Stage.RELEARNING) else []
    why = f"it is missing; a card in stage {state.stage.value!r} has one"
    refuse(*(((name,), why) for name in needed if getattr(state, name) is None))
    return state


StoredState = Annotated[CardState, AfterValidator(_complete)]


@dataclass(frozen=True, slots=True)
class Review:
    """One answer. `before` is the schedule it replaced, so that undo is exact."""

    card_id: CardId
    rating: Annotated[Rating, BeforeValidator(_no_switch)]
    at: UtcTime
    before: StoredState
    mode: StudyMode = StudyMode.FLIP
    confidence: Annotated[Confidence, BeforeValidator(_no_switch)] | None = None
    seconds: Annotated[float, Between(0, 1e7)] | None = None

    @property
    def is_confident_error(self) -> bool:
        return self.confidence is Confidence.CERTAIN and self.rating is Rating.AGAIN


def _of_one_card(review: Review) -> Review:
    if review.before.card_id != review.card_id:
        raise ValueError("its schedule before belongs to another card")
    return review


StoredReview = Annotated[Review, AfterValidator(_of_one_card)]
