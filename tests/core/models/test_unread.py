"""What a model does not read of a text is counted, and the first of it named."""

from __future__ import annotations

from core.models.embedding import Unread
from tests.tiny import tiny_encoder


def test_cut_texts_and_unknown_words_are_counted_over_all_parts():
    found = Unread(tiny_encoder(max_length=8))
    found.add(["the cat", "a dog runs and sings on the river"])
    found.add(["the \U0001f600 cat", "\u1793\u17c5 dog", "", "\U0001f600"])
    cut, strange = (notice.text for notice in found.notices)
    assert cut.startswith("1 of 6 texts has more than the 8 tokens") and "“a dog runs" in cut
    assert strange.startswith("3 of 6 texts") and strange.endswith("[UNK]: \U0001f600 \u1793\u17c5")


def test_nothing_is_said_of_texts_that_are_read_whole():
    found = Unread(tiny_encoder())
    found.add(["the cat sleeps", "a dog"])
    assert found.notices == ()
