"""Texts in files: what is read, vectors that go on where they stopped, and what an index misses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.models import registry
from core.retrieval import collection as collections
from core.retrieval import embedding_run, vector_index
from core.retrieval.collection import Capacity, TextCollection
from core.retrieval.embedding_run import Embedding
from core.retrieval.ranking import Bm25Index, rank_by_cosine
from core.training.trainer import iterate
from core.types import InputError, Notice
from core.vectors import unit_rows
from tests.tiny import tiny_encoder

PLENTY = Capacity(10**9, 10**9)


def read(
    tmp_path: Path, text: str, name: str = "notes.txt", room: Capacity = PLENTY, **more: bool
) -> TextCollection:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return collections.read(str(file), "Notes", str(tmp_path / "home"), room, **more)


# --- Reading ---------------------------------------------------------------------------------------


def test_lines_become_passages_as_they_are_and_repeated_ones_are_told(tmp_path):
    found = read(tmp_path, "sea | <b>a ferry</b>\n\n  العربية 🚢  \nthe pier\nthe pier\n")
    assert found.texts[:] == ("sea | <b>a ferry</b>", "العربية 🚢", "the pier")
    assert found.notices == (Notice(collections.REPEATED, (5,)),) and found.classes == ()
    assert [p.full_text for p in found.passages[1:]] == ["العربية 🚢", "the pier"] and found.count == 3
    with pytest.raises(IndexError):
        found.texts[3]


def test_the_same_texts_are_one_collection_and_others_are_not(tmp_path):
    first, again = read(tmp_path, "a\nb\n"), read(tmp_path, "a\r\nb", "other.txt")
    assert first.folder == again.folder and collections.opened(first.folder).count == 2
    assert read(tmp_path, "ab\n").folder != first.folder
    assert {p.name for p in (tmp_path / "home").iterdir()} == {
        Path(first.folder).name,
        read(tmp_path, "ab\n").id,
    }


def test_classes_of_a_table_are_kept_with_repeated_texts(tmp_path):
    table = "text,label\n" + "it rains,weather\nsoup is hot,food\n" * 4
    found = read(tmp_path, table, "own.csv", labelled=True)
    assert found.classes == ("weather", "food") and found.codes.tolist() == [0, 1] * 4
    assert "6 of 8 texts stand there before" in found.notices[-1].text
    assert read(tmp_path, table, "own.csv").count == 2, "a search keeps each once, and no class"


def test_what_is_left_out_or_doubtful_is_told_by_its_line(tmp_path):
    table = f"text,class\nit rains,weather\n=1+1,\n{'long ' * 500},weather\n,weather\n12,sums\n"
    found = read(tmp_path, table, "own.csv", labelled=True)
    assert found.texts[:] == ("it rains", "12") and found.classes == ("weather", "sums")
    told = {notice.text: notice.lines for notice in found.notices}
    assert told[collections.UNCLASSED] == (3,) and told[collections.LONG] == (4,)
    with pytest.raises(InputError, match="No text in it has a class"):
        read(tmp_path, "one\ntwo\n", labelled=True)
    numbers = read(tmp_path, "value\n" + "\n".join(map(str, range(9))), "numbers.csv").notices
    assert numbers[-1] == Notice("9 of 9 texts hold no letter. Is this the column of the texts?")


@pytest.mark.parametrize(
    ("text", "room", "told"),
    [
        (
            "a\nb\nc\n",
            Capacity(2 * collections.TEXT_BYTES + 100, 10**9),
            "Line 3 is one too many: this machine's memory holds 2",
        ),
        (
            "a\nb\nc\n",
            Capacity(10**9, collections.TEXT_DISK + 100),
            "Line 2 is one too many: this machine's disk holds 1",
        ),
        ("b" * 2_001, PLENTY, "Every text in it has more than 2,000 characters"),
        (" \n\n", PLENTY, "There is no text in it"),
    ],
)
def test_what_cannot_be_kept_is_one_sentence_and_leaves_nothing(tmp_path, text, room, told):
    with pytest.raises(InputError, match=told):
        read(tmp_path, text, room=room)
    assert not any((tmp_path / "home").iterdir())


def test_the_room_follows_from_memory_and_disk():
    assert Capacity(10**9, 10**12).texts == 140_000 and Capacity(10**9, 10**12).is_short_of == "memory"
    assert Capacity(10**12, 10**9).texts == 350_000 and Capacity(10**12, 10**9).is_short_of == "disk"
    assert collections.capacity(-5, Path("/")).texts == 0


# --- Vectors ---------------------------------------------------------------------------------------

WORDS = ("bank", "river", "money", "cat", "dog", "bird", "runs", "sleeps", "sings", "good", "bad")


@pytest.fixture
def some(tmp_path, monkeypatch) -> TextCollection:
    """400 different texts of one to twelve words, and a tiny model."""
    rng = np.random.default_rng(3)
    texts = (" ".join(rng.choice(WORDS, rng.integers(1, 13))) + f" {i}" for i in range(400))
    encoder = tiny_encoder()
    monkeypatch.setattr(registry, "load", lambda key, seed=0: encoder)
    return read(tmp_path, "\n".join(texts))


def test_vectors_go_on_where_they_were_left(some):
    task = Embedding(some.folder, "tiny")
    trainer = task.trainer()
    assert trainer.steps == 400 and embedding_run.embedded(task, 400) is None
    for _ in zip(range(3), iterate(trainer)):
        pass
    assert 0 < trainer.step < 400 and embedding_run.embedded(task, 400) is None
    other = task.trainer()  # as after a crash: without any checkpoint
    assert other.step == trainer.step
    *_, last = iterate(other)
    assert last is not None and last.texts == 400
    z = embedding_run.vectors(some.folder, "tiny")
    np.testing.assert_allclose(z, registry.load("tiny").encode(some.texts[:]), atol=1e-5)
    notices = embedding_run.embedded(task, 400)
    assert notices == () and isinstance(z, np.memmap)


def test_batches_hold_every_row_once_and_waste_little():
    lengths = np.random.default_rng(0).integers(1, 900, 1_000)
    found = embedding_run.batches(lengths)
    assert sorted(np.concatenate(found).tolist()) == list(range(1_000))
    assert all(len(b) == 1 or lengths[b].max() * len(b) <= embedding_run.BATCH_BYTES for b in found)


def test_texts_that_are_gone_are_one_sentence(tmp_path):
    gone = str(tmp_path / "gone")
    for ask in (
        lambda: Embedding(gone, "static").trainer(),
        lambda: vector_index.nearest(gone, "tiny", np.ones(3), 1),
    ):
        with pytest.raises(InputError, match="no longer on the server"):
            ask()


# --- Indexes ---------------------------------------------------------------------------------------


@pytest.fixture
def indexed(some) -> TextCollection:
    """The same with random vectors of few dimensions, in which a graph finds most."""
    z = unit_rows(np.random.default_rng(1).normal(size=(400, 12)))
    np.save(embedding_run.vectors_file(some.folder, "few"), z)
    np.save(embedding_run.vectors_file(some.folder, "many"), z)
    return some


def test_a_small_collection_is_searched_exactly(indexed, monkeypatch):
    assert vector_index.build(indexed.folder, "few") == vector_index.IndexReport(400, True, 0.0)
    z = embedding_run.vectors(indexed.folder, "few")
    monkeypatch.setattr(vector_index, "BLOCK", 64)  # several blocks
    found, all_of_them = vector_index.nearest(indexed.folder, "few", z[7], 30), rank_by_cosine(z[7], z, 30)
    assert found.ranking.rows.tolist() == all_of_them.rows.tolist() and found.found == vector_index.FIRST
    np.testing.assert_allclose(found.ranking.scores, all_of_them.scores, atol=1e-6)


def test_a_graph_says_how_much_it_finds(indexed):
    report = vector_index.build(indexed.folder, "many", exact_up_to=100)
    assert not report.is_exact and report.asked == 200 and 0.9 <= report.recall <= 1.0
    assert vector_index.build(indexed.folder, "many") == report, "it is built once"
    z = embedding_run.vectors(indexed.folder, "many")
    found = vector_index.nearest(indexed.folder, "many", z[7], 30)
    assert found.ranking.rows[0] == 7 and (np.diff(found.ranking.scores) <= 0).all()
    np.testing.assert_allclose(found.ranking.scores, z[found.ranking.rows] @ z[7], atol=1e-6)
    assert found.exact.tolist() == rank_by_cosine(z[7], z, vector_index.FIRST).rows.tolist()
    assert found.found >= 8


def test_words_in_files_rank_as_words_in_memory(some):
    vector_index.count_words(some.folder)
    for query in ("cat 17", "money very", "the", "nothing of it", "399"):
        found, _ = vector_index.by_words(some.folder, query, 20)
        known = Bm25Index(some.texts).rank(query, 20)
        assert found.rows.tolist() == known.rows.tolist() and found.scores.tolist() == known.scores.tolist()
