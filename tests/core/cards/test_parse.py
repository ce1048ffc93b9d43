"""The deck format: the public deck read whole, every refusal with its line, tolerant where it may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cards.parse import MAX_DECK_CHARACTERS, parse, write
from core.cards.types import Card, Deck, card_id
from core.types import InputError

PUBLIC_DECK = Path(__file__).parents[4] / "shared" / "decks" / "hands-on-llm-part-30.md"

SMALL = """# Small deck
About this deck.

---

#### First
Some background.

:p What happens if the temperature falls?
??x
The hardest negatives dominate.

```python
#### not a heading
---
```
x??
:id temperature-1
:source arXiv:2012.09740
:wrong It does not change the order
of the negatives.
:live losses
:choice Nothing
:choice The loss becomes zero

---
#### Second
:p And if it rises?
??x All negatives weigh alike. x??
"""


def test_the_public_deck_is_read_whole() -> None:
    if not PUBLIC_DECK.exists():
        pytest.skip(f"The public deck is not at {PUBLIC_DECK}.")
    text = PUBLIC_DECK.read_text(encoding="utf-8")
    deck = parse(text, "public")
    assert len(deck) == 23
    assert len({card.id for card in deck.cards}) == 23
    parts = [deck.title, deck.preamble]
    for card in deck.cards:
        parts += [card.title, card.background, card.question, card.answer]
    kept = "\n".join(parts)
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.removeprefix("#### ").removeprefix("# ").removeprefix(":p ").strip()
        if bare in ("", "---", "??x", "x??"):
            continue
        assert bare in kept, f"line {number} is lost: {line!r}"
    assert parse(write(deck), "public") == deck


def test_every_field_is_read() -> None:
    deck = parse(SMALL, "small")
    first, second = deck.cards
    assert (deck.title, deck.preamble, deck.key) == ("Small deck", "About this deck.", "small")
    assert first.id == "temperature-1"
    assert first.background == "Some background."
    assert first.answer.endswith("```python\n#### not a heading\n---\n```")
    assert first.wrong == "It does not change the order\nof the negatives."
    assert (first.source, first.live, first.page) == ("arXiv:2012.09740", "losses", "losses")
    assert first.choices == ("Nothing", "The loss becomes zero")
    assert second.answer == "All negatives weigh alike."
    assert second.id == card_id("Second", "And if it rises?")


def test_windows_lines_and_a_byte_order_mark_change_nothing() -> None:
    assert parse("\ufeff" + SMALL.replace("\n", "\r\n"), "small") == parse(SMALL, "small")


def test_two_questions_under_one_title_are_two_cards() -> None:
    deck = parse("#### T\nback\n:p a\n??x\n1\nx??\n:p b\n??x\n2\nx??\n")
    assert [(c.title, c.background, c.question, c.answer) for c in deck.cards] == [
        ("T", "back", "a", "1"),
        ("T", "back", "b", "2"),
    ]
    assert parse(write(deck)) == deck


def test_an_id_survives_a_mended_answer_and_another_place() -> None:
    before = parse("#### T\n:p q\n??x\nold\nx??\n#### U\n:p r\n??x\n1\nx??\n")
    after = parse("#### U\n:p r\n??x\n1\nx??\n#### T\n:p  q\n??x\nnew\nx??\n")
    assert {c.id for c in before.cards} == {c.id for c in after.cards}


def test_the_same_question_twice_gets_two_ids() -> None:
    deck = parse("#### T\n:p q\n??x\n1\nx??\n#### T\n:p q\n??x\n2\nx??\n")
    assert deck.cards[1].id == deck.cards[0].id + "-2"
    assert parse(write(deck)) == deck


def test_text_that_looks_like_structure_is_escaped() -> None:
    nasty = "---\n#### x\n:p y\n??x\nx??\n:source z\n\\---\n\\\\x??"
    card = Card(card_id("T", "q"), "T", "q", nasty, background=nasty, wrong=nasty)
    deck = Deck("k", "D", (card,), preamble=nasty)
    assert parse(write(deck), "k") == deck


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "no card"),
        ("only prose\n", None, "no card"),
        (":p q\n??x\na\nx??\n", 1, "#### title"),
        ("# D\n\n#### T\nbackground\n---\n", 3, "no question"),
        ("#### T\n:p\n??x\na\nx??\n", 2, "empty"),
        ("#### T\n:p q\n---\n", 2, "no answer"),
        ("#### T\n:p q\n??x\na\n", 3, "end of the deck"),
        ("#### T\n:p q\n??x\na\n\n#### U\n:p r\n??x\nb\nx??\n", 3, "next card on line 6"),
        ("#### T\n:p q\n??x\n\nx??\n", 3, "answer is empty"),
        ("#### T\n:p q\n??x\na\nx??\nstray\n", 6, "belongs to no card"),
        ("#### T\n:p q\n??x\na\nx??\n:source\n", 6, "no text"),
        ("#### T\n:p q\n??x\na\nx??\n:source a\n:source b\n", 7, "twice"),
        ("#### T\n:p q\n??x\na\nx??\n:live a\nb\n", 7, "one line"),
        ("#### T\n:p q\n??x\na\nx??\n:id a b\n", 6, "id"),
        ("#### T\n:p q\n??x\na\nx??\n:id a\n#### U\n:p q\n??x\na\nx??\n:id a\n", 12, "line 6"),
    ],
)
def test_refusals_name_the_line(text: str, line: int | None, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    message = str(caught.value)
    assert says in message
    if line is not None:
        assert message.startswith(f"Line {line}:"), message


def test_a_deck_too_long_to_be_meant_is_refused() -> None:
    with pytest.raises(InputError, match="characters"):
        parse("a" * (MAX_DECK_CHARACTERS + 1))


def test_a_field_whose_first_line_is_empty_survives_its_own_text() -> None:
    deck = parse("# D\n\n#### T\n:p Q?\n??x\nA.\nx??\n:wrong \n  It is not.\n")
    assert deck.cards[0].wrong == "It is not." and parse(write(deck)) == deck
