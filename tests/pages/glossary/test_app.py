"""The glossary page: searchable, linked, and its map is that of the file."""

from __future__ import annotations

from core.cards.built_in import load_decks
from core.concepts.glossary import load
from ui.cards import side_panel


def names(app) -> list[str]:
    terms = tuple(f"**{term.name}**" for term in load().terms)
    return [m.value for m in app.markdown if m.value.startswith(terms)]


def test_every_term_is_there_and_search_narrows_it(open_app):
    app = open_app("glossary")
    assert not app.exception and not app.warning
    assert sum(any(f"**{t.name}**" in n for n in names(app)) for t in load().terms) == len(load().terms)
    app.text_input(key="glossary_search").set_value("temperature").run()
    assert "**Temperature**" in names(app)[0]
    assert len(names(app)) < 6
    app.text_input(key="glossary_search").set_value("zzz").run()
    assert app.info and not app.exception


def test_a_related_term_moves_the_map_on(open_app):
    app = open_app("glossary", term="temperature")
    app.button(key="go mnrl").click().run()
    assert not app.exception
    assert app.selectbox(key="term").value == "mnrl"
    table = app.dataframe[0].value
    assert "Temperature" in set(table["related to"]) | set(table["term"])
    app.button(key="map collapse").click().run()
    assert app.selectbox(key="term").value == "collapse"


def test_a_link_opens_the_whole_map_and_a_term(open_app):
    app = open_app("glossary", term="collapse", glossary_map="All terms")
    assert not app.exception
    assert app.selectbox(key="term").value == "collapse"
    assert len(app.dataframe[0].value) == len(load().edges())
    assert not open_app("glossary", term="no-such-term").exception


def test_cards_of_the_chosen_term_stand_beside_it(open_app):
    app = open_app("glossary", term="temperature")
    assert "**Cards about: Temperature**" in [m.value for m in app.markdown]
    deck = next(d for d in load_decks() if d.key == load().term("temperature").deck)
    questions = {card.id for card in deck.cards}
    shown = {card.id for card in side_panel.of_deck(deck.key, "temperature")}
    assert len(shown) == 3 and shown <= questions
    assert side_panel.of_deck("no-such-deck", "") == ()
    assert sum(e.label == "Show the answer" for e in app.expander) == 3
