"""The glossary's widgets: search, one term in full, and the map of concepts with its table."""

from __future__ import annotations

from urllib.parse import parse_qsl

import streamlit as st

from core.cards.built_in import load_decks
from core.concepts.glossary import ConceptMap, Glossary, Term, around, load, whole
from pages.glossary import keys, plots
from ui import learner, messages, pages, state, widgets
from ui.cards import side_panel
from ui.charts import chart
from ui.tables import folded_table
from ui.widgets import button, row

MAPS = ("Around one term", "All terms")


def glossary() -> Glossary:
    return load()


def search(found: Glossary) -> tuple[Term, ...]:
    """The search field, and the terms it finds; all of them while it is empty."""
    hint = "A word of the term or of its meaning"
    text = widgets.text_input(keys.SEARCH, "Search", placeholder=hint, max_chars=80)
    terms = found.search(text)
    if not terms:
        messages.info("No term has all of these words. Try fewer or shorter ones.")
    elif text:
        st.caption(f"{len(terms)} of {len(found.terms)} terms")
    return terms


def entries(found: Glossary, terms: tuple[Term, ...]) -> None:
    """The terms by theme, in two columns."""
    for theme in found.themes:
        of_theme = [t for t in terms if t.theme == theme]
        if not of_theme:
            continue
        st.subheader(theme, anchor=False)
        columns = st.columns(2, gap="medium")
        for number, term in enumerate(of_theme):
            with columns[number % 2]:
                _entry(found, term)


def _entry(found: Glossary, term: Term) -> None:
    with st.container(border=True, gap="xsmall"):
        also = f" ({', '.join(term.also)})" if term.also else ""
        st.markdown(f"**{term.name}**{also}")
        st.markdown(term.sentence)
        if term.formula:
            st.latex(term.formula)
        with row():
            _page_link(term)
            _cards_link(term)
            button("On the map", choose, term.key, key=f"map {term.key}", type="tertiary", icon="hub")
        related = ", ".join(other.name for other in found.related(term.key))
        st.caption(f"Related: {related}  \nSource: {term.source}")


def choose(key: str) -> None:
    """Put a term in the middle of the map; a callback."""
    state.put(keys.TERM, key)


def _page_link(term: Term) -> None:
    path, _, query = term.page.partition("?")
    page = next((p for p in pages.PAGES if p.url_path == path), None)
    if page is not None:
        pages.link(page, f"See it: {page.title}", dict(parse_qsl(query)) or None)


def _cards_link(term: Term) -> None:
    deck = next((d for d in load_decks() if d.key == term.deck), None)
    if deck is None:
        return
    pages.link(learner.STUDY, f"{len(deck)} cards", {"study_deck": deck.key})


def open_link(found: Glossary) -> None:
    """A link may name a term that does not exist."""
    if found.term(state.get(keys.TERM)) is None:
        state.put(keys.TERM, keys.TERM.default)


def cards(found: Glossary) -> None:
    """Cards from the deck of the chosen term."""
    term = found.term(state.get(keys.TERM))
    assert term is not None
    side_panel.panel(f"Cards about: {term.name}", side_panel.of_deck(term.deck, term.key), "glossary")


def around_one_term(found: Glossary) -> bool:
    """A term to choose, and the map around it. True when the whole map is wanted instead."""
    small = widgets.view(keys.MAP, "How much of the map", MAPS) == MAPS[0]
    left, right = st.columns([0.36, 0.64], gap="large") if small else (st.container(), None)
    with left:
        chosen = widgets.selectbox(keys.TERM, "Term", {t.key: t.name for t in found.terms})
        _chosen(found, chosen)
    if right is not None:
        with right:
            _map(found, around(found, chosen), chosen, whole=False)
    return right is None


def all_terms(found: Glossary) -> None:
    """The whole map, as wide as the page."""
    _map(found, whole(found), state.get(keys.TERM), whole=True)
    st.caption("On a narrow screen the view around one term is easier to read.")


def _map(found: Glossary, drawn: ConceptMap, chosen: str, *, whole: bool) -> None:
    """Drawn, and as a table; a click on a point puts that term in the middle."""
    themes, height = (found.themes, 620) if whole else ((), 380)
    figure = plots.concept_map(drawn, chosen, themes=themes, height=height)
    name = f"concepts {whole} {chosen}"  # a new key a term: an old selection would choose again
    says = f"Map of concepts with {len(drawn.terms)} terms and {len(drawn.edges)} relations"
    chart(figure, name, says, on_select=lambda: _clicked(name), selection_mode="points")
    names = {t.key: t.name for t in found.terms}
    columns = {"term": [names[a] for a, _ in drawn.edges], "related to": [names[b] for _, b in drawn.edges]}
    folded_table(columns, key="concept_table", name="concepts")


def _chosen(found: Glossary, key: str) -> None:
    """The chosen term's sentence, and its relations as buttons that move on to them."""
    term = found.term(key)
    assert term is not None
    st.markdown(term.sentence)
    with st.container(horizontal=True, gap="xsmall"):
        for other in found.related(key):
            button(other.name, choose, other.key, key=f"go {other.key}")


def _clicked(name: str) -> None:
    points = ((state.widget_value(name) or {}).get("selection") or {}).get("points") or []
    key = points[0].get("customdata") if points else None
    key = key[0] if isinstance(key, list) else key
    if isinstance(key, str) and load().term(key) is not None:
        state.put(keys.TERM, key)
