"""Anki's packages, .apkg, as genanki and Anki's older exports write them: a zip with a database of notes.

A stranger's database is bounded: its size unpacked, its rows and texts, and the work that SQLite may do.
"""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data.text import shown
from ...types import InputError, Notice
from ...untrusted import check_packing, door, json_value
from ..parse import MAX_CARDS
from ..types import Card, Deck, card_id, is_id, with_unique_ids
from . import anki

COLLECTIONS = ("collection.anki21", "collection.anki2")  # where there are both, the second one is older
NEWER = "collection.anki21b"  # beside it collection.anki2 holds but one note, which asks to update Anki
MAX_UNPACKED = 20_000_000  # bytes of the database
MAX_TEXT = 4_000_000  # characters of all fields; a second to read
MOST_WORK = 3_000_000  # of SQLite's instructions; a package of MAX_CARDS takes a tenth
OURS = "Embedding Lab card"  # what the notes of our own packages are called
_FIELD = re.compile(r"\{\{([^{}]{1,300})\}\}")
_NOT_ASKED = ("type", "hint")  # filters of a template that show a field only later
_ROWS = (
    "select n.id, n.mid, n.flds, c.ord, c.did from cards c join notes n on n.id = c.nid order by n.id, c.ord"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of notes: its fields, and of each of its cards those that ask and those that answer."""

    name: str
    fields: tuple[str, ...]
    is_cloze: bool
    sides: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]

    @classmethod
    def of(cls, model: Any) -> _Kind:
        fields = tuple(str(field["name"]) for field in model["flds"])

        def side(template: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
            asks = _named(str(template["qfmt"]), fields, _NOT_ASKED) or (0,)
            answers = [i for i in _named(str(template["afmt"]), fields) if i not in asks]
            return asks, tuple(answers or [i for i in range(len(fields)) if i not in asks])

        return cls(str(model["name"]), fields, model.get("type") == 1, tuple(map(side, model["tmpls"])))


def is_package(data: bytes) -> bool:
    """Whether it is a zip with a collection of Anki's, of any age."""
    if not data.startswith(b"PK"):
        return False
    try:
        with door("no zip"), zipfile.ZipFile(io.BytesIO(data)) as archive:
            return not {*COLLECTIONS, NEWER}.isdisjoint(archive.namelist())
    except InputError:
        return False


def read(data: bytes, filename: str, key: str) -> tuple[Deck, tuple[Notice, ...]]:
    """All cards that can be read, and what was left out. Raises InputError when there is none, and for what
    only a newer Anki reads."""
    name, stem = shown(filename), Path(filename).stem or key
    with door(f"{name} is damaged, cut off or no package of Anki's."):
        with closing(_opened(_unpacked(data, name))) as database:
            models, decks = database.execute("select models, decks from col").fetchone()
            kinds = {k: _Kind.of(v) for k, v in json_value(str(models), "Its types of notes").items()}
            decks = {k: _last(str(v["name"])) for k, v in json_value(str(decks), "Its decks").items()}
            rows = database.execute(f"{_ROWS} limit {MAX_CARDS + 1}").fetchall()
        if len(rows) > MAX_CARDS:
            raise InputError(f"{name} has more than {MAX_CARDS:,} cards, the most that can be read.")
        if sum(len(row[2]) for row in rows) > MAX_TEXT:
            raise InputError(f"{name} has more than {MAX_TEXT:,} characters, the most that can be read.")
        media: dict[str, int] = {}
        found = [
            (decks.get(str(deck), ""), _card(kinds[str(kind)], str(texts), int(number), media))
            for _, kind, texts, number, deck in rows
        ]
    cards = [(deck, card) for deck, card in found if card is not None]
    if not cards:
        raise InputError(f"{name} holds no card. A card is a note with a question and an answer.")
    titles = {deck for deck, _ in cards} - {"", "Default"}
    notices = [anki.media_left_out(media)] if media else []
    if lost := len(found) - len(cards):
        notices.append(
            Notice(f"Cards without a question or an answer as text, which are left out: {lost:,}.")
        )
    notices.append(Notice("Schedules and tags are left out."))
    if len(titles) == 1:
        return Deck(key, titles.pop(), with_unique_ids(card for _, card in cards)), tuple(notices)
    named = (card if card.title else card.replace(title=deck) for deck, card in cards)
    return Deck(key, stem, with_unique_ids(named)), tuple(notices)


def _unpacked(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if NEWER in archive.namelist():
            raise InputError(
                f"{name} is in the form that only newer versions of Anki read. Export it from Anki again "
                "with “Support older Anki versions” ticked, or as Notes in Plain Text."
            )
        check_packing(archive, name)
        member = next(member for member in COLLECTIONS if member in archive.namelist())
        with archive.open(member) as stream:
            found = stream.read(MAX_UNPACKED + 1)
    if len(found) > MAX_UNPACKED:
        raise InputError(
            f"{name} holds more than {MAX_UNPACKED // 10**6} MB of notes; that many are not read."
        )
    return found


def _opened(data: bytes) -> sqlite3.Connection:
    """The database in memory, which is asked for so much work only and runs nothing of its own."""
    database = sqlite3.connect(":memory:")
    # A copy in memory has no second file beside it: 1 in these bytes says so.
    database.deserialize(data[:18] + b"\x01\x01" + data[20:])
    database.text_factory = lambda text: text.decode("utf-8", "replace")
    database.execute("pragma trusted_schema = off")
    database.execute("pragma cell_size_check = on")
    database.create_collation("unicase", lambda a, b: (a > b) - (a < b))  # Anki's own, in its tables
    database.set_progress_handler(lambda: 1, MOST_WORK)  # what works so long is interrupted
    return database


def _named(template: str, fields: Sequence[str], without: Sequence[str] = ()) -> tuple[int, ...]:
    """The fields that a side of a card shows, each once, in their order; not its conditions."""
    found: dict[int, None] = {}
    for match in _FIELD.finditer(template):
        *filters, name = (part.strip() for part in match[1].split(":"))
        if name in fields and not any(part in without for part in filters):
            found[fields.index(name)] = None
    return tuple(found)


def _last(deck: str) -> str:
    """Its own name, without those of the decks that it lies in."""
    return " ".join(deck.split("::")[-1].split())


def _card(kind: _Kind, flds: str, number: int, media: dict[str, int]) -> Card | None:
    cells = flds.split("\x1f")[: len(kind.fields)]
    texts = [anki.field_text(cell, media) for cell in cells] + [""] * (len(kind.fields) - len(cells))
    if kind.name == OURS:
        part = dict(zip(map(str.casefold, kind.fields), texts))
        title, question, answer = (part[name] for name in ("title", "question", "answer"))
        title = " ".join(title.split())
        known = part["id"] if is_id(part["id"]) else card_id(title, question)
        beside = part["background"], part["source"], part["wrong"]
        return Card(known, title, question, answer, *beside) if question and answer else None
    asks, answers = kind.sides[0 if kind.is_cloze else min(number, len(kind.sides) - 1)]
    question = "\n\n".join(filter(None, (texts[i] for i in asks)))
    rest = [texts[i] for i in answers]
    if kind.is_cloze:
        question, hidden = anki.cloze(question, number + 1)
        rest = [", ".join(hidden), *rest] if hidden else []
    told = "\n\n".join(filter(None, rest))
    return Card(card_id("", question), "", question, told) if question and told else None
