"""Pairs from groups, pairs mined by the current model, and the split by sentence before training.

Everything is a pure function of its arguments: the same sentences, count and seed give the same pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..types import FloatArray, InputError, IntArray, Notice, Pair, SentenceSet
from .text import same_text

MiningKind = Literal["hard_negative", "hard_positive", "both"]

MAX_HELD_OUT_PAIRS = 200  # enough for steps of half a percent in the accuracy


@dataclass(frozen=True, slots=True)
class PairSplit:
    """Pairs to train on, pairs to measure on, and the sentences that no training pair may touch."""

    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    held_out_ids: frozenset[str]
    notices: tuple[Notice, ...] = ()


# --- making pairs -------------------------------------------------------------------------------------


def pairs_from_groups(
    sentence_set: SentenceSet, count: int, seed: int, similar_share: float = 0.5
) -> tuple[Pair, ...]:
    """Up to `count` different pairs: same group similar (label 1), other group dissimilar (label 0).

    `similar_share` in [0, 1] of them are similar. Where fewer exist than asked, all of them come and the
    other kind does not fill the gap. Sentences without a group and copies of one text are left alone.
    Raises InputError when no group is named, or count or share is out of bounds.
    """
    _check_count(count)
    if not 0 <= similar_share <= 1:
        raise InputError(f"The share of similar pairs is {similar_share:g}; it must be from 0 to 1.")
    _require_groups(sentence_set, "made from groups")
    similar, dissimilar = _candidates(sentence_set, range(len(sentence_set)))
    return _draw(sentence_set, similar, dissimilar, count, similar_share, seed)


def mine_pairs(
    embeddings: FloatArray, sentence_set: SentenceSet, count: int, kind: MiningKind = "both"
) -> tuple[Pair, ...]:
    """The `count` pairs that the current model gets most wrong, hardest first.

    Hard negatives are the most similar pairs of different groups (label 0), hard positives the least
    similar pairs of one group (label 1), by cosine of `embeddings` (n, d), rows as in the set; "both"
    takes half of each (Schroff et al. 2015, "FaceNet", section 3.2, mines the same two).
    Raises InputError without groups.
    """
    _check_count(count)
    _require_groups(sentence_set, "mined")
    assert len(embeddings) == len(sentence_set), "one embedding per sentence"
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    cosine = unit @ unit.T  # (n, n)
    positives, negatives = _candidates(sentence_set, range(len(sentence_set)))
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


def _candidates(sentence_set: SentenceSet, rows: Iterable[int]) -> tuple[IntArray, IntArray]:
    """All unordered pairs (m, 2) of the given rows with the same group, and with different groups."""
    chosen = np.array([i for i in rows if sentence_set.sentences[i].group is not None], np.int64)
    groups = _codes([sentence_set.sentences[i].group or "" for i in chosen])
    texts = _codes([same_text(sentence_set.sentences[i].text) for i in chosen])
    first, second = np.triu_indices(len(chosen), k=1)
    other_text = texts[first] != texts[second]
    same_group = groups[first] == groups[second]
    both = np.stack([chosen[first], chosen[second]], axis=1) if len(chosen) else np.zeros((0, 2), np.int64)
    return both[same_group & other_text], both[~same_group & other_text]


def _codes(values: Sequence[str]) -> IntArray:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)


def _draw(
    sentence_set: SentenceSet,
    similar: IntArray,
    dissimilar: IntArray,
    count: int,
    similar_share: float,
    seed: int,
) -> tuple[Pair, ...]:
    rng = _generator(seed)
    wanted = int(count * similar_share + 0.5)
    drawn = [
        *_as_pairs(sentence_set, rng.permutation(similar)[:wanted], 1.0),
        *_as_pairs(sentence_set, rng.permutation(dissimilar)[: count - wanted], 0.0),
    ]
    return tuple(drawn[i] for i in rng.permutation(len(drawn)))


def _as_pairs(sentence_set: SentenceSet, rows: IntArray, label: float) -> list[Pair]:
    ids = sentence_set.ids
    return [Pair(ids[left], ids[right], label) for left, right in rows.tolist()]


# --- splitting ----------------------------------------------------------------------------------------


def make_split(
    sentence_set: SentenceSet,
    count: int,
    share: float = 0.25,
    seed: int = 7,
    pairs: Sequence[Pair] | None = None,
    similar_share: float = 0.5,
) -> PairSplit:
    """Training pairs and held-out pairs that share no sentence; what a page calls before training.

    `share` of the sentences is held out first. Without `pairs`, both parts get their own pairs from the
    groups, so that the accuracy rests on many pairs: `count` to train on, and as many similar as
    dissimilar ones to measure on. With `pairs` (typed, mined, from a set) those are split instead; if the
    held-out ones are all of one kind and there are groups, groups supply the held-out pairs.
    Raises InputError as pairs_from_groups does.
    """
    _check_share(share)
    if pairs is not None:
        return _split_given(sentence_set, pairs, share, seed)
    _check_count(count)
    _require_groups(sentence_set, "made from groups")
    held = frozenset(_hold_out_groups(sentence_set, set(sentence_set.ids), share, seed) if share else ())
    held_out = _measuring_pairs(sentence_set, held, seed)
    train = _training_pairs(sentence_set, held, count, similar_share, seed)
    if held_out and train:
        return PairSplit(train, held_out, held)
    everything = _training_pairs(sentence_set, frozenset(), count, similar_share, seed)
    return PairSplit(everything, (), frozenset(), (_NOTHING_HELD_OUT,) if share else ())


_NOTHING_HELD_OUT = Notice(
    "There are too few sentences to hold any out: all pairs are trained on and none is left to measure with."
)


def split_by_sentence(
    sentence_set: SentenceSet, pairs: Sequence[Pair], share: float = 0.25, seed: int = 7
) -> tuple[tuple[Pair, ...], tuple[Pair, ...], tuple[Pair, ...]]:
    """(training, held-out, dropped) pairs: both sentences trained on, both held out, or one of each.

    The held-out sentences, about `share` of those that occur in pairs, are chosen first. Where the pairs
    fall into clusters that no pair connects (one claim, one question), whole clusters are held out and
    nothing is dropped; otherwise sentences are, spread over the groups. At least one training pair stays;
    when no held-out pair would come of it, nothing is held out.
    """
    _check_share(share)
    held = _held_out_sentences(sentence_set, pairs, share, seed)
    return _parts(pairs, held)


def _parts(
    pairs: Sequence[Pair], held: Iterable[str]
) -> tuple[tuple[Pair, ...], tuple[Pair, ...], tuple[Pair, ...]]:
    held = frozenset(held)
    sides = [(p.left in held) + (p.right in held) for p in pairs]
    train, dropped, held_out = (tuple(p for p, s in zip(pairs, sides) if s == n) for n in (0, 1, 2))
    return train, held_out, dropped


def _held_out_sentences(
    sentence_set: SentenceSet, pairs: Sequence[Pair], share: float, seed: int
) -> frozenset[str]:
    if share == 0:
        return frozenset()
    clusters = _clusters(sentence_set, pairs)
    involved = {i for cluster in clusters for i in cluster}
    budget = share * len(involved)
    whole = _take_clusters(clusters, budget, seed)
    by_group = _hold_out_groups(sentence_set, involved, share, seed)
    ways = [by_group, _take_pairs(pairs, budget, seed)]
    if len(whole) > 1 or not by_group:
        # One cluster alone may be one group, and a single group cannot show who is told apart.
        ways.insert(0, [i for cluster in whole for i in cluster])
    for chosen in ways:
        chosen = _without_copies(sentence_set, chosen)
        while chosen and not _parts(pairs, chosen)[0]:  # give back until something is left to train on
            chosen = _without_copies(sentence_set, chosen[:-1])
        if _parts(pairs, chosen)[1]:
            return frozenset(chosen)
    return frozenset()


def _clusters(sentence_set: SentenceSet, pairs: Sequence[Pair]) -> list[list[str]]:
    """Connected components of the pair graph, in the order of the sentences."""
    root = {i: i for pair in pairs for i in (pair.left, pair.right)}

    def find(i: str) -> str:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for pair in pairs:
        root[find(pair.left)] = find(pair.right)
    clusters: dict[str, list[str]] = {}
    for i in sentence_set.ids:
        if i in root:
            clusters.setdefault(find(i), []).append(i)
    return list(clusters.values())


def _take_clusters(clusters: list[list[str]], budget: float, seed: int) -> list[list[str]]:
    """Whole clusters in seeded order, as long as at least half of the next one fits the budget."""
    taken: list[list[str]] = []
    for index in _generator(seed).permutation(len(clusters)).tolist():
        if sum(map(len, taken)) + len(clusters[index]) / 2 <= budget:
            taken.append(clusters[index])
    return taken


def _take_pairs(pairs: Sequence[Pair], budget: float, seed: int) -> list[str]:
    """Both sentences of one pair after the other, so that the held-out part has pairs at all."""
    chosen: dict[str, None] = {}
    for index in _generator(seed).permutation(len(pairs)).tolist():
        grown = dict.fromkeys((*chosen, pairs[index].left, pairs[index].right))
        if len(grown) <= max(2, int(budget + 0.5)):
            chosen = grown
    return list(chosen)


def _hold_out_groups(sentence_set: SentenceSet, among: set[str], share: float, seed: int) -> list[str]:
    """About `share` of the sentences `among`, spread over the groups.

    Measuring needs two held-out sentences of a group. Large groups give their share (two at least, two
    stay). Of groups too small for that, whole ones are held out (at least two, two stay); where there are
    fewer than four of them, each gives what it can spare, one of two only beside held-out large groups.
    """
    rng = _generator(seed)
    members: dict[str, list[str]] = {}
    for s in sentence_set.sentences:
        if s.id in among and s.group is not None:
            members.setdefault(s.group, []).append(s.id)
    held: list[str] = []
    small: list[list[str]] = []
    for group in members.values():
        shuffled = [group[i] for i in rng.permutation(len(group)).tolist()]
        take = int(share * len(group) + 0.5)
        if 2 <= take <= len(group) - 2:
            held += shuffled[:take]
        else:
            small.append(shuffled)
    large = len(small) < len(members)
    if len(small) >= 4:
        whole = min(max(2, int(share * len(small) + 0.5)), len(small) - 2)
        for index in rng.permutation(len(small))[:whole].tolist():
            held += small[index]
    else:
        for group in small:
            spare = min(2, len(group) - 2)
            held += group[: 1 if spare == 0 and large else max(0, spare)]
    return _without_copies(sentence_set, held)


def _without_copies(sentence_set: SentenceSet, held: Sequence[str]) -> list[str]:
    """Held-out sentences whose text is not trained on under another id as well."""
    ids = set(held)
    trained = {same_text(s.text) for s in sentence_set.sentences if s.id not in ids}
    text = {s.id: same_text(s.text) for s in sentence_set.sentences if s.id in ids}
    return [i for i in held if text[i] not in trained]


def _measuring_pairs(sentence_set: SentenceSet, held: frozenset[str], seed: int) -> tuple[Pair, ...]:
    """As many similar as dissimilar pairs of held-out sentences; if one kind is missing, the other alone."""
    rows = [i for i, s in enumerate(sentence_set.sentences) if s.id in held]
    similar, dissimilar = _candidates(sentence_set, rows)
    fewest = min(len(similar), len(dissimilar))
    count = min(MAX_HELD_OUT_PAIRS, 2 * fewest) if fewest else MAX_HELD_OUT_PAIRS
    return _draw(sentence_set, similar, dissimilar, count, 0.5, seed + 1)


def _training_pairs(
    sentence_set: SentenceSet, held: frozenset[str], count: int, similar_share: float, seed: int
) -> tuple[Pair, ...]:
    rows = [i for i, s in enumerate(sentence_set.sentences) if s.id not in held]
    return _draw(sentence_set, *_candidates(sentence_set, rows), count, similar_share, seed)


def _split_given(sentence_set: SentenceSet, pairs: Sequence[Pair], share: float, seed: int) -> PairSplit:
    held = _held_out_sentences(sentence_set, pairs, share, seed)
    train, held_out, dropped = _parts(pairs, held)
    if not held_out:
        return PairSplit(train, (), held, (_NOTHING_HELD_OUT,) if share else ())
    notices = []
    if dropped:
        notices.append(
            Notice(
                f"{len(dropped):,} of {len(pairs):,} pairs join a held-out sentence to a training sentence. "
                "They are used for neither."
            )
        )
    if len({p.is_similar for p in held_out}) == 1 and sentence_set.has_groups:
        from_groups = _measuring_pairs(sentence_set, held, seed)
        if len({p.is_similar for p in from_groups}) == 2:
            held_out = from_groups
            notices.append(
                Notice("The held-out pairs are made from the groups, since yours are all of one kind.")
            )
    return PairSplit(train, held_out, held, tuple(notices))


# --- checks -------------------------------------------------------------------------------------------


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def _check_count(count: int) -> None:
    if count < 1:
        raise InputError(f"{count} pairs were asked for; ask for at least 1.")


def _check_share(share: float) -> None:
    if not 0 <= share < 1:
        raise InputError(f"The held-out share is {share:g}; it must be at least 0 and below 1.")


def _require_groups(sentence_set: SentenceSet, what: str) -> None:
    if all(group is None for group in sentence_set.groups):
        raise InputError(
            f"Pairs cannot be {what}: no sentence has a group. Write lines as “group | sentence”, or write "
            "the pairs yourself."
        )
