"""What a stranger may send: bounds before the parser, one sentence and one line in the log."""

from __future__ import annotations

import io
import json
import logging
import zipfile

import pytest

from core.cards import export
from core.cards import parse as decks
from core.data.schema import lines_of_fields
from core.data.sentences import parse_pairs, parse_sentences, parse_table
from core.data.text import shown, split_bars
from core.export import npy, run_file
from core.lessons.reader import check
from core.storage.transfer import read_progress
from core.training.word2vec.text import tokenize
from core.types import InputError, SentenceSet
from core.untrusted import MAX_DEPTH, door, json_value, toml_values, whole


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a." * 40_000 + "a = 1", "a key of more than 9 parts"),
        ("a . " * 20_000 + "a = 1", "a key of more than 9 parts"),
        ('"a".' * 20_000 + "a = 1", "a key of more than 9 parts"),
        ("[" + "a." * 40_000 + "a]", "a key of more than 9 parts"),
        ("x = {" + "a." * 40_000 + "a = 1}", "a key of more than 9 parts"),
        ("a = " + "[" * 60, "nests deeper than 40 levels"),
        ("a = " + "{b = " * 60, "nests deeper than 40 levels"),
        ("a = [" + "1," * 30_000 + "]", "more than 20,000 values"),
        ("a = " + "9" * 5_000, "is not valid TOML"),
        ('a = """' + '\\"""' * 20_000, "is not valid TOML"),
        ('a = "' + "\\", "is not valid TOML"),
    ],
    ids=lambda value: value[:24],
)
def test_a_toml_text_is_bounded_before_it_is_parsed(text, says):
    with pytest.raises(InputError, match=says):
        toml_values(text, "The lesson")


def test_what_stands_in_quotes_and_comments_counts_for_nothing():
    dots, brackets = "." * 50, "[" * 50
    long = f'"""{dots}\\" "" {brackets}"""'
    text = f"a = '{dots}{brackets}' # {dots}{brackets}\nb = {long}\nc = '''\n{dots}'''"
    assert set(toml_values(text, "It")) == {"a", "b", "c"}
    assert json_value(json.dumps({"a": brackets + '"' + brackets, "b": [[1.5]]}), "It")["b"] == [[1.5]]
    many = [brackets + '\\"' + brackets] * 20_001  # more than are looked at in one go
    assert json_value(json.dumps(many), "It") == many


def test_the_line_of_a_field_is_found_in_linear_time():
    """Blanks after [[ once took time with their third power: 3,000 of them 24 s, in a short link."""
    assert lines_of_fields("x = [\n[[ " + " " * 90_000 + "\n1]]]\ny = 1")[("y",)] == 4


@pytest.mark.parametrize("text", ["[" * 900_000, "[" + "[]," * 900 + "1]", "{", "NaN", "1" * 5_000])
def test_a_json_text_is_bounded_before_it_is_parsed(text):
    with pytest.raises(InputError, match="The link"):
        json_value(text, "The link", parts=1_000)
    assert json_value("[" * MAX_DEPTH + "]" * MAX_DEPTH, "The link")


def test_whatever_is_raised_behind_the_door_becomes_a_sentence_and_one_line_in_the_log(caplog):
    for kind in (MemoryError, RecursionError, IndexError, OSError):
        caplog.clear()
        with (
            caplog.at_level(logging.WARNING),
            pytest.raises(InputError, match=r"^It is damaged\.$"),
            door("It is damaged."),
        ):
            raise kind("x" * 10_000)
        assert len(caplog.messages) == 1 and "test_untrusted.py" in caplog.text and len(caplog.text) < 500
    with pytest.raises(InputError, match="itself"), door("Never said."):
        raise InputError("itself")


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_stored_and_deflated_members_are_read(packing):
    for names in (("run.json", "arrays.npz"), ("a.npy",)):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", packing) as archive:
            for name in names:
                archive.writestr(name, b"{}" * 100)
        with pytest.raises(InputError, match="packed in an unknown way"):
            run_file.unpack(out.getvalue()) if len(names) > 1 else npy.unpack(out.getvalue(), 10**6)


def test_half_a_character_is_replaced():
    assert whole("a\ud800b \U0001f600") == "a\ufffdb \U0001f600"


def test_a_lesson_of_a_thousand_steps_is_refused():
    step = '[[step]]\nkind = "read"\ntitle = "t"\ntext = "x"\n'
    lesson, problems = check('title = "t"\nsummary = "s"\n' + step * 1_000)
    assert lesson is None and any("1,000 entries; at most 60 are allowed" in problem for problem in problems)


def test_a_text_of_millions_of_lines_stops_at_the_first_line_too_many():
    with pytest.raises(InputError, match="line 2,001 is the first one too many"):
        parse_sentences("\n".join(f"Sentence {i}." for i in range(20_000)))
    with pytest.raises(InputError, match="about 2,400,000 lines; at most 20,000 are read"):
        parse_sentences("a\n" * 2_400_000)
    with pytest.raises(InputError, match="There are 30,000 lines"):
        parse_pairs("\n" * 30_000, SentenceSet(()))
    with pytest.raises(InputError, match="more than 5,000 pairs"):
        parse_pairs("".join(f"{i % 100} | {i // 100} x | 1\n" for i in range(6_000)), SentenceSet(()))
    with pytest.raises(InputError, match="more than 20,000 rows; line 20,001 begins"):
        parse_table(b"a,b\n" * 100_000, "many.csv")


def test_a_deck_of_blank_lines_takes_linear_time():
    with pytest.raises(InputError, match="has no card"):
        decks.parse("\n" * decks.MAX_DECK_CHARACTERS)


def test_long_runs_of_one_mark_take_linear_time():
    """Each of these took time with the square of its length, holding every other learner up."""
    assert split_bars("\\" * 4_000_000 + "|a") == ["\\" * 2_000_000, "a"]
    assert tokenize("a b" + "!" * 400_000 + "c") == [["a", "b", "c"]]
    assert "<pre>" in export._to_html("```x\n" * 100_000)


def test_a_message_quotes_at_most_eighty_characters_of_a_cell():
    assert len(shown("x" * 10_000)) == 80 and shown("a\nb") == "a b"
    wide = ",".join(["sentence1", "sentence2", *("x" * 5_000 for _ in range(40))]).encode()
    with pytest.raises(InputError) as refused:
        parse_table(wide, "wide.csv")
    assert len(str(refused.value)) < 1_000
    notices = parse_table(b"sentence," + b"y" * 5_000 + b"\nIt rains.,b\n", "one.csv").notices
    assert max(len(notice.text) for notice in notices) < 200


@pytest.mark.parametrize("data", [b"\xff", b"[" * 90_000, b"{", b"1" * 5_000])
def test_what_is_no_progress_file_is_refused(data):
    with pytest.raises(InputError):
        read_progress(data)
