"""What the page about SBERT's objective asks a worker: two passes, the untouched model, a trained one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..losses.softmax import CONCATENATIONS
from ..models.settings import POOLINGS
from ..training.nli import BASE, HEAD, Example, NliTask, as_pairs, features, probabilities, split
from ..types import FloatArray
from ..vectors import pair_cosines, row_cosines


@dataclass(frozen=True, slots=True)
class Passes:
    """One pair through the untouched encoder. `u`, `v` (d,) pooled, not normalised.

    `swapped` is how much each part changes when the two sentences change places: the largest difference of
    any number. `alone` is the same for u read alone instead of together with v in one batch.
    """

    u: FloatArray
    v: FloatArray
    difference: FloatArray  # |u - v|
    cosine: float
    swapped: dict[str, float]
    alone: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """The examples under the model before any training.

    `cosines` (m,) of all pairs. The rest is the held-out accuracy of a linear classifier on the parts of
    frozen vectors, for each concatenation (mean pooling) and for each pooling (u, v, |u-v|).
    """

    cosines: FloatArray
    concatenations: dict[str, float]
    poolings: dict[str, float]
    probe: dict[str, float | None]  # rank correlation with the graded pairs, for each pooling


def passes(premise: str, hypothesis: str, pooling: str = "mean") -> Passes:
    """Both sentences through the one encoder, and what stays when they change places."""
    from ..models import registry

    encoder = registry.load(BASE)

    def read(*texts: str) -> FloatArray:
        return encoder.encode(texts, pooling=pooling, normalize=False)

    u, v = read(premise, hypothesis)
    other_u, other_v = read(hypothesis, premise)
    parts, turned = (_parts(u, v), _parts(other_u, other_v))
    return Passes(
        u,
        v,
        parts["|u-v|"],
        float(row_cosines(u, v)),
        {name: float(np.abs(parts[name] - turned[name]).max()) for name in parts},
        float(np.abs(read(premise)[0] - u).max()),
    )


def _parts(u: FloatArray, v: FloatArray) -> dict[str, FloatArray]:
    return {"u": u, "v": v, "|u-v|": np.abs(u - v), "u*v": u * v}


def baseline(given: tuple[Example, ...], seed: int) -> Baseline:
    """The base model's cosines, and how far a linear classifier gets when the encoder does not learn.

    Ridge regression on standardised columns, as strong as there are columns: far more of them than pairs.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from ..metrics.probe import graded_pairs, score
    from ..models import registry

    encoder = registry.load(BASE)
    probe = [text for p in graded_pairs() for text in (p.left, p.right)]
    sentences, pairs = as_pairs(given)
    row = sentences.row()
    left, right = (np.array([row[getattr(p, side)] for p in pairs]) for side in ("left", "right"))
    z = {how: encoder.encode(sentences.texts, pooling=how, normalize=False) for how in POOLINGS}
    train, held = split(given, seed)
    labels = np.array([e.label for e in given])

    def accuracy(how: str, concatenation: str) -> float:
        x = features(z[how][left], z[how][right], concatenation)
        model = make_pipeline(StandardScaler(), RidgeClassifier(alpha=x.shape[1]))
        return float(model.fit(x[train], labels[train]).score(x[held], labels[held]))

    return Baseline(
        pair_cosines(z["mean"], np.stack([left, right], axis=1)),
        {name: accuracy("mean", name) for name in CONCATENATIONS},
        {name: accuracy(name, "u,v,|u-v|") for name in POOLINGS},
        {how: score(encoder.encode(probe, pooling=how)).spearman for how in POOLINGS},
    )


def classify(task: NliTask, checkpoint: str, premise: str, hypothesis: str) -> tuple[FloatArray, float]:
    """What the model of that checkpoint file says of a pair: probabilities (3,) in the order of CLASSES, and
    its cosine. Raises InputError when the file is missing or damaged."""
    from ..training import checkpoints
    from ..training.tuned import tuned

    kept = checkpoints.load(Path(checkpoint)).parameters
    encoder = tuned(task.config(), checkpoint)
    u, v = encoder.encode([premise, hypothesis], pooling=task.pooling, normalize=False)
    chances = probabilities(u[None], v[None], task.concatenation, *(kept[name] for name in HEAD))[0]
    return chances, float(row_cosines(u, v))


def tasks(
    given: tuple[Example, ...], what: str, chosen: tuple[str, ...], seeds: int, like: NliTask
) -> tuple[NliTask, ...]:
    """One task for each choice and seed, seed by seed, so that all are compared early.

    `what` names the field that differs: "concatenation" or "pooling".
    """
    found = []
    for extra in range(seeds):
        for name in chosen:
            fields: dict[str, Any] = {"examples": given, "seed": like.seed + extra, what: name}
            found.append(replace(like, **fields))
    return tuple(found)
