"""Pairs from groups and from the model, and the split that keeps held-out sentences out of training."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from core.data.pairs import mine_pairs, pairs_from_groups
from core.data.split import _held_out_sentences, _parts, make_split
from core.data.text import same_tokens
from core.types import InputError, Pair, Sentence, SentenceSet


def grouped(*sizes: int, ungrouped: int = 0) -> SentenceSet:
    sentences = [
        Sentence(f"{g}{i}", f"text {g} {i}", f"group {g}")
        for g, size in enumerate(sizes)
        for i in range(size)
    ]
    sentences += [Sentence(f"u{i}", f"lonely {i}") for i in range(ungrouped)]
    return SentenceSet(tuple(sentences))


def key(pair: Pair) -> frozenset[str]:
    return frozenset((pair.left, pair.right))


def test_group_pairs_are_right_unique_and_as_many_as_asked() -> None:
    given = grouped(6, 6, 6, ungrouped=2)
    group = {s.id: s.group for s in given.sentences}
    pairs = pairs_from_groups(given, 40, seed=1)
    assert len(pairs) == len({key(p) for p in pairs}) == 40
    assert sum(p.label for p in pairs) == 20
    assert all(p.label == float(group[p.left] == group[p.right]) for p in pairs)
    assert not any("u" in p.left + p.right for p in pairs)


def test_the_seed_decides() -> None:
    given = grouped(6, 6)
    assert pairs_from_groups(given, 10, seed=1) == pairs_from_groups(given, 10, seed=1)
    assert pairs_from_groups(given, 10, seed=1) != pairs_from_groups(given, 10, seed=2)
    # Written down once: the same seed gives the same pairs on every machine and version.
    first = [(p.left, p.right, p.label) for p in pairs_from_groups(grouped(3, 3), 3, seed=7)]
    assert first == GOLDEN


GOLDEN = [("11", "12", 1.0), ("02", "10", 0.0), ("01", "02", 1.0)]


@pytest.mark.parametrize(("share", "similar"), [(0.0, 0), (0.25, 5), (1.0, 20)])
def test_share_of_similar_pairs(share: float, similar: int) -> None:
    pairs = pairs_from_groups(grouped(8, 8), 20, seed=3, similar_share=share)
    assert len(pairs) == 20 and sum(p.label for p in pairs) == similar


def test_all_pairs_when_fewer_exist() -> None:
    pairs = pairs_from_groups(grouped(2, 2), 1000, seed=0)
    assert sum(p.label for p in pairs) == 2 and len(pairs) == 6


def test_copies_of_a_text_make_no_pair() -> None:
    copies = SentenceSet(
        (Sentence("a", "same", "x"), Sentence("a-2", "same", "y"), Sentence("b", "other", "y"))
    )
    assert {key(p) for p in pairs_from_groups(copies, 9, 0)} == {frozenset("ab"), frozenset(("a-2", "b"))}


@pytest.mark.parametrize(
    ("count", "share", "message"), [(0, 0.5, "at least 1"), (5, 1.5, "from 0 to 1"), (5, -0.1, "from 0 to 1")]
)
def test_bounds(count: int, share: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pairs_from_groups(grouped(3, 3), count, 0, share)


def test_without_groups_the_message_says_what_to_do() -> None:
    lonely = grouped(ungrouped=4)
    for make in (
        lambda: pairs_from_groups(lonely, 3, 0),
        lambda: mine_pairs(np.eye(4, dtype=np.float32), lonely, 3),
        lambda: make_split(lonely, 3),
    ):
        with pytest.raises(InputError, match="no sentence has a group"):
            make()


# --- mining -------------------------------------------------------------------------------------------


def test_mining_finds_what_brute_force_finds() -> None:
    given = grouped(4, 5, 3, ungrouped=2)
    z = np.random.default_rng(0).normal(size=(len(given), 8)).astype(np.float32) * 3
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    rows = [(i, j) for i, j in itertools.combinations(range(12), 2)]
    group, ids = given.groups, given.ids
    negatives = sorted(
        (r for r in rows if group[r[0]] != group[r[1]]), key=lambda r: -unit[r[0]] @ unit[r[1]]
    )
    positives = sorted((r for r in rows if group[r[0]] == group[r[1]]), key=lambda r: unit[r[0]] @ unit[r[1]])
    expected_negatives = [(ids[i], ids[j]) for i, j in negatives]
    expected_positives = [(ids[i], ids[j]) for i, j in positives]

    hard = mine_pairs(z, given, 6, "hard_negative")
    assert [(p.left, p.right) for p in hard] == expected_negatives[:6] and {p.label for p in hard} == {0.0}
    hard = mine_pairs(z, given, 6, "hard_positive")
    assert [(p.left, p.right) for p in hard] == expected_positives[:6] and {p.label for p in hard} == {1.0}
    both = mine_pairs(z, given, 5)
    assert [(p.left, p.right) for p in both] == expected_negatives[:3] + expected_positives[:2]


# --- splitting ----------------------------------------------------------------------------------------


def sides(pairs: tuple[Pair, ...]) -> set[str]:
    return {i for p in pairs for i in (p.left, p.right)}


@pytest.mark.parametrize(
    "sizes", [(24, 24), (6,) * 8, (4,) * 12, (4, 4), (3, 3, 3), (20, 2, 2), (2, 2, 2, 2, 2)]
)
@pytest.mark.parametrize("seed", [0, 7, 123])
def test_group_split_keeps_held_out_sentences_out(sizes: tuple[int, ...], seed: int) -> None:
    given = grouped(*sizes)
    split = make_split(given, 60, share=0.25, seed=seed)
    assert split.train and not sides(split.train) & split.held_out_ids
    assert sides(split.held_out) <= split.held_out_ids
    assert split == make_split(given, 60, share=0.25, seed=seed)
    if len(given) >= 24:  # large enough to hold a fair share out
        assert 0.15 <= len(split.held_out_ids) / len(given) <= 0.4
        labels = [p.label for p in split.held_out]
        assert sum(labels) * 2 == len(labels) >= 2


def test_group_split_of_too_few_says_so() -> None:
    split = make_split(grouped(2, 1), 10)
    assert len(split.train) == 3 and split.held_out == () and split.held_out_ids == frozenset()
    assert "too few" in split.notices[0].text
    assert make_split(grouped(8, 8), 10, share=0).notices == ()
    assert (
        make_split(grouped(8, 8, 1), 10, share=0)
        .notices[0]
        .text.startswith("1 of 3 groups have one sentence")
    )


def split_by_sentence(given: SentenceSet, pairs: Sequence[Pair], share: float, seed: int) -> Any:
    return _parts(pairs, _held_out_sentences(given, pairs, share, seed))


def test_given_pairs_are_train_held_out_or_dropped() -> None:
    given = grouped(20, 20)
    pairs = pairs_from_groups(given, 300, seed=5)
    train, held_out, dropped = split_by_sentence(given, pairs, 0.25, seed=1)
    assert sorted(map(key, pairs), key=sorted) == sorted(map(key, train + held_out + dropped), key=sorted)
    assert not sides(train) & sides(held_out)
    assert all((p.left in sides(held_out)) != (p.right in sides(held_out)) for p in dropped)
    assert len(train) > len(held_out) > 0 and dropped
    split = make_split(given, 0, 0.25, 1, pairs=pairs)
    assert (split.train, split.held_out) == (train, held_out)
    assert split.notices[0].text.startswith(f"{len(dropped)} of 300 pairs")


def test_unconnected_pairs_are_held_out_whole() -> None:
    given = grouped(ungrouped=40)
    pairs = tuple(Pair(f"u{i}", f"u{i + 1}", 1.0) for i in range(0, 40, 2))
    train, held_out, dropped = split_by_sentence(given, pairs, 0.25, seed=3)
    assert (len(train), len(held_out), len(dropped)) == (15, 5, 0)


def test_a_connected_web_without_groups_still_gets_held_out_pairs() -> None:
    given = grouped(ungrouped=20)
    pairs = tuple(Pair(f"u{i}", f"u{i + 1}", 1.0) for i in range(19))
    train, held_out, dropped = split_by_sentence(given, pairs, 0.25, seed=3)
    assert train and held_out and len(train) + len(held_out) + len(dropped) == 19


@pytest.mark.parametrize("seed", range(5))
def test_random_negatives_do_not_stop_the_asked_share(seed: int) -> None:
    """173 tickets in 60 questions, each with its paraphrases, joined into one web by random negatives."""
    rng = np.random.default_rng(seed)
    given = grouped(ungrouped=173)
    cluster = [i % 60 for i in range(173)]
    same = [(i, j) for i in range(173) for j in range(i) if cluster[i] == cluster[j]][:100]
    other = [(a, b) for a, b in rng.integers(0, 173, (300, 2)).tolist() if cluster[a] != cluster[b]][:100]
    pairs = tuple(Pair(f"u{a}", f"u{b}", y) for y, part in ((1.0, same), (0.0, other)) for a, b in part)
    train, held_out, dropped = split_by_sentence(given, pairs, 0.25, seed)
    assert 0.2 <= len(held_out) / (len(held_out) + len(train)) <= 0.3
    assert {p.label for p in held_out} == {0.0, 1.0} and not sides(train) & sides(held_out)
    assert sum(p.is_similar for p in dropped) == 0, "negatives are cut first"
    assert len(dropped) < 60


def test_what_the_model_reads_alike_is_one_sentence() -> None:
    texts = ["Where is my key?", "where is  my key?", "Wh\u00e9re is my key?", "Where is my\u200b key?"]
    others = [f"sentence {i}" for i in range(12)]
    given = SentenceSet(tuple(Sentence(str(i), t) for i, t in enumerate([*texts, *others])))
    pairs = [Pair(str(i), str(i + 4), 1.0) for i in range(4)] + [
        Pair(str(i), str(i + 4), 1.0) for i in range(8, 12)
    ]
    for seed in range(8):
        train, held_out, _ = split_by_sentence(given, pairs, 0.3, seed)
        known, unseen = ({i for i in sides(part) if int(i) < 4} for part in (train, held_out))
        assert not (known and unseen), "a held-out sentence was trained on in another spelling"
    assert len({same_tokens(t) for t in texts}) == 1


def test_few_held_out_pairs_are_said_to_be_few() -> None:
    pairs = tuple(Pair(f"u{i}", f"u{i + 1}", 1.0) for i in range(0, 40, 2))
    notices = make_split(grouped(ungrouped=40), 0, 0.25, 3, pairs=pairs).notices
    assert any("Only 5 pairs are held out" in notice.text for notice in notices)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_tiny_sets_always_leave_something_to_train_on(n: int, seed: int) -> None:
    for given in (grouped(ungrouped=n), grouped(n - 1, 1)):
        for count in range(1, n):
            pairs = tuple(Pair(given.ids[i], given.ids[i + 1], float(i % 2)) for i in range(count))
            train, held_out, dropped = split_by_sentence(given, pairs, 0.5, seed)
            assert train and len(train) + len(held_out) + len(dropped) == count
            assert held_out or not dropped
            assert not sides(train) & sides(held_out)


def test_held_out_pairs_of_one_kind_are_completed_from_groups() -> None:
    given = grouped(8, 8, 8)
    positives = pairs_from_groups(given, 500, seed=0, similar_share=1.0)
    split = make_split(given, 0, 0.25, 2, pairs=positives)
    assert {p.label for p in split.train} == {1.0}
    assert {p.label for p in split.held_out} == {0.0, 1.0}
    assert not sides(split.train) & split.held_out_ids and sides(split.held_out) <= split.held_out_ids


def test_copies_of_a_held_out_text_are_not_trained_on() -> None:
    texts = [f"text {i % 10}" for i in range(20)]
    given = SentenceSet(tuple(Sentence(str(i), t, "a" if i % 2 else "b") for i, t in enumerate(texts)))
    for seed in range(5):
        split = make_split(given, 50, 0.3, seed)
        text = {s.id: s.text for s in given.sentences}
        assert not {text[i] for i in sides(split.train)} & {text[i] for i in split.held_out_ids}
        lonely = SentenceSet(tuple(Sentence(s.id, s.text) for s in given.sentences))
        pairs = [Pair(str(i), str((i + 1) % 20), 1.0) for i in range(20)]
        train, held_out, _ = split_by_sentence(lonely, pairs, 0.5, seed)
        assert train and not {text[i] for i in sides(train)} & {text[i] for i in sides(held_out)}


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_share_bounds(share: float) -> None:
    with pytest.raises(InputError, match="at least 0 and below 1"):
        make_split(grouped(4, 4), 5, share)
