"""The files that people really have (../shared/cases, one row of its table each): read as a person would.

Kinds that have no file there, and the siblings of each, are tested where their reader is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cards import export
from core.cards.decks.files import read_file
from core.concepts.triplets import parse_triplets
from core.data.columns import AS_FOUND, Choice
from core.data.files import pairs as pairs_of
from core.data.pair_files import parse_pair_table
from core.data.sentences import parse_sentences, parse_table
from core.models.embedding import unread
from core.retrieval.corpus import parse_passages
from core.retrieval.ranking import Bm25Index
from core.types import SentenceSet


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


def sentences(file: Path, name: str = "", choice: Choice = AS_FOUND) -> list[tuple[str | None, str]]:
    found = parse_table(file.read_bytes(), name or file.name, choice).sentence_set.sentences
    return [(s.group, s.text) for s in found]


def pairs(file: Path) -> tuple[list[tuple[str, str, float]], str]:
    """(left, right, label) of each pair, and all that is said of the file."""
    parsed = parse_pair_table(file.read_bytes(), file.name, SentenceSet(()))
    text = {s.id: s.text for s in parsed.sentence_set.sentences}
    said = " ".join(notice.said(file.name) for notice in parsed.notices)
    return [(text[p.left], text[p.right], p.label) for p in parsed.pairs], said


def cards(file: Path) -> tuple[list[tuple[str, str]], list[tuple[int, ...]]]:
    deck, notices = read_file(file.read_bytes(), file.name, file.stem)
    return [(card.question, card.answer) for card in deck.cards], [notice.lines for notice in notices]


def test_the_group_is_the_side_that_repeats(cases):
    file = cases / "text_tab_label.txt"
    expected = [("negative", "The kettle broke after two days."), ("positive", "Lovely sound for the price.")]
    for name in ("t.txt", "t.csv", "t.tsv"):
        assert sentences(file, name)[:2] == expected
    pasted = parse_sentences(file.read_text()).sentence_set.sentences
    assert [(s.group, s.text) for s in pasted][:2] == expected
    swapped = sentences(file, "t.txt", Choice(columns=("2", "1")))
    assert swapped[0] == ("The kettle broke after two days.", "negative")


@pytest.mark.parametrize(
    ("name", "count", "groups", "said"),
    [
        ("reviews.csv", 4, {"positive", "negative"}, "sentence = review, group = sentiment"),
        ("onecol.csv", 2, {None}, "sentence = review"),
        ("sep.csv", 2, {"travel", "food"}, "sentence = sentence, group = group"),
        ("chat.jsonl", 4, {"good", "bad"}, "sentence = text, group = label"),
    ],
)
def test_rows_of_names_and_other_forms(cases, name, count, groups, said):
    file = cases / name
    found = sentences(file)
    assert (len(found), {group for group, _ in found}) == (count, groups)
    assert said in parse_table(file.read_bytes(), name).notices[0].text


@pytest.mark.parametrize(
    ("name", "rows", "trained", "said"),
    [
        ("repeated_pairs.csv", 6, 6, ""),
        ("multi.csv", 3, 2, "A pair with several labels is trained on their mean."),
        ("nli.csv", 3, 3, "Entailment was read as 1, neutral as 0.5 and contradiction as 0."),
        ("anchor_positive.csv", 2, 2, "There are no labels"),
        ("quora.tsv", 2, 2, "line 3: Rows with an empty text"),
    ],
)
def test_score_keeps_every_row_of_pairs_and_training_says_what_it_makes_of_them(
    cases, name, rows, trained, said
):
    assert pairs_of(cases / name).count == rows
    found, told = pairs(cases / name)
    assert len(found) == trained and said in told


def test_two_scores_of_a_pair_become_their_mean(cases):
    assert pairs(cases / "multi.csv")[0][0] == ("A cat sleeps.", "A cat is asleep.", pytest.approx(0.8))


def test_what_the_model_does_not_read_is_said(cases):
    def told(name: str) -> str:
        found = [text for left, right, _ in pairs(cases / name)[0] for text in (left, right)]
        return " ".join(notice.text for notice in unread("minilm-l6", 0, found))

    assert "more than the 256 tokens" in told("long_cjk.csv") and "“今今今" in told("long_cjk.csv")
    assert "[UNK]: 😀 😡" in told("emoji.csv")


@pytest.mark.parametrize(
    ("name", "questions", "left_out"),
    [
        ("deck_rating.md", ["What is topic 1?", "What is topic 2?"], ["**Rating: 9/10**"]),
        ("deck_h3.md", ["What is topic 1?", "What is topic 2?"], ["### Section B"]),
        ("deck_colonx.md", ["What is topic 1?", "What is topic 2?", "What is topic 3?"], []),
        ("deck_two_questions.md", ["First?", "Second?", "What is topic 2?"], ["??x"]),
        ("deck_marker_in_code.md", ["Real question?"], []),
        ("deck_fence.md", ["How is a card written?", "What is topic 2?"], []),
        ("deck_fence4.md", ["How do I nest a fence?", "What is topic 2?"], []),
    ],
)
def test_what_can_be_read_of_a_deck_is_read_and_the_rest_is_listed(cases, name, questions, left_out):
    found, told = cards(cases / name)
    lines = (cases / name).read_text().split("\n")
    assert [question for question, _ in found] == questions
    assert [lines[line - 1] for notice in told for line in notice] == left_out
    fenced = {"deck_fence.md": "That is all.", "deck_fence4.md": "#### nor this\n````"}
    assert found[0][1].endswith(fenced.get(name, ""))


def test_apostrophes_of_a_deck_stay_there_and_back(cases):
    expected = [("'-ing' or '-ed'?", "'-ing'"), ("'=' or '=='?", "'=='")]
    assert cards(cases / "deck_apostrophes.csv")[0] == expected
    deck, _ = read_file((cases / "deck_apostrophes.csv").read_bytes(), "d.csv", "d")
    again, _ = read_file(export.to_csv(deck).encode(), "d.csv", "d")
    assert [(card.question, card.answer) for card in again.cards] == expected


def test_ankis_export_has_no_tags_and_asks_its_cloze(cases):
    found, _ = cards(cases / "anki_export.txt")
    assert found[0] == ("What does pooling do?", "It makes one vector of many.")
    assert "[…]" in found[1][0] and "France" in found[1][1] and "{{" not in "".join(found[1])


@pytest.mark.parametrize(("query", "row"), [("C++", 0), ("R", 1), ("天气", 2), ("cafe", 4)])
def test_queries_find_their_passage(cases, query, row):
    passages = parse_passages((cases / "passages.txt").read_text(encoding="utf-8"))[0].passages
    assert Bm25Index(p.full_text for p in passages).rank(query).rows.tolist() == [row]


def test_labels_that_are_numbers_stay_texts(cases):
    found = parse_triplets((cases / "triplets_numeric.txt").read_text())
    assert [triplet.anchor for triplet in found] == ["2019", "2020", "1984"]
