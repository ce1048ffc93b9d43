"""How good a cross-encoder is on the parts held back, while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.metrics.measures import auc, spearman
from scripts import cross_encoder_data as data
from scripts.cross_encoder_data import Asked, Vectors

PairLogits = Callable[[Sequence[tuple[str, str]]], Tensor]


def logits_of(model: PairLogits, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    found = np.zeros(len(pairs), np.float32)
    by_length = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
    for start in range(0, len(pairs), 32):
        rows = by_length[start : start + 32]
        with torch.no_grad():
            found[rows] = model([pairs[i] for i in rows]).numpy()
    return found


def of_likeness(model: PairLogits, folder: Path, most: int) -> dict[str, float | None]:
    """Spearman's correlation on STSb dev; AUC of "the same meaning" in what each other set holds back."""
    dev = data.sts(folder / "stsb" / "dev.tsv")[:: max(1, 1500 // max(most, 500))]
    found = {"stsb dev": spearman(logits_of(model, [(p.left, p.right) for p in dev]), [p.gold for p in dev])}
    for name in data.FINE:
        rows = data.fine(folder / "finepairs", name)[1]
        rows = rows[:: max(1, len(rows) // most)]
        scores = logits_of(model, [(p.left, p.right) for p in rows])
        found[name] = auc(scores, np.array([p.gold == data.SAME for p in rows]))
    return found


def of_relevance(
    model: PairLogits, vectors: Vectors, held: dict[str, list[Asked]], most: int
) -> dict[str, float | None]:
    """MRR@10 of the bi-encoder and after re-ranking its first ones, by set."""
    found: dict[str, float | None] = {}
    for name, asked in held.items():
        before, after = [], []
        for one in asked[:most]:
            passages = [*one.positives, *one.negatives]
            truth = np.arange(len(passages)) < len(one.positives)
            cosines = vectors.of(passages) @ vectors.of([one.question])[0]
            top = np.argsort(-cosines)[: max(data.NEAREST, 0 if "sel" not in name else len(passages))]
            before.append(_reciprocal(truth[top]))
            logits = logits_of(model, [(one.question, passages[i]) for i in top])
            after.append(_reciprocal(truth[top][np.argsort(-logits)]))
        found[f"{name} ({np.mean(before):.3f})"] = float(np.mean(after))
    return found


def _reciprocal(truth: np.ndarray) -> float:
    """1 / place of the first answer, 0 after the tenth."""
    places = np.flatnonzero(truth[:10])
    return 1 / (places[0] + 1) if len(places) else 0.0
