"""Decks as people have them: marks in code, lines that fit nowhere, Anki's export with HTML and cloze."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.cards.decks.fences import fences, segments
from core.cards.decks.files import read_file
from core.cards.export import _to_html as to_html
from core.cards.parse import parse, read, write
from core.cards.quiz import short_answer
from core.cards.types import Deck
from core.types import InputError, Notice

CARD = "#### {0}\nBackground.\n\n:p What is {0}?\n??x\nAnswer {0}.\nx??\n"


def sides(text: str) -> list[tuple[str, str]]:
    return [(card.question, card.answer) for card in read(text)[0].cards]


def test_lines_between_cards_are_listed_and_the_cards_are_read():
    text = f"# Good cards\n\n**Rating threshold:** 8\n\n---\n\n{CARD.format('A')}\n---\n**Rating: 9/10**\n\n"
    text += f"{CARD.format('B')}\n### Section B\n\n{CARD.format('C')}"
    deck, notices = read(text)
    assert [card.title for card in deck.cards] == ["A", "B", "C"]
    lines = text.split("\n")
    left = [[lines[line - 1] for line in notice.lines] for notice in notices]
    assert left == [["**Rating: 9/10**"], ["### Section B"]]
    assert "belongs to no card" in notices[0].text and "heading" in notices[1].text
    with pytest.raises(InputError, match=f"Line {notices[0].lines[0]}: "):
        parse(text)  # our own decks have to be whole


def test_an_answer_may_be_closed_in_two_ways_and_one_that_is_not_ends_before_the_next_card():
    assert sides(CARD.format("A").replace("x??", ":x??") + CARD.format("B")) == [
        ("What is A?", "Answer A."),
        ("What is B?", "Answer B."),
    ]
    text = "#### T\n:p First?\n??x\nAnswer one.\n\n:p Second?\n??x\nAnswer two.\n\nx??\n---\n" + CARD.format(
        "B"
    )
    deck, notices = read(text)
    assert sides(text)[:2] == [("First?", "Answer one."), ("Second?", "Answer two.")] and len(deck) == 3
    assert [notice.lines for notice in notices] == [(3,)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#### T\nBg.\n\n```sh\n:p not a question\n```\n:p Real?\n??x\nYes.\nx??\n", ("Real?", "Yes.")),
        (
            "#### T\n:p How?\n??x\n```\n??x\nthe answer\nx??\n```\nThat is all.\nx??\n",
            ("How?", "```\n??x\nthe answer\nx??\n```\nThat is all."),
        ),
        (
            "#### T\n:p How?\n??x\n````md\n```py\n#### not a card\n```\n#### nor this\n````\nx??\n",
            ("How?", "````md\n```py\n#### not a card\n```\n#### nor this\n````"),
        ),
    ],
)
def test_marks_in_code_are_code_for_reader_quiz_and_export(text, expected):
    assert sides(text + CARD.format("B")) == [expected, ("What is B?", "Answer B.")]
    card = read(text)[0].cards[0]
    deck = Deck("k", "D", (card, card.replace(id="x")))
    assert parse(write(deck), "k") == deck
    if "That is all." in card.answer:
        assert short_answer(card) == "That is all."
        assert to_html(card.answer) == "<pre>??x\nthe answer\nx??</pre>That is all."


MARKS = ("```", "````", "```py", "~~~", "~~~~ a`b", "``` a`b", " ```", "   ````", "    ```", "```  ")
OTHERS = ("#### T", ":p q", "??x", "x??", ":x??", "---", "\\```", "\\---", ":wrong a", "  indented", "x", "")
LINE = st.sampled_from((*MARKS, *OTHERS))


def test_a_tab_is_no_fence():
    assert not fences(["\t```", "x"])


@given(st.lists(LINE, max_size=12))
def test_a_fence_is_what_commonmark_says(lines):
    reference = MarkdownIt("zero").enable(["fence", "code"]).parse("\n".join(lines))
    theirs = [(*token.map, token.content) for token in reference if token.type == "fence"]
    ours = [(f.start, f.end, f.content(lines)) for f in fences(lines)]
    # The library counts no empty lines at the end of the last block.
    assert [(a, c.strip("\n")) for a, _, c in ours] == [(a, c.strip("\n")) for a, _, c in theirs]
    assert all(kind in ("text", "code") for kind, _ in segments("\n".join(lines)))


@given(st.lists(LINE, max_size=12), st.lists(LINE, min_size=1, max_size=8))
def test_whatever_is_read_is_written_and_read_again(lines, answer):
    """Also a block that is not closed, which must not go on into the next card."""
    text = "\n".join(answer).strip("\n").rstrip()
    try:
        deck, _ = read("\n".join(["#### T", ":p q", "??x", *lines, "x??", CARD.format("B")]))
    except InputError:
        return
    if text:
        first = deck.cards[0].replace(answer=text, background=text)
        deck = Deck(deck.key, deck.title, (first, *deck.cards[1:]), text)
    assert parse(write(deck), deck.key) == deck


def test_a_deck_without_a_card_says_why():
    with pytest.raises(InputError, match=r"Line 1: the card 'T' has no question"):
        read("#### T\nonly this\n")


# ---- Anki -------------------------------------------------------------------------------------------

EXPORT = """#separator:tab
#html:true
#deck column:1
General\tWhat does <b>pooling</b> do?\tIt makes <i>one</i> vector of many.
General\tThe capital of {{c1::France}}\tParis
"""


def brought(text: str, name: str = "anki.txt") -> tuple[list[tuple[str, str]], tuple[Notice, ...]]:
    """Question and answer of every card, and what was noticed."""
    deck, notices = read_file(text.encode(), name, "k")
    assert parse(write(deck), "k") == deck
    return [(card.question, card.answer) for card in deck.cards], notices


def test_ankis_export_is_read_without_tags_and_with_cloze():
    cards, notices = brought(EXPORT)
    assert cards == [
        ("What does pooling do?", "It makes one vector of many."),
        ("The capital of […]", "France\n\nParis"),
    ]
    assert not notices
    assert {card.title for card in read_file(EXPORT.encode("utf-16"), "a.csv", "k")[0].cards} == {"General"}


def test_html_becomes_text():
    row = "a&amp;b &lt;x&gt;<br> one<div>two</div><ul><li>three</li><li>four</li></ul>"
    row += "\tyes<script>alert(1)</script>"
    code = "vector<T>, 1 < 2 and <b>so</b>\t<pre>x = 1<br>  y</pre>after"
    cards, _ = brought(f"#html:true\n{row}\n{code}\n")
    assert cards == [
        ("a&b <x>\none\ntwo\n- three\n- four", "yes"),
        ("vector<T>, 1 < 2 and so", "```\nx = 1\n  y\n```\nafter"),
    ]
    assert brought("#html:false\na <b>\tb\n")[0] == [("a <b>", "b")]


def test_images_and_sound_are_named_as_left_out():
    row = 'What is <img src="cell.png">this?\tA cell [sound:cell.mp3]'
    cards, notices = brought(f'#html:true\n{row}\n<img src="b.png">\tb\n')
    assert cards == [("What is this?", "A cell")]
    assert notices == (
        Notice("this row has no question or no answer and is left out.", (3,)),
        Notice("images and sound are left out: cell.png, cell.mp3, b.png.", (2, 3)),
    )


def test_each_number_of_a_cloze_is_a_card():
    row = "{{c1::Paris}} is in {{c2::France::a country}}, {{c1::not {{c2::Spain}}}}\tmore"
    assert brought(f"#html:true\n{row}\n")[0] == [
        ("[…] is in France, […]", "Paris, not Spain\n\nmore"),
        ("Paris is in [a country], not […]", "France, Spain\n\nmore"),
    ]


def test_a_list_of_terms_and_a_quote_that_swallows_no_row():
    text = 'mitosis\tcell division\n"open\tb\nc\td\n'
    cards, notices = brought(text + "no tab here\n", "terms.txt")
    assert cards == [("mitosis", "cell division"), ('"open', "b"), ("c", "d")]
    assert [notice.lines for notice in notices] == [(4,)]
    assert brought('a\tb\n"two\nlines"\tf\n', "terms.txt")[0] == [("a", "b"), ("two\nlines", "f")]


@given(st.text(st.sampled_from('a\t\n"<>/b{}c1:#p&;[]sound '), max_size=80), st.booleans())
def test_no_export_makes_trouble(text, html):
    with suppress(InputError):
        brought(f"#separator:tab\n#html:{str(html).lower()}\n{text}")


@pytest.mark.parametrize(
    ("rows", "told"),
    [("a\tb\n" * 5_001, "more than 5,000 cards"), ("a\t\n" * 20_001, "more than 20,000 rows")],
)
def test_a_list_of_too_many_rows_is_refused_before_all_of_them_are_read(rows, told):
    with pytest.raises(InputError, match=told):
        read_file(f"#html:false\n{rows}".encode(), "d.txt", "key")
