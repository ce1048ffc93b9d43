"""Schedules equal to the fsrs package's own, and the day's plan in the order the rules say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import fsrs
import pytest

from core.cards.plan import plan
from core.cards.schedule import (
    FOUR_BUTTONS,
    StudySettings,
    calibration,
    forecast,
    new_state,
    observed_retention,
    preview,
    retrievability,
    review,
    reviews_per_day,
    study_day,
    undo,
)
from core.cards.types import Card, CardState, Confidence, Rating, Review, Stage
from core.types import InputError

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def cards(*names: str) -> list[Card]:
    return [Card(name, name, f"{name}?", "a") for name in names]


def in_review(name: str, due: datetime, stability: float = 10.0) -> CardState:
    return CardState(name, Stage.REVIEW, due, None, stability, 5.0, due - timedelta(days=stability))


@pytest.mark.parametrize("retention", [0.8, 0.9, 0.95])
def test_a_long_sequence_equals_the_package(retention: float) -> None:
    """Learning, graduation, lapses, the same day twice, late and early answers, each compared exactly."""
    ratings = [3, 3, 3, 4, 3, 1, 3, 3, 2, 1, 1, 3, 3, 4, 3, 2, 1, 3]
    waits = ["due", "due", "due", 3.0, 40.0, "due", "due", 0.2, "due", "due", "due", "due"] + ["due"] * 6
    scheduler = fsrs.Scheduler(desired_retention=retention, enable_fuzzing=False)
    theirs = fsrs.Card(card_id=1, due=START)
    ours = new_state("card", START)
    now = START
    for rating, wait in zip(ratings, waits):
        theirs, _ = scheduler.review_card(theirs, fsrs.Rating(rating), now)
        ours, entry = review(ours, Rating(rating), now, desired_retention=retention)
        assert ours.due == theirs.due
        assert ours.stage.value == theirs.state.name.lower()
        assert (ours.step, ours.stability, ours.difficulty) == (
            theirs.step,
            theirs.stability,
            theirs.difficulty,
        )
        assert (ours.last_review, entry.at) == (theirs.last_review, now)
        later = now + 5 * DAY
        assert retrievability(ours, later) == scheduler.get_card_retrievability(theirs, later)
        now = theirs.due if wait == "due" else now + timedelta(days=float(wait))


def test_golden_intervals() -> None:
    """Fixed numbers, so that a change of the package's defaults is noticed: days after each "good"."""
    state, now, days = new_state("card", START), START, []
    for _ in range(7):
        state, _ = review(state, Rating.GOOD, now)
        days.append((state.due - now).days)
        now = state.due
    assert days == GOLDEN


GOLDEN = [0, 2, 11, 46, 163, 498, 1348]


def test_time_zones_do_not_matter_and_naive_time_is_refused() -> None:
    tokyo = START.astimezone(timezone(timedelta(hours=9)))
    assert review(new_state("c", START), Rating.GOOD, tokyo) == review(
        new_state("c", START), Rating.GOOD, START
    )
    with pytest.raises(AssertionError):
        review(new_state("c", START), Rating.GOOD, START.replace(tzinfo=None))


def test_undo_gives_the_exact_schedule_back() -> None:
    first = new_state("card", START)
    second, entry1 = review(first, Rating.GOOD, START)
    _, entry2 = review(second, Rating.AGAIN, second.due)
    state, log = undo((entry1, entry2))
    assert (state, log) == (second, (entry1,))
    assert undo(log) == (first, ())
    with pytest.raises(InputError, match="no answer to undo"):
        undo(())


def test_preview_is_what_the_buttons_do() -> None:
    state, _ = review(new_state("card", START), Rating.GOOD, START)
    shown = preview(state, state.due)
    assert list(shown) == list(FOUR_BUTTONS)
    for button, away in shown.items():
        assert review(state, button, state.due)[0].due == state.due + away
    assert shown[Rating.AGAIN] < shown[Rating.HARD] < shown[Rating.GOOD] < shown[Rating.EASY]


def test_the_day_turns_at_four_of_the_learners_clock() -> None:
    assert study_day(datetime(2026, 3, 2, 3, 59, tzinfo=UTC)) == date(2026, 3, 1)
    assert study_day(datetime(2026, 3, 2, 4, 0, tzinfo=UTC)) == date(2026, 3, 2)
    clock = timezone(timedelta(hours=2))
    assert study_day(datetime(2026, 3, 2, 2, 0, tzinfo=UTC), clock) == date(2026, 3, 2)


def test_a_review_at_half_past_four_in_summer_is_todays_also_when_looked_at_in_winter() -> None:
    """What counts is the offset that held then, not the one that holds now."""
    madrid = StudySettings(utc_offset=60, time_zone="Europe/Madrid").zone  # the offset: a browser in winter
    review_at = datetime(2026, 7, 10, 2, 30, tzinfo=UTC)  # 04:30 in Madrid
    assert study_day(review_at, madrid) == date(2026, 7, 10)
    assert study_day(datetime(2026, 12, 10, 2, 30, tzinfo=UTC), madrid) == date(2026, 12, 9)  # 03:30
    log = [review(new_state("a", review_at), Rating.GOOD, review_at)[1]]
    assert reviews_per_day(log, madrid) == {date(2026, 7, 10): 1}
    # In the nights when the clocks are changed every moment has one day, and days follow each other.
    for night in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        days = [study_day(night + timedelta(minutes=30 * i), madrid) for i in range(96)]
        assert days == sorted(days) and len(set(days)) == 3


@pytest.mark.parametrize("name", ["", "Nowhere/Atlantis", "../etc/passwd", "America", "/", "\x00"])
def test_without_a_known_zone_the_offset_counts(name: str) -> None:
    settings = StudySettings(utc_offset=120, time_zone=name)
    assert study_day(datetime(2026, 3, 2, 2, 0, tzinfo=UTC), settings.zone) == date(2026, 3, 2)


def test_plan_order() -> None:
    states = {
        "late": in_review("late", START - 1 * DAY, stability=30.0),
        "later": in_review("later", START - 9 * DAY, stability=2.0),
        "future": in_review("future", START + 3 * DAY),
    }
    log: list[Review] = []
    for name, confidence, minutes in (
        ("unsure", Confidence.GUESS, 5),
        ("sure", Confidence.CERTAIN, 3),
        ("fresh", None, 0),
    ):
        at = START - timedelta(minutes=minutes)
        states[name], entry = review(new_state(name, at), Rating.AGAIN, at, confidence=confidence)
        log.append(entry)
    deck = cards("new1", "late", "later", "future", "unsure", "sure", "fresh", "new2", "new3", "new4")
    result = plan(deck, states, log, START, StudySettings(new_per_day=5))
    assert result.confident_errors == ("sure",)
    assert result.learning == ("unsure",)
    assert result.due == ("later", "late")  # the more forgotten first
    assert result.new == ("new1", "new2")  # three of the five were begun today
    assert result.soon == ("fresh",)
    assert result.next_due == states["future"].due
    assert result.order == ("sure", "unsure", "later", "late", "new1", "new2", "fresh")
    assert result.next_card == "sure" and len(result) == 7


def test_a_right_answer_ends_the_confident_error() -> None:
    state, wrong = review(new_state("a", START), Rating.AGAIN, START, confidence=Confidence.CERTAIN)
    after, right = review(state, Rating.GOOD, state.due, confidence=Confidence.CERTAIN)
    result = plan(cards("a"), {"a": after}, [wrong, right], after.due)
    assert result.confident_errors == () and result.learning == ("a",)


def test_plan_limits_and_suspension() -> None:
    names = [f"c{i}" for i in range(6)]
    states = {name: in_review(name, START - DAY) for name in names[:4]}
    settings = StudySettings(new_per_day=1, reviews_per_day=3)
    assert len(plan(cards(*names), states, [], START, settings).due) == 3
    assert len(plan(cards(*names), states, [], START, settings).new) == 1
    after, entry = review(states["c0"], Rating.GOOD, START)
    rest = plan(cards(*names), states | {"c0": after}, [entry], START, settings)
    assert len(rest.due) == 2
    yesterday = Review("c0", Rating.GOOD, START - DAY, states["c0"])
    assert len(plan(cards(*names), states, [yesterday], START, settings).due) == 3
    quiet = plan(cards(*names), states, [], START, settings, suspended={"c0", "c1", "c2", "c4"})
    assert quiet.due == ("c3",) and quiet.new == ("c5",)


def test_retention_counts_only_cards_past_their_learning_steps() -> None:
    old, fresh = in_review("old", START), new_state("fresh", START)
    log = [
        Review("fresh", Rating.AGAIN, START, fresh),
        Review("old", Rating.GOOD, START, old),
        Review("old", Rating.HARD, START + DAY, old),
        Review("old", Rating.AGAIN, START + 2 * DAY, old),
    ]
    assert observed_retention(log) == pytest.approx(2 / 3)
    assert observed_retention(log, until=START + 2 * DAY) == 1.0
    assert observed_retention(log, since=START + 2 * DAY) == 0.0
    assert observed_retention(log[:1]) is None
    assert reviews_per_day(log) == {START.date() + i * DAY: n for i, n in enumerate((2, 1, 1))}


def test_forecast_puts_what_is_overdue_on_today() -> None:
    states = [
        in_review("a", START - 5 * DAY),
        in_review("b", START + 2 * DAY),
        in_review("c", START + 29 * DAY),
        in_review("d", START + 30 * DAY),
        new_state("e", START),
    ]
    counts = forecast(states, START)
    assert len(counts) == 30 and counts[0] == (START.date(), 1)
    assert [count for _, count in counts] == [1, 0, 1] + [0] * 26 + [1]


def test_calibration_counts_per_confidence() -> None:
    before = new_state("a", START)
    log = [
        Review("a", Rating.AGAIN, START, before, confidence=Confidence.CERTAIN),
        Review("a", Rating.GOOD, START, before, confidence=Confidence.CERTAIN),
        Review("a", Rating.GOOD, START, before, confidence=Confidence.GUESS),
        Review("a", Rating.GOOD, START, before),
    ]
    assert calibration(log) == {
        Confidence.GUESS: (1, 1),
        Confidence.FAIRLY_SURE: (0, 0),
        Confidence.CERTAIN: (1, 2),
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("desired_retention", 0.99), ("new_per_day", -1), ("reviews_per_day", 0), ("utc_offset", 9999)],
)
def test_settings_out_of_bounds_are_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{field} is {value}"):
        StudySettings(**{field: value}).checked()
    assert StudySettings().checked() == StudySettings()
