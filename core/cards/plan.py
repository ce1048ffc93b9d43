"""What to study now: the day's plan, its counts, and which card comes next.

Order: confident errors first, then other cards in their learning steps, then reviews (the most
forgotten first), then new cards, then learning cards a little ahead of time. A wrong answer given
with confidence is corrected best when it is met again soon (hypercorrection: Butterfield and
Metcalfe 2001, "Errors committed with high confidence are hypercorrected").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .schedule import LEARN_AHEAD, StudySettings, retrievability, study_day
from .types import Card, CardState, Review, Stage

_IN_STEPS = (Stage.LEARNING, Stage.RELEARNING)


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """Card ids in the order they come now. `soon` are learning cards due within twenty minutes."""

    confident_errors: tuple[str, ...]
    learning: tuple[str, ...]
    due: tuple[str, ...]
    new: tuple[str, ...]
    soon: tuple[str, ...]
    next_due: datetime | None  # when the next card outside this plan comes
    begun: int  # new cards that today had already

    @property
    def order(self) -> tuple[str, ...]:
        return self.confident_errors + self.learning + self.due + self.new + self.soon

    @property
    def next_card(self) -> str | None:
        return self.order[0] if self.order else None

    def __len__(self) -> int:
        return len(self.order)


def plan(
    cards: Sequence[Card],
    states: Mapping[str, CardState],
    log: Sequence[Review],
    now: datetime,
    settings: StudySettings | None = None,
    suspended: Collection[str] = (),
) -> StudyPlan:
    """The plan at `now` for `cards`, in deck order where the rules leave it open.

    `log` holds the learner's answers, oldest first; today's decide how many new cards and reviews
    are left, and each card's last one whether it was a confident error.
    """
    settings = settings or StudySettings()
    last = {entry.card_id: entry for entry in log}
    zone = settings.zone
    today = study_day(now, zone)
    todays = [entry for entry in log if study_day(entry.at, zone) == today]
    begun = sum(entry.before.stage is Stage.NEW for entry in todays)
    reviewed = sum(entry.before.stage is Stage.REVIEW for entry in todays)

    active = [card.id for card in cards if card.id not in suspended]
    known = [states[i] for i in active if i in states and states[i].stage is not Stage.NEW]
    in_steps = sorted((s for s in known if s.stage in _IN_STEPS), key=lambda s: s.due)
    ready = [s for s in in_steps if s.due <= now]
    soon = [s for s in in_steps if now < s.due <= now + LEARN_AHEAD]
    reviews = sorted(
        (s for s in known if s.stage is Stage.REVIEW and study_day(s.due, zone) <= today),
        key=lambda s: retrievability(s, now),
    )
    new = [i for i in active if i not in states or states[i].stage is Stage.NEW]

    kept = reviews[: max(0, settings.reviews_per_day - reviewed)]
    shown = {s.card_id for s in (*ready, *soon, *kept)}
    return StudyPlan(
        confident_errors=tuple(s.card_id for s in ready if _was_confident_error(last, s.card_id)),
        learning=tuple(s.card_id for s in ready if not _was_confident_error(last, s.card_id)),
        due=tuple(s.card_id for s in kept),
        new=tuple(new[: max(0, settings.new_per_day - begun)]),
        soon=tuple(s.card_id for s in soon),
        next_due=min((s.due for s in known if s.card_id not in shown), default=None),
        begun=begun,
    )


def _was_confident_error(last: Mapping[str, Review], identifier: str) -> bool:
    return identifier in last and last[identifier].is_confident_error
