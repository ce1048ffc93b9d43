"""The glossary file is sound: pages, decks and relations exist, formulas agree with the losses."""

from __future__ import annotations

import math

import pytest

from core.cards.built_in import load_decks
from core.concepts.glossary import around, load, whole
from core.types import InputError
from ui import pages

TERMS = load().terms


def test_every_link_leads_somewhere():
    paths = {page.url_path for page in pages.PAGES}
    decks = {deck.key for deck in load_decks()}
    for term in TERMS:
        assert term.page.partition("?")[0] in paths, term.key
        assert term.deck in decks, term.key


def test_every_deck_has_a_term_and_every_term_a_relation():
    assert {deck.key for deck in load_decks()} == {term.deck for term in TERMS}
    assert all(load().related(term.key) for term in TERMS)


@pytest.mark.parametrize("term", TERMS, ids=lambda t: t.key)
def test_a_term_is_one_sentence_with_a_balanced_formula(term):
    assert term.sentence.endswith(".") and ". " not in term.sentence
    assert term.formula.count("{") == term.formula.count("}")
    assert term.formula.count(r"\left") - term.formula.count(r"\leftarrow") == term.formula.count(r"\right")


def test_search_puts_names_first_and_needs_every_word():
    found = load()
    assert found.search("temperature")[0].key == "temperature"
    assert found.search("InfoNCE")[0].key == "mnrl"
    assert not found.search("temperature zebra")
    assert len(found.search("")) == len(TERMS)


def test_the_map_shows_the_relations_of_the_file():
    found = load()
    edges = {frozenset(e) for e in found.edges()}
    assert edges == {frozenset((t.key, other)) for t in TERMS for other in t.related}
    small = around(found, "mnrl")
    assert small.places[0] == (0.0, 0.0)
    assert {t.key for t in small.terms[1:]} == {k for e in edges if "mnrl" in e for k in e} - {"mnrl"}
    assert all(math.hypot(*xy) == pytest.approx(1.0) for xy in small.places[1:])
    large = whole(found)
    assert len(set(large.places)) == len(TERMS), "two terms stand in one place"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('related = ["b"]', "there is no other term 'b'"),
        ('related = []\ncolour = "red"', "colour: there is no such field here"),
        ('related = []\ntheme = "X"', "is none of"),
        ("related = []\nsentence = 3", "sentence: it must be a text"),
    ],
)
def test_a_bad_entry_is_refused_by_name(tmp_path, change, told):
    field = change.split("\n")[-1].split(" ")[0]
    rows = {"theme": '"T"', "sentence": '"S."', "name": '"A"', "page": '"p"', "deck": '"d"', "source": '"s"'}
    text = 'themes = ["T"]\n[[term]]\nkey = "a"\n'
    text += "".join(f"{k} = {v}\n" for k, v in rows.items() if k != field) + change
    file = tmp_path / "terms.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told) as error:
        load(file)
    assert str(error.value).startswith("terms.toml, line ") and "term 1 (a)" in str(error.value)
