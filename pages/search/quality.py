"""How good the three orders are over all questions with known answers, and what re-ranking changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.metrics.intervals import paired_bootstrap
from core.retrieval import ranking as retrieval
from core.retrieval.corpus import Corpus, Question
from core.retrieval.ranking import Ranking
from pages.search import views
from ui import messages
from ui.batches import readings
from ui.charts import chart
from ui.figures import cross_encoder
from ui.tables import safe_table


def measure(corpus: Corpus, k: int, limit: int, then: Callable[[dict[str, float]], None]) -> None:
    """recall@k, MRR and nDCG of the three ways over all questions; `then` gets the nDCG of each."""
    questions = corpus.questions
    texts = tuple(question.text for question in questions)
    if (found := views.all_orders(corpus, texts)) is None:
        return
    words, cosine = found
    pairs = [retrieval.pairs_to_read(t, corpus, first.top(limit)) for t, first in zip(texts, cosine)]
    orders = {views.WAYS[0]: words, views.WAYS[1]: cosine}
    every = [pair for some in pairs for pair in some]
    if views.finished(readings(), every, "pairs of question and passage read"):
        messages.notices(views.logits_of(every)[1])
        scores = [views.logits_of(some)[0] for some in pairs]
        orders[views.WAYS[2]] = [retrieval.rerank(c.top(limit), s) for c, s in zip(cosine, scores)]
    answers = [question.answers for question in questions]
    quality = {name: retrieval.evaluate(rankings, answers, k) for name, rankings in orders.items()}
    rows = {
        name: (one.recall, one.reciprocal_rank, one.ndcg) for name, one in quality.items() if one is not None
    }
    names = (f"recall@{k}", f"MRR@{k}", f"nDCG@{k}")
    chart(cross_encoder.quality(names, rows), "search_quality", "Recall, MRR and nDCG of the three ways")
    columns = {name: [values[i] for values in rows.values()] for i, name in enumerate(names)}
    safe_table({"way": list(rows), **columns}, key="search_quality_rows", name="quality")
    if len(rows) == len(views.WAYS):
        _changed(orders[views.WAYS[1]], orders[views.WAYS[2]], answers, k)
        then({name: values[2] for name, values in rows.items()})
    _by_question(questions, orders)


def _changed(
    before: Sequence[Ranking], after: Sequence[Ranking], answers: Sequence[Sequence[int]], k: int
) -> None:
    """What re-ranking did to nDCG@k, with the interval over questions."""
    asked = list(zip(before, after, answers))
    changes = np.array(
        [
            retrieval.ndcg_at(b.rows.tolist(), known, k) - retrieval.ndcg_at(a.rows.tolist(), known, k)
            for a, b, known in asked
        ]
    )
    low, high = paired_bootstrap(changes)
    st.markdown(
        f"Re-ranking changed nDCG@{k} by **{changes.mean():+.3f}**, 95% interval {low:+.3f} to {high:+.3f}: "
        f"better for {(changes > 0).sum()} questions, worse for {(changes < 0).sum()}, equal for "
        f"{(changes == 0).sum()}."
    )
    st.caption(
        "The interval is a paired bootstrap: the questions are drawn anew 5,000 times, each with both of its "
        "orders. Where it holds 0, these questions are too few to say which order is better."
    )


def _by_question(questions: Sequence[Question], orders: dict[str, list[Ranking]]) -> None:
    """The place of the first answer of every question in each list."""
    st.markdown("**Place of the first answer, question by question**")
    columns: dict[str, list[str]] = {"question": [question.text for question in questions]}
    for name, rankings in orders.items():
        columns[name] = [_first_answer(r, q) for r, q in zip(rankings, questions)]
    columns["what makes it easy or hard"] = [question.note for question in questions]
    safe_table(columns, key="search_questions", name="questions")


def _first_answer(ranking: Ranking, question: Question) -> str:
    place = ranking.ranks()
    return str(min((place[row] for row in question.answers if row in place), default="–"))
