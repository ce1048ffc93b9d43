"""Typed text and uploaded tables: nothing is lost, every refusal names its line and its limit."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest

from core.data.sentences import (
    MAX_CHARACTERS,
    MAX_PAIRS,
    MAX_SENTENCES,
    MAX_UPLOAD_BYTES,
    pairs_to_text,
    parse_label,
    parse_pair_table,
    parse_pairs,
    parse_sentences,
    parse_table,
    safe_cell,
    sentence_id,
    to_text,
)
from core.types import InputError


def groups_and_texts(text: str) -> list[tuple[str | None, str]]:
    return [(s.group, s.text) for s in parse_sentences(text).sentence_set.sentences]


def test_id_is_the_hash_of_the_composed_text() -> None:
    assert sentence_id("café") == hashlib.sha1("café".encode()).hexdigest()[:10]
    assert sentence_id(unicodedata.normalize("NFD", "café")) == sentence_id("café")
    assert sentence_id("café", 1) == sentence_id("café") + "-2"


@pytest.mark.parametrize(
    ("line", "group", "text"),
    [
        ("Hello there", None, "Hello there"),
        ("greeting | Hello", "greeting", "Hello"),
        ("greeting|Hello", "greeting", "Hello"),
        ("greeting\tHello", "greeting", "Hello"),
        ("greeting\tthis | that", "greeting", "this | that"),
        ("greeting\tcat \\| dog", "greeting", "cat \\| dog"),
        ("\tHello", None, "Hello"),
        ("| Hello", None, "Hello"),
        (r"cat log \| sort", None, "cat log | sort"),
        (r"shell | cat log \| sort", "shell", "cat log | sort"),
        (r"a \\| b", "a \\", "b"),
        (r"C:\temp\new", None, r"C:\temp\new"),
        ("a | b | c", None, "a | b | c"),
        ("a\tb\tc", None, "a b c"),
        ("Why |", None, "Why |"),
        ("|", None, "|"),
        ("x" * 61 + " | y", None, "x" * 61 + " | y"),
        ("  spaced out  ", None, "spaced out"),
        ("می‌خواهم 👩‍👩‍👧", None, "می‌خواهم 👩‍👩‍👧"),
        ("cafe\u0301", None, "cafe\u0301"),
        ("a\x00b\x07c", None, "abc"),
        ("a\u2028b\x0bc", None, "a b c"),
    ],
)
def test_a_line(line: str, group: str | None, text: str) -> None:
    assert groups_and_texts(line) == [(group, text)]


def test_line_ends_and_byte_order_mark() -> None:
    assert groups_and_texts("\ufeffone\r\ntwo\rthree\n") == [(None, "one"), (None, "two"), (None, "three")]
    assert parse_sentences("\ufeffone\r\ntwo\n").notices == ()


def test_blanks_repeats_and_removals_are_reported_with_their_lines() -> None:
    parsed = parse_sentences("one\n\n \u200b\none\na | b | c\nt\x00wo\nx\ty\tz\nOne")
    told = {notice.text.split(" ")[0]: notice.lines for notice in parsed.notices}
    assert told == {"Blank": (2, 3), "Sentences": (4,), "The": (5, 7), "Control": (6,), "Line": (7,)}
    assert parsed.sentence_set.ids[:2] == (sentence_id("one"), sentence_id("one", 1))
    assert parsed.sentence_set.texts[-1] == "One"


def test_text_round_trip() -> None:
    text = "a \\| b | c\\\\\\|d\n\\\\\\|x\nplain\nplain\ng | \\| y"
    once = parse_sentences(text).sentence_set
    assert parse_sentences(to_text(once)).sentence_set.sentences == once.sentences


@pytest.mark.parametrize("empty", ["", "\n\n", " \t ", "\u200b"])
def test_no_sentence(empty: str) -> None:
    with pytest.raises(InputError, match="no sentence yet"):
        parse_sentences(empty)


def test_limits_are_stated() -> None:
    parse_sentences("x" * MAX_CHARACTERS)
    with pytest.raises(InputError, match=r"Line 2: .* 1,001 characters; at most 1,000"):
        parse_sentences("ok\n" + "x" * (MAX_CHARACTERS + 1))
    lines = [f"s{i}" for i in range(MAX_SENTENCES)]
    assert len(parse_sentences("\n".join(lines)).sentence_set) == MAX_SENTENCES
    with pytest.raises(InputError, match=r"more than 2,000 sentences.* line 2,002"):
        parse_sentences("\n".join(["", *lines, "more"]))
    with pytest.raises(InputError, match=r"big.csv has 5\.0 MB; at most 5 MB"):
        parse_table(b"x" * (MAX_UPLOAD_BYTES + 1), "big.csv")


# --- tables -------------------------------------------------------------------------------------------

ROWS = [("good", "Nice, really"), ("bad", 'She said "no"'), ("bad", "zwei\nZeilen; ü 🙂")]
EXPECTED = [("good", "Nice, really"), ("bad", 'She said "no"'), ("bad", "zwei Zeilen; ü 🙂")]


def table(delimiter: str, first: str = "group", second: str = "sentence") -> str:
    cells = [(first, second), *ROWS]
    return "\r\n".join(delimiter.join('"' + c.replace('"', '""') + '"' for c in row) for row in cells)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_delimiters_and_encodings(delimiter: str, encoding: str) -> None:
    parsed = parse_table(table(delimiter).encode(encoding), "folder/my set.csv")
    assert [(s.group, s.text) for s in parsed.sentence_set.sentences] == EXPECTED
    assert parsed.sentence_set.title == "my set"
    assert [n.lines for n in parsed.notices if n.lines] == [(4,)]  # the line break became a space


def test_columns_by_name_and_ignored_ones() -> None:
    data = b"id;Text;Label\n1;one;a\n\n2;two;\n3;;b\n"
    parsed = parse_table(data, "t.csv")
    assert [(s.group, s.text) for s in parsed.sentence_set.sentences] == [("a", "one"), (None, "two")]
    texts = {n.text: n.lines for n in parsed.notices}
    assert texts["These columns were ignored: id."] == ()
    assert texts["Blank lines were skipped."] == (3,)
    assert texts["A group without a sentence was skipped."] == (5,)


@pytest.mark.parametrize("rows", ["pos,I like it\nneg,I hate it\n", "I like it,pos\nI hate it,neg\n"])
def test_two_columns_without_header(rows: str) -> None:
    parsed = parse_table(rows.encode(), "t.csv")
    found = [(s.group, s.text) for s in parsed.sentence_set.sentences]
    assert found == [("pos", "I like it"), ("neg", "I hate it")]
    assert "no row of names" in parsed.notices[0].text


def test_one_column_keeps_its_commas() -> None:
    parsed = parse_table(b"Well, yes\nNo\nOne, two, three\n", "t.csv")
    assert parsed.sentence_set.texts == ("Well, yes", "No", "One, two, three")


def test_text_files_follow_the_text_area() -> None:
    assert parse_table(b"a | b, c\n", "t.txt").sentence_set.sentences[0].group == "a"


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"PK\x03\x04...", "t.xlsx", "t.xlsx is an office or zip file"),
        (
            b"sentence\nok\n\x00\x81\x8d\x8f\xff\xfe\x01\x02\x03\n",
            "t.csv",
            "t.csv, line 3: the bytes are no text",
        ),
        (b"", "t.csv", "t.csv is empty"),
        (b"a,b,c\n1,2,3\n", "t.csv", "no column of texts. Its columns: a, b, c"),
        (b"group,sentence\na,b\na,b\na,b\nc,d,e\n", "t.csv", "t.csv, line 5: the row has 3 cells"),
        (b"sentence1,sentence2,score\na,b,1\n", "t.csv", "is a table of pairs"),
        (b"group,sentence\n" + b"g" * 61 + b",x\n", "t.csv", "Line 2: the group has 61 characters"),
    ],
)
def test_refused_tables(data: bytes, name: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_table(data, name)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "＝1", "'=x"])
def test_formulas_are_defused(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "plain", "1-1", "a=b", "'x"])
def test_plain_cells_stay(text: str) -> None:
    assert safe_cell(text) == text


# --- pairs --------------------------------------------------------------------------------------------


@pytest.fixture
def three():  # type: ignore[no-untyped-def]
    return parse_sentences("one\ntwo\nthis | that | other").sentence_set


def test_pairs_find_their_sentences_and_add_missing_ones(three) -> None:  # type: ignore[no-untyped-def]
    parsed = parse_pairs("one | two | 1\ntwo\tthis | that | other\t0\n\nnew | one | 0,25", three)
    labels = [(p.left, p.right, p.label) for p in parsed.pairs]
    one, two, bars = three.ids
    assert labels == [(one, two, 1.0), (two, bars, 0.0), (sentence_id("new"), one, 0.25)]
    assert parsed.sentence_set.texts == (*three.texts, "new")
    assert [n.lines for n in parsed.notices] == [(4,)]
    again = parse_pairs(pairs_to_text(parsed.pairs, parsed.sentence_set), parsed.sentence_set)
    assert again.pairs == parsed.pairs and again.notices == ()


def test_repeated_and_self_pairs_are_reported(three) -> None:  # type: ignore[no-untyped-def]
    parsed = parse_pairs("one | two | 1\ntwo | one | similar\none | one | 1", three)
    assert len(parsed.pairs) == 1
    assert [n.lines for n in parsed.notices] == [(2,), (3,)]


@pytest.mark.parametrize(
    ("word", "label"),
    [("1", 1), ("0", 0), ("1.0", 1), ("Similar", 1), ("dissimilar", 0), ("0.5", 0.5), (".5", 0.5), ("-0", 0)],
)
def test_labels(word: str, label: float) -> None:
    assert parse_label(word, 1) == label


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a | b | nan", "Line 2: the label “nan” is not known"),
        ("a | b |", "Line 2: the label is missing"),
        ("a | b", "has 2 parts. After the two sentences write | and their label: 1 or similar"),
        ("a | b | c | 1", "this line has 4 parts. Write \\|"),
        ("a | | 1", "Line 2: the right sentence is empty"),
        ("a | " + "x" * 1001 + " | 1", "Line 2: the sentence has 1,001 characters; at most 1,000"),
    ],
)
def test_refused_pairs(three, line: str, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        parse_pairs("one | two | 1\n" + line, three)
    assert message in str(caught.value)


def test_pair_limits(three) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="no pair yet"):
        parse_pairs("\n", three)
    lines = [f"a{i % 72} | b{i // 72} | 1" for i in range(MAX_PAIRS + 1)]
    with pytest.raises(InputError, match=r"more than 5,000 pairs.* line 5,001"):
        parse_pairs("\n".join(lines), three)
    many = [f"a{i} | b{i} | 1" for i in range(1000)]
    with pytest.raises(InputError, match=r"there are more than 2,000.* line 999 is"):
        parse_pairs("\n".join(many), three)


@pytest.mark.parametrize(
    "data",
    [
        b"left,right,label\none,two,1\none,three,0\n",
        b"score;sentence2;id;sentence1\n1;two;7;one\n0;three;8;one\n",
        b"one,two,1\none,three,0\n",
    ],
)
def test_pair_tables(three, data: bytes) -> None:  # type: ignore[no-untyped-def]
    parsed = parse_pair_table(data, "p.csv", three)
    texts = {s.id: s.text for s in parsed.sentence_set.sentences}
    found = [(texts[p.left], texts[p.right], p.label) for p in parsed.pairs]
    assert found == [("one", "two", 1.0), ("one", "three", 0.0)]


def test_a_pair_table_without_label_is_refused(three) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="no column called label or score"):
        parse_pair_table(b"left,right\none,two\n", "p.csv", three)


def test_a_header_of_known_names_settles_the_delimiter() -> None:
    with pytest.raises(InputError, match=r"t\.csv, line 3: the row has 3 cells where the first row has 2"):
        parse_table(b"sentence,group\na,b\nc,d,e\n", "t.csv")
    plain = b"Text, please\nA line\nAnother\nOne, more\nLast\n"
    assert len(parse_table(plain, "t.csv").sentence_set) == 5, "one column whose first sentence begins so"
