"""Pairs from groups, and pairs mined by the current model.

Everything is a pure function of its arguments: the same sentences, count and seed give the same pairs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from ..types import FloatArray, InputError, IntArray, Pair, SentenceSet
from ..vectors import cosine_matrix, label_codes
from .text import same_tokens

MiningKind = Literal["hard_negative", "hard_positive", "both"]


# --- making pairs -------------------------------------------------------------------------------------


def pairs_from_groups(
    sentence_set: SentenceSet, count: int, seed: int, similar_share: float = 0.5
) -> tuple[Pair, ...]:
    """Up to `count` different pairs: same group similar (label 1), other group dissimilar (label 0).

    `similar_share` in [0, 1] of them are similar. Where fewer exist than asked, all of them come and the
    other kind does not fill the gap. Sentences without a group and copies of one text are left alone.
    Raises InputError when no group is named, or count or share is out of bounds.
    """
    check_count(count)
    if not 0 <= similar_share <= 1:
        raise InputError(f"The share of similar pairs is {similar_share:g}; it must be from 0 to 1.")
    require_groups(sentence_set, "made from groups")
    similar, dissimilar = candidates(sentence_set, range(len(sentence_set)))
    return draw(sentence_set, similar, dissimilar, count, similar_share, seed)


def mine_pairs(
    embeddings: FloatArray, sentence_set: SentenceSet, count: int, kind: MiningKind = "both"
) -> tuple[Pair, ...]:
    """The `count` pairs that the current model gets most wrong, hardest first.

    Hard negatives are the most similar pairs of different groups (label 0), hard positives the least
    similar pairs of one group (label 1), by cosine of `embeddings` (n, d), rows as in the set; "both"
    takes half of each (Schroff et al. 2015, "FaceNet", section 3.2, mines the same two).
    Raises InputError without groups.
    """
    check_count(count)
    require_groups(sentence_set, "mined")
    assert len(embeddings) == len(sentence_set), "one embedding per sentence"
    cosine = cosine_matrix(embeddings)  # (n, n)
    positives, negatives = candidates(sentence_set, range(len(sentence_set)))
    shares = {
        "hard_negative": (count, 0),
        "hard_positive": (0, count),
        "both": (count - count // 2, count // 2),
    }
    negative_count, positive_count = shares[kind]
    # A stable sort, so that ties are broken by the order of the sentences.
    hardest_negatives = np.argsort(-cosine[negatives[:, 0], negatives[:, 1]], kind="stable")[:negative_count]
    hardest_positives = np.argsort(cosine[positives[:, 0], positives[:, 1]], kind="stable")[:positive_count]
    return (
        *_as_pairs(sentence_set, negatives[hardest_negatives], 0.0),
        *_as_pairs(sentence_set, positives[hardest_positives], 1.0),
    )


def candidates(sentence_set: SentenceSet, rows: Iterable[int]) -> tuple[IntArray, IntArray]:
    """All unordered pairs (m, 2) of the given rows with the same group, and with different groups."""
    chosen = np.array([i for i in rows if sentence_set.sentences[i].group is not None], np.int64)
    groups = label_codes([sentence_set.sentences[i].group for i in chosen])
    texts = label_codes([same_tokens(sentence_set.sentences[i].text) for i in chosen])
    first, second = np.triu_indices(len(chosen), k=1)
    other_text = texts[first] != texts[second]
    same_group = groups[first] == groups[second]
    both = np.stack([chosen[first], chosen[second]], axis=1) if len(chosen) else np.zeros((0, 2), np.int64)
    return both[same_group & other_text], both[~same_group & other_text]


def draw(
    sentence_set: SentenceSet,
    similar: IntArray,
    dissimilar: IntArray,
    count: int,
    similar_share: float,
    seed: int,
) -> tuple[Pair, ...]:
    rng = generator(seed)
    wanted = int(count * similar_share + 0.5)
    drawn = [
        *_as_pairs(sentence_set, rng.permutation(similar)[:wanted], 1.0),
        *_as_pairs(sentence_set, rng.permutation(dissimilar)[: count - wanted], 0.0),
    ]
    return tuple(drawn[i] for i in rng.permutation(len(drawn)))


def _as_pairs(sentence_set: SentenceSet, rows: IntArray, label: float) -> list[Pair]:
    ids = sentence_set.ids
    return [Pair(ids[left], ids[right], label) for left, right in rows.tolist()]


# --- checks -------------------------------------------------------------------------------------------


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def check_count(count: int) -> None:
    if count < 1:
        raise InputError(f"{count} pairs were asked for; ask for at least 1.")


def require_groups(sentence_set: SentenceSet, what: str) -> None:
    if all(group is None for group in sentence_set.groups):
        raise InputError(
            f"Pairs cannot be {what}: no sentence has a group. Write lines as “group | sentence”, or write "
            "the pairs yourself."
        )
