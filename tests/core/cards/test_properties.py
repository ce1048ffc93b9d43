"""Properties of the study half: what is written reads back equal, schedules are those of the fsrs package."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import fsrs
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cards.export import from_csv, to_csv
from core.cards.parse import parse, write
from core.cards.schedule import new_state, retrievability, review, undo
from core.cards.types import Rating, Review
from core.types import InputError

# Lines that mean something to the format, lines that nearly do, and plain text.
MARKERS = [
    "#### ",
    "#### T",
    "####",
    "###",
    "# D",
    "---",
    "--- ",
    "----",
    ":p",
    ":p q",
    ":pq",
    "??x",
    "??x a x??",
    "??xa",
    "x??",
    " x??",
    "x?? ",
    "```",
    "~~~",
    ":id a",
    ":source s",
    ":wrong w",
    ":live l",
    ":choice c",
    ":choice",
    "\\---",
    "\\\\:p q",
    "\\",
    "",
    "  ",
    "text",
    "    indented",
    "a\u2028b",
    "\x0b",
    "a\x0c",
]
LINES = st.lists(st.one_of(st.sampled_from(MARKERS), st.text(max_size=12)), max_size=6).map("\n".join)
# A skeleton that mostly parses, with noise in every place where text may stand.
CARD = st.builds(
    lambda noise: (
        f"#### {noise[0][:5]}\n{noise[1]}\n:p q{noise[2]}\n??x\na{noise[3]}\nx??\n:wrong w{noise[4]}\n---\n"
    ),
    st.lists(LINES, min_size=5, max_size=5),
)
NOISY_DECK = st.builds(lambda head, cards: head + "\n" + "".join(cards), LINES, st.lists(CARD))
DECK_TEXT = st.one_of(NOISY_DECK, LINES)


@settings(max_examples=400, deadline=None)
@given(DECK_TEXT)
def test_parse_write_parse_is_equal_or_one_clear_error(text: str) -> None:
    try:
        deck = parse(text, "k")
    except InputError as error:
        assert str(error).endswith(".")
        return
    written = write(deck)
    assert parse(written, "k") == deck
    assert write(parse(written, "k")) == written


FREE = st.text(max_size=60).map(lambda s: s.replace("\r", "").replace("\x00", ""))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(MARKERS), FREE), max_size=8).map("\n".join))
def test_any_answer_survives_being_written(answer: str) -> None:
    """Apart from blank lines around it and blanks at its very end, which carry nothing."""
    lines = answer.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    kept = "\n".join(lines).rstrip()
    if not kept:
        return
    start = parse("#### T\n:p q\n??x\na\nx??\n", "k")
    card = start.cards[0].replace(answer=kept, wrong=kept.strip(), background=kept)
    deck = type(start)("k", "D", (card,), "")
    assert parse(write(deck), "k") == deck


@settings(max_examples=150, deadline=None)
@given(DECK_TEXT)
def test_csv_keeps_every_card_apart_from_blanks_at_the_ends(text: str) -> None:
    try:
        deck = parse(text, "k")
    except InputError:
        return
    back, _ = from_csv(to_csv(deck).encode("utf-8", "surrogatepass"), "k.csv", "k")
    assert [c.id for c in back.cards] == [c.id for c in deck.cards]
    for ours, theirs in zip(back.cards, deck.cards):
        assert ours.question.split() == theirs.question.split()
        assert ours.answer.split() == theirs.answer.split()
        assert ours.wrong.split() == theirs.wrong.split()


START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANSWERS = st.lists(
    st.tuples(st.sampled_from(list(Rating)), st.timedeltas(timedelta(0), timedelta(days=400))), max_size=12
)


@settings(max_examples=200, deadline=None)
@given(ANSWERS, st.sampled_from([0.75, 0.9, 0.97]))
def test_any_sequence_of_answers_is_scheduled_as_by_the_package(
    answers: list[tuple[Rating, timedelta]], retention: float
) -> None:
    scheduler = fsrs.Scheduler(desired_retention=retention, enable_fuzzing=False)
    theirs, state, now = fsrs.Card(card_id=1, due=START), new_state("c", START), START
    log: list[Review] = []
    seen = [state]
    for rating, wait in answers:
        now += wait
        theirs, _ = scheduler.review_card(theirs, fsrs.Rating(int(rating)), now)
        state, entry = review(state, rating, now, desired_retention=retention)
        assert (state.due, state.stability, state.difficulty) == (
            theirs.due,
            theirs.stability,
            theirs.difficulty,
        )
        assert state.due > now and 0 <= retrievability(state, state.due) <= 1
        log.append(entry)
        seen.append(state)
    while log:
        assert seen.pop() == state
        state, rest = undo(log)
        log = list(rest)
    assert state == new_state("c", START)
