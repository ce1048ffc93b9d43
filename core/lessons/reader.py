"""Lessons as data: one TOML file each, read into frozen steps, or refused with file, line, field and reason.

The format is described in assets/lessons/README.md. A lesson holds words and settings only; what a
prediction is compared with is computed by core/lessons/outcomes.py from the learner's own run.
"""

from __future__ import annotations

from pathlib import Path

from ..data.assets import ASSETS
from ..data.schema import TomlFile
from ..types import InputError
from .types import Lesson

LESSONS = ASSETS / "lessons"
LONGEST_FILE = 100_000  # characters


def load_lessons(folder: Path = LESSONS) -> tuple[tuple[Lesson, ...], tuple[str, ...]]:
    """(the lessons in their order, a sentence for each file that cannot be read)."""
    lessons, problems = [], []
    for path in sorted(folder.glob("*.toml")):
        try:
            lessons.append(parse(path.read_text(encoding="utf-8"), path.stem, path.name))
        except (InputError, UnicodeDecodeError) as error:
            problems.append(str(error))
    return tuple(sorted(lessons, key=lambda lesson: (lesson.order, lesson.key))), tuple(problems)


def parse(text: str, key: str, name: str = "") -> Lesson:
    """Read a lesson. Raises InputError with the first thing to mend; `check` lists all of them."""
    lesson, problems = check(text, key, name)
    if lesson is None:
        raise InputError(problems[0])
    return lesson


def check(text: str, key: str = "own", name: str = "") -> tuple[Lesson | None, tuple[str, ...]]:
    """(the lesson, ()) or (None, every problem found), each problem one sentence that says where."""
    name = name or "The lesson"
    if len(text) > LONGEST_FILE:
        return None, (f"{name} has {len(text):,} characters; at most {LONGEST_FILE:,} are read.",)
    try:
        return TomlFile.parse(text, name).check(Lesson, key=key)
    except InputError as error:
        return None, (str(error),)
