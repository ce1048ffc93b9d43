r"""Text and tables as people give them -> SentenceSet, or one sentence that says what to mend and where.

The rules of the text area:

- One sentence a line, kept as typed apart from white space at its ends.
- `group<TAB>sentence` or `group | sentence` names a group. Tabs win: a line with a tab takes every | as
  text. Two separators or more, nothing after the separator, or a "group" longer than a name may be: then
  the whole line is the sentence, and a notice says so.
- Lines that all have as many tabs are a table pasted from a spreadsheet (columns.py finds the group).
- `\|` is a | that belongs to the text. A backslash anywhere else is a backslash.
- Control characters and the byte order mark go, other line breaks and spare tabs become a space (with a
  notice); joiners and other invisible letters that scripts and emoji need stay.
- A sentence typed twice is kept twice; a line with nothing visible is skipped. Both are reported.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from ..types import InputError, Notice, Sentence, SentenceSet
from .columns import AS_FOUND, Choice, Columns, sentence_columns
from .pair_files import ParsedPairs, pairs_to_text, parse_label, parse_pair_table, parse_pairs
from .tables import MAX_UPLOAD_BYTES, MAX_UPLOAD_MB, Sheet, open_table, text_table, uploaded
from .text import (
    BLANK,
    MAX_CHARACTERS,
    MAX_GROUP_CHARACTERS,
    MAX_PAIRS,
    MAX_SENTENCES,
    Told,
    check_length,
    clean,
    escape_bars,
    is_blank,
    lines_of,
    repeats_among,
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
    "Choice",
    "Parsed",
    "ParsedPairs",
    "SentenceReader",
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

Tell = Callable[[str, int], None]  # what happened, and in which line

GROUP_ONLY = "A group without a sentence was skipped."
REPEATS = "Sentences that stand there more than once are kept as separate points."
REMOVED = "Control characters, which no model reads, were removed."
REPLACED = "Bytes that could not be read became \ufffd."
SPACED = "Line breaks or tabs inside a sentence became spaces."
WHOLE = (
    "The whole line was taken as a sentence without a group. A group needs exactly one tab or | "
    f"after a name of at most {MAX_GROUP_CHARACTERS} characters; write \\| for a | that belongs to the text."
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """`columns` say what was read from where; None for typed lines."""

    sentence_set: SentenceSet
    notices: tuple[Notice, ...] = ()
    columns: Columns | None = None


class SentenceReader:
    """The sentences of a table or of typed lines, read anew by every iteration: (line, text, group or None).

    What is worth telling goes to `tell`. Raises InputError for a table without texts.
    """

    def __init__(self, table: Sheet, choice: Choice = AS_FOUND) -> None:
        self.table = table
        self.columns = None if table.is_text else sentence_columns(table, choice)

    @property
    def taken(self) -> tuple[Notice, ...]:
        """What was read from where."""
        return () if self.columns is None else (Notice(self.columns.taken), *self.columns.notices)

    def read(self, tell: Tell) -> Iterator[tuple[int, str, str | None]]:
        for line, text, group in self._cells(tell):
            kept = cleaned(line, text, group, tell)
            if kept is not None:
                yield line, *kept

    def survey(self) -> tuple[int, tuple[Notice, ...]]:
        """How many sentences there are, and what is worth telling. Raises InputError if there is none."""
        told, hashes = Told(), array("q")
        for _, text, _ in self.read(told.tell):
            hashes.append(hash(text))
        if not hashes:
            raise InputError("There is no sentence in it. Write one a line.")
        again = repeats_among(hashes)
        repeats = Notice(f"{again:,} of {len(hashes):,} texts stand there before; all are kept.")
        return len(hashes), (*self.taken, *told.notices, *([repeats] if again else []))

    def _cells(self, tell: Tell) -> Iterator[tuple[int, str, str]]:
        if self.columns is None:
            yield from typed((row.cells[0] for row in self.table.rows()), tell)
            return
        sentence, group = (self.columns.roles.get(role) for role in ("sentence", "group"))
        for row in self.columns.rows(self.table):
            yield row.line, row.cells[sentence or 0], "" if group is None else row.cells[group]


def parse_sentences(text: str, title: str = "Your sentences", source: str = "typed") -> Parsed:
    """Read the text area (rules at the top of this file).

    Raises InputError when there is no sentence, one is longer than MAX_CHARACTERS or there are more than
    MAX_SENTENCES; the message names the line and the limit.
    """
    lines = lines_of(text)
    return _collected(SentenceReader(text_table(lambda: iter(lines), "Your text")), title, source)


def parse_table(data: bytes, filename: str, choice: Choice = AS_FOUND) -> Parsed:
    """Read an uploaded file: a table (tables.py says which, columns.py what is taken from it), or a text that
    follows the rules of the text area.

    Raises InputError as parse_sentences does, and for files that are too large or cannot be read.
    """
    name = PurePath(filename).name
    reader = SentenceReader(open_table(uploaded(data, name)), choice)
    return _collected(reader, PurePath(name).stem or name, name)


def typed(lines: Iterable[str], tell: Tell) -> Iterator[tuple[int, str, str]]:
    """(number, sentence, group or "") of every line as the text area holds them."""
    for number, line in enumerate(lines, start=1):
        group, sentence = _split_group(line)
        if group is None and sentence is None:
            tell(WHOLE, number)
            yield number, line if "\t" in line else "|".join(split_bars(line)), ""
        else:
            yield number, sentence or "", group or ""


def to_text(sentence_set: SentenceSet) -> str:
    """The set as the text area shows it; parse_sentences reads it back to the same sentences."""
    return "\n".join(
        f"{escape_bars(s.group)} | {escape_bars(s.text)}" if s.group else escape_bars(s.text)
        for s in sentence_set.sentences
    )


def cleaned(line: int, text: str, group: str, tell: Tell) -> tuple[str, str | None] | None:
    """A sentence and its group as they are kept, or None where nothing is visible; what changed is told."""
    if is_blank(text):
        tell(BLANK if is_blank(group) else GROUP_ONLY, line)
        return None
    for part in (text.strip(), group.strip()):
        if without_controls(part) != part:
            tell(REMOVED, line)
        if spaced(part) != part:
            tell(SPACED, line)
        if "\ufffd" in part:
            tell(REPLACED, line)
    group = clean(group)
    return clean(text), None if is_blank(group) else group


def _collected(reader: SentenceReader, title: str, source: str) -> Parsed:
    """All sentences, within the limits of the page."""
    sentences: list[Sentence] = []
    occurrences: Counter[str] = Counter()
    told = Told()
    for line, text, group in reader.read(told.tell):
        check_length(line, text)
        if group is not None and len(group) > MAX_GROUP_CHARACTERS:
            raise InputError(
                f"Line {line:,}: the group has {len(group):,} characters; at most {MAX_GROUP_CHARACTERS} are "
                "allowed. Give it a shorter name."
            )
        base = sentence_id(text)
        if occurrences[base]:
            told.tell(REPEATS, line)
        if len(sentences) == MAX_SENTENCES:
            raise InputError(
                f"There are more than {MAX_SENTENCES:,} sentences, the most that are allowed. Remove some; "
                f"line {line:,} is the first one too many."
            )
        sentences.append(Sentence(sentence_id(text, occurrences[base]), text, group))
        occurrences[base] += 1
    if not sentences:
        raise InputError("There is no sentence yet. Type or paste one sentence a line.")
    found = SentenceSet(tuple(sentences), title, source)
    return Parsed(found, (*reader.taken, *told.notices), reader.columns)


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
