"""Why P and not Q: which words move a similarity, and hard against random negatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.pairs import pairs_from_groups
from ..types import FloatArray, InputError, Pair, SentenceSet
from ..vectors import cosine_matrix, label_codes
from ..words import same_word, without_each_word

MOST_WORDS = 40  # each word left out is one more sentence for the model to read


@dataclass(frozen=True, slots=True)
class WordEffect:
    """A word of one side. `effect` is the cosine of the pair without the word, minus that with it:
    positive means the word kept the two apart. `shared`: the other side has the word too."""

    side: str  # "P" or "Q"
    word: str
    effect: float
    shared: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The pair's cosine, and the effect of every word of both sides, in reading order."""

    cosine: float
    words: tuple[WordEffect, ...]


@dataclass(frozen=True, slots=True)
class NegativeSets:
    """The same positives with two choices of negatives. No pair touches a held-out sentence."""

    random: tuple[Pair, ...]
    hard: tuple[Pair, ...]


def word_effects(base_model: str, p: str, q: str) -> Explanation:
    """Leave out one word at a time and ask the model again.

    Leave-one-out is also called occlusion (Zeiler & Fergus 2014; Li, Monroe & Jurafsky 2016, "Understanding
    neural networks through representation erasure"). Raises InputError for an empty or too long side.
    """
    from ..models import registry

    p_less, q_less = without_each_word(p), without_each_word(q)
    for name, less in (("P", p_less), ("Q", q_less)):
        if len(less) < 2:
            raise InputError(f"{name} needs at least two words, so that one can be left out.")
        if len(less) > MOST_WORDS:
            raise InputError(f"{name} has {len(less)} words; at most {MOST_WORDS} are allowed. Shorten it.")
    z = registry.load(base_model).encode([p, q, *(rest for _, rest in (*p_less, *q_less))])
    return explain(z, [word for word, _ in p_less], [word for word, _ in q_less])


def explain(z: FloatArray, p_words: Sequence[str], q_words: Sequence[str]) -> Explanation:
    """From vectors of P, Q, P without each of its words, Q without each of its words, in that order."""
    n = len(p_words)
    assert len(z) == 2 + n + len(q_words), "one vector for each text"
    whole = float(cosine_matrix(z[:1], z[1:2])[0, 0])
    without_p = cosine_matrix(z[2 : 2 + n], z[1:2])[:, 0]
    without_q = cosine_matrix(z[2 + n :], z[:1])[:, 0]
    p_set, q_set = ({same_word(w) for w in words} for words in (p_words, q_words))
    sides = (("P", p_words, without_p, q_set), ("Q", q_words, without_q, p_set))
    effects = [
        WordEffect(side, word, float(cosine) - whole, same_word(word) in others)
        for side, words, cosines, others in sides
        for word, cosine in zip(words, cosines)
    ]
    return Explanation(whole, tuple(effects))


def negative_sets(
    z: FloatArray, sentence_set: SentenceSet, held_out: Sequence[Pair], count: int, seed: int
) -> NegativeSets:
    """The same random positives with as many random or hard negatives, none touching a held-out sentence.

    Hard negatives are the pairs of different groups with the highest cosine under z (n, d), each sentence
    used as seldom as possible: the hardest pair of every sentence comes first, then its second hardest.
    Raises InputError when the groups give no pair of either kind.
    """
    held = {i for pair in held_out for i in (pair.left, pair.right)}
    rows = [i for i, s in enumerate(sentence_set.sentences) if s.id not in held and s.group is not None]
    free = SentenceSet(tuple(sentence_set.sentences[i] for i in rows))
    drawn = pairs_from_groups(free, 2 * count, seed)
    positives = tuple(p for p in drawn if p.is_similar)
    negatives = tuple(p for p in drawn if not p.is_similar)
    if not positives or not negatives:
        raise InputError("There are too few sentences to train on: every group needs at least two of them.")
    hard = hardest(z[rows], free, len(negatives))
    return NegativeSets((*positives, *negatives), (*positives, *hard))


def hardest(z: FloatArray, sentence_set: SentenceSet, count: int) -> tuple[Pair, ...]:
    """`count` pairs of different groups, hardest first, spread over the sentences: see negative_sets."""
    cosine = cosine_matrix(z)
    groups = label_codes(sentence_set.groups)
    cosine[groups[:, None] == groups[None, :]] = -np.inf
    order = np.argsort(-cosine, axis=1, kind="stable")  # (n, n), the hardest of each row first
    ids, seen, found = sentence_set.ids, set(), []
    for rank in range(len(ids)):
        level = [(i, int(order[i, rank])) for i in range(len(ids))]
        level.sort(key=lambda pair: -cosine[pair])
        for i, j in level:
            key = (min(i, j), max(i, j))
            if np.isfinite(cosine[i, j]) and key not in seen:
                seen.add(key)
                found.append(Pair(ids[i], ids[j], 0.0))
    return tuple(found[:count])
