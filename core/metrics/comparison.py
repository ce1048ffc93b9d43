"""Two sets of embeddings of the same sentences, side by side: what changed, in all dimensions. Numpy only.

`before` and `after` are (n, d). Two models that grew from one base share its axes and are compared in them
(`aligned`). Others share nothing but the sentences, and may differ in d: there each row is described by its
cosines to all rows of its own space, so that a mere rotation of a space changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..types import FloatArray, Pair, SentenceSet, TrainingConfig
from ..vectors import (
    centroids,
    cosine_matrix,
    label_codes,
    nearest_neighbours,
    row_cosines,
    unit_rows,
)
from .measures import auc, best_threshold, pair_accuracy, scored


@dataclass(frozen=True, slots=True)
class NeighbourChange:
    """The k nearest neighbours of one row, as rows: which stayed, which came, which went. Nearest first."""

    kept: tuple[int, ...]
    gained: tuple[int, ...]
    lost: tuple[int, ...]

    @property
    def overlap(self) -> float:
        """Share of the neighbours after that were neighbours before, [0, 1]; 1 for a lone sentence."""
        after = len(self.kept) + len(self.gained)
        return len(self.kept) / after if after else 1.0


@dataclass(frozen=True, slots=True)
class GroupDrift:
    """`moved` is 1 - cosine of the group's mean direction before and after, None across spaces. `tight`
    is the mean cosine of its members to that mean; `nearest` the other group its mean is nearest to."""

    group: str
    count: int
    moved: float | None
    tight_before: float
    tight_after: float
    nearest_before: str | None
    nearest_after: str | None
    gap_before: float | None  # 1 - cosine to that nearest other group's mean
    gap_after: float | None


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """Held-out pairs under one model. `margins` (m,): how far each cosine is on the right side of the
    threshold, negative where the pair is told wrong; None without a threshold."""

    cosines: FloatArray
    similar: np.ndarray
    threshold: float | None
    margins: FloatArray | None
    accuracy: float | None
    auc: float | None


def aligned(before: TrainingConfig, after: TrainingConfig) -> bool:
    """Whether two runs share the axes of their embeddings: same base model (and seed, where that makes the
    weights) and pooling."""
    same = before.base_model == after.base_model and before.pooling == after.pooling
    return same and (before.base_model != "blank" or before.seed == after.seed)


def _described(moments: Sequence[FloatArray], aligned: bool) -> list[FloatArray]:
    return list(moments) if aligned else [cosine_matrix(z) for z in moments]


def similarity_change(before: FloatArray, after: FloatArray) -> FloatArray:
    """Cosine after minus cosine before of every two rows, (n, n) in [-2, 2]."""
    return cosine_matrix(after) - cosine_matrix(before)


def movement(before: FloatArray, after: FloatArray, aligned: bool = True) -> FloatArray:
    """How far each row, or its description where no axes are shared, turned: 1 - cosine, (n,) in [0, 2]."""
    a, b = _described((before, after), aligned)
    return 1.0 - row_cosines(a, b)


def neighbour_changes(before: FloatArray, after: FloatArray, k: int = 5) -> list[NeighbourChange]:
    """For each row its k nearest others (fewer where there are fewer), before against after."""
    k = min(k, len(before) - 1)
    if k <= 0:
        return [NeighbourChange((), (), ()) for _ in before]
    pairs = zip(nearest_neighbours(before, k).tolist(), nearest_neighbours(after, k).tolist())
    return [
        NeighbourChange(
            tuple(i for i in new if i in old),
            tuple(i for i in new if i not in old),
            tuple(i for i in old if i not in new),
        )
        for old, new in pairs
    ]


def group_drift(
    before: FloatArray, after: FloatArray, groups: Sequence[str | None], aligned: bool = True
) -> tuple[GroupDrift, ...]:
    """One row a named group, in the order of first mention; sentences without a group are left out."""
    names = [g for g in dict.fromkeys(groups) if g is not None]
    codes = label_codes(groups)
    old, new = centroids(before, codes), centroids(after, codes)
    found = []
    for i, name in enumerate(names):
        members = codes == i
        near_old, near_new = _nearest_mean(old, i), _nearest_mean(new, i)
        found.append(
            GroupDrift(
                name,
                int(members.sum()),
                float(1.0 - old[i] @ new[i]) if aligned else None,
                float((unit_rows(before[members]) @ old[i]).mean()),
                float((unit_rows(after[members]) @ new[i]).mean()),
                None if near_old is None else names[near_old[0]],
                None if near_new is None else names[near_new[0]],
                None if near_old is None else near_old[1],
                None if near_new is None else near_new[1],
            )
        )
    return tuple(found)


def _nearest_mean(means: FloatArray, i: int) -> tuple[int, float] | None:
    """The other group whose mean is nearest to group i's, and 1 - cosine to it."""
    if len(means) < 2:
        return None
    cosines = means @ means[i]
    cosines[i] = -np.inf
    nearest = int(np.argmax(cosines))
    return nearest, float(1.0 - cosines[nearest])


def pair_scores(
    embeddings: FloatArray, sentences: SentenceSet, held_out: Sequence[Pair], train: Sequence[Pair] = ()
) -> PairScores:
    """Cosines, threshold, margins, accuracy and AUC of the held-out pairs.

    The threshold is the best one on the training pairs, as in measures.py; where these lack a label, that
    of the held-out pairs themselves serves for the margins alone.
    """
    cosines, similar = scored(embeddings, sentences, held_out)
    train_cosines, train_similar = scored(embeddings, sentences, train)
    threshold = best_threshold(train_cosines, train_similar)
    if threshold is None:
        threshold = best_threshold(cosines, similar)
    margins = None
    if threshold is not None:
        margins = np.where(similar, cosines - threshold, threshold - cosines).astype(np.float32)
    accuracy = pair_accuracy(cosines, similar, train_cosines, train_similar)
    return PairScores(cosines, similar, threshold, margins, accuracy, auc(cosines, similar))


def shared_pca(moments: Sequence[FloatArray], aligned: bool = True) -> list[FloatArray]:
    """All on one PCA plane, (n, 2) each: stands in for the neighbour map until umap-learn is ready."""
    from ..maps.layouts import layout_all

    return [frame.xy for frame in layout_all("pca", _described(moments, aligned))]


def shared_map(moments: Sequence[FloatArray], aligned: bool = True) -> list[FloatArray]:
    """All on one neighbour map, (n, 2) each: what moved there, moved. For the lane that has umap-learn."""
    from ..maps.layouts import shared_layout

    return shared_layout(_described(moments, aligned))


def shuffled(z: FloatArray, seed: int = 0) -> FloatArray:
    """Unit rows (n, d) in which every column has the values of z's, handed out among the rows at random: as
    many numbers of the same size, and nobody is like another but by chance."""
    return unit_rows(np.random.default_rng(seed).permuted(z, axis=0))
