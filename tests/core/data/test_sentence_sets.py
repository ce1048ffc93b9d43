"""The built-in sets: readable, distinct, and each makes its point with the real, untouched model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.data.sentence_sets import BuiltInSet, list_sets, load_set
from core.data.sentences import parse_sentences, to_text
from core.data.split import make_split
from core.models.registry import load
from core.types import FloatArray, InputError

KEYS = tuple(info.key for info in list_sets())

GOOD = """
title = "T"
point = "P"
question = "Q"
groups_are = "G"
source = "S"
pair_count = 3

[[block]]
group = "a"
sentences = ["one", "two"]

[[block]]
group = "b"
sentences = ["three", "four"]
"""


def test_eight_sets_in_their_order() -> None:
    expected = "sentiment bank_intents negation homonyms questions collapse register word_order"
    assert " ".join(KEYS) == expected


@pytest.mark.parametrize("key", KEYS)
def test_a_set_is_ready_to_train(key: str) -> None:
    loaded = load_set(key)
    sentence_set = loaded.sentence_set
    assert 30 <= len(sentence_set) <= 60
    assert sentence_set.has_groups
    assert len(loaded.attributes) == len(sentence_set)
    assert loaded.source == "written for Embedding Lab"
    assert loaded.config().seed == 7
    assert loaded.settings["steps"] in range(20, 100, 5)  # measured: benchmarks/bench_steps.py
    assert loaded.pair_count >= 30
    assert loaded.pairs is None or loaded.pair_count == len(loaded.pairs)
    assert parse_sentences(to_text(sentence_set)).sentence_set.sentences == sentence_set.sentences
    split = make_split(
        sentence_set, loaded.pair_count, 0.25, 7, pairs=loaded.pairs, similar_share=loaded.similar_share
    )
    assert len(split.train) >= 30 and len(split.held_out) >= 10
    assert {p.label for p in split.held_out} == {0.0, 1.0}


def test_no_sentence_stands_in_two_sets() -> None:
    texts = [text.casefold() for key in KEYS for text in load_set(key).sentence_set.texts]
    assert len(texts) == len(set(texts))


def test_the_collapse_set_only_pulls() -> None:
    assert {p.label for p in load_set("collapse").pairs or ()} == {1.0}


# --- with the untouched model -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def embeddings() -> dict[str, FloatArray]:
    encoder = load("minilm-l6")
    return {key: encoder.encode(list(load_set(key).sentence_set.texts)) for key in KEYS}


def nearest_shares(z: FloatArray, names: tuple[str | None, ...]) -> float:
    """Share of the 3 nearest neighbours that bear the same name."""
    cosine = z @ z.T
    np.fill_diagonal(cosine, -2)
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :3]
    codes = np.unique(np.array(names, str), return_inverse=True)[1]
    return float((codes[nearest] == codes[:, None]).mean())


def label_cosine(loaded: BuiltInSet, z: FloatArray, label: float) -> float:
    row = loaded.sentence_set.row()
    return float(np.mean([z[row[p.left]] @ z[row[p.right]] for p in loaded.pairs or () if p.label == label]))


@pytest.mark.parametrize("key", ["sentiment", "negation", "word_order"])
def test_neighbours_go_by_topic_before_training(key: str, embeddings: dict[str, FloatArray]) -> None:
    loaded = load_set(key)
    assert nearest_shares(embeddings[key], loaded.attributes) > 0.7
    assert nearest_shares(embeddings[key], loaded.sentence_set.groups) < 0.55


@pytest.mark.parametrize("key", ["negation", "word_order"])
def test_opposites_are_as_close_as_paraphrases(key: str, embeddings: dict[str, FloatArray]) -> None:
    loaded = load_set(key)
    assert label_cosine(loaded, embeddings[key], 0.0) > label_cosine(loaded, embeddings[key], 1.0) - 0.03


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("bank_intents", 0.3, 0.7),
        ("homonyms", 0.6, 0.9),
        ("questions", 0.4, 0.8),
        ("collapse", 0.6, 0.9),
        ("register", 0.5, 0.8),
    ],
)
def test_groups_are_partly_there_before_training(
    key: str, low: float, high: float, embeddings: dict[str, FloatArray]
) -> None:
    assert low < nearest_shares(embeddings[key], load_set(key).sentence_set.groups) < high


def test_register_is_sorted_by_message_too(embeddings: dict[str, FloatArray]) -> None:
    assert nearest_shares(embeddings["register"], load_set("register").attributes) > 0.5  # chance is 0.15


# --- files --------------------------------------------------------------------------------------------


def test_one_file_is_one_set(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (info,) = list_sets(tmp_path)
    assert (info.key, info.title, info.attribute) == ("mine", "T", None)
    assert info.sentence_set.groups == ("a", "a", "b", "b")
    assert load_set("mine", tmp_path).pairs is None


def test_unknown_key() -> None:
    with pytest.raises(InputError, match=r"no sentence set '\.\./x'.*sentiment"):
        load_set("../x")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "T"', "title = ", "mine.toml is not valid TOML"),
        ('title = "T"\n', "", "mine.toml, title: it is missing"),
        (
            'point = "P"',
            'point = "P"\nextra = 1',
            "mine.toml, line 4, extra: there is no such field here. Known are title",
        ),
        ("pair_count = 3", "", "either pairs or pair_count"),
        ("pair_count = 3", 'pairs = "one | five | 1"', "pairs: line 1: every pair must join two sentences"),
        ("pair_count = 3", 'pairs = "one | two | 9"', "mine.toml, line 7, pairs: Line 1: the score 9"),
        (
            "pair_count = 3",
            "pair_count = 3\nsimilar_share = 2",
            "similar_share: it must be a number from 0 to 1, not 2",
        ),
        ("pair_count = 3", "pair_count = 3\nsettings = {stepz = 1}", "[settings]: Unknown setting 'stepz'"),
        ('["three", "four"]', '["three", "one"]', "block 2: 'one' stands in the file twice"),
        ('["three", "four"]', '["three", " four"]', "block 2, sentences 2: ' four' must be a text without"),
        ('["three", "four"]', "[]", "block 2, sentences: it has 0 entries; at least 1 are needed"),
        ('group = "b"', 'group = "b"\nattribute = "x"', "block 2: attribute must be given in every block"),
        (
            'group = "b"',
            'group = "b"\ncolour = "x"',
            "block 2, colour: there is no such field here. Known are group",
        ),
    ],
)
def test_a_bad_file_says_what_to_mend(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    (tmp_path / "mine.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(InputError) as caught:
        list_sets(tmp_path)
    assert message in str(caught.value)
