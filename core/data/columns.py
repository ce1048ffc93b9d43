"""What the columns of a table are: whether its first row names them, which hold texts, groups or labels.

By their names where these are known; in any other table, in any language, by comparing cells with cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..types import InputError, Notice
from .separated import Row
from .text import MAX_GROUP_CHARACTERS, is_blank, shown

if TYPE_CHECKING:
    from .tables import Sheet

SENTENCE_NAMES = ("sentence", "text", "sentences", "utterance", "query", "question")
GROUP_NAMES = ("group", "label", "category", "class", "intent", "topic")
LEFT_NAMES = ("left", "sentence1", "sentence_1", "text1", "anchor", "question1", "premise")
RIGHT_NAMES = ("right", "sentence2", "sentence_2", "text2", "other", "question2", "hypothesis")
LABEL_NAMES = ("label", "score", "similarity", "is_duplicate", "gold_label", "similarity_score")
ANCHOR_NAMES, POSITIVE, NEGATIVE = ("anchor", "query", "question"), "positive", "negative"
TEXT_NAMES = {*SENTENCE_NAMES, *LEFT_NAMES, *RIGHT_NAMES}
_KNOWN_NAMES = TEXT_NAMES | {*GROUP_NAMES, *LABEL_NAMES, POSITIVE, NEGATIVE}

_SIMILAR = ("similar", "same", "yes", "true", "duplicate", "paraphrase", "equivalent", "entailment")
_DISSIMILAR = ["dissimilar", "different", "no", "false", "contradiction"]
_DISSIMILAR += [f"not_{word}" for word in _SIMILAR[4:]]
LABEL_WORDS = dict.fromkeys(_SIMILAR, 1.0) | dict.fromkeys(_DISSIMILAR, 0.0) | {"neutral": 0.5}
NO_LABEL = ("", "-")  # SNLI writes the second where its readers did not agree
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

MAX_NAMED = 8  # columns that a message names
NAME_CHARACTERS, NAME_WORDS = 40, 4  # more are hardly the name of a column
FEW = 6  # rows; in fewer, groups need not repeat
_SENTENCE_ENDS = tuple(".!?…。！？।؟,;:")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person says about a table; None and () leave it to the reader. `columns` are names, or numbers
    from 1: of a sentence and its group, or of a pair's two texts and its label or negatives."""

    header: bool | None = None
    columns: tuple[str, ...] = ()


AS_FOUND = Choice()


@dataclass(frozen=True, slots=True)
class Columns:
    """`roles` says in which column each part stands. `named` columns have `names` of their own, in the first
    row where that `is_header`. `taken` is one line about all of it."""

    names: tuple[str, ...]
    roles: dict[str, int]
    named: bool
    is_header: bool
    how: str

    @property
    def taken(self) -> str:
        header = "names in the first row" if self.is_header else "" if self.named else "no row of names"
        parts = listed([f"{role} = {self.names[i]}" for role, i in self.roles.items()])
        return f"Read as {', '.join(filter(None, (self.how, header)))}: {parts}."

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What of the table is not read."""
        rest = [name or "(no name)" for i, name in enumerate(self.names) if i not in self.roles.values()]
        return (Notice(f"These columns were ignored: {listed(rest)}."),) if rest else ()

    def rows(self, table: Sheet) -> Iterator[Row]:
        """The rows below the header; of blank ones all cells are "". Raises InputError for another width."""
        skip = self.is_header
        for row in table.rows():
            if row.is_empty:
                yield Row(row.line, ("",) * len(self.names))
            elif skip:
                skip = False
            else:
                check_width((row,), len(self.names), table.name)
                yield row


def sentence_columns(table: Sheet, choice: Choice = AS_FOUND) -> Columns:
    """Where a table has its sentences and their groups.

    A group is a column called so, or one that repeats few short values. Raises InputError for a table without
    texts, and for one of pairs unless a column is chosen.
    """
    first, values = _opened(table, choice, "Give it a column called sentence, with one sentence a row.")
    if choice.columns:
        return first.with_roles(zip(("sentence", "group"), _chosen(first.names, choice)))
    left, right = first.find(LEFT_NAMES), first.find(RIGHT_NAMES)
    if left is not None and right is not None:
        raise InputError(
            f"{table.name} is a table of pairs (columns {listed(first.names)}). Upload it as pairs."
        )
    groups = sorted(filter(lambda i: _repeats(values[i]), values), key=lambda i: len(set(values[i])) == 1)
    sentence = first.find(SENTENCE_NAMES)
    if sentence is None:
        texts = [i for i in values if not _is_numeric(values[i])] or [0][: len(values) == 1]
        if not texts:
            told = f"{table.name} has no column of texts. Its columns: {listed(first.names)}."
            raise InputError(told)
        sentence = max([i for i in texts if i not in groups] or texts, key=lambda i: _characters(values[i]))
    group = first.find(GROUP_NAMES)
    if group is None or group == sentence:
        group = next((i for i in groups if i != sentence), None)
    if group is None and len(values) == 2 and not first.named and len(values[0]) < FEW:
        group = (
            1 - sentence if max(map(len, values[1 - sentence]), default=0) <= MAX_GROUP_CHARACTERS else None
        )
    return first.with_roles([("sentence", sentence), *([] if group is None else [("group", group)])])


def pair_columns(table: Sheet, choice: Choice = AS_FOUND) -> Columns:
    """Where a table has its pairs: left, right and label, or anchor, positive and any number of negatives.

    Raises InputError for a table that has neither.
    """
    first, values = _opened(table, choice, "Give it the columns left, right and label, with one pair a row.")
    if choice.columns:
        if len(choice.columns) < 2:
            raise InputError("A pair has two texts: choose their two columns, and that of the label.")
        return first.with_roles(_pair(_chosen(first.names, choice), values))
    anchor, positive = first.find(ANCHOR_NAMES), first.find((POSITIVE,))
    if anchor is not None and positive is not None:
        negatives = [i for i, name in enumerate(first.names) if name.casefold().startswith(NEGATIVE)]
        return first.with_roles(_pair([anchor, positive, *negatives], {}))
    left, right, label = (first.find(known) for known in (LEFT_NAMES, RIGHT_NAMES, LABEL_NAMES))
    labels = [i for i in values if values[i] and all(map(is_label, values[i])) and i not in (left, right)]
    label = label if label is not None else labels[-1] if labels else None
    if left is not None and right is not None:
        if label is None:
            told = f"{table.name} has no column called label or score. Its columns: {listed(first.names)}."
            raise InputError(told)
        return first.with_roles([("left", left), ("right", right), ("label", label)])
    if not first.named and len(values) < 4:
        if len(values) == 2 and (labels or any(map(_repeats, values.values()))):
            return first.with_roles([("left", 0)])  # a text with its group or label is no pair
        return first.with_roles(_pair(range(len(values)), values) if len(values) > 1 else [("left", 0)])
    others = [i for i in values if i != label and i not in labels]
    texts = [i for i in others if not _is_numeric(values[i]) and not _repeats(values[i])]
    if len(texts) < 2:
        told = f"{table.name} has no two columns of texts. Its columns: {listed(first.names)}."
        raise InputError(told)
    longest = sorted(sorted(texts, key=lambda i: -_characters(values[i]))[:2])
    return first.with_roles(_pair([*longest, *([] if label is None else [label])], values))


def _pair(columns: Sequence[int], values: dict[int, list[str]]) -> Iterator[tuple[str, int]]:
    """The roles of two texts and what follows them: a label, or negatives where hardly any cell is one."""
    third = values.get(columns[2], []) if len(columns) > 2 else []
    if third and 2 * sum(map(is_label, third)) >= len(third):
        yield from zip(("left", "right", "label"), columns)
    else:
        negatives = [NEGATIVE, *(f"{NEGATIVE} {i}" for i in range(2, len(columns)))]
        yield from zip(("anchor", POSITIVE, *negatives), columns)


def named_columns(table: Sheet, choice: Choice = AS_FOUND) -> Columns:
    """The columns and their names, whatever they hold."""
    return _opened(table, choice, "")[0]


@dataclass(frozen=True, slots=True)
class _First(Columns):
    """Columns whose roles are not known yet."""

    def find(self, known: Sequence[str]) -> int | None:
        """The first column whose name is one of the known ones, the preferred names first."""
        if not self.named:
            return None
        lowered = [name.casefold() for name in self.names]
        return next((lowered.index(name) for name in known if name in lowered), None)

    def with_roles(self, roles: Iterable[tuple[str, int]]) -> Columns:
        return Columns(self.names, dict(roles), self.named, self.is_header, self.how)


def _opened(table: Sheet, choice: Choice, otherwise: str) -> tuple[_First, dict[int, list[str]]]:
    """The columns without their roles, and the cells of each that are not blank, of the first rows."""
    head = table.head()
    if not head:
        raise InputError(f"{table.name} is empty. {otherwise}")
    width = len(table.names or head[0].cells)
    names, header = tuple(map(shown, table.names)), False
    if not names:
        header = is_header(head) if choice.header is None else choice.header
        names = tuple(f"column {i + 1}" for i in range(width))
    if header:
        names = tuple(shown(" ".join(cell.split())) for cell in head[0].cells)
    check_width(head, width, table.name)
    rest = head[header:]
    values = {i: [c for row in rest if not is_blank(c := row.cells[i].strip())] for i in range(width)}
    return _First(names, {}, bool(table.names) or header, header, table.how), values


def is_header(head: Sequence[Row]) -> bool:
    """True when the first row can be names and no row below resembles it: it names a known column, or one
    whose cells are all numbers, all at least twice as long, or a few values that come again and again."""
    names = [" ".join(cell.split()) for cell in head[0].cells]
    if not TEXT_NAMES.isdisjoint(name.casefold() for name in names):
        return True
    if len(set(names)) < len(names) or not all(map(_is_name, names[not names[0] :])):
        return False  # the first may be empty, above the numbers of the rows
    columns = [[row.cells[i].strip() for row in head[1:] if i < len(row.cells)] for i in range(len(names))]
    columns = [[cell for cell in cells if not is_blank(cell)] for cells in columns]
    if any(name in cells for name, cells in zip(names, columns)):
        return False
    known = not _KNOWN_NAMES.isdisjoint(name.casefold() for name in names)
    return known or any(map(_is_unlike, names, columns))


def _is_name(text: str) -> bool:
    few = len(text) <= NAME_CHARACTERS and len(text.split()) <= NAME_WORDS
    return few and not is_blank(text) and not NUMBER.fullmatch(text) and not text.endswith(_SENTENCE_ENDS)


def _is_unlike(name: str, cells: Sequence[str]) -> bool:
    if not cells:
        return False
    if _is_numeric(cells) or (len(cells) > 3 and all(cells.count(cell) > 1 for cell in set(cells[:20]))):
        return True
    words = min(len(cell.split()) for cell in cells)
    longer = min(map(len, cells)) >= 2 * len(name) and (words == 1 or words > len(name.split()))
    return longer and len(cells) > 1


def _is_numeric(cells: Sequence[str]) -> bool:
    return bool(cells) and all(NUMBER.fullmatch(cell) for cell in cells)


def _repeats(cells: Sequence[str]) -> bool:
    """True for few short values, as names of groups are; numbers among them only if they are whole."""
    if not cells or 2 * len(set(cells)) > len(cells) or max(map(len, cells)) > MAX_GROUP_CHARACTERS:
        return False
    return not any(NUMBER.fullmatch(cell) and not cell.lstrip("+-").isdigit() for cell in cells)


def _characters(cells: Sequence[str]) -> float:
    return sum(map(len, cells)) / max(1, len(cells))


def is_label(cell: str) -> bool:
    word = cell.strip().casefold()
    return word in LABEL_WORDS or word in NO_LABEL or NUMBER.fullmatch(word) is not None


def _chosen(names: Sequence[str], choice: Choice) -> list[int]:
    """The columns that a person names or numbers. Raises InputError for one that there is not."""
    found = []
    for wanted in choice.columns:
        if wanted in names:
            found.append(names.index(wanted))
        elif wanted.isascii() and wanted.isdigit() and 0 < int(wanted[:6]) <= len(names):
            found.append(int(wanted) - 1)
        else:
            raise InputError(f"There is no column “{shown(wanted)}”. The columns: {listed(names)}.")
    return found


def listed(names: Sequence[str]) -> str:
    """The names of columns for a message, the first MAX_NAMED of them."""
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more


def check_width(rows: Iterable[Row], width: int, filename: str) -> None:
    """Raises InputError, naming the line, unless all rows have as many cells as the first row."""
    for row in rows:
        if len(row.cells) != width:
            raise InputError(
                f"{filename}, line {row.line:,}: the row has {len(row.cells)} cells where the first row has "
                f"{width}. Put a text that holds the delimiter in double quotes."
            )
