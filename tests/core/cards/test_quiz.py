"""Multiple choice with exactly one right option, typed answers that only suggest, search."""

from __future__ import annotations

import pytest

from core.cards.decks.fences import segments
from core.cards.quiz import Scores, multiple_choice, search, short_answer, verdict
from core.cards.types import Card, Rating

CARD = Card(
    "c",
    "Temperature",
    "What if it falls?",
    "The hardest negatives dominate. The rest fades.",
    choices=("All negatives weigh alike", "The loss is zero", "The hardest  negatives dominate"),
)
OTHERS = [CARD] + [Card(f"o{i}", "t", "q", f"Another answer of card {i}. More.") for i in range(5)]


def test_short_answer_is_the_first_sentence_without_code() -> None:
    assert short_answer(CARD) == "The hardest negatives dominate."
    fenced = CARD.replace(answer="```\ncode. More\n```\nIt has 0.5 of it, i.e. half. Done.")
    assert short_answer(fenced) == "It has 0.5 of it, i.e. half."
    assert short_answer(CARD.replace(answer="```\nonly code\n```")) == "``` only code ```"


@pytest.mark.parametrize("seed", range(20))
def test_one_right_option_among_distinct_ones(seed: int) -> None:
    quiz = multiple_choice(CARD, OTHERS, seed)
    assert quiz is not None
    assert quiz == multiple_choice(CARD, OTHERS, seed)
    assert len(quiz.options) == len(set(quiz.options)) == 4
    assert quiz.options[quiz.right] == short_answer(CARD)
    assert [quiz.is_right(i) for i in range(4)].count(True) == 1
    # the third choice is the right answer in other words' spacing, so it may not be offered as wrong
    assert set(CARD.choices[:2]) < set(quiz.options)
    assert CARD.choices[2] not in quiz.options


def test_the_right_option_stands_everywhere() -> None:
    places = {quiz.right for s in range(40) if (quiz := multiple_choice(CARD, OTHERS, s))}
    assert places == {0, 1, 2, 3}


def test_no_wrong_option_no_quiz() -> None:
    assert multiple_choice(CARD.replace(choices=()), [CARD], 0) is None


@pytest.mark.parametrize(
    ("cosine", "cross", "rating", "agree"),
    [
        (0.95, 0.9, Rating.GOOD, True),
        (0.1, 0.05, Rating.AGAIN, True),
        (0.5, 0.4, Rating.HARD, True),
        (0.95, 0.05, Rating.HARD, False),
        (0.1, 0.9, Rating.HARD, False),
        (0.95, None, Rating.GOOD, True),
        (-1.0, None, Rating.AGAIN, True),
    ],
)
def test_verdict_by_closeness(cosine: float, cross: float | None, rating: Rating, agree: bool) -> None:
    suggestion = verdict(Scores(cosine, cross))
    assert (suggestion.rating, suggestion.agree) == (rating, agree)
    assert suggestion.text.endswith(".")


@pytest.mark.parametrize(
    ("answer", "rival", "rating", "agree"),
    [
        (
            Scores(0.4, 0.3),
            Scores(0.3, 0.2),
            Rating.GOOD,
            True,
        ),  # not close, but closer than any wrong choice
        (Scores(0.9, 0.9), Scores(0.95, 0.92), Rating.AGAIN, True),  # close, but a wrong choice is closer
        (Scores(0.5, 0.5), Scores(0.4, 0.6), Rating.HARD, False),
        (Scores(0.5, 0.5), Scores(0.5, 0.5), Rating.AGAIN, True),
        (Scores(0.5), Scores(0.4), Rating.GOOD, True),
        (Scores(0.5, 0.1), Scores(0.4), Rating.GOOD, True),
    ],
)
def test_verdict_against_the_wrong_choices(
    answer: Scores, rival: Scores, rating: Rating, agree: bool
) -> None:
    suggestion = verdict(answer, rival)
    assert (suggestion.rating, suggestion.agree) == (rating, agree)
    assert suggestion.text.endswith(".")


def test_search_needs_every_word_anywhere() -> None:
    assert search(OTHERS, "HARDEST temperature") == (CARD,)
    assert search(OTHERS, "hardest nothing") == ()
    assert search(OTHERS, "  ") == tuple(OTHERS)


def test_segments_part_code_from_text() -> None:
    text = "Before\n```python\nx = 1\n\n  y\n```\nAfter <b>\nmore"
    assert segments(text) == (("text", "Before"), ("code", "x = 1\n\n  y"), ("text", "After <b>\nmore"))
    assert segments("```\nnever closed") == (("code", "never closed"),)
