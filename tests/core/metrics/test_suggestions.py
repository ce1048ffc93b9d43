"""Groups that changed together: found where they were made, named by their own words, none where none is."""

from __future__ import annotations

import numpy as np

from core.metrics import comparison, suggestions

DISHES = ("soup", "bread", "rice", "salt", "oven", "apple")
MOVED = tuple(range(6))


def clouds() -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Thirty rows about weather and ships; the six about food go from the weather to the ships."""
    rng = np.random.default_rng(3)
    weather, ships = np.eye(8)[:2]
    home = np.array([weather] * 18 + [ships] * 12)
    before = home + 0.15 * rng.normal(size=home.shape)
    after = before.copy()
    after[list(MOVED)] = ships + 0.15 * rng.normal(size=(6, 8))
    texts = [f"The {dish} was on our table." for dish in DISHES]
    texts += [f"The rain fell on day {i}." for i in range(12)] + [
        f"The ferry left at {i}." for i in range(12)
    ]
    return before.astype(np.float32), after.astype(np.float32), texts


def test_the_group_that_moved_is_found_and_named_by_its_own_words():
    before, after, texts = clouds()
    first = suggestions.suggest(before, after, texts)[0]
    assert set(first.rows) <= set(MOVED) and len(first.rows) >= suggestions.FEWEST
    assert first.words[0] == "table"
    assert "ferry" in first.came and "rain" in first.went and first.overlap < 0.5


def test_nothing_is_suggested_where_nothing_changed():
    before, _, texts = clouds()
    assert suggestions.suggest(before, before, texts) == ()
    assert suggestions.suggest(before[:2], before[1::-1], texts[:2]) == ()


def test_a_word_that_all_texts_have_names_nobody():
    texts = ["that grey dog", "that grey cat", "that blue car", "that blue bus"]
    assert suggestions.telling_words(texts, (0, 1)) == ("grey",)
    assert suggestions.telling_words(texts, ()) == ()


def test_shuffled_vectors_keep_their_numbers_and_lose_their_neighbours():
    before, _, _ = clouds()
    mixed = comparison.shuffled(before, seed=1)
    assert np.allclose(np.linalg.norm(mixed, axis=1), 1, atol=1e-6)
    changes = comparison.neighbour_changes(before, mixed)
    assert np.mean([change.overlap for change in changes]) < 0.4
    assert np.array_equal(mixed, comparison.shuffled(before, seed=1))
