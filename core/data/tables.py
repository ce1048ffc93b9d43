"""Uploaded bytes -> rows of cells, with the line each row began on.

Encodings, delimiters and quoting end here: core/data/sentences.py above sees cells and knows what they mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath

from ..types import InputError
from .text import MAX_LINES, is_blank, shown

MAX_UPLOAD_MB = 5
MAX_UPLOAD_BYTES = MAX_UPLOAD_MB * 1024 * 1024

SENTENCE_NAMES = ("sentence", "text", "sentences", "utterance", "query", "question")
LEFT_NAMES = ("left", "sentence1", "sentence_1", "text1", "anchor", "question1")
RIGHT_NAMES = ("right", "sentence2", "sentence_2", "text2", "other", "question2")
_TEXT_NAMES = {*SENTENCE_NAMES, *LEFT_NAMES, *RIGHT_NAMES}

_DELIMITERS = ("\t", ";", ",")
_NO_DELIMITER = "\x1f"  # the unit separator: csv needs one, and no line of text holds this one
SNIFFED_ROWS = 200
MAX_NAMED = 8  # columns that a message names
_AGREEMENT = 0.7  # share of rows that must have as many cells as the first row
_HINT = "Save it as “CSV UTF-8” and upload it again."


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # 1-based line of the file on which the row begins
    cells: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return all(is_blank(cell) for cell in self.cells)


def check_size(data: bytes, filename: str) -> None:
    """Raises InputError when the upload is larger than MAX_UPLOAD_BYTES."""
    if len(data) > MAX_UPLOAD_BYTES:
        size = len(data) / 1024 / 1024
        raise InputError(
            f"{filename} has {size:.1f} MB; at most {MAX_UPLOAD_MB} MB are allowed. Upload a part of it."
        )


def decode(data: bytes, filename: str) -> str:
    """Text of a file in UTF-8 or UTF-16, with or without a byte order mark.

    Raises InputError for spreadsheets, other binary files and other encodings.
    """
    encoding = encoding_of(data[:2000], filename)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise not_text(filename, data[: error.start].count(b"\n") + 1, encoding) from error


def not_text(filename: str, line: int, encoding: str) -> InputError:
    name = "UTF-16" if "16" in encoding else "UTF-8"
    return InputError(f"{filename}, line {line:,}: the bytes are not {name} text. {_HINT}")


def encoding_of(head: bytes, filename: str) -> str:
    """The encoding of a file that begins so. Raises InputError for spreadsheets."""
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(f"{filename} is an office or zip file, not a text table. {_HINT}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Every other byte of Latin text in UTF-16 is zero; in UTF-8 a zero is a stray control character.
    if head.count(0) > len(head) / 4:
        return "utf-16-le" if head[1::2].count(0) >= head[0::2].count(0) else "utf-16-be"
    return "utf-8-sig"


def read_rows(data: bytes, filename: str) -> tuple[tuple[Row, ...], tuple[int, ...]]:
    """Rows of a CSV or TSV file (comma, semicolon or tab; quoted cells may hold line breaks).

    Rows whose cells are all blank are left out; their lines come second. Raises InputError when
    the file is too large, is not text, or a quote never closes.
    """
    check_size(data, filename)
    text = decode(data, filename)
    every = rows_of(io.StringIO(text, newline=None), delimiter_of(text, filename), filename)
    rows = list(islice(every, MAX_LINES + 1))
    if len(rows) > MAX_LINES:
        raise InputError(
            f"{shown(filename)} has more than {MAX_LINES:,} rows; line {rows[-1].line:,} begins the first "
            "one too many. Upload a part of it."
        )
    return tuple(row for row in rows if not row.is_empty), tuple(row.line for row in rows if row.is_empty)


def delimiter_of(text: str, filename: str) -> str:
    """The delimiter of a table by its name's ending, or by how its first rows look."""
    tabs = PurePath(filename).suffix.casefold() in (".tsv", ".tab")
    return "\t" if tabs else sniff_delimiter(text)


def sniff_delimiter(text: str) -> str:
    """The delimiter that splits the first row and most rows after it into the same number of cells.

    A first row of known column names says it too, so that rows of other widths are refused by their line
    instead of read as one column. A file of one column, whose sentences may hold commas, gets a delimiter
    that never occurs.
    (csv.Sniffer guesses from letter frequencies and takes "e" or a space for such files.)
    """
    best, best_share = _NO_DELIMITER, _AGREEMENT
    head = "".join(text.splitlines(keepends=True)[:SNIFFED_ROWS])
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter) if row]
        except csv.Error:
            continue
        widths = [len(row) for row in rows]
        if not widths or widths[0] < 2:
            continue
        named = {" ".join(cell.split()).casefold() for cell in rows[0]} & _TEXT_NAMES
        if named and 2 * sum(width > 1 for width in widths) >= len(widths):
            return delimiter
        share = sum(width == widths[0] for width in widths) / len(widths)
        if share > best_share:
            best, best_share = delimiter, share
    return best


def rows_of(lines: Iterable[str], delimiter: str, filename: str) -> Iterator[Row]:
    """Row after row of a table's lines, which end in \\n. Raises InputError when a quote never closes."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begin = 1
    try:
        for cells in reader:
            yield Row(begin, tuple(cells))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{filename}, line {begin:,}: the row cannot be read ({error}). A quote is probably not closed; "
            'inside quotes write "" for a quote.'
        ) from error


def is_plain_text(filename: str) -> bool:
    """True for .txt and for names without an extension: those follow the rules of the text area."""
    return PurePath(filename).suffix.casefold() in ("", ".txt", ".text")


def header(row: Row) -> list[str]:
    """The names in a table's first row. Long ones are cut: they are quoted, and no known name is long."""
    return [shown(" ".join(cell.split())) for cell in row.cells]


def listed(names: Sequence[str]) -> str:
    """The names of columns for a message, the first MAX_NAMED of them."""
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more


def column(names: list[str], known: tuple[str, ...]) -> int | None:
    """Index of the first column whose name is one of the known ones, the preferred names first."""
    lowered = [name.casefold() for name in names]
    return next((lowered.index(name) for name in known if name in lowered), None)


def check_width(rows: Iterable[Row], width: int, filename: str) -> None:
    """Raises InputError, naming the line, unless all rows have as many cells as the first row."""
    for row in rows:
        if len(row.cells) != width:
            raise InputError(
                f"{filename}, line {row.line:,}: the row has {len(row.cells)} cells where the first row has "
                f"{width}. Put a text that holds the delimiter in double quotes."
            )
