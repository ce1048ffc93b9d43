"""Uploaded bytes -> rows of cells, with the line each row began on.

Encodings, delimiters and quoting end here: core/data/sentences.py above sees cells and knows what they mean.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import PurePath

from ..types import InputError
from .text import is_blank

MAX_UPLOAD_MB = 5
MAX_UPLOAD_BYTES = MAX_UPLOAD_MB * 1024 * 1024

SENTENCE_NAMES = ("sentence", "text", "sentences", "utterance", "query", "question")
LEFT_NAMES = ("left", "sentence1", "sentence_1", "text1", "anchor", "question1")
RIGHT_NAMES = ("right", "sentence2", "sentence_2", "text2", "other", "question2")
_TEXT_NAMES = {*SENTENCE_NAMES, *LEFT_NAMES, *RIGHT_NAMES}

_DELIMITERS = ("\t", ";", ",")
_NO_DELIMITER = "\x1f"  # the unit separator: csv needs one, and no line of text holds this one
_SNIFFED_ROWS = 200
_AGREEMENT = 0.7  # share of rows that must have as many cells as the first row
_HINT = "Save it as “CSV UTF-8” and upload it again."


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # 1-based line of the file on which the row begins
    cells: tuple[str, ...]


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
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(f"{filename} is an office or zip file, not a text table. {_HINT}")
    encoding = _encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        name = "UTF-16" if "16" in encoding else "UTF-8"
        raise InputError(f"{filename}, line {line:,}: the bytes are not {name} text. {_HINT}") from error


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:2000]
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
    tabs = PurePath(filename).suffix.casefold() in (".tsv", ".tab")
    rows = _rows(text, "\t" if tabs else sniff_delimiter(text), filename)
    return (
        tuple(row for row in rows if not _is_empty(row)),
        tuple(row.line for row in rows if _is_empty(row)),
    )


def _is_empty(row: Row) -> bool:
    return all(is_blank(cell) for cell in row.cells)


def sniff_delimiter(text: str) -> str:
    """The delimiter that splits the first row and most rows after it into the same number of cells.

    A first row of known column names says it too, so that rows of other widths are refused by their line
    instead of read as one column. A file of one column, whose sentences may hold commas, gets a delimiter
    that never occurs.
    (csv.Sniffer guesses from letter frequencies and takes "e" or a space for such files.)
    """
    best, best_share = _NO_DELIMITER, _AGREEMENT
    head = "".join(text.splitlines(keepends=True)[:_SNIFFED_ROWS])
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


def _rows(text: str, delimiter: str, filename: str) -> list[Row]:
    text = re.sub("\r\n?", "\n", text)
    if not text.endswith("\n"):
        text += "\n"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    begin = 1
    try:
        for cells in reader:
            rows.append(Row(begin, tuple(cells)))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{filename}, line {begin:,}: the row cannot be read ({error}). A quote is probably not closed; "
            'inside quotes write "" for a quote.'
        ) from error
    return rows


def is_plain_text(filename: str) -> bool:
    """True for .txt and for names without an extension: those follow the rules of the text area."""
    return PurePath(filename).suffix.casefold() in ("", ".txt", ".text")


def header(row: Row) -> list[str]:
    return [" ".join(cell.split()) for cell in row.cells]


def column(names: list[str], known: tuple[str, ...]) -> int | None:
    """Index of the first column whose name is one of the known ones, the preferred names first."""
    lowered = [name.casefold() for name in names]
    return next((lowered.index(name) for name in known if name in lowered), None)


def check_width(rows: tuple[Row, ...], filename: str) -> None:
    """Raises InputError, naming the line, unless all rows have as many cells as the first."""
    width = len(rows[0].cells)
    for row in rows:
        if len(row.cells) != width:
            raise InputError(
                f"{filename}, line {row.line:,}: the row has {len(row.cells)} cells where the first row has "
                f"{width}. Put a text that holds the delimiter in double quotes."
            )
