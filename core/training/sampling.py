"""Which sentences a step looks at: from pairs to the batch that each kind of loss needs.

Every draw is a pure function of (seed, step), so a run can be paused, rewound and forked without
remembering any random state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..data.text import same_tokens
from ..losses import LOSSES, Batch
from ..types import InputError, IntArray, Pair, SentenceSet, TrainingConfig

SHUFFLE, PARTNER = 1, 2  # what a draw is for; keeps the streams of random numbers apart


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One batch. `rows` (m,) are the sentences to embed, each once unless a loss wants two passes;
    the batch indexes the rows of the resulting z (m, d)."""

    rows: IntArray
    batch: Batch


Sampler = Callable[[int], Sample]  # step, from 1, -> its batch


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """The training pairs as rows of the sentence set, and what is known about any two sentences."""

    left: IntArray  # (p,)
    right: IntArray  # (p,)
    label: np.ndarray  # (p,) float
    alike: np.ndarray  # (n, n) bool: paired as similar, of one group, or the same sentence
    opposites: tuple[tuple[int, ...], ...]  # for each sentence those it is paired with as dissimilar
    spare: IntArray  # sentences that are in no held-out pair, one of each text


def make_sampler(
    sentences: SentenceSet, pairs: Sequence[Pair], held_out: Sequence[Pair], config: TrainingConfig
) -> Sampler:
    """The sampler of the loss's kind. Raises InputError when the pairs cannot feed that loss."""
    needs = LOSSES[config.loss].needs
    if not pairs and needs != "unlabelled":
        raise InputError(
            f"There are no pairs to train on, and {LOSSES[config.loss].title} needs them: "
            "mark some, make them from groups, or choose unsupervised SimCSE."
        )
    return KINDS[needs](_examples(sentences, pairs, held_out), config)


def labelled(examples: Examples, config: TrainingConfig) -> Sampler:
    """Pairs with their labels, as they are."""
    if config.loss == "cosent" and len(set(examples.label.tolist())) < 2:
        raise InputError("CoSENT compares labels: give it similar and dissimilar pairs, or another loss.")

    def sample(step: int) -> Sample:
        chosen = _slice_of_epoch(len(examples.label), config, step)
        left, right = examples.left[chosen], examples.right[chosen]
        return _sample(left, right, label=examples.label[chosen])

    return sample


def positives(examples: Examples, config: TrainingConfig) -> Sampler:
    """Similar pairs; the other pairs' right sides serve as negatives (in-batch negatives).

    A sentence that is known to be like the anchor (paired with it as similar, of its group, or the same
    sentence again) is no negative of it, and is left out by the batch's `known`. Without such
    coincidences this is the plain loss. An anchor that stands in a dissimilar pair brings its partner
    along as one more, hard, negative; so marking two sentences as dissimilar has an effect here too.
    """
    similar = np.flatnonzero(examples.label >= 0.5)
    if len(similar) == 0:
        raise InputError(
            f"{LOSSES[config.loss].title} learns from similar pairs, and none is marked as similar. Mark "
            "one, or choose a loss that learns from dissimilar pairs too, such as contrastive."
        )
    left, right = examples.left[similar], examples.right[similar]
    # Only the left side is an anchor, so a pair turns round where only its right side has opposites.
    opposed = np.array([bool(partners) for partners in examples.opposites])
    turn = ~opposed[left] & opposed[right]
    left, right = np.where(turn, right, left), np.where(turn, left, right)
    if not (~examples.alike[np.ix_(left, right)]).any() and not opposed[left].any():
        raise InputError(
            f"{LOSSES[config.loss].title} needs sentences that differ: here every sentence is like every "
            "other. Add a second group or a dissimilar pair."
        )

    def sample(step: int) -> Sample:
        chosen = _slice_of_epoch(len(similar), config, step)
        anchors, others = left[chosen], right[chosen]
        known = examples.alike[np.ix_(anchors, others)]  # (b, b)
        if not opposed[anchors].any():
            return _sample(anchors, others, known=known)
        rng = np.random.default_rng((config.seed, PARTNER, step))
        drawn = [rng.choice(examples.opposites[a]) if opposed[a] else a for a in anchors]
        negatives = np.array(drawn, np.int64)
        beyond = examples.alike[np.ix_(anchors, negatives)] | ~opposed[anchors][None, :]
        return _sample(anchors, others, negative=negatives, known=np.hstack((known, beyond)))

    return sample


def triplets(examples: Examples, config: TrainingConfig) -> Sampler:
    """An anchor with one similar and one dissimilar partner, put together from the pairs.

    Both ends of a similar pair can be the anchor; the negative is drawn anew each time.
    """
    similar = examples.label >= 0.5
    anchors = np.concatenate((examples.left[similar], examples.right[similar]))
    partners = np.concatenate((examples.right[similar], examples.left[similar]))
    usable = np.array([bool(examples.opposites[a]) for a in anchors], bool)
    anchors, partners = anchors[usable], partners[usable]
    if len(anchors) == 0:
        raise InputError(
            "The triplet loss needs a sentence that is in a similar and in a dissimilar pair, and there "
            "is none. Add such a pair, or choose another loss."
        )

    def sample(step: int) -> Sample:
        chosen = _slice_of_epoch(len(anchors), config, step)
        rng = np.random.default_rng((config.seed, PARTNER, step))
        negatives = np.array([rng.choice(examples.opposites[a]) for a in anchors[chosen]], np.int64)
        return _sample(anchors[chosen], partners[chosen], negative=negatives)

    return sample


def unlabelled(examples: Examples, config: TrainingConfig) -> Sampler:
    """Sentences alone: each is embedded twice, and only dropout makes the two differ."""
    if len(examples.spare) < 2:
        raise InputError(
            "SimCSE needs at least two different sentences outside the held-out pairs. Add sentences, or "
            "hold out fewer."
        )

    def sample(step: int) -> Sample:
        rows = examples.spare[_slice_of_epoch(len(examples.spare), config, step)]
        b = len(rows)
        first = torch.arange(b)
        return Sample(np.concatenate((rows, rows)), Batch(first, first + b, torch.ones(b)))

    return sample


KINDS: dict[str, Callable[[Examples, TrainingConfig], Sampler]] = {
    "labelled": labelled,
    "positives": positives,
    "triplets": triplets,
    "unlabelled": unlabelled,
}


def _slice_of_epoch(count: int, config: TrainingConfig, step: int) -> IntArray:
    """The examples of this step. An epoch is a shuffle of all, cut into batches of nearly equal size."""
    cuts = -(-count // config.batch_size)
    if count > 1 and count / cuts < 2:  # a batch of one has no in-batch negatives
        cuts = count // 2
    epoch, part = divmod(step - 1, cuts)
    order = np.random.default_rng((config.seed, SHUFFLE, epoch)).permutation(count)
    return np.array_split(order, cuts)[part]


def _sample(
    left: IntArray,
    right: IntArray,
    label: np.ndarray | None = None,
    negative: IntArray | None = None,
    known: np.ndarray | None = None,
) -> Sample:
    """Rows of the sentence set -> each sentence once, and a batch that points at those."""
    sides = [left, right] if negative is None else [left, right, negative]
    rows, places = np.unique(np.concatenate(sides), return_inverse=True)
    columns = torch.from_numpy(places.reshape(len(sides), -1))
    return Sample(
        rows,
        Batch(
            columns[0],
            columns[1],
            torch.ones(len(left)) if label is None else torch.from_numpy(label.astype(np.float32)),
            None if negative is None else columns[2],
            None if known is None else torch.from_numpy(known),
        ),
    )


def _examples(sentences: SentenceSet, pairs: Sequence[Pair], held_out: Sequence[Pair]) -> Examples:
    row = sentences.row()
    for pair in (*pairs, *held_out):
        for end in (pair.left, pair.right):
            if end not in row:
                raise InputError(f"A pair names the sentence {end!r}, which is not in the set.")
    left = np.array([row[p.left] for p in pairs], np.int64)
    right = np.array([row[p.right] for p in pairs], np.int64)
    label = np.array([p.label for p in pairs], np.float64)
    alike = _alike(sentences)
    opposites: list[dict[int, None]] = [{} for _ in range(len(sentences))]
    for a, b, y in zip(left.tolist(), right.tolist(), label.tolist()):
        alike[a, b] = alike[b, a] = y >= 0.5  # a pair that was given outweighs the groups
        if y < 0.5 and a != b:
            opposites[a][b] = opposites[b][a] = None
    apart = {row[end] for pair in held_out for end in (pair.left, pair.right)}
    first_of_text = {same_tokens(text): i for i, text in reversed(list(enumerate(sentences.texts)))}
    spare = sorted(i for i in first_of_text.values() if i not in apart)
    return Examples(
        left, right, label, alike, tuple(tuple(sorted(o)) for o in opposites), np.array(spare, np.int64)
    )


def _alike(sentences: SentenceSet) -> np.ndarray:
    """(n, n) bool: True for two sentences that the model reads alike or in the same named group."""
    texts = np.unique([same_tokens(t) for t in sentences.texts], return_inverse=True)[1].reshape(-1)
    alike: np.ndarray = texts[:, None] == texts[None, :]
    if sentences.has_groups:
        names = {name: k for k, name in enumerate(dict.fromkeys(sentences.groups))}
        groups = np.array([-1 if g is None else names[g] for g in sentences.groups])
        alike |= (groups[:, None] == groups[None, :]) & (groups >= 0)[:, None]
    return alike
