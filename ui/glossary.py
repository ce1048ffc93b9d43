"""The glossary's widgets: search, one term in full, and the map of concepts with its table."""

from __future__ import annotations

from urllib.parse import parse_qsl

import streamlit as st

from core.cards.shipped import load_decks
from core.glossary import Glossary, Term, around, load, whole
from ui import concepts, figures_glossary, learner, pages, state
from ui.tables import safe_table

MAPS = ("Around one term", "All terms")


def glossary() -> Glossary:
    return load()


def search(found: Glossary) -> tuple[Term, ...]:
    """The search field, and the terms it finds; all of them while it is empty."""
    text = st.text_input(
        "Search", value=state.GLOSSARY_SEARCH.default, placeholder="A word of the term or of its meaning",
        max_chars=80, **state.bound(state.GLOSSARY_SEARCH),
    )  # fmt: skip
    terms = found.search(text or "")
    if not terms:
        st.info("No term has all of these words. Try fewer or shorter ones.", icon=":material/info:")
    elif text:
        st.caption(f"{len(terms)} of {len(found.terms)} terms")
    return terms


def entries(found: Glossary, terms: tuple[Term, ...]) -> None:
    """The terms by theme, each folded but for its name and sentence."""
    chosen = state.get(state.GLOSSARY_TERM)
    for theme in found.themes:
        of_theme = [t for t in terms if t.theme == theme]
        if of_theme:
            st.subheader(theme, anchor=False)
        for term in of_theme:
            _entry(found, term, opened=len(terms) <= 3 or term.key == chosen)


def _entry(found: Glossary, term: Term, opened: bool) -> None:
    with st.container(border=True, gap="xsmall", key=f"term_{term.key}"):
        also = f" ({', '.join(term.also)})" if term.also else ""
        st.markdown(f"**{term.name}**{also}")
        st.markdown(term.sentence)
        if term.formula:
            st.latex(term.formula)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _page_link(term)
            _cards_link(term)
            st.button(
                "On the map", key=f"map {term.key}", type="tertiary", icon=":material/hub:",
                on_click=choose, args=(term.key,),
            )  # fmt: skip
        with st.expander("Related terms and source", expanded=opened):
            with st.container(horizontal=True, gap="small"):
                for other in found.related(term.key):
                    st.button(
                        other.name,
                        key=f"go {term.key} {other.key}",
                        on_click=look_up,
                        args=(other.name, other.key),
                    )
            st.caption(f"Source: {term.source}")


def choose(key: str) -> None:
    """Put a term in the middle of the map; a callback."""
    state.put(state.GLOSSARY_TERM, key)
    state.put(state.GLOSSARY_MAP, MAPS[0])


def look_up(name: str, key: str) -> None:
    """Search for a term by its name and put it on the map; a callback."""
    state.put(state.GLOSSARY_SEARCH, name)
    choose(key)


def _page_link(term: Term) -> None:
    path, _, query = term.page.partition("?")
    page = next((p for p in pages.PAGES if p.url_path == path), None)
    if page is not None:
        pages.link(page, f"See it: {page.title}", dict(parse_qsl(query)) or None)


def _cards_link(term: Term) -> None:
    deck = next((d for d in load_decks() if d.key == term.deck), None)
    if deck is None:
        return
    who = state.get(state.LEARNER)
    query = {"study_deck": deck.key} | ({state.LEARNER.name: who} if who else {})
    pages.link(learner.STUDY, f"{len(deck)} cards", query)


def concept_map(found: Glossary) -> None:
    """The map around one term, or the whole one; a click on a point puts that term in the middle."""
    keys = [t.key for t in found.terms]
    if state.get(state.GLOSSARY_TERM) not in keys:
        state.put(state.GLOSSARY_TERM, state.GLOSSARY_TERM.default)
    left, right = st.columns([0.5, 0.5], vertical_alignment="bottom")
    with left:
        st.selectbox(
            "Term", keys, index=keys.index(state.GLOSSARY_TERM.default),
            format_func={t.key: t.name for t in found.terms}.__getitem__, **state.bound(state.GLOSSARY_TERM),
        )  # fmt: skip
    with right:
        view = concepts.view(MAPS, state.GLOSSARY_MAP, "How much of the map")
    chosen = state.get(state.GLOSSARY_TERM)
    small = view == MAPS[0]
    drawn = around(found, chosen) if small else whole(found)
    figure = figures_glossary.concept_map(
        drawn, chosen, themes=() if small else found.themes, height=360 if small else 620
    )
    name = f"concepts {view} {chosen}"  # a new key a term: an old selection would choose again
    st.plotly_chart(
        figure, key=name, config=concepts.PLAIN, on_select=lambda: _clicked(name), selection_mode="points",
        alt=f"Map of concepts with {len(drawn.terms)} terms and {len(drawn.edges)} relations",
    )  # fmt: skip
    names = {t.key: t.name for t in found.terms}
    columns = {"term": [names[a] for a, _ in drawn.edges], "related to": [names[b] for _, b in drawn.edges]}
    with st.expander("The same as a table"):
        safe_table(columns, key="concept_table", name="concepts")


def _clicked(name: str) -> None:
    points = ((state.uploaded(name) or {}).get("selection") or {}).get("points") or []
    key = points[0].get("customdata") if points else None
    key = key[0] if isinstance(key, list) else key
    if isinstance(key, str) and load().term(key) is not None:
        state.put(state.GLOSSARY_TERM, key)
