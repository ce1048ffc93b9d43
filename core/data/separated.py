"""Lines whose cells a separator parts, CSV above all: read as a person sees them, and written for everybody.

A quote that makes no sense as CSV is a character, so that no row swallows others.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from .text import is_blank, safe_cell

SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}
NO_SEPARATOR = "\n"  # no line holds it
MAX_CELL_LINES = 1_000  # a quote that is not closed by then is a character
SWALLOWED = 4  # so many lines in one cell, each a whole row by itself, are rows: the quote is a character
_AGREEMENT = 0.7  # share of rows that must have as many cells as the first row
_OPEN = re.compile(' *"')
_OUR_NAME = re.compile('"[^",;\t]*",')


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # 1-based line of the file on which the row begins
    cells: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return all(is_blank(cell) for cell in self.cells)


def sniff_separator(lines: Sequence[str], known: Container[str]) -> str:
    """The separator that splits the first row and most rows after it into the same number of cells.

    `known` names of columns say it too: rows of other widths are then refused by their line, not read as one
    column. A file of one column, whose sentences may hold commas, gets a separator that never occurs.
    (csv.Sniffer guesses from letter frequencies and takes "e" or a space for such files.)
    """
    best, best_share = NO_SEPARATOR, _AGREEMENT
    for separator in SEPARATORS:
        rows = [row.cells for row in rows_of(lines, separator) if row.cells != ("",)]
        if not rows or len(rows[0]) < 2:
            continue
        named = any(" ".join(cell.split()).casefold() in known for cell in rows[0])
        if named and 2 * sum(len(row) > 1 for row in rows) >= len(rows):
            return separator
        share = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        if share > best_share:
            best, best_share = separator, share
    return best


def rows_of(lines: Iterable[str], separator: str, before: int = 0) -> Iterator[Row]:
    """Row after row of lines without their ends, the first of which follows `before` others.

    A cell may stand in quotes, "" within them is one, and it may hold separators and line breaks. A quote
    elsewhere is a character, and so is one at a cell's begin whose partner does not end a cell.
    """
    ahead: deque[str] = deque()
    rest, number, width = iter(lines), before + 1, 0

    def line(i: int) -> str | None:
        """The i-th line from here on."""
        ahead.extend(islice(rest, max(0, i + 1 - len(ahead))))
        return ahead[i] if i < len(ahead) else None

    while (text := line(0)) is not None:
        cells, used = _quoted(line, separator, width) if '"' in text else (text.split(separator), 1)
        yield Row(number, tuple(cells))
        width = width or len(cells)
        number += used
        for _ in range(used):
            ahead.popleft()


def _quoted(line: Callable[[int], str | None], separator: str, width: int) -> tuple[list[str], int]:
    """The cells of a row with quotes, and how many lines it takes."""
    ends = re.compile(f" *(?:{re.escape(separator)}|\\Z)")
    row, at = 0, 0  # where the row is read now
    cells: list[str] = []
    while True:
        text = line(row) or ""
        opened = _OPEN.match(text, at)
        closed = _closed(line, row, opened.end(), ends, separator, width) if opened else None
        if closed:
            cell, row, at = closed
        else:
            end = text.find(separator, at)
            cell, at = (text[at:], -1) if end < 0 else (text[at:end], end + len(separator))
        cells.append(cell)
        if at < 0:
            return cells, row + 1


def _closed(
    line: Callable[[int], str | None], first: int, at: int, ends: re.Pattern[str], separator: str, width: int
) -> tuple[str, int, int] | None:
    """The quoted cell that begins in line `first` at `at`, and where the next one begins: line and place, -1
    where none follows. None if the quote is a character."""

    def whole(begin: int, last: int) -> bool:
        """True when each of these lines is a row by itself, of as many cells as the first row."""
        lines = ((line(i) or "").split(separator) for i in range(begin, last + 1))
        return all(len(cells) == width and not any(map(is_blank, cells)) for cells in lines)

    parts: list[str] = []
    for row in range(first, first + MAX_CELL_LINES):
        text, begin = line(row), at
        if text is None:
            return None
        while (quote := text.find('"', at)) >= 0:
            if not text.startswith('"', quote + 1):
                break
            at = quote + 2
        if quote < 0:
            parts.append(text[begin:])
            at = 0
            continue
        end = ends.match(text, quote + 1)
        if end is None or (row - first + 1 >= SWALLOWED and width > 1 and whole(first, row)):
            return None
        cell = "\n".join([*parts, text[begin:quote]]).replace('""', '"')
        return cell, row, end.end() if end[0].endswith(separator) else -1
    return None


def write_rows(out: IO[bytes], header: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """UTF-8 with a mark, so that spreadsheets read every script, and no cell that one would calculate.

    The first name stands in quotes and the others do not, which no other program writes: by that is_ours
    knows the tables whose cells are shielded, and an apostrophe in anybody else's stays.
    """
    text = io.TextIOWrapper(out, "utf-8-sig", "replace", newline="")
    writer = csv.writer(text)
    name, *names = map(safe_cell, header)
    text.write('"{}"'.format(name.replace('"', '""')) + ("," if names else "\r\n"))
    if names:
        writer.writerow(names)
    writer.writerows([safe_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    text.detach()


def is_ours(lines: Sequence[str]) -> bool:
    """True for the first lines of a table of two columns or more that write_rows wrote."""
    if not lines or not (first := _OUR_NAME.match(lines[0])):
        return False
    return any(cell and not cell.startswith('"') for cell in lines[0][first.end() :].split(","))


def csv_bytes(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    out = io.BytesIO()
    write_rows(out, header, rows)
    return out.getvalue()
