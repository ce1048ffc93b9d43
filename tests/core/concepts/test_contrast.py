"""Contrast: words left out, triplets read and ordered, hard negatives the hardest and nothing held out."""

from __future__ import annotations

import numpy as np
import pytest

from core.concepts import contrast
from core.data.split import make_split
from core.types import InputError, Sentence, SentenceSet


def test_leaving_out_a_word_is_asked_of_the_model_again(monkeypatch) -> None:
    from core.models import registry

    class Lengths:
        def encode(self, texts, **_):
            return np.array([[len(t), 10.0] for t in texts], np.float32)

    monkeypatch.setattr(registry, "load", lambda *_a, **_k: Lengths())
    found = contrast.word_effects("any", "aa bb", "aa cccc")
    cos = lambda a, b: (a * b + 100) / np.hypot(a, 10) / np.hypot(b, 10)  # noqa: E731
    assert found.cosine == pytest.approx(cos(5, 7), abs=1e-6)
    assert [(w.side, w.word, w.shared) for w in found.words] == [
        ("P", "aa", True),
        ("P", "bb", False),
        ("Q", "aa", True),
        ("Q", "cccc", False),
    ]
    assert found.words[0].effect == pytest.approx(cos(2, 7) - cos(5, 7), abs=1e-6)
    assert found.words[3].effect == pytest.approx(cos(5, 2) - cos(5, 7), abs=1e-6)


def test_one_word_or_too_many_are_refused() -> None:
    with pytest.raises(InputError, match="P needs at least two words"):
        contrast.word_effects("any", "one", "two words")
    with pytest.raises(InputError, match="Q has 41 words"):
        contrast.word_effects("any", "two words", "w " * 41)


def grouped(n: int = 24, groups: int = 4) -> SentenceSet:
    return SentenceSet(tuple(Sentence(f"s{i}", f"text {i}", f"g{i % groups}") for i in range(n)))


def test_hard_negatives_are_the_most_alike_and_touch_nothing_held_out() -> None:
    chosen, rng = grouped(), np.random.default_rng(0)
    z = rng.standard_normal((len(chosen), 8)).astype(np.float32)
    held_out = make_split(chosen, 20, 0.25, 7).held_out
    held = {i for p in held_out for i in (p.left, p.right)}
    found = contrast.negative_sets(z, chosen, held_out, 12, 3)
    row = chosen.row()
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)

    def mean(pairs) -> float:
        return float(np.mean([unit[row[p.left]] @ unit[row[p.right]] for p in pairs if not p.is_similar]))

    assert mean(found.hard) > mean(found.random) + 0.2
    assert [p for p in found.hard if p.is_similar] == [p for p in found.random if p.is_similar]
    assert len(found.hard) == len(found.random)
    group = {s.id: s.group for s in chosen.sentences}
    for pair in (*found.hard, *found.random):
        assert not {pair.left, pair.right} & held
        assert (group[pair.left] == group[pair.right]) == pair.is_similar
    pairs = [frozenset((p.left, p.right)) for p in found.hard]
    assert len(set(pairs)) == len(pairs)


def test_the_hardest_pair_of_all_comes_first_and_every_sentence_gets_its_own_hardest() -> None:
    chosen = grouped(6, 2)
    z = np.random.default_rng(4).standard_normal((6, 4)).astype(np.float32)
    found = contrast.hardest(z, chosen, 100)
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    cosine = unit @ unit.T
    best = max(((i, j) for i in range(6) for j in range(6) if (i + j) % 2), key=lambda p: cosine[p])
    assert {found[0].left, found[0].right} == {f"s{i}" for i in best}
    assert len(found) == 9  # all pairs of different groups, once
