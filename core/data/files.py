"""Files on one's own disk: read whole or a row at a time, so that a million rows fit in memory, and written.

Sentences and pairs follow the rules of uploads (sentences.py, pair_files.py) without the page's limits. What
needs the whole file in memory is left out: a text that comes again has the same id, a pair given twice is
there twice. What goes wrong is one sentence that names the file.
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
from typing import IO, TypeVar

from ..types import InputError, Sentence
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


def read_bytes(file: Path) -> bytes:
    with reading(file):
        return file.read_bytes()


def write_bytes(file: Path, data: bytes) -> None:
    with replacing(file) as out:
        out.write(data)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """What the system refuses inside becomes a sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error


@contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """A stream that becomes the file at the end; until then, and after an error, what was there stays."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(file)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """A refusal inside names the file."""
    try:
        yield
    except InputError as error:
        said = str(error)
        raise InputError(said if said.startswith(file.name) else f"{file.name}: {said}") from error


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
