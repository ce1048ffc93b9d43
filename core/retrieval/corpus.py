"""Passages to search in: the built-in corpus, or text that somebody brings, with questions and answers.

Apart from core/retrieval/ranking.py because reading and refusing input is another matter than ranking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import Field, TypeAdapter

from ..data.assets import ASSETS
from ..data.schema import Line, from_json
from ..data.text import clean, lines_of, shown
from ..types import InputError, Notice

BUILT_IN = ASSETS / "corpus" / "everyday.json"
MAX_PASSAGES = 10_000
MAX_CHARACTERS = 2_000  # of one passage; the models read about the first 1,000
MAX_QUESTIONS = 200


@dataclass(frozen=True, slots=True)
class Passage:
    """One text that can be found. `title` may be empty."""

    id: str
    title: str
    text: str

    @property
    def full_text(self) -> str:
        """What is embedded and searched: the title, if any, and the text."""
        return f"{self.title}. {self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class Question:
    """A query with known answers: rows of the corpus, at least one."""

    text: str
    answers: tuple[int, ...]
    note: str = ""  # what makes it easy or hard


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages in a fixed order; rankings speak of their rows. Those of a collection lie in its folder, and
    are read from there one by one."""

    title: str
    passages: Sequence[Passage]
    questions: tuple[Question, ...] = ()
    folder: str = ""

    @property
    def full_texts(self) -> tuple[str, ...]:
        return tuple(passage.full_text for passage in self.passages)


@dataclass(frozen=True, slots=True)
class QuestionText:
    """A question of the file; its answers are ids of passages."""

    text: Line
    answers: Annotated[tuple[Line, ...], Field(min_length=1)]
    note: Line


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """The file."""

    title: Line
    passages: tuple[Passage, ...]
    queries: tuple[QuestionText, ...]


@cache
def built_in() -> Corpus:
    """The passages and questions that come with the app."""
    found = from_json(TypeAdapter(CorpusFile), BUILT_IN.read_text(encoding="utf-8"))
    row = {passage.id: i for i, passage in enumerate(found.passages)}
    questions = (Question(q.text, tuple(row[answer] for answer in q.answers), q.note) for q in found.queries)
    return Corpus(found.title, found.passages, tuple(questions))


def parse_passages(text: str, title: str = "Your passages") -> tuple[Corpus, tuple[Notice, ...]]:
    """One passage a line; blank lines are skipped and repeated passages kept once, with a notice.

    Raises InputError when there is no passage, more than MAX_PASSAGES, or one longer than MAX_CHARACTERS.
    """
    passages: list[Passage] = []
    seen: set[str] = set()
    repeated: list[int] = []
    for number, line in enumerate(lines_of(text), start=1):
        passage = clean(line)
        if len(passage) > MAX_CHARACTERS:
            raise InputError(
                f"Line {number:,} has {len(passage):,} characters; a passage may have {MAX_CHARACTERS:,}. "
                "Break it into several lines."
            )
        if passage in seen:
            repeated.append(number)
        elif passage:
            if len(passages) == MAX_PASSAGES:
                raise InputError(
                    f"Line {number:,} is passage {MAX_PASSAGES + 1:,}; at most {MAX_PASSAGES:,} can be "
                    "searched. Use a part of the text."
                )
            seen.add(passage)
            passages.append(Passage(f"line-{number}", "", passage))
    if not passages:
        raise InputError("There is no passage yet: put one on each line.")
    notices: tuple[Notice, ...] = ()
    if repeated:
        notices = (Notice("Repeated passages are searched only once.", tuple(repeated)),)
    return Corpus(title, tuple(passages)), notices


def parse_questions(text: str, corpus: Corpus) -> tuple[Question, ...]:
    """One question a line, then "|" and the numbers of the passages that answer it, counted from 1.

    "How do bats hunt? | 3, 17". Raises InputError with the line for anything else.
    """
    questions: list[Question] = []
    for number, line in enumerate(lines_of(text), start=1):
        content = clean(line)
        if not content:
            continue
        question, bar, answers = (part.strip() for part in content.rpartition("|"))
        if not bar or not question:
            raise InputError(f'Line {number:,}: write a question, "|" and the numbers of its passages.')
        questions.append(Question(question, _rows(answers, number, len(corpus.passages))))
        if len(questions) > MAX_QUESTIONS:
            raise InputError(f"Line {number:,}: at most {MAX_QUESTIONS} questions can be asked at once.")
    return tuple(questions)


def _rows(answers: str, line: int, count: int) -> tuple[int, ...]:
    """ "3, 17" -> (2, 16)."""
    rows: dict[int, None] = {}
    for part in answers.split(","):
        given = part.strip()
        if not (given.isascii() and given.isdigit() and len(given) < 10 and 1 <= int(given) <= count):
            raise InputError(
                f"Line {line:,}: “{shown(given)}” is not the number of a passage; they run from 1 to "
                f"{count:,}."
            )
        rows[int(given) - 1] = None
    return tuple(rows)
