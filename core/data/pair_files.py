"""Pairs as people type or upload them -> Pair, or one sentence that says what to mend and where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from ..types import InputError, Notice, Pair, Sentence, SentenceSet
from .tables import (
    LEFT_NAMES,
    RIGHT_NAMES,
    Row,
    check_size,
    check_width,
    column,
    decode,
    header,
    is_plain_text,
    listed,
    read_rows,
)
from .text import (
    MAX_PAIRS,
    MAX_SENTENCES,
    check_length,
    clean,
    escape_bars,
    is_blank,
    lines_of,
    same_text,
    sentence_id,
    shown,
    split_bars,
)

LABEL_NAMES = ("label", "score", "similarity", "is_duplicate")
_LABEL_WORDS = dict.fromkeys(("similar", "same", "yes", "true"), 1.0)
_LABEL_WORDS |= dict.fromkeys(("dissimilar", "different", "no", "false"), 0.0)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.ASCII)
_FORM = "left | right | label"


@dataclass(frozen=True, slots=True)
class ParsedPairs:
    """`sentence_set` is the given one, with the sentences that only the pairs named added at its end."""

    pairs: tuple[Pair, ...]
    sentence_set: SentenceSet
    notices: tuple[Notice, ...] = ()


def parse_pairs(text: str, sentence_set: SentenceSet) -> ParsedPairs:
    r"""Read `left | right | label` lines (or tabs, which win; `\|` is a | that belongs to the text).

    The label is 1 or 0, similar or dissimilar, or a score between. Sentences that the set does not hold
    are added to it. A pair given twice is kept once, a sentence paired with itself is skipped; all of it
    is reported. Raises InputError, naming the line, for a wrong number of parts, a label outside [0, 1],
    two labels for one pair, and beyond MAX_PAIRS, MAX_SENTENCES or MAX_CHARACTERS.
    """
    return _read(typed_pairs(lines_of(text)), sentence_set)


def typed_pairs(lines: Iterable[str]) -> Iterator[Row]:
    """The parts of every line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if not is_blank(line):
            yield Row(number, tuple(line.strip().split("\t") if "\t" in line.strip() else split_bars(line)))


def parse_pair_table(data: bytes, filename: str, sentence_set: SentenceSet) -> ParsedPairs:
    """Read an uploaded table of pairs: columns left, right, label (or sentence1, sentence2, score), or the
    first three columns. A TXT file follows parse_pairs. Raises InputError as parse_pairs does."""
    name = PurePath(filename).name
    if is_plain_text(name):
        check_size(data, name)
        return parse_pairs(decode(data, name), sentence_set)
    rows, _ = read_rows(data, name)
    return _read(table_pairs(rows, name), sentence_set)


def table_pairs(rows: Iterable[Row], name: str) -> Iterator[Row]:
    """Left, right and label of every row below the header, or the rows as they are without one."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{name} is empty. Give it the columns left, right and label, with one pair a row.")
    names = header(first)
    left, right, label = (column(names, known) for known in (LEFT_NAMES, RIGHT_NAMES, LABEL_NAMES))
    if left is None or right is None:
        yield from (first, *rows)
        return
    if label is None:
        raise InputError(f"{name} has no column called label or score. Its columns: {listed(names)}.")
    for row in rows:
        check_width((row,), len(names), name)
        yield Row(row.line, (row.cells[left], row.cells[right], row.cells[label]))


def checked_pairs(rows: Iterable[Row]) -> Iterator[tuple[int, str, str, float]]:
    """(line, left text, right text, label) of the rows but for a header. Raises InputError (parse_pairs)."""
    for i, row in enumerate(rows):
        if i > 0 or len(row.cells) != 3 or row.cells[2].strip().casefold() not in LABEL_NAMES:
            yield row.line, *_checked(row)


def pairs_to_text(pairs: Iterable[Pair], sentence_set: SentenceSet) -> str:
    """The pairs as parse_pairs reads them back (but for copies of one text, which it cannot tell apart)."""
    text = {s.id: escape_bars(s.text) for s in sentence_set.sentences}
    return "\n".join(f"{text[p.left]} | {text[p.right]} | {_number(p.label)}" for p in pairs)


def parse_label(text: str, line: int) -> float:
    """A label in [0, 1]. Raises InputError that names the line and what to write instead."""
    word = text.strip().casefold()
    if word in _LABEL_WORDS:
        return _LABEL_WORDS[word]
    allowed = "Write 1 or similar, 0 or dissimilar, or a score from 0 to 1."
    if not word:
        raise InputError(f"Line {line:,}: the label is missing. {allowed}")
    if not _NUMBER.fullmatch(word):
        raise InputError(f"Line {line:,}: the label “{shown(word)}” is not known. {allowed}")
    value = float(word.replace(",", "."))
    if 1 < value <= 5:
        raise InputError(
            f"Line {line:,}: the score {word} is above 1. Scores go from 0 to 1; if yours go from 0 to 5, "
            "divide them by 5."
        )
    if not 0 <= value <= 1:
        raise InputError(f"Line {line:,}: the score {word} is outside 0 to 1. {allowed}")
    return abs(value)  # -0.0 is 0


def _read(rows: Iterable[Row], sentence_set: SentenceSet) -> ParsedPairs:
    ids: dict[str, str] = {}
    for known in sentence_set.sentences:
        ids.setdefault(same_text(known.text), known.id)
    pairs: dict[frozenset[str], tuple[Pair, int]] = {}
    added: list[Sentence] = []
    told: dict[str, list[int]] = {}
    for line, left, right, label in checked_pairs(rows):
        for text in (left, right):
            check_length(line, text)
            if same_text(text) not in ids:
                ids[same_text(text)] = sentence_id(text)
                added.append(Sentence(sentence_id(text), text))
                told.setdefault("added", []).append(line)
        pair = Pair(ids[same_text(left)], ids[same_text(right)], label)
        key = frozenset((pair.left, pair.right))
        first, first_line = pairs.get(key, (pair, line))
        if len(key) == 1:
            told.setdefault("self", []).append(line)
        elif first.label != label:
            raise InputError(
                f"Line {line:,}: this pair has the label {_number(label)} here and "
                f"{_number(first.label)} in line {first_line:,}. Keep one of the two lines."
            )
        elif key in pairs:
            told.setdefault("repeats", []).append(line)
        else:
            pairs[key] = (pair, line)
        _check_counts(len(pairs), len(sentence_set) + len(added), line)
    if not pairs:
        raise InputError(f"There is no pair yet. Write one a line: {_FORM}, where the label is 1 or 0.")
    words = {
        "added": "Sentences that only the pairs name were added to yours.",
        "self": "A sentence paired with itself teaches nothing and was skipped.",
        "repeats": "Pairs given more than once are kept once.",
    }
    notices = tuple(Notice(words[what], tuple(dict.fromkeys(lines))) for what, lines in told.items())
    whole = SentenceSet((*sentence_set.sentences, *added), sentence_set.title, sentence_set.source)
    return ParsedPairs(tuple(pair for pair, _ in pairs.values()), whole, notices)


def _checked(row: Row) -> tuple[str, str, float]:
    """Left text, right text and label of one row, or InputError."""
    if len(row.cells) != 3:
        parts = "1 part" if len(row.cells) == 1 else f"{len(row.cells)} parts"
        escape = r" Write \| for a | that belongs to a sentence." if len(row.cells) > 3 else ""
        raise InputError(f"Line {row.line:,}: a pair is {_FORM}, and this line has {parts}.{escape}")
    left, right = clean(row.cells[0]), clean(row.cells[1])
    for side, text in (("left", left), ("right", right)):
        if is_blank(text):
            raise InputError(f"Line {row.line:,}: the {side} sentence is empty. A pair is {_FORM}.")
    return left, right, parse_label(row.cells[2], row.line)


def _check_counts(pairs: int, sentences: int, line: int) -> None:
    """Raises InputError at the first line too many, however many follow."""
    if pairs > MAX_PAIRS:
        raise InputError(
            f"There are more than {MAX_PAIRS:,} pairs, the most that are allowed. Remove some; line {line:,} "
            "is the first one too many."
        )
    if sentences > MAX_SENTENCES:
        raise InputError(
            f"With the sentences that only the pairs name there are more than {MAX_SENTENCES:,}, the most "
            f"that are allowed. Remove some pairs; line {line:,} is the first one too many."
        )


def _number(label: float) -> str:
    return str(int(label)) if label in (0.0, 1.0) else repr(float(label))
