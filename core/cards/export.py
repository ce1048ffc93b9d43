"""Decks out of the app as CSV and as Anki's .apkg, and into it as CSV (decks/ reads the others).

Text of a card is escaped for each form: HTML for Anki, no formulas for a spreadsheet.
"""

from __future__ import annotations

import hashlib
import html
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.text import Told
from ..types import InputError, Notice
from .decks.apkg import OURS
from .decks.fences import segments
from .parse import MAX_CARDS
from .types import Card, Deck, card_id, is_id, with_unique_ids

if TYPE_CHECKING:
    import genanki

CSV_COLUMNS = ("id", "title", "background", "question", "answer", "source", "wrong", "live", "choices")
_QUESTION_NAMES = "front prompt term word q frage pregunta domanda вопрос 问题 質問 سؤال"
_ANSWER_NAMES = (
    "back response definition meaning translation a antwort réponse respuesta ответ 答案 答え جواب"
)
_OTHER_NAMES = {"context": "background"} | dict.fromkeys(_QUESTION_NAMES.split(), "question")
_OTHER_NAMES |= dict.fromkeys(_ANSWER_NAMES.split(), "answer")
_ANKI_MODEL = 1_607_392_319  # fixed for ever: Anki joins imports by this number
_ANKI_FIELDS = ("Id", "Title", "Background", "Question", "Answer", "Wrong", "Source")
_FRONT = (
    "<p><small>{{Title}}</small></p>{{#Background}}<p>{{Background}}</p>{{/Background}}<b>{{Question}}</b>"
)
_BACK = (
    "{{FrontSide}}<hr id=answer>{{Answer}}"
    "{{#Wrong}}<p><i>{{Wrong}}</i></p>{{/Wrong}}{{#Source}}<p><small>{{Source}}</small></p>{{/Source}}"
)
_STYLE = (
    ".card { font-family: sans-serif; font-size: 18px; line-height: 1.45; max-width: 40em; margin: auto; }"
)


def to_csv(deck: Deck) -> str:
    """The deck as CSV with a header; cells a spreadsheet would run as a formula get an apostrophe."""
    from ..data.separated import csv_bytes

    rows = (
        [*(getattr(card, name) for name in CSV_COLUMNS[:-1]), "\n".join(card.choices)] for card in deck.cards
    )
    return csv_bytes(CSV_COLUMNS, rows).decode("utf-8-sig")


def from_csv(data: bytes, filename: str, key: str = "imported") -> tuple[Deck, tuple[Notice, ...]]:
    """Cards of a CSV or TSV file: columns question and answer (or front, back), or just two columns; and what
    was left out, by line.

    The other columns of `to_csv` are read where present. Raises InputError when there is no card.
    """
    from ..data.tables import read_rows

    rows, _ = read_rows(data, filename)
    if not rows:
        raise InputError(f"{filename} holds no card. Write one card a row: question, answer.")
    if len(rows[0].cells) < 2:
        raise InputError(
            f"{filename} has one column. A card needs two, question and answer, with , or ; or a tab between."
        )
    columns = _columns(rows[0].cells)
    body = rows[1:] if columns else rows
    columns = columns or {"question": 0, "answer": 1}
    if len(body) > MAX_CARDS:
        raise InputError(f"{filename} has {len(body):,} cards; at most {MAX_CARDS:,} can be read.")
    found = [(row.line, _card_of_row(row.cells, columns, len(rows[0].cells))) for row in body]
    cards = [card for _, card in found if isinstance(card, Card)]
    if not cards:
        why = next((f"line {line:,}: {card}" for line, card in found), "a header and no card below it.")
        raise InputError(f"{filename}, {why}")
    told = Told()
    for line, problem in found:
        if isinstance(problem, str):
            told.tell(problem, line)
    return Deck(key=key, title=Path(filename).stem or key, cards=with_unique_ids(cards)), told.notices


def _columns(cells: Sequence[str]) -> dict[str, int] | None:
    """Column of each known field if this row is a header with question and answer, else None."""
    names = [cell.strip().casefold() for cell in cells]
    found = {_OTHER_NAMES.get(name, name): at for at, name in enumerate(names)}
    if "question" not in found or "answer" not in found:
        return None
    return {name: at for name, at in found.items() if name in CSV_COLUMNS}


def _card_of_row(cells: Sequence[str], columns: dict[str, int], width: int) -> Card | str:
    """The card, or why the row is none."""

    def cell(name: str) -> str:
        at = columns.get(name)
        return _plain(cells[at]) if at is not None and at < len(cells) else ""

    question, answer = cell("question"), cell("answer")
    if len(cells) > width:
        return f"the row has {len(cells)} cells where the first row has {width}; it is left out."
    for name, value in (("question", question), ("answer", answer)):
        if not value:
            return f"the {name} is empty; the row is left out."
    title = " ".join(cell("title").split())
    identifier = cell("id")
    if not is_id(identifier):
        identifier = card_id(title, question)
    choices = tuple(line.strip() for line in cell("choices").split("\n") if line.strip())
    one_line = {name: " ".join(cell(name).split()) for name in ("source", "live")}
    return Card(
        identifier,
        title,
        question,
        answer,
        cell("background"),
        wrong=cell("wrong"),
        choices=choices,
        **one_line,
    )


def _plain(text: str) -> str:
    """A cell with line ends of one kind, and without blanks around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd").strip()


def to_apkg(decks: Sequence[Deck], now: datetime) -> bytes:
    """An Anki package of the decks. Card and deck ids are stable, so a second import updates the first.

    `now` is the modification time written into it: the same decks at the same `now` hold the same notes.
    """
    import genanki

    model = genanki.Model(
        _ANKI_MODEL,
        OURS,
        fields=[{"name": name} for name in _ANKI_FIELDS],
        templates=[{"name": "Card", "qfmt": _FRONT, "afmt": _BACK}],
        css=_STYLE,
        sort_field_index=3,
    )
    packed = [_anki_deck(deck, model) for deck in decks]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decks.apkg"
        genanki.Package(packed).write_to_file(str(path), timestamp=now.timestamp())
        return path.read_bytes()


def _anki_deck(deck: Deck, model: genanki.Model) -> genanki.Deck:
    import genanki

    packed = genanki.Deck(_anki_number(deck.key), f"Embedding Lab::{deck.title}")
    for card in deck.cards:
        texts = (card.id, card.title, card.background, card.question, card.answer, card.wrong, card.source)
        note = genanki.Note(
            model=model,
            fields=[_to_html(text) for text in texts],
            guid=genanki.guid_for("embedding-lab", deck.key, card.id),
            tags=["embedding-lab"],
        )
        packed.add_note(note)
    return packed


def _anki_number(key: str) -> int:
    """A stable id in Anki's range for a deck's key."""
    digest = hashlib.sha1(f"embedding-lab:{key}".encode("utf-8", "replace"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") % (1 << 30) + (1 << 30)


def _to_html(text: str) -> str:
    """Plain text as HTML that shows exactly that text; fenced code keeps its spaces.

    Braces are escaped too: Anki would read {{..}} in a field of an imported note as a template.
    """
    return "".join(
        f"<pre>{_escaped(part)}</pre>" if kind == "code" else _escaped(part).replace("\n", "<br>")
        for kind, part in segments(text)
    )


def _escaped(text: str) -> str:
    # \x1f parts the fields of a note in Anki's database, so it may not stand in one
    clean = text.replace("\x1f", " ").encode("utf-8", "replace").decode("utf-8")
    return html.escape(clean).replace("{", "&#123;").replace("}", "&#125;")
