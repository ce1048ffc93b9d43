"""A file as somebody has it -> rows of cells: CSV, TSV, JSON Lines, Parquet, or text that is no table.

Encoding, separator and quotes end here; columns.py above sees cells and says what they are. Every iteration
reads the file anew, a row at a time, so that a million rows fit in memory.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePath
from typing import IO, Any

from ..types import InputError
from ..untrusted import door, json_value
from .columns import TEXT_NAMES
from .separated import NO_SEPARATOR, SEPARATORS, Row, is_ours, rows_of, sniff_separator
from .text import MAX_LINES, is_blank, shown, unsafe_cell

MAX_UPLOAD_MB = 5
MAX_UPLOAD_BYTES = MAX_UPLOAD_MB * 1024 * 1024
MAX_UNPACKED_BYTES = 40 * MAX_UPLOAD_BYTES  # of a Parquet file, which may be packed many times over
# Of a page's table: a few kilobytes of Parquet may say that a cell stands there a million times.
MAX_CELLS, MAX_TABLE_CHARACTERS = 2_000_000, 8 * MAX_UPLOAD_BYTES
MAX_KEYS = 1_000  # of the objects in JSON Lines
SNIFFED_ROWS = 200
_HINT = "Save it as “CSV UTF-8” and try again."
_NAMED_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
# Begins of files that are no text, or text for other programs.
_OTHERS = {
    b"PK\x03\x04": "an office or zip file",
    b"\xd0\xcf\x11\xe0": "an office file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a packed file",
    b"SQLite format 3": "a database",
    b"\x89PNG": "a picture",
    b"{\\rtf": "a rich text",
}
_MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml)", re.IGNORECASE)
_JSON, _TEXT = (".json", ".jsonl", ".ndjson"), ("", ".txt", ".text")
# Asked in this order where bytes are no UTF-8; of those that read a text alike the first one is named.
_ENCODINGS = [*(f"cp125{i}" for i in (2, 0, 1, 3, 4, 5, 6, 7)), "gb18030", "big5", "shift_jis", "euc_jp"]
_ENCODINGS += ["euc_kr", "koi8_r"]
_SAMPLE = 20_000  # bytes of lines with other than ASCII that an encoding is guessed from


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be opened again and again, of which at most so many rows may be read."""

    name: str
    open: Callable[[], IO[bytes]]
    most_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of cells. `names` are those that the format itself gives (JSON Lines, Parquet); `how` says how the
    file was read. A text that is no table has its lines as rows of one cell: `is_text`."""

    name: str
    rows: Callable[[], Iterator[Row]]
    how: str
    names: tuple[str, ...] = ()
    is_text: bool = False

    def head(self) -> list[Row]:
        """The first rows that are not empty."""
        return list(islice((row for row in self.rows() if not row.is_empty), SNIFFED_ROWS))


def uploaded(data: bytes, filename: str) -> Source:
    """With the limits of the page. Raises InputError when there are more than MAX_UPLOAD_BYTES."""
    name = PurePath(filename).name
    check_size(data, name)
    return Source(name, lambda: io.BytesIO(data), MAX_LINES)


def check_size(data: bytes, filename: str) -> None:
    """Raises InputError when the upload is larger than MAX_UPLOAD_BYTES."""
    if len(data) > MAX_UPLOAD_BYTES:
        size = len(data) / 1024 / 1024
        raise InputError(
            f"{filename} has {size:.1f} MB; at most {MAX_UPLOAD_MB} MB are allowed. Upload a part of it."
        )


def open_table(source: Source) -> Sheet:
    """What the file is, by how it begins and by its name's ending. Raises InputError for what is no table;
    what is wrong further down raises it while the rows are read."""
    sheet = _opened(source)
    if source.most_rows is None:
        return sheet
    rows: list[Row] = []
    cells = characters = 0
    for row in sheet.rows():
        rows.append(row)
        cells += len(row.cells)
        characters += sum(map(len, row.cells))
        if len(rows) > source.most_rows:
            raise InputError(
                f"{shown(source.name)} has more than {source.most_rows:,} rows; line {row.line:,} begins the "
                "first one too many. Upload a part of it."
            )
        if cells > MAX_CELLS or characters > MAX_TABLE_CHARACTERS:
            raise InputError(
                f"{shown(source.name)} has more than {MAX_CELLS:,} cells or "
                f"{MAX_TABLE_CHARACTERS // 2**20} MB of text up to line {row.line:,}. Upload a part, or "
                "only the columns that are needed."
            )
    return replace(sheet, rows=lambda: iter(rows))


def _opened(source: Source) -> Sheet:
    ending = PurePath(source.name).suffix.casefold()
    with source.open() as raw:
        begin = raw.read(2_000)
    if begin.startswith(b"PAR1"):
        return _parquet(source)
    encoding = encoding_of(source)
    how = encoding.label

    def lines() -> Iterator[str]:
        return _lines(source, encoding)

    head = list(islice(lines(), SNIFFED_ROWS))
    first = next((line for line in head if line.strip()), "")
    if ending in _JSON or first.startswith('{"'):
        return _json_lines(source.name, lines, how)
    if ending in _TEXT:
        return text_table(lines, source.name, how)
    return _separated(lines, head, source.name, how, "\t" if ending in (".tsv", ".tab") else "")


def text_table(lines: Callable[[], Iterator[str]], name: str, how: str = "pasted text") -> Sheet:
    """Typed or pasted lines: cells where every one of them has as many tabs, as a spreadsheet gives them."""
    head = list(islice(lines(), SNIFFED_ROWS))
    tabs = {line.strip("\r\n ").count("\t") for line in head if not is_blank(line)}
    if len(tabs) == 1 and min(tabs) > 0 and sum(not is_blank(line) for line in head) > 1:
        return _separated(lines, head, name, how, "\t")
    return Sheet(name, lambda: (Row(n, (line,)) for n, line in enumerate(lines(), 1)), how, is_text=True)


def _separated(
    lines: Callable[[], Iterator[str]], head: Sequence[str], name: str, how: str, separator: str
) -> Sheet:
    skipped = 0
    if head and (named := _NAMED_SEPARATOR.fullmatch(head[0])):
        separator, skipped = named[1], 1
    separator = separator or sniff_separator(head[skipped:], TEXT_NAMES)
    ours = skipped == 0 and is_ours(head)

    def rows() -> Iterator[Row]:
        for row in rows_of(islice(lines(), skipped, None), separator, skipped):
            yield Row(row.line, tuple(map(unsafe_cell, row.cells))) if ours else row

    between = f"{SEPARATORS.get(separator, f'“{separator}”')} between cells"
    return Sheet(name, rows, f"{how}, {'one column' if separator == NO_SEPARATOR else between}")


# ---- encodings ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Encoding:
    codec: str
    label: str
    errors: str = "strict"


def encoding_of(source: Source) -> Encoding:
    """UTF-8 and UTF-16, with or without a mark, else what charset-normalizer finds most likely.

    Raises InputError for files of other programs and for bytes that are no text.
    """
    with source.open() as raw:
        head = raw.read(2_000)
        other = next((told for begin, told in _OTHERS.items() if head.startswith(begin)), "")
        other = other or ("a web page or XML" if _MARKUP.match(head) else "")
        if other:
            raise InputError(f"{source.name} is {other}, not a text table. {_HINT}")
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return Encoding("utf-16", "UTF-16")
        # Every other byte of Latin text in UTF-16 is zero; in UTF-8 a zero is a stray control character.
        if head.count(0) > len(head) / 4:
            little = head[1::2].count(0) >= head[0::2].count(0)
            return Encoding("utf-16-le" if little else "utf-16-be", "UTF-16")
        raw.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := raw.read(1 << 16):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
            return Encoding("utf-8-sig", "UTF-8")
        except UnicodeDecodeError:
            raw.seek(0)
            return _guessed(raw, source.name)


def _guessed(raw: IO[bytes], name: str) -> Encoding:
    """From the lines that hold more than ASCII."""
    sample, size, number, first = [], 0, 0, 0
    while size < _SAMPLE and (line := raw.readline(_SAMPLE)):
        number += 1
        if not line.isascii():
            first = first or number
            sample.append(line)
            size += len(line)
    if 2 * sum(map(_is_utf8, sample)) > len(sample):  # spoilt in a few places
        return Encoding("utf-8-sig", "UTF-8 that is broken in places", "replace")
    from charset_normalizer import from_bytes

    found = from_bytes(b"".join(sample), cp_isolation=_ENCODINGS)
    best = found.best()
    if best is None:
        raise InputError(f"{name}, line {first:,}: the bytes are no text in a known encoding. {_HINT}")
    alike = {name for match in found if match.chaos <= best.chaos for name in match.could_be_from_charset}
    codec = next((codec for codec in _ENCODINGS if codec in alike), best.encoding)
    return Encoding(codec, codec, "replace")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode(data: bytes, filename: str) -> str:
    """The text of an uploaded file. Raises InputError as encoding_of does."""
    source = Source(filename, lambda: io.BytesIO(data))
    return "\n".join(_lines(source, encoding_of(source)))


def _lines(source: Source, encoding: Encoding) -> Iterator[str]:
    """The lines without their ends."""
    number = 0
    try:
        with io.TextIOWrapper(source.open(), encoding.codec, encoding.errors) as text:
            for number, line in enumerate(text):
                yield (line if number else line.removeprefix("\ufeff")).removesuffix("\n")
    except UnicodeError as error:
        raise InputError(
            f"{source.name}, line {number + 1:,} or below: the bytes are not {encoding.label} text. {_HINT}"
        ) from error


# ---- other forms -------------------------------------------------------------------------------------


def _json_lines(name: str, lines: Callable[[], Iterator[str]], how: str) -> Sheet:
    """One object a line, whose keys are the columns; or one list a line, whose entries are the cells."""

    def values() -> Iterator[tuple[int, Any]]:
        for number, line in enumerate(lines(), 1):
            if line.strip():
                yield number, _json(line, number, name)

    keys = dict.fromkeys(
        k for _, value in islice(values(), SNIFFED_ROWS) if isinstance(value, dict) for k in value
    )

    if len(keys) > MAX_KEYS:
        raise InputError(
            f"{name} has {len(keys):,} different keys in its first {SNIFFED_ROWS} lines; at most "
            f"{MAX_KEYS:,} are read. Give all lines the same few keys."
        )

    def rows() -> Iterator[Row]:
        for number, value in values():
            cells = [value.get(key) for key in keys] if isinstance(value, dict) else value
            yield Row(number, tuple(map(_cell, cells)))

    return Sheet(name, rows, f"JSON Lines in {how}", tuple(keys))


def _json(line: str, number: int, name: str) -> Any:
    try:
        value = json_value(line, name)
    except InputError as error:
        raise InputError(
            f"{name}, line {number:,} is no whole JSON object. JSON is read as JSON Lines: one object a line."
        ) from error
    is_row = isinstance(value, list) and not any(isinstance(cell, dict) for cell in value)
    if not (is_row or isinstance(value, dict)):
        raise InputError(f"{name}, line {number:,} is no JSON object. Write one object a line.")
    return value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parquet(source: Source) -> Sheet:
    """The columns of texts, numbers and truth values; others, such as vectors, hold no text."""
    import pyarrow.parquet as pq
    from pyarrow import types

    def plain(kind: Any) -> bool:
        kind = kind.value_type if types.is_dictionary(kind) else kind
        texts = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
        return texts or types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)

    broken = f"{source.name} cannot be read as Parquet."
    with door(broken), source.open() as raw, pq.ParquetFile(raw) as file:
        names = tuple(field.name for field in file.schema_arrow if plain(field.type))
        parts = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        largest = max((part.total_byte_size for part in parts), default=0)
    if not names:
        raise InputError(f"{source.name} has no column of texts.")
    if largest > MAX_UNPACKED_BYTES:
        raise InputError(f"{source.name} holds parts of {largest / 2**20:,.0f} MB; that is too much at once.")
    # A cell that comes again is packed once: so many of the largest that a part can hold fit.
    at_once = min(1_000, max(1, MAX_UNPACKED_BYTES // max(1, largest)))

    def rows() -> Iterator[Row]:
        number = 0
        with door(broken), source.open() as raw, pq.ParquetFile(raw) as file:
            for batch in file.iter_batches(batch_size=at_once, columns=list(names)):
                for cells in zip(*(column.to_pylist() for column in batch.columns)):
                    number += 1
                    yield Row(number, tuple(map(_cell, cells)))

    return Sheet(source.name, rows, "Parquet", names)


# ---- what readers of whole tables share --------------------------------------------------------------


def read_rows(data: bytes, filename: str) -> tuple[tuple[Row, ...], tuple[int, ...]]:
    """Rows of an uploaded table; those that are blank are left out, and their lines come second.

    Raises InputError when the file is too large or no table.
    """
    rows = list(open_table(uploaded(data, filename)).rows())
    return tuple(row for row in rows if not row.is_empty), tuple(row.line for row in rows if row.is_empty)
