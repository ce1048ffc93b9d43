"""When a card comes back: FSRS for one answer, undo, and the forecast. Pure: `now` is handed in.

The maths is the fsrs package's (FSRS-6, Open Spaced Repetition). Its fuzz stays off, because it draws
from a hidden random source: the same answers at the same moments give the same schedule here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ..types import InputError
from .types import CardState, Confidence, Rating, Review, Stage, StudyMode

if TYPE_CHECKING:
    import fsrs

TWO_BUTTONS = (Rating.AGAIN, Rating.GOOD)
FOUR_BUTTONS = (Rating.AGAIN, Rating.HARD, Rating.GOOD, Rating.EASY)
LEARN_AHEAD = timedelta(minutes=20)  # a card in its learning steps may come early when nothing else is left


@dataclass(frozen=True, slots=True)
class StudySettings:
    """What a learner may set, and by which clock their day begins (at 4 in the morning): that of `time_zone`,
    such as Europe/Madrid, or `utc_offset` in minutes where no zone is known."""

    desired_retention: float = 0.9
    new_per_day: int = 10
    reviews_per_day: int = 200
    four_buttons: bool = False
    utc_offset: int = 0
    time_zone: str = ""

    @property
    def zone(self) -> tzinfo:
        """The learner's clock. A zone knows the offset that held at a moment: summer and winter differ."""
        try:
            return ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):  # no such zone; no name of one; a folder of zones
            return timezone(timedelta(minutes=self.utc_offset))

    @property
    def buttons(self) -> tuple[Rating, ...]:
        return FOUR_BUTTONS if self.four_buttons else TWO_BUTTONS

    def checked(self) -> StudySettings:
        """These settings, or InputError that names the field, its value and its bounds."""
        for name, (low, high) in SETTING_BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise InputError(f"{name} is {value!r}; allowed is {low} to {high}.")
        if not isinstance(self.time_zone, str) or len(self.time_zone) > LONGEST_ZONE:
            raise InputError(f"time_zone is {self.time_zone!r:.80}; a zone is called as Europe/Madrid.")
        return self


# Below 0.7 or above 0.97 FSRS's intervals become extreme (weeks of forgetting, or daily repetition).
SETTING_BOUNDS: dict[str, tuple[float, float]] = {
    "desired_retention": (0.7, 0.97),
    "new_per_day": (0, 200),
    "reviews_per_day": (1, 2000),
    "utc_offset": (-12 * 60, 14 * 60),
}
LONGEST_ZONE = 60  # characters; the longest name of a time zone has 38
DAY_STARTS_AT = 4  # a session past midnight still belongs to the evening


def new_state(card_id: str, now: datetime) -> CardState:
    """The schedule of a card never answered; it is due at once."""
    return CardState(card_id, Stage.NEW, _utc(now))


def review(
    state: CardState,
    rating: Rating,
    now: datetime,
    *,
    desired_retention: float = 0.9,
    mode: StudyMode = StudyMode.FLIP,
    confidence: Confidence | None = None,
    seconds: float | None = None,
) -> tuple[CardState, Review]:
    """(next schedule, log entry) of an answer given at `now`. Nothing is changed in place."""
    import fsrs

    now = _utc(now)
    card, _ = _scheduler(desired_retention).review_card(_to_fsrs(state), fsrs.Rating(int(rating)), now)
    after = CardState(
        card_id=state.card_id,
        stage=Stage(card.state.name.lower()),
        due=card.due,
        step=card.step,
        stability=card.stability,
        difficulty=card.difficulty,
        last_review=card.last_review,
    )
    return after, Review(state.card_id, Rating(rating), now, state, mode, confidence, seconds)


def preview(
    state: CardState, now: datetime, buttons: Sequence[Rating] = FOUR_BUTTONS, desired_retention: float = 0.9
) -> dict[Rating, timedelta]:
    """How long the card would stay away after each button, for the buttons' labels."""
    moments = {b: review(state, b, now, desired_retention=desired_retention)[0].due for b in buttons}
    return {button: due - _utc(now) for button, due in moments.items()}


def undo(log: Sequence[Review]) -> tuple[CardState, tuple[Review, ...]]:
    """(the schedule before the last answer, the log without it). Raises InputError for an empty log."""
    if not log:
        raise InputError("There is no answer to undo.")
    return log[-1].before, tuple(log[:-1])


def retrievability(state: CardState, now: datetime) -> float:
    """FSRS's probability in [0, 1] that the card would be recalled at `now`; 0 for a new card."""
    return float(_scheduler(0.9).get_card_retrievability(_to_fsrs(state), _utc(now)))


def study_day(moment: datetime, zone: tzinfo = UTC) -> date:
    """The learner's day that `moment` belongs to; it turns at 4 in the morning of their own clock then."""
    there = _utc(moment).astimezone(zone).replace(tzinfo=None)  # what the clock on the wall showed
    return (there - timedelta(hours=DAY_STARTS_AT)).date()


def observed_retention(
    log: Iterable[Review], since: datetime | None = None, until: datetime | None = None
) -> float | None:
    """Share of answers other than "again" among cards that had left their learning steps.

    This is what `desired_retention` promises; None when there was no such answer in the window.
    """
    hits = [
        r.rating is not Rating.AGAIN
        for r in log
        if r.before.stage is Stage.REVIEW
        and (since is None or r.at >= since)
        and (until is None or r.at < until)
    ]
    return sum(hits) / len(hits) if hits else None


def reviews_per_day(log: Iterable[Review], zone: tzinfo = UTC) -> dict[date, int]:
    """Answers given on each study day, oldest first."""
    counts: dict[date, int] = {}
    for entry in log:
        day = study_day(entry.at, zone)
        counts[day] = counts.get(day, 0) + 1
    return dict(sorted(counts.items()))


def forecast(
    states: Iterable[CardState], now: datetime, days: int = 30, zone: tzinfo = UTC
) -> tuple[tuple[date, int], ...]:
    """(day, cards due) for the next `days` study days; what is overdue counts for today.

    New cards are left out: when they start is the learner's choice.
    """
    today = study_day(now, zone)
    counts = [0] * days
    for state in states:
        if state.stage is Stage.NEW:
            continue
        ahead = max(0, (study_day(state.due, zone) - today).days)
        if ahead < days:
            counts[ahead] += 1
    return tuple((today + timedelta(days=i), count) for i, count in enumerate(counts))


def calibration(log: Iterable[Review]) -> Mapping[Confidence, tuple[int, int]]:
    """Per confidence named before the flip: (answers recalled, answers given)."""
    table = dict.fromkeys(Confidence, (0, 0))
    for entry in log:
        if entry.confidence is not None:
            right, total = table[entry.confidence]
            table[entry.confidence] = (right + (entry.rating is not Rating.AGAIN), total + 1)
    return table


@lru_cache(maxsize=64)
def _scheduler(desired_retention: float) -> fsrs.Scheduler:
    import fsrs

    return fsrs.Scheduler(desired_retention=desired_retention, enable_fuzzing=False)


def _to_fsrs(state: CardState) -> fsrs.Card:
    import fsrs

    stage = Stage.LEARNING if state.stage is Stage.NEW else state.stage
    return fsrs.Card(
        card_id=1,  # the package's numeric id is not ours; without one it would read the clock and sleep
        state=fsrs.State[stage.name.capitalize()],
        step=state.step,
        stability=state.stability,
        difficulty=state.difficulty,
        due=state.due,
        last_review=state.last_review,
    )


def _utc(moment: datetime) -> datetime:
    assert moment.tzinfo is not None, "moments carry their time zone"
    return moment.astimezone(UTC)
