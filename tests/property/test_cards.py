"""Properties of the study half: what is written reads back equal, and parsing never fails rudely."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.cards.parse import parse, write
from core.types import InputError

# Lines that mean something to the format, lines that nearly do, and plain text.
MARKERS = [
    "#### ", "#### T", "####", "###", "# D", "---", "--- ", "----", ":p", ":p q", ":pq", "??x", "??x a x??",
    "??xa", "x??", " x??", "x?? ", "```", "~~~", ":id a", ":source s", ":wrong w", ":live l", ":choice c",
    ":choice", "\\---", "\\\\:p q", "\\", "", "  ", "text", "    indented", "a\u2028b", "\x0b", "a\x0c",
]  # fmt: skip
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
