"""Which pairs are trained on and which are only measured: the split by sentence before training.

A held-out sentence is in no training pair, so that what is measured was never seen. Pure: the same
sentences, pairs, share and seed give the same split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..types import InputError, Notice, Pair, SentenceSet
from .pairs import candidates, check_count, draw, generator, require_groups
from .text import same_tokens

MAX_HELD_OUT_PAIRS = 200  # enough for steps of half a percent in the accuracy
FEW = 20  # held-out pairs; fewer cannot show much
NEAR = 0.6  # of the asked share: a split that cuts no pair may hold out so much less


@dataclass(frozen=True, slots=True)
class PairSplit:
    """Pairs to train on, pairs to measure on, and the sentences that no training pair may touch."""

    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    held_out_ids: frozenset[str]
    notices: tuple[Notice, ...] = ()


def held_out_rows(sentences: SentenceSet, held_out: Iterable[Pair]) -> list[int]:
    """Rows of the sentences in held-out pairs, ascending; after a split no training pair has any of them."""
    return sorted(set(sentences.rows_of(held_out).ravel().tolist()))


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
    check_count(count)
    require_groups(sentence_set, "made from groups")
    held = frozenset(_hold_out_groups(sentence_set, set(sentence_set.ids), share, seed) if share else ())
    held_out = _measuring_pairs(sentence_set, held, seed)
    train = _training_pairs(sentence_set, held, count, similar_share, seed)
    told = _lonely(sentence_set)
    if held_out and train:
        return PairSplit(train, held_out, held, told)
    everything = _training_pairs(sentence_set, frozenset(), count, similar_share, seed)
    return PairSplit(everything, (), frozenset(), (_NOTHING_HELD_OUT, *told) if share else told)


def _lonely(sentence_set: SentenceSet) -> tuple[Notice, ...]:
    sizes = Counter(group for group in sentence_set.groups if group is not None)
    alone = [group for group, size in sizes.items() if size == 1]
    told = f"{len(alone):,} of {len(sizes):,} groups have one sentence only, so they give no similar pair."
    return (Notice(told),) if alone else ()


_NOTHING_HELD_OUT = Notice(
    "There are too few sentences to hold any out: all pairs are trained on and none is left to measure with."
)


def _parts(
    pairs: Sequence[Pair], held: Iterable[str]
) -> tuple[tuple[Pair, ...], tuple[Pair, ...], tuple[Pair, ...]]:
    """(training, held-out, dropped) pairs: both sentences trained on, both held out, or one of each."""
    held = frozenset(held)
    sides = [(p.left in held) + (p.right in held) for p in pairs]
    train, dropped, held_out = (tuple(p for p, s in zip(pairs, sides) if s == n) for n in (0, 1, 2))
    return train, held_out, dropped


def _held_out_sentences(
    sentence_set: SentenceSet, pairs: Sequence[Pair], share: float, seed: int
) -> frozenset[str]:
    """The first way that holds out enough, from the one that cuts no pair to the one that cuts any.

    About `share` of the pairs that are used is held out. Where the pairs fall into clusters that no pair
    connects (one claim, one question), whole clusters are and nothing is dropped. Otherwise sentences are,
    spread over the groups; or the web of pairs is cut, dissimilar pairs first. At least one training pair
    stays; when no held-out pair would come of it, nothing is held out.
    """
    if share == 0:
        return frozenset()
    similar = [pair for pair in pairs if pair.is_similar]
    whole = _clusters(sentence_set, pairs, pairs)
    by_group = _hold_out_groups(sentence_set, {i for part in whole for i in part}, share, seed)
    ways = [
        # One cluster alone may be one group, and a single group cannot show who is told apart.
        lambda: _grow(whole, pairs, share, seed, at_least=2 if by_group else 1),
        lambda: by_group,
        lambda: _grow(_clusters(sentence_set, pairs, similar), pairs, share, seed),
        lambda: _grow(_clusters(sentence_set, pairs, ()), pairs, share, seed),
    ]
    # Where all pairs are of one kind, the groups supply the measured pairs, however few are held out here.
    one_kind = bool(by_group) and len({pair.is_similar for pair in pairs}) == 1
    enough = 0.0 if one_kind else NEAR * share
    best, nearest = frozenset[str](), 1.0
    for way in ways:
        chosen = _without_copies(sentence_set, way())
        while chosen and not _parts(pairs, chosen)[0]:  # give back until something is left to train on
            chosen = _without_copies(sentence_set, chosen[:-1])
        train, held_out, _ = _parts(pairs, chosen)
        if not held_out:
            continue
        reached = len(held_out) / (len(held_out) + len(train))
        if reached >= enough:
            return frozenset(chosen)
        if share - reached < nearest:
            best, nearest = frozenset(chosen), share - reached
    return best


def _clusters(sentence_set: SentenceSet, pairs: Sequence[Pair], links: Sequence[Pair]) -> list[list[str]]:
    """The sentences of `pairs`, those together that `links` connect or that the model reads alike, in the
    order of the set."""
    root = {i: i for pair in pairs for i in (pair.left, pair.right)}

    def find(i: str) -> str:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    first: dict[str, str] = {}
    tokens = {s.id: same_tokens(s.text) for s in sentence_set.sentences if s.id in root}
    copies = [(i, first.setdefault(text, i)) for i, text in tokens.items()]
    for one, other in (*((p.left, p.right) for p in links), *copies):
        root[find(one)] = find(other)
    clusters: dict[str, list[str]] = {}
    for i in tokens:
        clusters.setdefault(find(i), []).append(i)
    return list(clusters.values())


def _grow(
    clusters: list[list[str]], pairs: Sequence[Pair], share: float, seed: int, at_least: int = 1
) -> list[str]:
    """Whole clusters, one after the other, until `share` of the pairs that stay is held out.

    The next one is that which has the largest part of its pairs with those held out already, so that few
    pairs are cut; the seed decides between equals. Fewer than `at_least` clusters count as none.
    """
    cluster_of = {i: n for n, cluster in enumerate(clusters) for i in cluster}
    links: list[dict[int, int]] = [{} for _ in clusters]  # cluster -> how many pairs it has with which
    for pair in pairs:
        a, b = cluster_of[pair.left], cluster_of[pair.right]
        links[a][b] = links[a].get(b, 0) + 1
        if a != b:
            links[b][a] = links[b].get(a, 0) + 1
    total = [max(1, sum(row.values())) for row in links]
    order = generator(seed).permutation(len(clusters)).tolist()
    inward = [0] * len(clusters)  # pairs with held-out clusters
    taken: dict[int, None] = {}
    held, train = 0, len(pairs)
    while order:
        best = max(order, key=lambda n: inward[n] / total[n])  # the first of equals
        more_held = held + links[best].get(best, 0) + inward[best]
        less_train = train - (total[best] - inward[best] if links[best] else 0)
        if less_train <= 0 or abs(more_held / (more_held + less_train) - share) > abs(
            held / max(1, held + train) - share
        ):
            break
        held, train = more_held, less_train
        taken[best] = None
        order.remove(best)
        for other, count in links[best].items():
            inward[other] += count if other != best else 0
    return [i for n in taken for i in clusters[n]] if len(taken) >= at_least else []


def _hold_out_groups(sentence_set: SentenceSet, among: set[str], share: float, seed: int) -> list[str]:
    """About `share` of the sentences `among`, spread over the groups.

    Measuring needs two held-out sentences of a group. Large groups give their share (two at least, two
    stay). Of groups too small for that, whole ones are held out (at least two, two stay); where there are
    fewer than four of them, each gives what it can spare, one of two only beside held-out large groups.
    """
    rng = generator(seed)
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
    trained = {same_tokens(s.text) for s in sentence_set.sentences if s.id not in ids}
    text = {s.id: same_tokens(s.text) for s in sentence_set.sentences if s.id in ids}
    return [i for i in held if text[i] not in trained]


def _measuring_pairs(sentence_set: SentenceSet, held: frozenset[str], seed: int) -> tuple[Pair, ...]:
    """As many similar as dissimilar pairs of held-out sentences; if one kind is missing, the other alone."""
    rows = [i for i, s in enumerate(sentence_set.sentences) if s.id in held]
    similar, dissimilar = candidates(sentence_set, rows)
    fewest = min(len(similar), len(dissimilar))
    count = min(MAX_HELD_OUT_PAIRS, 2 * fewest) if fewest else MAX_HELD_OUT_PAIRS
    return draw(sentence_set, similar, dissimilar, count, 0.5, seed + 1)


def _training_pairs(
    sentence_set: SentenceSet, held: frozenset[str], count: int, similar_share: float, seed: int
) -> tuple[Pair, ...]:
    rows = [i for i, s in enumerate(sentence_set.sentences) if s.id not in held]
    return draw(sentence_set, *candidates(sentence_set, rows), count, similar_share, seed)


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
    reached = len(held_out) / (len(held_out) + len(train))
    if abs(reached - share) > 0.05:
        notices.append(
            Notice(
                f"{len(held_out):,} pairs are held out, {reached:.0%} of those used instead of {share:.0%}: "
                "the pairs hang together too closely to be cut nearer to that."
            )
        )
    if len({p.is_similar for p in held_out}) == 1 and sentence_set.has_groups:
        from_groups = _measuring_pairs(sentence_set, held, seed)
        if len({p.is_similar for p in from_groups}) == 2:
            held_out = from_groups
            notices.append(
                Notice("The held-out pairs are made from the groups, since yours are all of one kind.")
            )
    if len(held_out) < FEW:
        notices.append(
            Notice(f"Only {len(held_out)} pairs are held out: too few to tell a small gain from chance.")
        )
    return PairSplit(train, held_out, held, tuple(notices))


def _check_share(share: float) -> None:
    if not 0 <= share < 1:
        raise InputError(f"The held-out share is {share:g}; it must be at least 0 and below 1.")
