"""All that a learner has to study with at one moment: decks, schedules, answers, settings, the day's plan."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.cards import built_in
from core.cards.plan import StudyPlan, plan
from core.cards.schedule import StudySettings
from core.cards.types import Card, CardState, Deck, Review
from core.storage import learners, study
from core.storage.learners import Learner
from pages.study import keys
from ui import state
from ui.learner import database, now

ALL = "all"
OWN_PREFIX = "my-"  # keys of a learner's own decks: never that of a shipped one


@dataclass(frozen=True, slots=True)
class Collection:
    """Read once a script run. Cards stand in the learner's own version; an id that two decks share counts
    once."""

    learner: Learner
    moment: datetime
    shipped: tuple[Deck, ...]
    own: tuple[Deck, ...]
    states: dict[str, CardState]
    log: tuple[Review, ...]
    suspended: frozenset[str]
    edits: dict[str, Card]
    settings: StudySettings

    @property
    def decks(self) -> tuple[Deck, ...]:
        return (*self.own, *self.shipped)

    def deck(self, key: str) -> Deck | None:
        return next((deck for deck in self.decks if deck.key == key), None)

    def cards(self, deck_key: str = ALL) -> tuple[Card, ...]:
        chosen = self.deck(deck_key)
        decks = self.decks if chosen is None else (chosen,)
        first = {card.id: card for deck in reversed(decks) for card in reversed(deck.cards)}
        ordered = dict.fromkeys(card.id for deck in decks for card in deck.cards)
        return study.with_edits((first[i] for i in ordered), self.edits)

    def card(self, identifier: str | None) -> Card | None:
        return next((card for card in self.cards() if card.id == identifier), None)

    def deck_of(self, identifier: str) -> Deck | None:
        return next((deck for deck in self.decks if deck.card(identifier) is not None), None)

    def plan(self, deck_key: str = ALL) -> StudyPlan:
        settings = replace(self.settings, new_per_day=self.settings.new_per_day + state.get(keys.EXTRA))
        return plan(self.cards(deck_key), self.states, self.log, self.moment, settings, self.suspended)


def load(learner: Learner) -> Collection:
    """Everything of this learner as it is stored now; their day follows their browser's clock."""
    settings = replace(learners.study_settings(database(), learner.id), **state.browser_clock())
    return Collection(
        learner,
        now(),
        built_in.load_decks(),
        study.own_decks(database(), learner.id),
        study.states(database(), learner.id),
        study.log(database(), learner.id),
        study.suspended(database(), learner.id),
        study.edits(database(), learner.id),
        settings,
    )


def own_key(name: str) -> str:
    """A deck key from a title or file name."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:60]
    return OWN_PREFIX + (slug or "deck")


def in_words(wait: timedelta) -> str:
    """A waiting time, short: 10 min, 3 h, 4 days."""
    minutes = max(0, round(wait.total_seconds() / 60))
    if minutes < 60:
        return f"{max(1, minutes)} min"
    if minutes < 24 * 60:
        return f"{round(minutes / 60)} h"
    days = round(minutes / (24 * 60))
    if days < 60:
        return "1 day" if days == 1 else f"{days} days"
    return f"{round(days / 30.4)} months"
