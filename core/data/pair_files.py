"""Pairs as people type or bring them -> Pair, or one sentence that says what to mend and where.

Tables with labels or scores, anchors with positives and negatives, and typed lines `left | right | label` all
become rows of two texts and a label from 0 to 1.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..types import InputError, Notice, Pair, Sentence, SentenceSet
from .columns import AS_FOUND, LABEL_NAMES, LABEL_WORDS, NO_LABEL, NUMBER, Choice, Columns, pair_columns
from .separated import Row
from .tables import Sheet, open_table, text_table, uploaded
from .text import (
    BLANK,
    MAX_PAIRS,
    MAX_SENTENCES,
    Told,
    check_length,
    clean,
    escape_bars,
    is_blank,
    lines_of,
    repeats_among,
    same_text,
    sentence_id,
    shown,
    split_bars,
)

SCALES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 5.0), (0.0, 10.0), (0.0, 100.0))  # the first that holds all scores
SNLI = {"0": "entailment", "1": "neutral", "2": "contradiction", "-1": "-"}  # as Hugging Face numbers them
LACKING = "Rows with an empty text or without a label were left out."
WITHOUT_LABELS = (
    "There are no labels: anchor and positive became a similar pair (1), anchor and negative, if there is "
    "one, a dissimilar pair (0)."
)
_FORM = "left | right | label"
_ALLOWED = "Write 1 or similar, 0 or dissimilar, or a score."


@dataclass(frozen=True, slots=True)
class ParsedPairs:
    """`sentence_set` is the given one, with the sentences that only the pairs named added at its end.
    `columns` say what was read from where; None for typed lines."""

    pairs: tuple[Pair, ...]
    sentence_set: SentenceSet
    notices: tuple[Notice, ...] = ()
    columns: Columns | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """What scores are measured by: `low` becomes 0 and `high` 1."""

    low: float = 0.0
    high: float = 1.0

    def of(self, score: float) -> float:
        return abs((score - self.low) / (self.high - self.low))  # -0.0 is 0


class PairReader:
    """The pairs of a table or of typed lines, read anew by every iteration: (line, left, right, label).

    All of them are gone through at first, because only then the range of the scores is known: `count` is how
    many there are, `repeats` how many stand there before. A `scale` given is the only one allowed. Raises
    InputError for what is no pair.
    """

    def __init__(self, table: Sheet, choice: Choice = AS_FOUND, scale: Scale | None = None) -> None:
        self.table = table
        self.columns = None if table.is_text else pair_columns(table, choice)
        self._numbered = self.columns is not None and _is_snli(table, self.columns)
        told, hashes = Told(), array("q")
        found: set[str] = set()
        low, high = math.inf, -math.inf
        for line, left, right, cell in self._rows(told):
            label = _label(cell, line)
            found |= {label} if isinstance(label, str) else set()
            low, high = (low, high) if isinstance(label, str) else (min(low, label), max(high, label))
            hashes.append(hash((left, right, label)))
        holding = (Scale(*ends) for ends in SCALES if ends[0] <= low and high <= ends[1])
        self._scale = scale or next(holding, Scale(min(low, 0.0) if low == high else low, high))
        self.count = len(hashes)
        self.repeats = repeats_among(hashes)
        self.notices = (*self._said(found, f"{low:g} to {high:g}"), *told.notices)

    def __iter__(self) -> Iterator[tuple[int, str, str, float]]:
        for line, left, right, cell in self._rows(Told()):
            yield line, left, right, parse_label(cell, line, self._scale)

    def _said(self, words: set[str], found: str) -> Iterator[Notice]:
        """What the labels were taken for, and what of a table is not read."""
        if self.columns is not None:
            yield Notice(self.columns.taken)
            yield from self.columns.notices
            if "label" not in self.columns.roles:
                yield Notice(WITHOUT_LABELS)
        if "neutral" in words or {"entailment", "contradiction"} <= words:
            yield Notice("Entailment was read as 1, neutral as 0.5 and contradiction as 0.")
        if (scale := self._scale) != Scale():
            yield Notice(
                f"Scores from {found} were taken for a scale from {scale.low:g} to {scale.high:g} and "
                "brought to 0 to 1."
            )

    def _rows(self, told: Told) -> Iterator[tuple[int, str, str, str]]:
        """(line, left, right, label as it stands there)."""
        if self.columns is None:
            for i, row in enumerate(typed_pairs(line.cells[0] for line in self.table.rows())):
                if i > 0 or len(row.cells) != 3 or row.cells[2].strip().casefold() not in LABEL_NAMES:
                    yield row.line, *_checked(row)
            return
        roles = list(self.columns.roles.values())
        labelled = "label" in self.columns.roles
        for row in self.columns.rows(self.table):
            if len(roles) < 2:
                _checked(row)  # refuses it
            left, right, *rest = (clean(row.cells[i]) for i in roles)
            if row.is_empty:
                told.tell(BLANK, row.line)
            elif is_blank(left) or is_blank(right):
                told.tell(LACKING, row.line)
            elif not labelled:
                yield row.line, left, right, "1"
                yield from ((row.line, left, negative, "0") for negative in rest if not is_blank(negative))
            elif (label := SNLI.get(rest[0], rest[0]) if self._numbered else rest[0]) in NO_LABEL:
                told.tell(LACKING, row.line)
            else:
                yield row.line, left, right, label


def parse_pairs(text: str, sentence_set: SentenceSet, scale: Scale | None = None) -> ParsedPairs:
    r"""Read `left | right | label` lines (or tabs, which win; `\|` is a | that belongs to the text), or cells
    pasted from a spreadsheet.

    The label is 1 or 0, similar or dissimilar, or a score, brought to 0 to 1 by the range of all. Sentences
    that the set does not hold are added to it. A pair given twice is kept once, one with several labels gets
    their mean, a sentence paired with itself is skipped; all of it is reported. Raises InputError, naming the
    line, for a wrong number of parts or an unknown label, and beyond MAX_PAIRS, MAX_SENTENCES or
    MAX_CHARACTERS.
    """
    lines = lines_of(text)
    return _collected(PairReader(text_table(lambda: iter(lines), "Pairs"), scale=scale), sentence_set)


def typed_pairs(lines: Iterable[str]) -> Iterator[Row]:
    """The parts of every line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if not is_blank(line):
            yield Row(number, tuple(line.strip().split("\t") if "\t" in line.strip() else split_bars(line)))


def parse_pair_table(
    data: bytes, filename: str, sentence_set: SentenceSet, choice: Choice = AS_FOUND
) -> ParsedPairs:
    """Read an uploaded table of pairs (columns.py says which forms). Raises as parse_pairs does."""
    return _collected(PairReader(open_table(uploaded(data, filename)), choice), sentence_set)


def pairs_to_text(pairs: Iterable[Pair], sentence_set: SentenceSet) -> str:
    """The pairs as parse_pairs reads them back (but for copies of one text, which it cannot tell apart)."""
    text = {s.id: escape_bars(s.text) for s in sentence_set.sentences}
    return "\n".join(f"{text[p.left]} | {text[p.right]} | {_number(p.label)}" for p in pairs)


def parse_label(text: str, line: int, scale: Scale = Scale()) -> float:
    """A label in [0, 1]. Raises InputError that names the line and what to write instead."""
    label = _label(text, line)
    if isinstance(label, str):
        return LABEL_WORDS[label]
    value = scale.of(label)
    if not 0 <= value <= 1:
        raise InputError(f"Line {line:,}: the score {text.strip()} is outside 0 to 1. {_ALLOWED}")
    return value


def _label(text: str, line: int) -> float | str:
    """A number, or one of LABEL_WORDS."""
    word = text.strip().casefold()
    if word in LABEL_WORDS:
        return word
    if not word:
        raise InputError(f"Line {line:,}: the label is missing. {_ALLOWED}")
    value = float(word.replace(",", ".")) if NUMBER.fullmatch(word) else math.inf
    if not math.isfinite(value):
        raise InputError(f"Line {line:,}: the label “{shown(word)}” is not known. {_ALLOWED}")
    return value


def _is_snli(table: Sheet, columns: Columns) -> bool:
    """True where the classes of premises and hypotheses are numbered, 2 among them."""
    roles, names = columns.roles, [name.casefold() for name in columns.names]
    if "label" not in roles or [names[roles[side]] for side in ("left", "right")] != [
        "premise",
        "hypothesis",
    ]:
        return False
    found = {row.cells[roles["label"]].strip() for row in table.head()[columns.is_header :]}
    return "2" in found and found <= SNLI.keys()


def _collected(reader: PairReader, sentence_set: SentenceSet) -> ParsedPairs:
    ids: dict[str, str] = {}
    for known in sentence_set.sentences:
        ids.setdefault(same_text(known.text), known.id)
    pairs: dict[frozenset[str], tuple[Pair, list[float]]] = {}
    added: list[Sentence] = []
    told = Told()
    for line, left, right, label in reader:
        for text in (left, right):
            check_length(line, text)
            if same_text(text) not in ids:
                ids[same_text(text)] = sentence_id(text)
                added.append(Sentence(sentence_id(text), text))
                if len(sentence_set):
                    told.tell("Sentences that only the pairs name were added to yours.", line)
        pair = Pair(ids[same_text(left)], ids[same_text(right)], label)
        key = frozenset((pair.left, pair.right))
        if len(key) == 1:
            told.tell("A sentence paired with itself teaches nothing and was skipped.", line)
        elif key not in pairs:
            pairs[key] = (pair, [label])
        elif label in pairs[key][1]:
            told.tell("Pairs given more than once are kept once.", line)
        else:
            pairs[key][1].append(label)
            told.tell("A pair with several labels is trained on their mean.", line)
        _check_counts(len(pairs), len(sentence_set) + len(added), line)
    if not pairs:
        raise InputError(f"There is no pair yet. Write one a line: {_FORM}, where the label is 1 or 0.")
    means = (Pair(pair.left, pair.right, sum(labels) / len(labels)) for pair, labels in pairs.values())
    whole = SentenceSet((*sentence_set.sentences, *added), sentence_set.title, sentence_set.source)
    return ParsedPairs(tuple(means), whole, (*reader.notices, *told.notices), reader.columns)


def _checked(row: Row) -> tuple[str, str, str]:
    """Left text, right text and label of one typed row, or InputError."""
    if len(row.cells) != 3:
        parts = "1 part" if len(row.cells) == 1 else f"{len(row.cells)} parts"
        few = " After the two sentences write | and their label: 1 or similar, 0 or dissimilar, or a score."
        many = r" Write \| for a | that belongs to a sentence."
        mend = many if len(row.cells) > 3 else few
        raise InputError(f"Line {row.line:,}: a pair is {_FORM}, and this line has {parts}.{mend}")
    left, right = clean(row.cells[0]), clean(row.cells[1])
    for side, text in (("left", left), ("right", right)):
        if is_blank(text):
            raise InputError(f"Line {row.line:,}: the {side} sentence is empty. A pair is {_FORM}.")
    return left, right, row.cells[2]


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
