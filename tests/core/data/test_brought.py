"""Files as people have them: what is the text, the group, the label is found, and what was found is said."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.columns import AS_FOUND, Choice
from core.data.pair_files import parse_pair_table, parse_pairs
from core.data.sentences import parse_sentences, parse_table
from core.data.separated import csv_bytes, rows_of
from core.data.tables import read_rows
from core.data.text import is_blank, safe_cell, unsafe_cell
from core.types import InputError, SentenceSet

TAB = "The kettle broke.\tnegative\nLovely sound.\tpositive\nIt stopped.\tnegative\nFits well.\tpositive\n"
OPINIONS = [
    ("negative", "The kettle broke."),
    ("positive", "Lovely sound."),
    ("negative", "It stopped."),
    ("positive", "Fits well."),
]
RUSSIAN = (
    "отзыв,оценка\nОчень хороший фильм,да\nПлохой сюжет и скучно,нет\nСмотрел два раза,да\nУснул в кино,нет\n"
)


def sentences(data: bytes, name: str, choice: Choice = AS_FOUND) -> list[tuple[str | None, str]]:
    return [(s.group, s.text) for s in parse_table(data, name, choice).sentence_set.sentences]


def pairs(data: bytes, name: str = "p.csv", choice: Choice = AS_FOUND) -> list[tuple[str, str, float]]:
    parsed = parse_pair_table(data, name, SentenceSet(()), choice)
    text = {s.id: s.text for s in parsed.sentence_set.sentences}
    return [(text[p.left], text[p.right], p.label) for p in parsed.pairs]


@pytest.mark.parametrize("name", ["t.txt", "t.csv", "t.tsv", "t"])
def test_the_side_that_repeats_few_short_values_is_the_group(name):
    other_way = "\n".join("\t".join(reversed(line.split("\t"))) for line in TAB.splitlines())
    assert sentences(TAB.encode(), name) == sentences(other_way.encode(), name) == OPINIONS
    assert "sentence = column 1, group = column 2" in parse_table(TAB.encode(), name).notices[0].text
    assert sentences(TAB.encode(), name, Choice(columns=("2", "1")))[0] == ("The kettle broke.", "negative")
    assert [(s.group, s.text) for s in parse_sentences(TAB).sentence_set.sentences] == OPINIONS


@pytest.mark.parametrize(
    ("data", "names", "count"),
    [
        ("review,sentiment\nThe plot dragged on,bad\nA warm comedy,good\nI left early,bad\nFine cast,good\n",
         "sentence = review, group = sentiment", 4),
        ("review\nThe plot dragged on\nA warm comedy\n", "sentence = review", 2),
        ("tweet,target\nso happy today,4\nmy head hurts,0\nwhat a day,4\nlate again,0\n",
         "sentence = tweet, group = target", 4),
        ("prompt,response\nWrite a poem about rain.,Drops on the roof sing me to sleep at night.\n"
         "Name a fruit you like.,An apple a day is what I would choose to eat.\n", "sentence = response", 2),
        ("term,definition\npooling,One vector made of many others.\nmargin,How far apart is far enough.\n",
         "sentence = definition", 2),
        ("Word,Frequency\nthe,100\nof,90\n", "sentence = Word", 2),
        (RUSSIAN, "sentence = отзыв, group = оценка", 4),
        ("评论,情感\n这部电影非常好看,正面\n服务实在太差了,负面\n下次还会再来的,正面\n再也不想去了啊,负面\n",
         "sentence = 评论, group = 情感", 4),
    ],
)  # fmt: skip
def test_a_first_row_that_no_row_resembles_is_a_header(data, names, count):
    parsed = parse_table(data.encode(), "t.csv")
    assert f"names in the first row: {names}." in parsed.notices[0].text
    assert len(parsed.sentence_set) == count
    with_it = parse_table(data.encode(), "t.csv", Choice(header=False))
    assert len(with_it.sentence_set) == count + 1


@pytest.mark.parametrize(
    "data",
    [
        "It rains.\nThe sun is out.\nIt snows today.\n",
        "good,I like it\nbad,I hate it\nbad,I left\ngood,I stay\n",
        "Yes\nI like it here\nNo\n",
    ],
)
def test_a_first_row_like_the_others_is_none(data):
    assert len(parse_table(data.encode(), "t.csv").sentence_set) == len(data.splitlines())


def test_a_separator_named_in_the_first_line():
    data = "\ufeffsep=;\r\nsentence;group\r\nThe train, late;travel\r\nI like soup;food\r\n".encode()
    assert sentences(data, "t.csv") == [("travel", "The train, late"), ("food", "I like soup")]
    assert parse_table(b"sep=;\na;b\nc;d,7\n\n;;\n".replace(b";;", b"x;y"), "t.csv").notices[1].lines == (4,)


@pytest.mark.parametrize(
    ("lines", "cells"),
    [
        (['"a, b",c'], [("a, b", "c")]),
        (['"a ""b""",c'], [('a "b"', "c")]),
        (['"two', 'lines",c'], [("two\nlines", "c")]),
        (['a, "b, c"'], [("a", "b, c")]),
        (['"Hello" she said,c'], [('"Hello" she said', "c")]),
        (['5" screen,c'], [('5" screen', "c")]),
        (['"open,a', "fine,b", '"quoted",c'], [('"open', "a"), ("fine", "b"), ("quoted", "c")]),
        (["x,y", '"o,a', "b,c", "d,e", 'f,6"'],
         [("x", "y"), ('"o', "a"), ("b", "c"), ("d", "e"), ("f", '6"')]),
        (['""'], [("",)]),
        (['a,"', ""], [("a", '"'), ("",)]),
    ],
)  # fmt: skip
def test_a_quote_that_makes_no_sense_is_text_and_no_row_swallows_others(lines, cells):
    assert [row.cells for row in rows_of(lines, ",")] == cells


@pytest.mark.parametrize("encoding", ["cp1251", "utf-8", "utf-16", "koi8_r"])
def test_the_encoding_is_found_and_said(encoding):
    parsed = parse_table(RUSSIAN.encode(encoding), "t.csv")
    assert parsed.sentence_set.texts[0] == "Очень хороший фильм"
    assert encoding.upper() in parsed.notices[0].text.upper()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Le café était très bon\nJ'ai détesté la soupe à l'oignon\n", "cp1252"),
        ("天気がいいですね\n私は寿司を食べます\n", "shift_jis"),
        ("电影很好看我很喜欢\n服务太差了不推荐\n", "gb18030"),
        ("it costs 5 € – “cheap”\nnothing\n", "cp1252"),
    ],
)
def test_texts_of_other_encodings(text, encoding):
    assert list(parse_table(text.encode(encoding), "t.txt").sentence_set.texts) == text.splitlines()


def test_bytes_that_cannot_be_read_are_replaced_and_told():
    parsed = parse_table("ä\nö\n".encode() + b"a\xffb\n", "t.txt")
    assert parsed.sentence_set.texts == ("ä", "ö", "a\ufffdb")
    assert [n.lines for n in parsed.notices] == [(3,)]


def test_json_lines_and_parquet():
    rows = [
        {"text": "the tram was late", "label": "bad"},
        {"text": "so\nsunny", "label": None, "n": {"a": 1}},
    ]
    data = "\n".join(map(json.dumps, rows)).encode()
    found = [("bad", "the tram was late"), (None, "so sunny")]
    assert sentences(data, "t.jsonl") == sentences(data, "t.json") == sentences(data, "t.txt") == found
    out = io.BytesIO()
    vectors = pa.array([[1.0], [2.0]], pa.list_(pa.float32()))
    pq.write_table(pa.table([["one", "two"], ["a", None], vectors], names=["text", "label", "e"]), out)
    assert sentences(out.getvalue(), "t.parquet") == [("a", "one"), (None, "two")]
    triplets = (
        b'{"anchor": "a", "positive": "b", "negative_1": "c", "negative_2": "d"}\n["e", "f", "g", ""]\n'
    )
    assert pairs(triplets, "t.jsonl") == [
        ("a", "b", 1), ("a", "c", 0), ("a", "d", 0), ("e", "f", 1), ("e", "g", 0),
    ]  # fmt: skip


def packed(*columns: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns, names=[f"c{i}" for i in range(len(columns))]), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (packed(pa.array(["long " * 20_000] * 500)), "t.parquet", "40 MB of text up to line 4"),
        (packed(*[pa.array(["a"] * 3_000)] * 700), "t.parquet", "more than 2,000,000 cells"),
        (json.dumps({str(i): 1 for i in range(1_001)}).encode(), "t.jsonl", "1,001 different keys"),
        (b'[{"text": "a"}]', "t.json", "is no JSON object"),
        (b'{\n"text": "a"}', "t.json", "one object a line"),
        (b'{"text": "a"}\n{"text"', "t.jsonl", "t.jsonl, line 2"),
        (b"<!DOCTYPE html><p>a", "t.html", "t.html is a web page"),
        (b"%PDF-1.7", "t.pdf", "t.pdf is a PDF"),
        (b"PAR1" * 9, "t.parquet", "cannot be read as Parquet"),
        (b"a,1\nb,2\n", "t.csv", "There is no column “3”. The columns: column 1, column 2"),
    ],
)
def test_what_is_no_table_is_refused_by_name(data, name, message):
    with pytest.raises(InputError, match=message):
        parse_table(data, name, Choice(columns=("3",) if name == "t.csv" else ()))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("anchor,positive\nhow do I reset it,reset my password\nwhen do you open,opening hours\n",
         [("how do I reset it", "reset my password", 1), ("when do you open", "opening hours", 1)]),
        ("premise,hypothesis,label\na,b,entailment\na,c,contradiction\na,d,neutral\na,e,-\n",
         [("a", "b", 1), ("a", "c", 0), ("a", "d", 0.5)]),
        ("premise,hypothesis,label\na,b,0\na,c,2\na,d,1\n", [("a", "b", 1), ("a", "c", 0), ("a", "d", 0.5)]),
        ("id\tquestion1\tquestion2\tis_duplicate\n0\ta?\tb?\t1\n1\tc?\t\t0\n", [("a?", "b?", 1)]),
        ("left,right,label\na,b,TRUE\nc,d,FALSE\n", [("a", "b", 1), ("c", "d", 0)]),
        ("a,b,-1\nc,d,1\ne,f,0\n", [("a", "b", 0), ("c", "d", 1), ("e", "f", 0.5)]),
        ("s1,s2,gold\nA cat sleeps,A cat is asleep,4.5\nA boy runs,Stocks fell,0\n",
         [("A cat sleeps", "A cat is asleep", 0.9), ("A boy runs", "Stocks fell", 0)]),
        ("q a,d a,n a\nq b,d b,n b\n",
         [("q a", "d a", 1), ("q a", "n a", 0), ("q b", "d b", 1), ("q b", "n b", 0)]),
    ],
)  # fmt: skip
def test_the_usual_forms_of_pairs(data, found):
    assert pairs(data.encode()) == found


def test_what_was_done_to_pairs_is_said():
    data = "sentence1,sentence2,score\na,b,4\nb,a,3\na,b,4\na,,2\nc,c,1\nc,d,-\n"
    parsed = parse_pair_table(data.encode(), "t.csv", SentenceSet(()))
    told = " ".join(n.said("t.csv") for n in parsed.notices)
    for part in ("from 1 to 4 were taken for a scale from 0 to 5", "line 3: A pair with several labels",
                 "line 4: Pairs given more than once", "lines 5, 7: Rows with an empty text",
                 "line 6: A sentence paired with itself"):  # fmt: skip
        assert part in told, told
    assert [p.label for p in parsed.pairs] == [pytest.approx(0.7)]


def test_a_chosen_column_is_taken():
    data = b"id,a,b\n1,yes it is,never\n2,no way out,always\n"
    assert sentences(data, "t.csv", Choice(columns=("b", "a")))[0] == ("yes it is", "never")
    assert pairs(data, choice=Choice(columns=("3", "a"))) == [
        ("never", "yes it is", 1), ("always", "no way out", 1),
    ]  # fmt: skip


# ---- there and back ----------------------------------------------------------------------------------

hostile = st.text(
    st.one_of(st.sampled_from("'=+-@ \t\n\r\",;|\\＝a"), st.characters(exclude_categories=["Cs"]))
)


@given(hostile)
def test_the_shield_and_its_undoing_are_inverse(text):
    assert unsafe_cell(safe_cell(text)) == text
    assert safe_cell(text).lstrip()[:1] not in tuple("=+-@＝＋－＠")


@given(st.integers(2, 3).flatmap(lambda n: st.lists(st.tuples(*[hostile] * n), min_size=1, max_size=6)))
def test_every_table_that_we_write_is_read_back(rows):
    names = ["text", "group", "more"][: len(rows[0])]
    found, _ = read_rows(csv_bytes(names, rows), "t.csv")
    plain = [tuple(cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row) for row in rows]
    assert [row.cells for row in found[1:]] == [row for row in plain if not all(map(is_blank, row))]


def test_an_apostrophe_in_a_file_of_others_stays():
    data = b"question,answer\n'-ing' or '-ed'?,'-ing'\n'=' or '=='?,'=='\n"
    found, _ = read_rows(data, "t.csv")
    assert found[1].cells == ("'-ing' or '-ed'?", "'-ing'")


def test_pasted_pairs_are_a_table_too():
    parsed = parse_pairs("sentence1\tsentence2\tscore\na b\tc d\t5\ne f\tg h\t0", SentenceSet(()))
    assert [p.label for p in parsed.pairs] == [1, 0]


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.txt"])
def test_two_columns_of_texts_without_names_are_pairs_that_belong_together(name):
    between = "," if name.endswith("csv") else "\t"
    rows = [
        ("How do I reset it?", "Hold the button."),
        ("Is it loud?", "No"),
        ("Where is it made?", "In Brno."),
    ]
    data = "\n".join(map(between.join, rows)).encode()
    assert pairs(data, name) == [(*row, 1.0) for row in rows]
    told = [notice.text for notice in parse_pair_table(data, name, SentenceSet(())).notices]
    assert "no row of names: anchor = column 1, positive = column 2" in told[0] and "no labels" in told[1]
    other = pairs(data, name, Choice(columns=("2", "1")))
    assert other[0] == ("Hold the button.", "How do I reset it?", 1.0)
    for texts_and_labels in (TAB, "1,Fine cast\n0,I left early\n"):
        with pytest.raises(InputError, match="has 2 parts"):
            pairs(texts_and_labels.encode(), "p.tsv" if "\t" in texts_and_labels else "p.csv")
