"""Typed text and messages reach the screen as written, whatever Markdown or Streamlit would make of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.data.text import isolated
from core.types import InputError
from ui import messages, state
from ui.figures import short
from ui.messages import as_written

READER = MarkdownIt("commonmark", {"linkify": False}).enable(["strikethrough", "table"])
JOINER = "\u2060"
ISOLATION = dict.fromkeys((0x2068, 0x2069))


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)
)
def test_text_reads_as_nothing_but_itself(text: str) -> None:
    text = text.replace(JOINER, "")
    for before, after in (("x", "x"), ("", "")):
        expected = before + " ".join(text.split()) + after
        if not expected:
            continue
        tokens = READER.parse(before + as_written(text) + after)
        assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
        children = tokens[1].children or []
        assert {child.type for child in children} == {"text"}
        shown = "".join(child.content for child in children).replace(JOINER, "")
        assert shown.translate(ISOLATION) == expected.translate(ISOLATION)


@pytest.mark.parametrize(
    "text",
    [
        ":smile:",
        ":+1:",
        ":material/home:",
        "www.example.org",
        "https://example.org",
        "a@b.cd",
        "a -> b",
        "a <-> b",
        "a -- b",
        "a >= b",
        "a ~= b",
    ],
)
def test_what_streamlit_rewrites_after_markdown_is_parted(text: str) -> None:
    shown = as_written(text).replace("\\", "")
    assert text not in shown and shown.replace(JOINER, "") == text


@pytest.mark.parametrize(
    "text", ["At 12: 0.25, or 3 to 5.", "a well-known word; (yes)", "100 % of it, e.g. u.v"]
)
def test_plain_words_and_numbers_stay_as_they_are(text: str) -> None:
    assert as_written(text) == text


def test_text_from_right_to_left_is_laid_out_by_itself() -> None:
    """Without the marks the full stop of a line would stand on its wrong side."""
    assert as_written("مرحبا بالعالم.") == "\u2068مرحبا بالعالم.\u2069"
    assert isolated("שלום.\n\nok?") == "\u2068שלום.\u2069\n\n\u2068ok?\u2069"
    for text in ("", "café", "天气", "a\nb"):
        assert isolated(text) == text
    assert short("مرحبا " * 20, 10).startswith("\u2068") and short("مرحبا " * 20, 10).endswith("…\u2069")


def test_what_goes_wrong_in_a_callback_is_left_for_the_page() -> None:
    said: list[str] = []
    with messages.kept_in(state.MESSAGE):
        raise InputError("No.")
    messages.left_in(state.MESSAGE, said.append)
    messages.left_in(state.MESSAGE, said.append)
    assert said == ["No."], "it is told once"
    with messages.kept_in(state.MESSAGE):
        raise TimeoutError
    messages.left_in(state.MESSAGE, said.append)
    assert said == ["No.", messages.TOO_SLOW]
    with pytest.raises(KeyError), messages.kept_in(state.MESSAGE):
        raise KeyError
