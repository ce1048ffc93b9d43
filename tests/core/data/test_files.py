"""Files read one sentence at a time hold what the page's reader finds in them, without its limits."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data import files
from core.data.sentences import MAX_CHARACTERS, MAX_SENTENCES, parse_pair_table, parse_table
from core.data.tables import SNIFFED_ROWS
from core.types import InputError, SentenceSet

FILES = {
    "area.txt": b"a | one\n\ntwo\r\nthree | with | bars\nb\ttab\n",
    "bom.txt": "\ufeffé\nü".encode(),
    "wide.csv": 'group,sentence\nx,"two\nlines"\n,\ny,b\n'.encode("utf-16"),
    "semicolon.csv": b"id;Text;Label\n1;one;a\n\n2;two;\n3;;b\n",
    "tabs.tsv": b"pos\tI like it\nneg\tI hate it\n",
    "column.csv": b"Well, yes\nNo\nOne, two, three\n",
    "long.csv": b"sentence\n" + b"".join(b"number %d\n" % i for i in range(3 * SNIFFED_ROWS)),
}


def kept(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("name", FILES)
def test_the_same_sentences_as_on_the_page(tmp_path, name):
    page = parse_table(FILES[name], name)
    file = files.SentenceFile(kept(tmp_path, name, FILES[name]))
    assert [(s.id, s.text, s.group) for s in file] == [
        (s.id, s.text, s.group) for s in page.sentence_set.sentences
    ]
    count, told = file.survey()
    assert count == len(page.sentence_set) and len(list(file)) == count, "it can be read again"
    assert told == page.notices


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=30))
def test_any_table_is_read_alike(tmp_path_factory, rows):
    lines = [
        "sentence,group",
        *(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows),
    ]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    try:
        page = [(s.text, s.group) for s in parse_table(data, "t.csv").sentence_set.sentences]
    except InputError as error:
        page = str(error)
    file = kept(tmp_path_factory.mktemp("any"), "t.csv", data)
    if isinstance(page, list):
        assert [(s.text, s.group) for s in files.SentenceFile(file)] == page
    else:
        with pytest.raises(InputError):
            files.SentenceFile(file).survey()


def test_the_limits_of_the_page_do_not_count(tmp_path):
    line = b"word " * MAX_CHARACTERS + b"\n"
    file = files.SentenceFile(kept(tmp_path, "big.txt", line * (MAX_SENTENCES + 1)))
    count, told = file.survey()
    assert count == MAX_SENTENCES + 1
    assert [notice.text for notice in told] == ["2,000 of 2,001 texts stand there before; all are kept."]


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
        (b"\n \n", "t.txt", "no sentence"),
        (b"a,b,c\n1,2,3\n", "t.csv", "no column of texts. Its columns: a, b, c"),
        (b"group,sentence\n" + b"a,b\n" * 500 + b"c,d,e\n", "t.csv", "t.csv, line 502: the row has 3 cells"),
        (b"sentence1,sentence2,score\na,b,1\n", "t.csv", "is a table of pairs"),
    ],
)
def test_refused_files(tmp_path, data, name, message):
    with pytest.raises(InputError) as caught:
        files.SentenceFile(kept(tmp_path, name, data)).survey()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("p.csv", b"id,Sentence1,sentence2,score\n1,a,b,0.5\n2,c,d,1\n"),
        ("p.tsv", b"a\tb\t1\nc\td\tdissimilar\n"),
        ("p.txt", b"left | right | label\na | b | 1\n\nc | d | 0\n"),
    ],
)
def test_pairs_as_on_the_page(tmp_path, name, data):
    page = parse_pair_table(data, name, SentenceSet((), "", ""))
    text = {s.id: s.text for s in page.sentence_set.sentences}
    found = [pair for _, *pair in files.pairs(kept(tmp_path, name, data))]
    assert found == [[text[p.left], text[p.right], p.label] for p in page.pairs]


def test_a_pair_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match="Line 2: the label “7x” is not known"):
        list(files.pairs(kept(tmp_path, "p.csv", b"a,b,1\nc,d,7x\n")))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_twice(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    threading.Thread(target=(tmp_path / "pipe.txt").write_bytes, args=(b"one\ntwo\n",)).start()
    with files.rereadable(tmp_path / "pipe.txt") as file:
        sentences = files.SentenceFile(file)
        assert sentences.survey()[0] == len(list(sentences)) == 2
