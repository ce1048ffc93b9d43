"""Sentences and pairs of a file of any length, one at a time, so that a million of them fit in memory.

The rules are those of uploads (sentences.py, pair_files.py) without the page's limits. What needs the whole
file in memory is left out: a text that comes again has the same id, a pair given twice is there twice.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from ..types import InputError, Sentence
from .files import reading
from .pair_files import checked_pairs, table_pairs, typed_pairs
from .sentences import WORDS, Tell, cleaned, columns_of, typed
from .tables import (
    SNIFFED_ROWS,
    Row,
    check_width,
    delimiter_of,
    encoding_of,
    is_plain_text,
    not_text,
    rows_of,
)
from .text import sentence_id

T = TypeVar("T")


def in_parts(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` rows, the last one shorter."""
    rest = iter(rows)
    while some := list(islice(rest, size)):
        yield some


@contextmanager
def rereadable(file: Path) -> Iterator[Path]:
    """A file that can be read more than once: itself, or for a pipe a copy that is gone afterwards."""
    if file.is_file() or not file.exists():
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        with reading(file), file.open("rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield copy


@dataclass(frozen=True, slots=True)
class SentenceFile:
    """The sentences of a table or a text file, read anew by every iteration."""

    path: Path

    def __iter__(self) -> Iterator[Sentence]:
        return self._read(lambda what, line: None)

    def survey(self) -> tuple[int, tuple[str, ...]]:
        """How many sentences there are, and what is worth telling. Raises InputError if there is none."""
        seen: Counter[str] = Counter()
        count = sum(1 for _ in self._read(lambda what, line: seen.update((what,))))
        if not count:
            raise InputError("There is no sentence in it. Write one a line.")
        return count, tuple(
            f"{WORDS[what]} ({times:,} ×)" if what in WORDS else what for what, times in seen.items()
        )

    def _read(self, tell: Tell) -> Iterator[Sentence]:
        name = self.path.name
        cells = typed(_lines(self.path), tell) if is_plain_text(name) else _table(self.path, tell)
        for line, text, group in cells:
            kept = cleaned(line, text, group, tell)
            if kept is not None:
                yield Sentence(sentence_id(kept[0]), *kept)


def pairs(file: Path) -> Iterator[tuple[str, str, float]]:
    """(left text, right text, label) of every row. Raises InputError for what is no pair."""
    plain = is_plain_text(file.name)
    rows = typed_pairs(_lines(file)) if plain else table_pairs(_rows(file), file.name)
    for _, left, right, label in checked_pairs(rows):
        yield left, right, label


def _table(file: Path, tell: Tell) -> Iterator[tuple[int, str, str]]:
    """(line, sentence, group or "") of every row; which columns hold them is decided by the first rows."""
    rows = _rows(file, tell)
    head = list(islice(rows, SNIFFED_ROWS))
    columns = columns_of(head, file.name)
    for notice in columns.notices:
        tell(notice.text, 1)
    for row in chain(head[columns.skipped :], rows):
        check_width((row,), len(head[0].cells), file.name)
        yield row.line, *columns.cells(row)


def _rows(file: Path, tell: Tell = lambda what, line: None) -> Iterator[Row]:
    """The rows of a table that are not empty."""
    lines = _lines(file, ends="\n")
    head = list(islice(lines, SNIFFED_ROWS))
    for row in rows_of(chain(head, lines), delimiter_of("".join(head), file.name), file.name):
        if row.is_empty:
            tell("blank", row.line)
        else:
            yield row


def _lines(file: Path, ends: str = "") -> Iterator[str]:
    """The lines of a text file, each with `ends` for its line end. Raises InputError for what is not text."""
    with reading(file):
        with file.open("rb") as raw:
            encoding = encoding_of(raw.read(2000), file.name)
        number = 0
        try:
            with file.open(encoding=encoding) as lines:
                for line in lines:
                    yield line.removesuffix("\n") + ends
                    number += 1
        except UnicodeDecodeError as error:
            before = number + error.object[: error.start].count(b"\n")
            raise not_text(file.name, before + 1, encoding) from error
