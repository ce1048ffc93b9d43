"""Whatever is typed: it parses or is refused in words, and what was parsed survives a round trip."""

from __future__ import annotations

import csv
import io
from unicodedata import ucd_3_2_0

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.data.sentences import parse_pairs, parse_sentences, parse_table, sentence_id, to_text
from core.data.text import escape_bars, same_tokens, split_bars
from core.models import registry
from core.types import InputError, SentenceSet

spicy = st.text(st.one_of(st.sampled_from("ab |\t\\\n\r\x00\ufeff\u200b\x0b\u2028\"',;="), st.characters()))


def parse(text: str) -> SentenceSet | None:
    try:
        return parse_sentences(text).sentence_set
    except InputError:
        return None


@given(spicy)
def test_round_trip(text: str) -> None:
    once = parse(text)
    if once is not None:
        assert parse_sentences(to_text(once)).sentence_set.sentences == once.sentences


@given(st.lists(st.text("abcé 🙂|\\", min_size=1).map(str.strip).filter(bool), min_size=1))
def test_no_visible_character_is_lost(texts: list[str]) -> None:
    once = parse_sentences("\n".join(escape_bars(text) for text in texts)).sentence_set
    assert list(once.texts) == texts


@given(spicy)
def test_ids_are_unique_and_begin_with_the_hash(text: str) -> None:
    once = parse(text)
    if once is not None:
        assert all(s.id.split("-")[0] == sentence_id(s.text) for s in once.sentences)


@given(st.lists(st.text("ab|\\ ")))
def test_bars_split_and_escape_are_inverse(parts: list[str]) -> None:
    joined = " | ".join(escape_bars(part) for part in ["x", *parts])
    assert [part.strip() for part in split_bars(joined)] == [part.strip() for part in ["x", *parts]]


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.tsv", "a.txt", "a"]))
def test_any_upload_is_read_or_refused(data: bytes, name: str) -> None:
    try:
        assert len(parse_table(data, name).sentence_set) > 0
    except InputError as error:
        assert str(error).endswith((".", ")"))


@given(spicy)
def test_any_pairs_are_read_or_refused(text: str) -> None:
    start = parse_sentences("a\nb").sentence_set
    try:
        parsed = parse_pairs(text, start)
    except InputError:
        return
    ids = set(parsed.sentence_set.ids)
    assert parsed.pairs is not None and all({p.left, p.right} <= ids for p in parsed.pairs)


word = st.text("abé🙂 ,;\t\"'\n", min_size=1).filter(lambda t: bool(t.strip()))


@given(st.lists(st.tuples(word, word), min_size=1, max_size=8), st.sampled_from([",", ";", "\t"]))
def test_what_csv_writes_is_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([("group", "sentence"), *rows])
    read = parse_table(file.getvalue().encode(), "t.csv").sentence_set
    squeezed = [("".join(g.split()), "".join(t.split())) for g, t in rows]
    assert [("".join((s.group or "").split()), "".join(s.text.split())) for s in read.sentences] == squeezed


# Characters that are older than the tokenizer's own tables.
KNOWN = st.characters(exclude_categories=["Cs"]).filter(lambda c: ucd_3_2_0.category(c) != "Cn")


@settings(deadline=None)  # the first call loads the model
@given(st.text(KNOWN, max_size=40))
@example("Ça VA?\u200b  ΣΑΣ İstanbul ß ﬁ 天气 مَرحبا 👩‍👩‍👧")
def test_same_tokens_is_what_the_tokenizer_reads(text):
    tokenizer = registry.load("minilm-l6").tokenizer
    assert tokenizer.encode(same_tokens(text)).ids == tokenizer.encode(text).ids
