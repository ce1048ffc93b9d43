r"""Text and tables as people give them -> SentenceSet, or one sentence that says what to mend and where.

The rules of the text area:

- One sentence a line, kept as typed apart from white space at its ends.
- `group<TAB>sentence` or `group | sentence` names a group. Tabs win: a line with a tab takes every | as
  text. Two separators or more, nothing after the separator, or a "group" longer than a name may be: then
  the whole line is the sentence, and a notice says so.
- `\|` is a | that belongs to the text. A backslash anywhere else is a backslash.
- Control characters and the byte order mark go, other line breaks and spare tabs become a space (with a
  notice); joiners and other invisible letters that scripts and emoji need stay.
- A sentence typed twice is kept twice; a line with nothing visible is skipped. Both are reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ..types import InputError, Notice, Sentence, SentenceSet
from .pair_files import ParsedPairs, pairs_to_text, parse_label, parse_pair_table, parse_pairs
from .tables import (
    LEFT_NAMES,
    MAX_UPLOAD_BYTES,
    MAX_UPLOAD_MB,
    RIGHT_NAMES,
    SENTENCE_NAMES,
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
    MAX_CHARACTERS,
    MAX_GROUP_CHARACTERS,
    MAX_PAIRS,
    MAX_SENTENCES,
    check_length,
    clean,
    escape_bars,
    is_blank,
    lines_of,
    safe_cell,
    same_text,
    sentence_id,
    spaced,
    split_bars,
    without_controls,
)

__all__ = [
    "MAX_CHARACTERS",
    "MAX_GROUP_CHARACTERS",
    "MAX_PAIRS",
    "MAX_SENTENCES",
    "MAX_UPLOAD_BYTES",
    "MAX_UPLOAD_MB",
    "Parsed",
    "ParsedPairs",
    "pairs_to_text",
    "parse_label",
    "parse_pair_table",
    "parse_pairs",
    "parse_sentences",
    "parse_table",
    "safe_cell",
    "same_text",
    "sentence_id",
    "to_text",
]

Tell = Callable[[str, int], None]  # what happened (a key of WORDS), and in which line
_GROUP_NAMES = ("group", "label", "category", "class", "intent", "topic")

WORDS = {
    "blank": "Blank lines were skipped.",
    "group only": "A group without a sentence was skipped.",
    "repeats": "Sentences that stand there more than once are kept as separate points.",
    "removed": "Control characters, which no model reads, were removed.",
    "spaced": "Line breaks or tabs inside a sentence became spaces.",
    "whole": "The whole line was taken as a sentence without a group. A group needs exactly one tab or | "
    f"after a name of at most {MAX_GROUP_CHARACTERS} characters; write \\| for a | that belongs to the text.",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    sentence_set: SentenceSet
    notices: tuple[Notice, ...] = ()


def parse_sentences(text: str, title: str = "Your sentences", source: str = "typed") -> Parsed:
    """Read the text area (rules at the top of this file).

    Raises InputError when there is no sentence, one is longer than MAX_CHARACTERS or there are more than
    MAX_SENTENCES; the message names the line and the limit.
    """
    found = _Collector()
    for line, sentence, group in typed(lines_of(text), found.tell):
        found.add(line, sentence, group)
    return found.finish(title, source)


def typed(lines: Iterable[str], tell: Tell) -> Iterator[tuple[int, str, str]]:
    """(number, sentence, group or "") of every line as the text area holds them."""
    for number, line in enumerate(lines, start=1):
        group, sentence = _split_group(line)
        if group is None and sentence is None:
            tell("whole", number)
            yield number, line if "\t" in line else "|".join(split_bars(line)), ""
        else:
            yield number, sentence or "", group or ""


def to_text(sentence_set: SentenceSet) -> str:
    """The set as the text area shows it; parse_sentences reads it back to the same sentences."""
    return "\n".join(
        f"{escape_bars(s.group)} | {escape_bars(s.text)}" if s.group else escape_bars(s.text)
        for s in sentence_set.sentences
    )


def parse_table(data: bytes, filename: str) -> Parsed:
    """Read an uploaded CSV, TSV or TXT file (a TXT file follows the rules of the text area).

    The sentence column is called sentence or text and the group column group or label (a few synonyms
    too); other columns are ignored and reported. Without such a header one column holds sentences, and of
    two the one with the longer texts does. Raises InputError as parse_sentences does, and for files that
    are too large or cannot be read.
    """
    name = PurePath(filename).name
    title = PurePath(name).stem or name
    if is_plain_text(name):
        check_size(data, name)
        return parse_sentences(decode(data, name), title, name)
    rows, blank_lines = read_rows(data, name)
    columns = columns_of(rows, name)
    found = _Collector(columns.notices)
    for line in blank_lines:
        found.tell("blank", line)
    for row in rows[columns.skipped :]:
        found.add(row.line, *columns.cells(row))
    return found.finish(title, name)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table has its sentences and groups, and how many rows above them hold none."""

    sentence: int
    group: int | None
    skipped: int
    notices: tuple[Notice, ...] = ()

    def cells(self, row: Row) -> tuple[str, str]:
        return row.cells[self.sentence], "" if self.group is None else row.cells[self.group]


def columns_of(rows: Sequence[Row], name: str) -> Columns:
    """By the names in the first row, else by the texts' lengths. Raises InputError as parse_table does."""
    if not rows:
        raise InputError(f"{name} is empty. Give it a column called sentence, with one sentence a row.")
    names = header(rows[0])
    if column(names, LEFT_NAMES) is not None and column(names, RIGHT_NAMES) is not None:
        raise InputError(f"{name} is a table of pairs (columns {listed(names)}). Upload it as pairs.")
    sentence, group = column(names, SENTENCE_NAMES), column(names, _GROUP_NAMES)
    check_width(rows, len(names), name)
    if sentence is not None:
        ignored = [n or "(no name)" for i, n in enumerate(names) if i not in (sentence, group)]
        notices = [Notice(f"These columns were ignored: {listed(ignored)}.")] if ignored else []
        return Columns(sentence, group, 1, tuple(notices))
    sentence, group = _columns_by_length(rows, name)
    if group is None:
        return Columns(sentence, None, 0)
    which = f"column {sentence + 1} was read as the sentence, column {group + 1} as the group"
    return Columns(sentence, group, 0, (Notice(f"The first row names no sentence column: {which}."),))


def cleaned(line: int, text: str, group: str, tell: Tell) -> tuple[str, str | None] | None:
    """A sentence and its group as they are kept, or None where nothing is visible; what changed is told."""
    if is_blank(text):
        tell("blank" if is_blank(group) else "group only", line)
        return None
    for part in (text.strip(), group.strip()):
        if without_controls(part) != part:
            tell("removed", line)
        if spaced(part) != part:
            tell("spaced", line)
    group = clean(group)
    return clean(text), None if is_blank(group) else group


class _Collector:
    """Gathers sentences line by line, and what there is to tell about them."""

    def __init__(self, notices: tuple[Notice, ...] = ()) -> None:
        self.notices = notices
        self._sentences: list[Sentence] = []
        self._occurrences: Counter[str] = Counter()
        self._told: dict[str, list[int]] = {}

    def tell(self, what: str, line: int) -> None:
        lines = self._told.setdefault(what, [])
        if lines[-1:] != [line]:
            lines.append(line)

    def add(self, line: int, text: str, group: str) -> None:
        kept = cleaned(line, text, group, self.tell)
        if kept is None:
            return
        text, name = kept
        check_length(line, text)
        if name is not None and len(name) > MAX_GROUP_CHARACTERS:
            raise InputError(
                f"Line {line:,}: the group has {len(name):,} characters; at most {MAX_GROUP_CHARACTERS} are "
                "allowed. Give it a shorter name."
            )
        base = sentence_id(text)
        if self._occurrences[base]:
            self.tell("repeats", line)
        identity = sentence_id(text, self._occurrences[base])
        self._occurrences[base] += 1
        if len(self._sentences) == MAX_SENTENCES:
            raise InputError(
                f"There are more than {MAX_SENTENCES:,} sentences, the most that are allowed. Remove some; "
                f"line {line:,} is the first one too many."
            )
        self._sentences.append(Sentence(identity, text, name))

    def finish(self, title: str, source: str) -> Parsed:
        if not self._sentences:
            raise InputError("There is no sentence yet. Type or paste one sentence a line.")
        told = (Notice(WORDS[what], tuple(lines)) for what, lines in self._told.items())
        return Parsed(SentenceSet(tuple(self._sentences), title, source), (*self.notices, *told))


def _split_group(line: str) -> tuple[str | None, str | None]:
    """(group or "", sentence) of a line, or (None, None) when its separators do not make sense."""
    if "\t" in line:
        parts = line.split("\t")
        visible = [part for part in parts if not is_blank(part)]
        if len(visible) < 2:
            return "", visible[0] if visible else ""
        parts = line.strip("\t\r\n ").split("\t")
    else:
        parts = split_bars(line)
    if len(parts) == 1:
        return "", parts[0]
    if len(parts) > 2 or is_blank(parts[1]) or len(clean(parts[0])) > MAX_GROUP_CHARACTERS:
        return None, None
    return parts[0], parts[1]


def _columns_by_length(rows: Sequence[Row], name: str) -> tuple[int, int | None]:
    """(sentence column, group column) of a table whose header names neither."""
    width = len(rows[0].cells)
    if width == 1:
        return 0, None
    if width > 2:
        raise InputError(
            f"{name} has {width} columns and no header that says which holds the sentences. "
            "Name them in the first row: sentence, group."
        )
    first, second = (sum(len(row.cells[i]) for row in rows) for i in (0, 1))
    return (0, 1) if first > second else (1, 0)
