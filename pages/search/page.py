"""Search: retrieve with words or vectors, re-rank with the cross-encoder, and see what moved."""

from __future__ import annotations

import streamlit as st

from pages.search import keys, quality, views
from ui import kit, widgets
from ui.predictions.gate import UnansweredError, predict

PATH = "search"


def find() -> None:
    corpus = views.current()
    if not views.prepared(corpus):
        return
    query = views.ask_query(corpus)
    left, right = st.columns(2)
    with left:
        depth = views.depth(corpus)
    with right:
        widgets.slider(keys.SHOWN, "Shown")
    question = "Will the cross-encoder put another passage first?"
    try:
        gate = predict(
            keys.GUESS, question, ("Yes", "No"), "Another than the bi-encoder's first.", height=640
        )
    except UnansweredError:
        views.meanwhile(corpus)
        raise
    words = views.by_words(corpus, query)
    vector = views.by_vector(corpus, query)
    cosine = vector[0] if vector else None
    read = views.reread(corpus, query, cosine.top(depth)) if cosine else None
    known = views.answers_to(corpus, query)
    first, second, third = st.columns(3)
    with first:
        note = f"Counts shared words, rare ones more. {words[1] * 1e3:.1f} ms."
        views.column(corpus, "BM25", note, words[0], known, None)
    with second:
        note = "Cosine of two vectors." + (f" {vector[1] * 1e3:.2f} ms to compare." if vector else "")
        views.column(corpus, "Bi-encoder", note, cosine, known, None)
    with third:
        note = f"The bi-encoder's first {depth}, each read with the query for relevance. Logit."
        views.column(corpus, "Re-ranked", note, read, known, cosine)
    if read is not None and cosine is not None:
        gate.tell(
            "Yes" if read.rows[0] != cosine.rows[0] else "No",
            "Retrieving is quick because the passages were embedded before anybody asked. Re-ranking reads "
            "only a few, so it can look closer; what was not retrieved, it never sees.",
        )
    st.subheader("As a table", anchor=False)
    views.results_table(corpus, {"BM25": words[0], "Bi-encoder": cosine, "Re-ranked": read}, known)


def measure() -> None:
    corpus = views.current()
    if not corpus.questions:
        st.info("This corpus has no questions with known answers. Add some under Corpus.")
        return
    if not views.prepared(corpus):
        return
    st.markdown(
        f"{len(corpus.questions)} questions whose answers are known. Recall: are they among the first k? "
        "MRR: how far up is the first answer? nDCG: every answer, weighed by its place."
    )
    left, right = st.columns(2)
    with left:
        depth = views.depth(corpus)
    with right:
        k = widgets.slider(keys.AT, "k")
    question = "Which way has the best nDCG on these questions?"
    rule = "A tie: another way comes within 0.005 of the best."
    gate = predict(keys.GUESS_BEST, question, (*views.WAYS, "A tie"), rule)

    def tell(ndcg: dict[str, float]) -> None:
        best = [name for name, value in ndcg.items() if value > max(ndcg.values()) - 0.005]
        gate.tell(
            best[0] if len(best) == 1 else "A tie",
            "The cross-encoder for relevance learned from questions and passages of Wikipedia, and it knows "
            "the bi-encoder's cosine. Where retrieval alone is nearly always right, re-ranking can gain "
            "little and can still err, so look at the interval before you choose.",
        )

    quality.measure(corpus, k, depth, tell)


VIEWS = {"Search": find, "Measure": measure, "Map": views.draw, "Corpus": views.choose_corpus}

LEAD = (
    "A search in two stages: a quick model **retrieves** some passages from all of them, a slow one "
    "**re-ranks** those few by reading each together with the query."
)
kit.page_of_views(PATH, LEAD, keys.VIEW, VIEWS, "What to do")
