"""Decks: take them along as Anki package, CSV or text, and bring in decks of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.cards import export, parse
from core.cards.decks.files import ENDINGS, read_file
from core.cards.types import Deck
from core.data.tables import MAX_UPLOAD_MB
from core.storage import study
from core.types import Notice
from pages.study import keys
from pages.study.collection import ALL, Collection, own_key
from ui import kit, messages, state, widgets
from ui.cards import display
from ui.learner import database, now
from ui.tables import safe_table
from ui.widgets import button, download, row

FORMAT = (
    "The README of assets/decks explains the format. A CSV file has the columns question and answer, and may "
    "have title, background, wrong, source, live and choices. Anki's packages (.apkg, with support "
    "for older versions) and text export (Notes in Plain Text) are read too, and a .txt of term, tab, "
    "definition."
)
EXAMPLE = """# My deck

#### A title
:p A question?
??x
The answer, any number of lines.
x??
"""


def decks(kept: Collection) -> None:
    """The whole Decks view."""
    _table(kept)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Take decks along", anchor=False)
        _export(kept)
        if kept.own:
            st.subheader("Your own decks", anchor=False)
            _own(kept)
    with right:
        st.subheader("Bring your own", anchor=False)
        _bring(kept)


def _table(kept: Collection) -> None:
    def begun(deck: Deck) -> int:
        return sum(card.id in kept.states for card in deck.cards)

    decks = kept.decks
    rows = {
        "deck": [deck.title for deck in decks],
        "cards": [len(deck) for deck in decks],
        "begun": [begun(deck) for deck in decks],
        "whose": ["yours" if deck in kept.own else "comes with the app" for deck in decks],
    }
    safe_table(rows, key="deck_rows", name="decks", height=320)


def _export(kept: Collection) -> None:
    titles = {ALL: "All decks"} | {deck.key: deck.title for deck in kept.decks}
    chosen = st.selectbox("Deck to export", list(titles), format_func=titles.__getitem__, key="export_deck")
    decks = kept.decks if chosen == ALL else tuple(d for d in kept.decks if d.key == chosen)
    together = Deck(chosen, titles[chosen], tuple(card for deck in decks for card in deck.cards))
    forms = (
        ("Anki package", "apkg", lambda: export.to_apkg(decks, now())),
        ("CSV", "csv", lambda: export.to_csv(together).encode("utf-8-sig")),
        ("Text", "md", lambda: parse.write(together).encode()),
    )
    with row():
        for label, ending, make in forms:
            download(label, make, f"embedding-lab-{chosen}.{ending}", key=f"export_{ending}")
    st.caption("Cards go out as the deck has them. Your progress has its own file, under Progress.")


def _own(kept: Collection) -> None:
    for deck in kept.own:
        with row():
            messages.plain(f"{deck.title}, {len(deck)} {'card' if len(deck) == 1 else 'cards'}")
            says = "Removes the deck. The schedules of its cards stay, in case it comes back."
            more = {"key": f"delete {deck.key}", "icon": "delete", "help": says}
            button(
                "Delete", study.delete_deck, database(), kept.learner.id, deck.key, type="tertiary", **more
            )


def _bring(kept: Collection) -> None:
    """A file or typed text -> a deck, looked at before it is kept; or what is wrong with it, and where."""
    label = f"A deck as .md, .txt, .csv, .tsv or Anki's .apkg, up to {MAX_UPLOAD_MB} MB"
    file = widgets.upload(label, ENDINGS, key="deck_file", megabytes=MAX_UPLOAD_MB)
    typed = widgets.text_area(keys.PASTED, "Or type cards here", height=200, placeholder=EXAMPLE, help=FORMAT)
    if file is None and not typed.strip():
        return
    with kit.sentences_not_tracebacks():
        if file is not None:
            _look(kept, *read_file(file.getvalue(), file.name, own_key(Path(file.name).stem)))
        else:
            deck, notices = parse.read(typed, own_key("typed"))
            _look(kept, Deck(own_key(deck.title), deck.title, deck.cards, deck.preamble), notices)


def _look(kept: Collection, deck: Deck, notices: Sequence[Notice]) -> None:
    replaces = any(own.key == deck.key for own in kept.own)
    messages.notices(notices, deck.title)
    messages.plain(f"{deck.title}: {len(deck)} {'card' if len(deck) == 1 else 'cards'}")
    with st.container(border=True):
        display.question(deck.cards[0])
        st.divider()
        display.answer(deck.cards[0])
    if replaces:
        st.caption("You have a deck of this name. Keeping this one replaces it; the schedules stay.")
    button("Keep this deck", _keep, kept.learner.id, deck, key="keep_deck", type="primary")


def _keep(learner_id: int, deck: Deck) -> None:
    with messages.kept_in(state.STUDY_SAID):
        study.save_deck(database(), learner_id, deck, now())
        state.put(state.STUDY_SAID, "The deck is yours. Choose it under Study.")
