"""Texts by the hundred thousand: read from an upload a row at a time, and kept in files, not in memory.

Any process opens a collection by its folder and reads the rows that it needs; the vectors and indexes of the
same texts lie beside them. How many texts a machine bears follows from its memory and disk (`capacity`).
"""

from __future__ import annotations

import json
import secrets
import shutil
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from ..data.columns import AS_FOUND, Choice
from ..data.files import table_of
from ..data.folders import no_room
from ..data.sentences import SentenceReader
from ..data.text import MAX_GROUP_CHARACTERS, Told, clean, shown
from ..types import InputError, IntArray, Notice
from .corpus import MAX_CHARACTERS, Passage

# What one text costs the process that works on its collection: three copies of 384 numbers where a classifier
# learns, and BM25's lists while they are made, 18 bytes a character of 100,000 sentences.
TEXT_BYTES, CHARACTER_BYTES = 5_000, 20
TEXT_DISK, CHARACTER_DISK = 2_400, 4  # vectors of 384 numbers, index, text and postings
USUAL_CHARACTERS = 100  # of a sentence, to say how many texts there is room for
SHARE = 0.5  # of what is left besides server and workers; several people have collections
MOST_CLASSES = 1_000
T = TypeVar("T")
REPEATED = "Repeated texts are kept only once."
LONG = f"Texts of more than {MAX_CHARACTERS:,} characters were left out."
UNCLASSED = "Texts without a class were left out."
# What a file says of which nothing is left: what to do, by what was left out.
NOTHING = {
    LONG: f"Every text in it has more than {MAX_CHARACTERS:,} characters. Break them into several lines.",
    UNCLASSED: "No text in it has a class. Give each text one: class | text in a line, or a column of "
    "classes in a table.",
}
_ABOUT, _TEXTS, _ENDS, _CODES = "collection.json", "texts.utf8", "ends.npy", "codes.npy"


@dataclass(frozen=True, slots=True)
class Capacity:
    """Bytes of memory and of disk that one collection may take."""

    memory: int
    disk: int

    @property
    def texts(self) -> int:
        """Texts of usual length that fit, rounded down to two digits."""
        count = min(
            self.memory // (TEXT_BYTES + USUAL_CHARACTERS * CHARACTER_BYTES),
            self.disk // (TEXT_DISK + USUAL_CHARACTERS * CHARACTER_DISK),
        )
        digits = 10 ** max(0, len(str(count)) - 2)
        return count // digits * digits

    @property
    def is_short_of(self) -> str:
        """What allows fewer texts: "memory" or "disk"."""
        return "memory" if self.memory / TEXT_BYTES <= self.disk / TEXT_DISK else "disk"

    def holds(self, texts: int, characters: int) -> bool:
        memory = texts * TEXT_BYTES + characters * CHARACTER_BYTES
        return memory <= self.memory and texts * TEXT_DISK + characters * CHARACTER_DISK <= self.disk


def capacity(free_memory: int, folder: Path) -> Capacity:
    """What a collection may take of so many free bytes of memory, and of the disk that holds the folder."""
    return Capacity(int(SHARE * max(0, free_memory)), int(SHARE * shutil.disk_usage(folder).free))


@dataclass(frozen=True, slots=True)
class TextCollection:
    """What is known of it without opening its files. `id` depends on texts and classes alone."""

    id: str
    folder: str
    title: str
    count: int
    characters: int
    classes: tuple[str, ...] = ()  # in the order of first mention; () where no text has one
    notices: tuple[Notice, ...] = ()

    @property
    def texts(self) -> Texts:
        return Texts(Path(self.folder))

    @property
    def codes(self) -> IntArray:
        """The class of every text, (n,), as rows of `classes`; -1 where they have none."""
        return np.load(Path(self.folder) / _CODES).astype(np.int64)

    @property
    def passages(self) -> Passages:
        return Passages(self.texts)


class _Rows(Sequence[T]):
    """A sequence whose every member is made when it is asked for, by `_at(row)`."""

    def _at(self, row: int) -> T:
        raise NotImplementedError

    @overload
    def __getitem__(self, row: int) -> T: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[T, ...]: ...
    def __getitem__(self, row: int | slice) -> T | tuple[T, ...]:
        if isinstance(row, slice):
            return tuple(self._at(i) for i in range(*row.indices(len(self))))
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return self._at(row % len(self))


class Texts(_Rows[str]):
    """The texts of a collection, each read from the file when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._utf8: NDArray[np.uint8] = np.memmap(folder / _TEXTS, np.uint8, "r")
        self._ends: IntArray = np.load(folder / _ENDS, mmap_mode="r")  # (n + 1,), the first is 0

    def __len__(self) -> int:
        return len(self._ends) - 1

    def _at(self, row: int) -> str:
        return self._utf8[self._ends[row] : self._ends[row + 1]].tobytes().decode()

    def lengths(self) -> IntArray:
        """Bytes of every text, (n,)."""
        return np.diff(self._ends)


class Passages(_Rows[Passage]):
    """The same as passages to search."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def _at(self, row: int) -> Passage:
        return Passage(str(row), "", self._texts[row])


def read(
    upload: str, title: str, home: str, space: Capacity, labelled: bool = False, choice: Choice = AS_FOUND
) -> TextCollection:
    """The collection in an uploaded file: a folder below `home`, the same one for the same texts.

    Any table or text (core/data/tables.py); `labelled` keeps the classes beside the texts, and repeated
    texts. Without it every line of a text is one passage. Raises InputError for what cannot be read, and
    where the texts take more than `space`.
    """
    folder = Path(home) / f"new-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True)
        found = _written(Path(upload), title, folder, space, labelled, choice)
        final = Path(home) / found.id
        if not final.exists():
            folder.rename(final)
        return replace(opened(str(final)), title=title, notices=found.notices)
    except OSError as error:
        raise InputError(no_room(Path(home), error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def opened(folder: str) -> TextCollection:
    """A collection that was read before. Raises InputError when it is gone."""
    try:
        known = json.loads((Path(folder) / _ABOUT).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("These texts are no longer on the server. Upload the file again.") from error
    notices = tuple(Notice(n["text"], tuple(n["lines"]), n["count"]) for n in known.pop("notices"))
    return TextCollection(
        **known | {"classes": tuple(known["classes"]), "notices": notices, "folder": folder}
    )


def _written(
    upload: Path, title: str, folder: Path, space: Capacity, labelled: bool, choice: Choice
) -> TextCollection:
    """Row after row from the one file into the others; only ends, codes and hashes are in memory."""
    ends, codes, classes = array("q", [0]), array("i"), dict[str, int]()
    seen, same, told = set[int](), blake2b(digest_size=16), Told()
    characters = wordless = 0
    reader = SentenceReader(table_of(upload), choice)
    with (folder / _TEXTS).open("wb") as out:
        for line, text, group in _rows(reader, told, labelled):
            if labelled and group is None:
                told.tell(UNCLASSED, line)
                continue
            if len(text) > MAX_CHARACTERS:
                told.tell(LONG, line)
                continue
            raw = text.encode("utf-8", "replace")
            key = hash(raw)
            if not labelled and key in seen:
                told.tell(REPEATED, line)
                continue
            seen.add(key)
            characters += len(text)
            wordless += not any(map(str.isalpha, text))
            if not space.holds(len(ends), characters):
                raise InputError(
                    f"Line {line:,} is one too many: this machine's {space.is_short_of} holds "
                    f"{len(ends) - 1:,} of these texts. Upload a part of the file."
                )
            code = -1 if group is None else classes.setdefault(group, len(classes))
            if len(classes) > MOST_CLASSES:
                raise InputError(
                    f"Line {line:,}: “{shown(group or '')}” is class {len(classes):,}; at most "
                    f"{MOST_CLASSES:,} are read. Is this the column of the classes?"
                )
            out.write(raw)
            ends.append(ends[-1] + len(raw))
            codes.append(code)
            same.update(b"%d %d\n" % (code, len(raw)) + raw)
    if len(ends) == 1:
        raise InputError(_nothing(told))
    if 2 * wordless > len(codes):
        told.tell(f"{wordless:,} of {len(codes):,} texts hold no letter. Is this the column of the texts?", 0)
    if labelled and (again := len(codes) - len(seen)):
        told.tell(f"{again:,} of {len(codes):,} texts stand there before; all are kept.", 0)
    np.save(folder / _ENDS, np.frombuffer(ends, np.int64))
    np.save(folder / _CODES, np.frombuffer(codes, np.int32))
    same.update("\n".join(classes).encode("utf-8", "replace"))
    notices = (*reader.taken, *(n if n.lines != (0,) else Notice(n.text) for n in told.notices))
    found = TextCollection(
        same.hexdigest(), str(folder), title, len(codes), characters, tuple(classes), notices
    )
    (folder / _ABOUT).write_text(json.dumps(asdict(found), ensure_ascii=True), encoding="utf-8")
    return found


def _nothing(told: Told) -> str:
    """Why no text is left."""
    why = [NOTHING[notice.text] for notice in told.notices if notice.text in NOTHING]
    return why[0] if why else "There is no text in it. Write one a line."


def _rows(reader: SentenceReader, told: Told, labelled: bool) -> Iterator[tuple[int, str, str | None]]:
    """(line, text, class); a text that is no table has whole lines as passages, whatever stands in them."""
    if labelled or reader.columns is not None:
        for line, text, group in reader.read(told.tell):
            if group is not None and len(group) > MAX_GROUP_CHARACTERS:
                raise InputError(
                    f"Line {line:,}: the class has {len(group):,} characters; at most "
                    f"{MAX_GROUP_CHARACTERS} are allowed. Give it a shorter name."
                )
            yield line, text, group if labelled else None
        return
    for row in reader.table.rows():
        if text := clean(row.cells[0]):
            yield row.line, text, None
