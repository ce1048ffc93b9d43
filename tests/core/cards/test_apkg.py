"""Anki's packages: ours come back as they were, others' cards are asked as their templates ask them."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import genanki
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cards.built_in import load_decks
from core.cards.decks import apkg
from core.cards.decks.files import read_file
from core.cards.export import to_apkg
from core.cards.types import Card, Deck, card_id
from core.types import InputError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=30
)


def read(data: bytes, name: str = "mine.apkg") -> tuple[list[tuple[str, str]], list[str]]:
    deck, notices = read_file(data, name, "k")
    return [(card.question, card.answer) for card in deck.cards], [notice.text for notice in notices]


def package(tmp_path: Path, *notes: genanki.Note, name: str = "Languages::Danish") -> bytes:
    deck = genanki.Deck(5, name)
    for note in notes:
        deck.add_note(note)
    genanki.Package(deck).write_to_file(str(tmp_path / "x.apkg"))
    return (tmp_path / "x.apkg").read_bytes()


def test_every_shipped_deck_comes_back() -> None:
    for deck in load_decks():
        back, notices = read_file(to_apkg([deck], NOW), "x.apkg", deck.key)
        assert back.title == deck.title and [c.id for c in back.cards] == [c.id for c in deck.cards]
        for card, known in zip(back.cards, deck.cards):
            assert card.title == known.title and card.question == known.question
            for name in ("answer", "background", "wrong", "source"):
                words = [getattr(one, name).split() for one in (card, known)]
                assert words[0] == words[1], f"{known.id}: {name}"
        assert [notice.text for notice in notices] == ["Schedules and tags are left out."]


@settings(max_examples=30)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4, unique_by=lambda pair: pair[0]))
def test_hostile_texts_come_back(pairs: list[tuple[str, str]]) -> None:
    cards = tuple(Card(card_id("", q), "", q, a) for q, a in pairs)
    back, _ = read_file(to_apkg([Deck("own", "Own", cards)], NOW), "x.apkg", "own")
    assert back.cards == cards


def test_others_cards_are_asked_as_their_templates_ask(tmp_path: Path) -> None:
    numbered = genanki.Model(
        7, "Numbered", fields=[{"name": n} for n in ("No", "Question", "Answer", "More")],
        templates=[
            {"name": "1", "qfmt": "{{#No}}{{Question}}{{/No}}{{type:Answer}}", "afmt": "{{Answer}}"},
            {"name": "2", "qfmt": "{{Answer}}", "afmt": "{{Question}} {{hint:More}}"},
        ],
    )  # fmt: skip
    data = package(
        tmp_path,
        genanki.Note(numbered, ["1", "<b>hund</b>", "dog &amp; hound", "a <i>noun</i>"]),
        genanki.Note(genanki.CLOZE_MODEL, ["{{c1::Oslo}} is in {{c2::Norway::country}}.", "North"]),
        genanki.Note(genanki.BASIC_MODEL, ["What is it?[sound:it.mp3]", "<img src='cat.jpg'>"]),
    )
    cards, told = read(data)
    assert sorted(cards) == [
        ("Oslo is in [country].", "Norway\n\nNorth"),
        ("[…] is in Norway.", "Oslo\n\nNorth"),
        ("dog & hound", "hund\n\na noun"),
        ("hund", "dog & hound"),
    ]
    assert told[0] == "Images and sound are left out: it.mp3, cat.jpg." and "left out: 1." in told[1]
    assert read_file(data, "x.apkg", "k")[0].title == "Danish"


def changed(data: bytes, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        kept = {name: old.read(name) for name in old.namelist()} | {
            k.replace("_", "."): v for k, v in members.items()
        }
        for name, content in kept.items():
            new.writestr(name, content)
    return out.getvalue()


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = package(tmp_path, genanki.Note(genanki.BASIC_MODEL, ["q", "a"]))
    with sqlite3.connect(tmp_path / "view.anki2") as database:
        database.executescript("""
            create table col (models text, decks text); insert into col values ('{}', '{}');
            create table cards (nid, ord, did); insert into cards values (1, 0, 1);
            create view notes as with recursive n(id) as (select 1 union all select id + 1 from n)
              select id, 1 as mid, 'q' as flds from n;
        """)
    endless = (tmp_path / "view.anki2").read_bytes()
    for broken, says in (
        (changed(data, collection_anki21b=b"(zstd)"), "only newer versions of Anki read"),
        (changed(data, collection_anki2=b"SQLite format 3\x00 and no more"), "damaged"),
        (changed(data, collection_anki2=endless), "damaged"),
        (data[:-30], "office or zip file"),
        (changed(data, collection_anki2=bytes(apkg.MAX_UNPACKED + 1)), "more than 20 MB of notes"),
    ):
        with pytest.raises(InputError, match=says):
            read(broken)
    monkeypatch.setattr(apkg, "MAX_TEXT", 2)
    with pytest.raises(InputError, match="more than 2 characters"):
        read(data)
