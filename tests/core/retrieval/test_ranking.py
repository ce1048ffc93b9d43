"""Retrieval, re-ranking and their figures; corpora that people bring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from core.retrieval import corpus, ranking
from core.retrieval.corpus import Corpus, Passage, parse_passages, parse_questions
from core.retrieval.ranking import (
    Bm25Index,
    Ranking,
    ndcg_at,
    recall_at,
    reciprocal_rank,
)
from core.types import InputError


def small(*texts: str) -> Corpus:
    return Corpus("test", tuple(Passage(str(i), "", text) for i, text in enumerate(texts)))


# --- Ranking ---------------------------------------------------------------------------------------


def test_cosine_search_is_exact_and_stable() -> None:
    z = np.array([[0.0, 1.0], [1.0, 0.0], [0.6, 0.8], [1.0, 0.0]], np.float32)
    found = ranking.rank_by_cosine([1.0, 0.0], z)
    assert found.rows.tolist() == [1, 3, 2, 0]
    np.testing.assert_allclose(found.scores, [1.0, 1.0, 0.6, 0.0])
    assert ranking.rank_by_cosine([1.0, 0.0], z, k=2).rows.tolist() == [1, 3]


def test_bm25_finds_words_and_nothing_else() -> None:
    passages = small("Bats hunt by echo", "A purring cat", "The cat and the bat", "Rainbows").passages
    index = Bm25Index(p.full_text for p in passages)
    found = index.rank("cat purring")
    assert found.rows.tolist() == [1, 2]  # both words first; "cats" or a rainbow never
    assert (np.diff(found.scores) <= 0).all()
    assert index.rank("cat", k=1).rows.shape == (1,)
    assert len(index.rank("unheard of").rows) == 0
    assert len(index.rank("the").rows) == 0


def test_bm25_survives_a_corpus_without_words() -> None:
    assert len(Bm25Index(("the", "...")).rank("anything").rows) == 0


def test_bm25_scores_follow_the_formula() -> None:
    """Lucene's variant, k1 = 1.5 and b = 0.75, computed by hand for one word."""
    passages = small("apple pear", "apple apple apple plum cherry", "plum").passages
    found = Bm25Index(p.full_text for p in passages).rank("apple")
    lengths, counts = np.array([2, 5, 1]), np.array([1, 3, 0])
    inverse = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    expected = inverse * counts / (counts + 1.5 * (1 - 0.75 + 0.75 * lengths / lengths.mean()))
    np.testing.assert_allclose(found.scores, np.sort(expected[:2])[::-1], rtol=1e-5)


def test_reranking_reorders_what_was_retrieved_and_says_what_moved() -> None:
    before = Ranking(np.array([4, 2, 7]), np.array([0.9, 0.8, 0.7], np.float32))
    after = ranking.rerank(before, [0.1, 0.5, 0.9])
    assert after.rows.tolist() == [7, 2, 4]
    assert ranking.moves(before, after) == [2, 0, -2]
    new = Ranking(np.array([5, 4]), np.array([1.0, 0.5], np.float32))
    assert ranking.moves(before, new) == [None, -1]


# --- Figures ---------------------------------------------------------------------------------------


@given(st.data())
def test_ndcg_is_scikit_learns(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 12))
    k = data.draw(st.integers(1, n))
    answers = data.draw(st.sets(st.integers(0, n - 1), min_size=1))
    order = data.draw(st.permutations(range(n)))
    gains = np.array([[row in answers for row in range(n)]], float)
    scores = np.zeros((1, n))
    scores[0, order] = np.arange(n, 0, -1)
    assert ndcg_at(order, list(answers), k) == pytest.approx(ndcg_score(gains, scores, k=k))


@given(st.permutations(range(8)), st.sets(st.integers(0, 7), min_size=1), st.integers(1, 8))
def test_figures_stay_within_bounds(order: list[int], answers: set[int], k: int) -> None:
    known = list(answers)
    for value in (recall_at(order, known, k), reciprocal_rank(order, known, k), ndcg_at(order, known, k)):
        assert 0.0 <= value <= 1.0 + 1e-12
    assert recall_at(order, known, 8) == 1.0
    assert (reciprocal_rank(order, known, k) > 0) == (recall_at(order, known, k) > 0)


def test_means_over_queries() -> None:
    lists = [Ranking(np.array(rows), np.zeros(3, np.float32)) for rows in ([0, 1, 2], [2, 1, 0])]
    found = ranking.evaluate(lists, [[1], [0, 5]], k=3)
    assert found is not None and found.queries == 2
    assert found.recall == pytest.approx((1 + 0.5) / 2)
    assert found.reciprocal_rank == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert ranking.evaluate([], [], k=3) is None


# --- Corpora ---------------------------------------------------------------------------------------


def test_the_built_in_corpus_is_whole() -> None:
    found = corpus.built_in()
    assert len(found.passages) >= 100 and len(found.questions) >= 100
    assert len({p.id for p in found.passages}) == len({p.text for p in found.passages}) == len(found.passages)
    assert all(0 < len(p.text) <= corpus.MAX_CHARACTERS and p.title for p in found.passages)
    assert all(q.answers and q.note for q in found.questions)
    no_shared_word = [q for q in found.questions if not _finds(found, q.text, q.answers)]
    assert len(no_shared_word) >= 3, "some questions use other words than their answer"


def _finds(found: Corpus, query: str, answers: Sequence[int]) -> bool:
    return bool(set(Bm25Index(found.full_texts).rank(query, k=5).rows.tolist()) & set(answers))


def test_passages_one_a_line() -> None:
    found, notices = parse_passages("one\n\n  two  \none\n")
    assert [p.text for p in found.passages] == ["one", "two"]
    assert notices[0].lines == (4,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n\n", "no passage yet"),
        ("fine\n" + "x" * (corpus.MAX_CHARACTERS + 1), "Line 2 has 2,001 characters"),
        ("\n".join(str(i) for i in range(corpus.MAX_PASSAGES + 1)), "Line 10,001 is passage 10,001"),
    ],
)
def test_unusable_passages_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_passages(text)


def test_questions_name_passages_by_number() -> None:
    questions = parse_questions("What | why? | 2, 1, 2\n\n", small("a", "b"))
    assert [(q.text, q.answers) for q in questions] == [("What | why?", (1, 0))]


@pytest.mark.parametrize(
    "line", ["no bar", "| 1", "what? | ", "what? | 0", "what? | 3", "what? | x", "? | ²"]
)
def test_unusable_questions_are_refused_with_their_line(line: str) -> None:
    with pytest.raises(InputError, match=r"Line 2: "):
        parse_questions(f"good? | 1\n{line}", small("a", "b"))
