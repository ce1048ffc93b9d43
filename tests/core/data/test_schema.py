"""Whatever stands in a file that people write, it is read or refused in sentences that say where and why."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.schema import TomlFile, load
from core.data.sentence_sets import BuiltInSet
from core.lessons.types import Lesson
from core.types import InputError
from pages.lessons.teacher import TEMPLATE

LESSON = TEMPLATE + '[[step]]\nkind = "cards"\ntitle = "Cards"\ncards = ["em-purpose"]\n'


def told(old: str, new: str) -> list[str]:
    assert old in LESSON
    return list(TomlFile.parse(LESSON.replace(old, new, 1), "a.toml").check(Lesson, key="a")[1])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "My', 'titel = "My', "a.toml, title: it is missing."),
        ('summary = "One', 'summary = 3 # "', "a.toml, line 2, summary: it must be a text in quotes, not 3."),
        ("minutes = 10", "minutes = true", "it must be a whole number from 1 to 240, not True."),
        (
            "[experiment]\n",
            "[experiment]\nheld_out = nan\n",
            "a.toml, line 6, [experiment], held_out: it must be a number from 0 to 0.8, not nan.",
        ),
        ('kind = "read"', "", "step 1, kind: it is missing."),
        ('rises = "It goes up"', "rises = [1]", "step 2 (predict), options.rises: it must be a text"),
        ('"em-purpose"', '"em-purpose", 3', "step 4 (cards), cards 2: it must be a text in quotes, not 3."),
        ('["em-purpose"]', "[]", "step 4 (cards), cards: it has 0 entries; at least 1 are needed."),
        ('question = "What', 'question = " " #', "step 2 (predict), question: it is empty; write a text."),
        ('question = "What', f'question = "{"x" * 301}" #', "has 301 characters; at most 300 are allowed."),
        ("minutes = 10", "minutes = 10\nkey = 3", "a.toml, line 4, key: there is no such field here."),
    ],
)
def test_what_and_where_is_told(old: str, new: str, says: str) -> None:
    assert any(says in problem for problem in told(old, new))


def test_a_mistyped_field_is_told_twice_as_missing_and_as_unknown() -> None:
    first, second = told('title = "My', 'titel = "My')
    assert "title: it is missing" in first and "Known are title, summary, minutes" in second


@pytest.mark.parametrize("text", ["a = " + "1" * 5_000, "a = ", "\x00"])
def test_what_is_not_toml_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"a\.toml is not valid TOML"):
        TomlFile.parse(text, "a.toml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'title = "caf\xe9"')
    for name in ("latin.toml", "nowhere.toml"):
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            load(tmp_path / name, BuiltInSet, key="x")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("x" * 5_000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, inner in items for place in places(inner, (*at, key)))]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_value_in_any_place_is_read_or_told(data: st.DataObject) -> None:
    whole = tomllib.loads(LESSON)
    *parents, last = data.draw(st.sampled_from(places(whole)[1:]))
    changed: Any = copy.deepcopy(whole)
    inner = changed
    for part in parents:
        inner = inner[part]
    inner[last] = data.draw(VALUES)
    lesson, problems = TomlFile("a.toml", changed, {}).check(Lesson, key="a")
    assert (lesson is None) == bool(problems)
    for problem in problems:
        assert problem.startswith("a.toml") and problem.endswith(".") and len(problem) < 1_000
