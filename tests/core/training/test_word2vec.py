"""Word2vec against gensim, against finite differences and against its own definition of randomness."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.metrics.measures import mean_random_cosine
from core.training import word2vec
from core.training.trainer import iterate
from core.training.word2vec import Settings, Word2vecTrainer, grammar, kernel
from core.training.word2vec.text import read
from core.types import InputError

EPOCHS = 12
SHARED = 0.65  # of the five nearest; two gensim runs with different seeds share about 0.8


@pytest.fixture(scope="module")
def corpus():
    return read(grammar.text())


@pytest.fixture(scope="module")
def trained(corpus):
    return list(word2vec.train(corpus, Settings(epochs=EPOCHS), 10))


def until(trainer, step):
    *_, state = iterate(trainer, step)
    return state


def sentences_of(corpus):
    words = [corpus.vocabulary[w] for w in corpus.words]
    return [words[a:b] for a, b in zip(corpus.bounds[:-1], corpus.bounds[1:])]


# ---- the learning itself


def test_neighbours_and_analogies_agree_with_gensim(corpus, trained):
    gensim = pytest.importorskip("gensim.models")
    reference = gensim.Word2Vec(
        sentences_of(corpus),
        vector_size=50,
        window=4,
        sg=1,
        hs=0,
        negative=5,
        ns_exponent=0.75,
        sample=0.01,
        alpha=0.05,
        min_alpha=1e-4,
        epochs=EPOCHS,
        seed=7,
        workers=1,
        min_count=1,
    )
    theirs, ours = reference.wv[list(corpus.vocabulary)], trained[-1].vectors
    row = corpus.row()
    shares = []
    for word in grammar.groups():
        near = [{i for i, _ in word2vec.nearest(v, v[row[word]], (row[word],), 5)} for v in (ours, theirs)]
        shares.append(len(near[0] & near[1]) / 5)
    assert np.mean(shares) > SHARED
    assert word2vec.analogy_accuracy(corpus, theirs, grammar.analogies()) > 0.9
    assert word2vec.analogy_accuracy(corpus, ours, grammar.analogies()) > 0.9
    assert word2vec.analogy_accuracy(corpus, trained[0].vectors, grammar.analogies()) < 0.1


def test_the_loss_falls_and_snapshots_are_sealed(trained):
    losses = [s.loss for s in trained[1:]]
    assert losses[-1] < 0.5 * losses[0]
    assert losses[0] > 2.0  # near 6 log 2 = 4.16 at the very start, k = 5
    with pytest.raises(ValueError):
        trained[-1].vectors[0, 0] = 1.0


def test_a_run_does_not_depend_on_how_it_is_cut(corpus, tmp_path):
    settings, file = Settings(epochs=1, dimensions=8), tmp_path / "step-000001.safetensors"
    whole = until(Word2vecTrainer(corpus, settings), 1000)
    for step in (1, 7, 500, 1000):
        trainer = Word2vecTrainer(corpus, settings)
        if file.exists():
            trainer.load(file)
        state = until(trainer, step)
        trainer.save(file)
    assert np.array_equal(state.vectors, whole.vectors) and np.array_equal(state.contexts, whole.contexts)
    other = Settings(epochs=1, dimensions=8, seed=8)
    assert not np.array_equal(whole.vectors, until(Word2vecTrainer(corpus, other), 1000).vectors)


def test_without_negatives_all_words_line_up(corpus):
    settings = Settings(negatives=0, epochs=6)
    *_, end = word2vec.train(corpus, settings)
    assert mean_random_cosine(end.vectors) > 0.9


# ---- the gradient


def pair_loss(word: NDArray[Any], neighbour: NDArray[Any], negatives: NDArray[Any]) -> float:
    """L in core/training/word2vec. word (d,) is v, neighbour (d,) and negatives (k, d) are u."""
    scores = np.concatenate([[neighbour @ word], -(negatives @ word)])
    return float(np.logaddexp(0.0, -scores).sum())


def pair_gradients(
    word: NDArray[Any], neighbour: NDArray[Any], negatives: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Derivatives of pair_loss by word (d,), neighbour (d,) and negatives (k, d)."""
    real = sigmoid(neighbour @ word) - 1.0  # negative: the pair is pulled together
    random = sigmoid(negatives @ word)  # (k,) positive: pushed apart
    return real * neighbour + random @ negatives, real * word, random[:, None] * word


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return 1.0 / (1.0 + np.exp(-x))


def test_gradients_by_finite_differences():
    draw = np.random.default_rng(0)
    parts = [draw.normal(size=6), draw.normal(size=6), draw.normal(size=(3, 6))]
    for which, gradient in enumerate(pair_gradients(*parts)):
        for place in np.ndindex(parts[which].shape):
            moved = [[p.copy() for p in parts] for _ in range(2)]
            for sign, copy in zip((1, -1), moved):
                copy[which][place] += sign * 1e-6
            slope = (pair_loss(*moved[0]) - pair_loss(*moved[1])) / 2e-6
            assert gradient[place] == pytest.approx(slope, abs=1e-6)


def test_the_compiled_step_goes_down_that_gradient():
    draw = np.random.default_rng(1)
    vectors = draw.normal(size=(5, 8)).astype(np.float32)
    contexts = draw.normal(size=(5, 8)).astype(np.float32)
    v, u, rate = vectors.copy(), contexts.copy(), 0.1
    loss = kernel.learn(np.array([[0, 1, 2, 3, -1]], np.int32), v, u, rate)
    gradients = pair_gradients(vectors[0], contexts[1], contexts[2:4])
    assert loss == pytest.approx(pair_loss(vectors[0], contexts[1], contexts[2:4]), rel=1e-5)
    assert np.allclose(v[0], vectors[0] - rate * gradients[0], atol=1e-5)
    assert np.allclose(u[1], contexts[1] - rate * gradients[1], atol=1e-5)
    assert np.allclose(u[2:4], contexts[2:4] - rate * gradients[2], atol=1e-5)
    assert np.array_equal(v[1:], vectors[1:]) and np.array_equal(u[[0, 4]], contexts[[0, 4]])


# ---- what is drawn


def test_negatives_are_drawn_by_frequency_to_the_three_quarters():
    counts = np.array([800, 100, 60, 30, 10])
    chances = np.diff(word2vec.negative_table(counts), prepend=0.0)
    expected = counts**0.75 / (counts**0.75).sum()
    assert np.allclose(chances, expected)
    words = np.tile(np.array([0, 1, 2, 3, 4], np.int32), 400)  # the neighbours are spread evenly
    pairs = kernel.pairs_of_sentence(
        words, 0, len(words), np.ones(5), word2vec.negative_table(counts), 2, 10, 7, 0
    )
    hit = pairs[:, 2:] < 0
    for neighbour in range(5):  # a draw of the neighbour itself is dropped: -1 as often as it is drawn
        assert hit[pairs[:, 1] == neighbour].mean() == pytest.approx(expected[neighbour], abs=0.02)
    drawn = pairs[pairs[:, 1] == 4][:, 2:]
    for word in range(4):
        assert (drawn == word).mean() == pytest.approx(expected[word], abs=0.02)


def test_frequent_words_are_kept_with_the_chance_of_the_paper():
    counts = np.array([9000, 900, 100])
    keep = word2vec.keep_chances(counts, 0.01)
    assert keep == pytest.approx([np.sqrt(0.01 / 0.9), np.sqrt(0.01 / 0.09), 1.0])
    assert word2vec.keep_chances(counts, 0.0).tolist() == [1.0, 1.0, 1.0]
    uniform = np.array([kernel.uniform(7, 0, place, kernel.KEEP) for place in range(20_000)])
    assert (uniform < keep[0]).mean() == pytest.approx(keep[0], abs=0.01)


def test_random_numbers_are_uniform_and_their_arguments_independent():
    draws = np.array([[kernel.uniform(s, 1, p, 2) for p in range(400)] for s in range(25)])
    assert draws.min() >= 0.0 and draws.max() < 1.0
    assert np.histogram(draws, 10, (0, 1))[0] == pytest.approx(np.full(10, 1000), abs=150)
    assert np.abs(np.corrcoef(draws) - np.eye(25)).max() < 0.25


def test_the_reach_is_drawn_up_to_the_window_and_stays_in_the_sentence():
    words = np.arange(60, dtype=np.int32) % 50
    table = word2vec.negative_table(np.ones(50, np.int64))
    pairs = kernel.pairs_of_sentence(words, 10, 40, np.ones(50), table, 3, 1, 7, 0)
    distance = np.abs(pairs[:, 0] - pairs[:, 1])
    assert set(distance.tolist()) == {1, 2, 3}
    assert pairs[:, :2].min() == 10 and pairs[:, :2].max() == 39
    assert (distance == 1).sum() == 58 and (distance == 3).sum() < (distance == 2).sum() < 58


# ---- text


def test_reading_a_text():
    text = (
        "The cat's bowl. The CAT’S bowl was empty!\n\nA cat, a bowl: 42 cats?" + " The bowl is the bowl." * 20
    )
    corpus = read(text)
    assert "cat's" in corpus.vocabulary and "42" not in corpus.vocabulary and "cats" not in corpus.vocabulary
    assert corpus.vocabulary[0] in ("the", "bowl")
    assert corpus.counts.sum() == len(corpus.words) == corpus.bounds[-1]
    row = corpus.row()
    beside = word2vec.companions(corpus, row["is"], 1)
    assert beside[row["bowl"]] == 20 and beside[row["the"]] == 20 and beside.sum() == 40


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "in the text: 0;"), ("one two three " * 30, "in the text: 3;"), ("a" * 300_001, "limit is")],
)
def test_texts_that_will_not_do_are_explained(text, words):
    with pytest.raises(InputError, match=words):
        read(text)


def test_settings_out_of_bounds_are_named(corpus):
    with pytest.raises(InputError, match="Window is 99"):
        word2vec.start(corpus, Settings(window=99))


def test_the_story_is_long_enough_and_learned():
    from pages.word2vec.setup import TEXT_FILE

    text = TEXT_FILE.read_text(encoding="utf-8")
    assert len(text.split()) > 1500
    corpus, settings = read(text), Settings(epochs=60)
    *_, end = word2vec.train(corpus, settings)
    row = corpus.row()
    near = [
        corpus.vocabulary[i] for i, _ in word2vec.nearest(end.vectors, end.vectors[row["herring"]], (), 8)
    ]
    assert "mackerel" in near and "cod" in near


# ---- the grammar


def test_the_grammar_repeats_itself_with_its_seed_and_knows_its_words():
    assert grammar.sentences(50, 3) == grammar.sentences(50, 3) != grammar.sentences(50, 4)
    words = {word for sentence in grammar.sentences() for word in sentence.split()}
    assert set(grammar.groups()) <= words
    assert all(set(question) <= words for question in grammar.analogies())
    assert ("king", "queen", "man", "woman") in grammar.analogies()
    assert ("paris", "france", "tokyo", "japan") in grammar.analogies()
