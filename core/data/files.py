"""Files on one's own disk: read whole or a row at a time, so that a million rows fit in memory, and written.

Sentences and pairs follow the rules of uploads (sentences.py, pair_files.py) without the page's limits. What
needs the whole file in memory is left out: a text that comes again has the same id, a pair given twice is
there twice. What goes wrong is one sentence that names the file.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

from ..types import InputError, Notice, Sentence
from .columns import AS_FOUND, Choice
from .pair_files import PairReader
from .sentences import SentenceReader
from .tables import Sheet, Source, open_table
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
    choice: Choice = AS_FOUND

    def __iter__(self) -> Iterator[Sentence]:
        for _, text, group in self._reader().read(lambda what, line: None):
            yield Sentence(sentence_id(text), text, group)

    def survey(self) -> tuple[int, tuple[Notice, ...]]:
        """How many sentences there are, and what is worth telling. Raises InputError if there is none."""
        return self._reader().survey()

    def _reader(self) -> SentenceReader:
        return SentenceReader(table_of(self.path), self.choice)


def pairs(file: Path, choice: Choice = AS_FOUND) -> PairReader:
    """The pairs of a file, each as often as it stands there. Raises InputError for what is no pair."""
    return PairReader(table_of(file), choice)


def table_of(file: Path) -> Sheet:
    with reading(file):
        return open_table(Source(file.name, lambda: file.open("rb")))
