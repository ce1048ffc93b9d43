"""Decks as CSV and as an Anki package, which is opened with sqlite3, not with the library that wrote it."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import sqlite3
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.cards.built_in import load_decks
from core.cards.export import from_csv, to_apkg, to_csv
from core.cards.types import Card, Deck, card_id
from core.types import InputError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NASTY = "<script>alert(1)</script> {{Answer}} & \"x\" 'y'\n<b>bold</b>\x1fend"


def deck_of(*pairs: tuple[str, str]) -> Deck:
    return Deck("own", "Own", tuple(Card(card_id("", q), "", q, a) for q, a in pairs))


def open_package(data: bytes, folder: Path) -> sqlite3.Connection:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert json.loads(package.read("media")) == {}
        (folder / "collection.anki2").write_bytes(package.read("collection.anki2"))
    return sqlite3.connect(folder / "collection.anki2")


def test_apkg_holds_every_shipped_card(tmp_path: Path) -> None:
    decks = load_decks()
    cards = [card for deck in decks for card in deck.cards]
    db = open_package(to_apkg(decks, NOW), tmp_path)
    assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    assert db.execute("select count(*) from notes").fetchone() == (len(cards),)
    assert db.execute("select count(*) from cards").fetchone() == (len(cards),)
    assert db.execute("select count(distinct guid) from notes").fetchone() == (len(cards),)
    (decks_json,) = db.execute("select decks from col").fetchone()
    names = {entry["name"] for entry in json.loads(decks_json).values()}
    assert {f"Embedding Lab::{deck.title}" for deck in decks} <= names
    fields = {row[0].split("\x1f")[0]: row[0].split("\x1f") for row in db.execute("select flds from notes")}
    for card in cards:
        shown = html.unescape(re.sub(r"<br>|</?pre>", "\n", fields[card.id][4]))
        assert [line for line in shown.split("\n") if line] == [
            line for line in card.answer.split("\n") if line and not line.startswith("```")
        ]
    db.close()


def test_apkg_shows_user_text_as_text(tmp_path: Path) -> None:
    db = open_package(to_apkg([deck_of(("q", NASTY))], NOW), tmp_path)
    (flds,) = db.execute("select flds from notes").fetchone()
    fields = flds.split("\x1f")
    assert len(fields) == 7  # the separator inside the text did not add a field
    assert "<script" not in fields[4] and "<b>" not in fields[4] and "{{" not in fields[4]
    assert html.unescape(fields[4].replace("<br>", "\n")) == NASTY.replace("\x1f", " ")
    db.close()


def test_a_second_export_updates_the_first(tmp_path: Path) -> None:
    def guids(deck: Deck, now: datetime) -> list[tuple[str, int]]:
        db = open_package(to_apkg([deck], now), tmp_path)
        rows = db.execute("select n.guid, c.did from notes n join cards c on c.nid = n.id").fetchall()
        db.close()
        return rows

    first = guids(deck_of(("q", "a"), ("r", "b")), NOW)
    assert guids(deck_of(("q", "mended"), ("r", "b")), NOW + timedelta(days=1)) == first
    assert guids(deck_of(("other", "a"), ("r", "b")), NOW)[0] != first[0]


def test_csv_round_trip() -> None:
    answer = "Line one\nline; two"
    card = Card("my-id", "T", 'Who said, "so"?', answer, "back", "src", "why", "losses", ("x", "y, z"))
    deck = Deck("own", "Own", (card, *deck_of(("q", "=1+1"), ("r", " -x\tb"), ("s", "'quoted'")).cards))
    back, _ = from_csv(to_csv(deck).encode(), "Own.csv", "own")
    assert back.cards[0] == card
    assert [c.answer for c in back.cards[1:]] == ["=1+1", "-x\tb", "'quoted'"]
    assert [c.id for c in back.cards] == [c.id for c in deck.cards]


def test_csv_for_every_shipped_deck() -> None:
    for deck in load_decks():
        back, notices = from_csv(to_csv(deck).encode(), f"{deck.title}.csv", deck.key)
        assert back.cards == deck.cards and not notices


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\n=", " ="])
def test_csv_cells_cannot_become_formulas(start: str) -> None:
    text = start + "HYPERLINK(1)"
    card = Card("i", text, text, text, text, text, text, text, (text,))
    row = list(csv.reader(io.StringIO(to_csv(Deck("k", "K", (card,))), newline="")))[1]
    assert len(row) == 9
    assert all(cell.startswith("'") for cell in row[1:])


def test_csv_without_header_and_with_other_names() -> None:
    plain, _ = from_csv(b"What?\tThis\nWhy?\tThat\n", "cards.tsv")
    assert [(c.question, c.answer) for c in plain.cards] == [("What?", "This"), ("Why?", "That")]
    named, _ = from_csv("Back;Front\r\nThis;What?\r\n".encode("utf-16"), "cards.csv")
    assert (named.cards[0].question, named.cards[0].answer) == ("What?", "This")


@pytest.mark.parametrize("names", ["prompt,response", "Term,Definition", "front,back", "вопрос,ответ"])
def test_names_that_others_give_the_columns(names: str) -> None:
    (card,), _ = (deck := from_csv(f"{names}\n'=' or '=='?,'=='\n".encode(), "x.csv"))[0].cards, deck[1]
    assert (card.question, card.answer) == ("'=' or '=='?", "'=='")  # an apostrophe of the text's own stays


def test_rows_that_are_no_card_are_listed_and_the_others_read() -> None:
    deck, notices = from_csv(b"question,answer\nq,a\nq2,\nr,a\ns,a,more\n,b\nt\n", "cards.csv")
    assert [card.question for card in deck.cards] == ["q", "r"]
    assert {notice.lines: notice.text for notice in notices} == {
        (3, 7): "the answer is empty; the row is left out.",
        (5,): "the row has 3 cells where the first row has 2; it is left out.",
        (6,): "the question is empty; the row is left out.",
    }


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds no card"),
        (b"question,answer\n", "no card below"),
        (b"question,answer\n,a\n", "line 2: the question is empty"),
        (b"a question\n", "one column"),
        (b"PK\x03\x04", "office or zip"),
    ],
)
def test_csv_refusals(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        from_csv(data, "cards.csv")
