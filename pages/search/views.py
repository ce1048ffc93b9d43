"""Widgets of the search page: the corpus, and three orders of its passages side by side.

Embedding and reading go through ui/batches.py a little at a time, so a corpus of 10,000 passages shows its
progress, can be stopped, and goes on from where it was.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from core.concepts import bi_vs_cross
from core.concepts.bi_vs_cross import BASE_MODEL
from core.retrieval import collection, vector_index
from core.retrieval import corpus as corpora
from core.retrieval import ranking as retrieval
from core.retrieval.collection import TextCollection
from core.retrieval.corpus import Corpus, Passage
from core.retrieval.ranking import Ranking
from core.types import FloatArray, InputError, Notice
from pages.search import keys
from ui import collections, kit, messages, state, widgets
from ui.batches import Batches, readings, vectors
from ui.collections import board, work
from ui.messages import as_written
from ui.tables import safe_table
from ui.widgets import button

BUILT_IN, OWN = "Built-in passages", "My own"
POLL = 0.5  # seconds between two looks
LISTED = 500  # passages that the table of a large corpus shows
MAX_QUERY = 300  # characters
FOUND = 1_000  # places of an order over a collection
LABEL = 60  # characters of a passage that has no title
WAYS = ("BM25", "Bi-encoder", "Re-ranked")
SYMBOLS = {True: ":material/arrow_upward:", False: ":material/arrow_downward:"}

K = TypeVar("K", bound=Hashable)


# --- The corpus ----------------------------------------------------------------------------------


# lru_cache, because Streamlit's caches copy or hash every passage at each rerun: a second for 10,000.


@lru_cache(maxsize=8)
def _parsed(text: str, title: str) -> tuple[Corpus, tuple[Notice, ...]]:
    return corpora.parse_passages(text, title)


@lru_cache(maxsize=4)
def _word_index(passages: tuple[Passage, ...]) -> retrieval.Bm25Index:
    return retrieval.Bm25Index(passage.full_text for passage in passages)


@lru_cache(maxsize=4)
def _matrix(passages: tuple[Passage, ...]) -> FloatArray:
    """The vectors (n, d) of passages that are all embedded; shared, so read-only."""
    z = np.array(vectors().known([passage.full_text for passage in passages]), np.float32)
    z.flags.writeable = False
    return z


def current() -> Corpus:
    """The corpus to search, with its questions. Raises InputError for unusable text."""
    return _current()[0]


def _current() -> tuple[Corpus, TextCollection | tuple[Notice, ...]]:
    """The corpus, and what is told of it: by the collection that it is, or notices about typed text."""
    if state.get(keys.CORPUS) != OWN:
        return corpora.built_in(), ()
    told: TextCollection | tuple[Notice, ...]
    uploaded = collections.current(keys.FOLDER)
    if uploaded is not None:
        found, told = Corpus(uploaded.title, uploaded.passages, folder=uploaded.folder), uploaded
    else:
        found, told = _parsed(state.get(keys.TEXT), "Your passages")
    questions = corpora.parse_questions(state.get(keys.ANSWERS) or "", found)
    return replace(found, questions=questions), told


def choose_corpus() -> None:
    """Which passages are searched, and the learner's own ones."""
    if widgets.segmented_control(keys.CORPUS, "Passages", (BUILT_IN, OWN)) == OWN:
        _own()
    found, told = _current()
    if isinstance(told, TextCollection):
        collections.told(told)
    else:
        messages.notices(told, "Passages")
    shown = found.passages[:LISTED]
    st.markdown(f"**{len(found.passages):,} passages**, {len(found.questions)} questions with known answers")
    if len(shown) < len(found.passages):
        st.caption(f"The table lists the first {LISTED}; all of them are searched.")
    columns = {"number": list(range(1, len(shown) + 1)), "passage": [p.full_text for p in shown]}
    safe_table(columns, key="search_passages", name="passages")


def draw() -> None:
    """The map of an uploaded collection."""
    folder = state.get(keys.FOLDER) if state.get(keys.CORPUS) == OWN else None
    if folder is None:
        st.info("The map shows a file of your own. Upload one under Corpus.")
    elif work.embedded(found := collection.opened(folder), state.get(keys.MODEL)):
        board.draw(found, state.get(keys.MODEL))


def _own() -> None:
    label = "A file of passages: one a line, or a table with a column of texts"
    collections.upload(keys.FOLDER, keys.ERROR, label, labelled=False)
    if state.get(keys.FOLDER) is not None:
        work.model(keys.MODEL)
        button("Use typed text instead", state.setter(keys.FOLDER, None), key="search_typed")
    else:
        widgets.text_area(keys.TEXT, "Passages, one a line", height=220)
    form = "A question, a |, and the numbers of the passages that answer it: How do bats hunt? | 3, 17"
    widgets.text_area(keys.ANSWERS, "Questions with known answers (optional)", height=100, help=form)


# --- Work that takes a while ---------------------------------------------------------------------


def finished(batches: Batches[K, Any], wanted: Sequence[K], what: str) -> bool:
    """True once every key is computed. Until then: progress, Stop or Go on, and the work itself."""
    progress = batches.advance(wanted, go=not state.get(keys.STOPPED))
    if progress.done == progress.total:
        return True

    def look() -> None:
        stopped = state.get(keys.STOPPED)
        try:
            now = batches.advance(wanted, go=not stopped)
        except (InputError, RuntimeError) as error:
            state.put(keys.STOPPED, True)
            messages.error(str(error))
            return
        if now.done == now.total:
            st.rerun()
        word = "Stopped" if stopped else "Working"
        st.progress(now.done / now.total, text=f"{word}: {now.done:,} of {now.total:,} {what}")

    st.fragment(look, run_every=None if state.get(keys.STOPPED) else POLL)()
    stopped = state.get(keys.STOPPED)
    label, icon = ("Go on", "play_arrow") if stopped else ("Stop", "stop")
    button(label, state.setter(keys.STOPPED, not stopped), key="search_stop", icon=icon)
    return False


def meanwhile(corpus: Corpus) -> None:
    """Embed the passages while a question is open, so that nobody waits for its answer; nothing is shown."""
    if corpus.folder:  # its run goes on by itself
        return
    batches, wanted = vectors(), corpus.full_texts

    def done() -> bool:
        progress = batches.advance(wanted, go=not state.get(keys.STOPPED))
        return progress.done == progress.total

    def look() -> None:
        with contextlib.suppress(InputError, RuntimeError):  # told where the vectors are needed
            if done():
                st.rerun()

    if not state.get(keys.STOPPED) and not done():
        st.fragment(look, run_every=POLL)()


# --- Search --------------------------------------------------------------------------------------


def ask_query(corpus: Corpus) -> str:
    """The query, typed or taken from the questions of the corpus. Raises InputError when it is empty."""
    if corpus.questions:
        label, hint = "Questions with known answers", "Choose one, or type your own"
        more: dict[str, Any] = {"key": "search_example", "on_change": _take_example, "placeholder": hint}
        st.selectbox(label, [q.text for q in corpus.questions], index=None, **more)
    query = widgets.text_input(keys.QUERY, "Query", max_chars=MAX_QUERY).strip()
    if not query:
        raise InputError("The query is empty. Type at least one word.")
    return query


def _take_example() -> None:
    chosen = state.widget_value("search_example")
    if chosen:
        state.put(keys.QUERY, chosen)


def depth(corpus: Corpus) -> int:
    """How many of the retrieved passages the cross-encoder reads."""
    return min(widgets.slider(keys.DEPTH, "Passages the cross-encoder reads", step=5), len(corpus.passages))


def by_words(corpus: Corpus, query: str) -> tuple[Ranking, float]:
    """BM25's order, and the seconds it took."""
    if corpus.folder:
        return kit.ask(vector_index.by_words, corpus.folder, query, FOUND, lane=collections.ASK)
    with st.spinner("Counting words"):
        index = _word_index(tuple(corpus.passages))
    began = time.perf_counter()
    return index.rank(query), time.perf_counter() - began


def by_vector(corpus: Corpus, query: str) -> tuple[Ranking, float] | None:
    """The bi-encoder's order and the seconds of comparing; None while passages are being embedded."""
    if corpus.folder:
        return _nearest(corpus, query)
    if not finished(vectors(), corpus.full_texts, "passages embedded"):
        return None
    z = _matrix(tuple(corpus.passages))
    kit.tell_unread(corpus.full_texts, BASE_MODEL, where="Passages")
    asked = kit.embedded(BASE_MODEL, 0, "mean", (query,))
    began = time.perf_counter()
    return retrieval.rank_by_cosine(asked[0], z), time.perf_counter() - began


def prepared(corpus: Corpus) -> bool:
    """Whether a collection can be searched; else its progress is on the page. Others show their own."""
    if not corpus.folder:
        return True
    report = work.index(collection.opened(corpus.folder), state.get(keys.MODEL))
    if report is not None and not report.is_exact:
        st.caption(
            f"The {report.texts:,} vectors lie in a graph of neighbours (HNSW), built in "
            f"{report.seconds:.0f} s. Asked for the {vector_index.FIRST} nearest of {report.asked} of them, "
            f"it found {report.recall:.1%} of what comparing with all finds."
        )
    return report is not None


def _nearest(corpus: Corpus, query: str) -> tuple[Ranking, float]:
    """From the index, and below it what exact search says of the same query."""
    model = state.get(keys.MODEL)
    asked = kit.embedded(model, 0, "mean", (query,))[0]
    found = kit.ask(vector_index.nearest, corpus.folder, model, asked, FOUND, lane=collections.ASK)
    if found.is_graph:
        st.caption(
            f"For this query the graph took {found.seconds * 1e3:.2f} ms and comparing with all "
            f"{found.exact_seconds * 1e3:.1f} ms; {found.found} of the first {len(found.exact)} are the same."
        )
    return found.ranking, found.seconds


def reread(corpus: Corpus, query: str, first: Ranking) -> Ranking | None:
    """The retrieved passages in the cross-encoder's order; None while it still reads."""
    pairs = retrieval.pairs_to_read(query, corpus, first)
    if not finished(readings(), pairs, "passages read"):
        return None
    logits, notices = logits_of(pairs)
    messages.notices(notices)
    return retrieval.rerank(first, logits)


def logits_of(pairs: Sequence[tuple[str, str]]) -> tuple[FloatArray, tuple[Notice, ...]]:
    """Logits (n,) of pairs that are all read, and what is to be said of them."""
    found = [reading for reading in readings().known(pairs) if reading is not None]
    cut = bi_vs_cross.cut(sum(reading.is_cut for reading in found), len(found))
    return np.array([reading.logit for reading in found], np.float32), cut


def answers_to(corpus: Corpus, query: str) -> set[int]:
    """Rows that are known to answer this very query; empty where nothing is known."""
    return next((set(q.answers) for q in corpus.questions if q.text == query), set())


def column(
    corpus: Corpus, title: str, note: str, ranking: Ranking | None, known: set[int], before: Ranking | None
) -> None:
    """One of the three lists: place, what moved, score, text."""
    st.markdown(f"**{title}**")
    st.caption(note)
    if ranking is None:
        st.caption("…")
        return
    if not len(ranking.rows):
        st.caption("No passage shares a word with the query. Common English words do not count.")
    moved = retrieval.moves(before, ranking) if before is not None else [None] * len(ranking.rows)
    for place, (row, score) in enumerate(list(zip(ranking.rows, ranking.scores))[: _shown()], start=1):
        shift = moved[place - 1]
        arrow = f" · {SYMBOLS[shift > 0]} {abs(shift)}" if shift else ""
        mark = " · :blue-badge[answer]" if int(row) in known else ""
        passage = corpus.passages[int(row)]
        with st.container(gap="xsmall"):
            st.markdown(f"**{place}**{arrow} · {score:.2f}{mark}")
            with st.expander(as_written(_beginning(passage.title or passage.text))):
                messages.plain(passage.text)


def _beginning(text: str) -> str:
    return text if len(text) <= LABEL else text[: LABEL - 1].rstrip() + "…"


def _shown() -> int:
    return state.get(keys.SHOWN)


def results_table(corpus: Corpus, orders: dict[str, Ranking | None], known: set[int]) -> None:
    """The three lists as one table: each passage that one of them shows, and its place in every list."""
    found = {name: ranking.ranks() for name, ranking in orders.items() if ranking is not None}
    rows = sorted(
        {row for place in found.values() for row, at in place.items() if at <= _shown()},
        key=lambda row: min(place.get(row, 10**6) for place in found.values()),
    )
    columns: dict[str, list[str]] = {
        name: [str(place[row]) if row in place else "–" for row in rows] for name, place in found.items()
    }
    columns["answer"] = ["yes" if row in known else "" for row in rows]
    columns["passage"] = [corpus.passages[row].full_text for row in rows]
    safe_table(columns, key="search_rows", name="search")


def all_orders(corpus: Corpus, texts: tuple[str, ...]) -> tuple[list[Ranking], list[Ranking]] | None:
    """Every question's order by words and by vector; None while passages are being embedded."""
    if corpus.folder:
        folder, model = corpus.folder, state.get(keys.MODEL)
        asked = kit.embedded(model, 0, "mean", texts)
        args = (folder, model, texts, asked, FOUND)
        return kit.ask(vector_index.all_orders, *args, lane=collections.ASK)
    if not finished(vectors(), corpus.full_texts, "passages embedded"):
        return None
    z, index = _matrix(tuple(corpus.passages)), _word_index(tuple(corpus.passages))
    asked = kit.embedded(BASE_MODEL, 0, "mean", texts)
    return [index.rank(text) for text in texts], [retrieval.rank_by_cosine(vector, z) for vector in asked]
