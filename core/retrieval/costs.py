"""What both architectures cost on this machine, now: seconds for n texts, measured, then projected further.

A bi-encoder embeds n texts once and compares vectors; a cross-encoder reads all n (n - 1) / 2 pairs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..models.cross_encoder import LIKENESS
from .corpus import built_in

SIZES = (2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024)
BUDGET = 4.0  # seconds that each of the two measurements may take, about


@dataclass(frozen=True, slots=True)
class PublishedCost:
    """A figure from the literature, shown with its source and never as ours."""

    texts: int
    pairs: int
    cross_seconds: float
    bi_seconds: float
    source: str


SBERT = PublishedCost(
    texts=10_000,
    pairs=49_995_000,
    cross_seconds=65 * 3600.0,
    bi_seconds=5.0,
    source="Reimers & Gurevych 2019, Sentence-BERT: BERT on a V100 GPU",
)


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds for n texts, smallest n first; all measured, nothing projected."""

    texts: tuple[int, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CostCurve:
    """Both measurements, and what one unit of work takes at the largest n that was reached."""

    bi: Timings  # embed n texts and compare all of them
    cross: Timings  # read every pair of n texts
    per_text: float  # seconds to embed one text
    per_comparison: float  # seconds for one cosine
    per_pair: float  # seconds to read one pair
    tokens: float  # mean tokens of a text, special ones included

    def bi_seconds(self, n: int) -> float:
        """Projected: n texts embedded, every pair's cosine computed."""
        return n * self.per_text + pair_count(n) * self.per_comparison

    def cross_seconds(self, n: int) -> float:
        """Projected: every pair of n texts read once."""
        return pair_count(n) * self.per_pair


def pair_count(n: int) -> int:
    """Pairs of n texts, order left aside.

    >>> pair_count(10_000)
    49995000
    """
    return n * (n - 1) // 2


def measure_costs(
    sizes: Sequence[int] = SIZES,
    budget: float = BUDGET,
    base_model: str = "minilm-l6",
    cross_encoder: str = LIKENESS,
) -> CostCurve:
    """Measure both encoders at growing n until each has used about `budget` seconds.

    The texts are sentences of the built-in corpus; where n is larger, they are numbered to stay different.
    At least one size is measured, however long it takes.
    """
    from ..models import cross_encoder as cross_module
    from ..models import registry

    sizes = sorted({size for size in sizes if size >= 2})
    assert sizes, "measure at least one number of texts, 2 or more"
    bi, cross = registry.load(base_model), cross_module.load(cross_encoder)
    texts = sample_texts(max(sizes))

    def compare_all(n: int) -> None:
        z = bi.encode(texts[:n])
        z @ z.T

    def read_all(n: int) -> None:
        cross.score([(texts[i], texts[j]) for i in range(n) for j in range(i)])

    for warm_up in (compare_all, read_all):
        warm_up(2)
    quick = measure(compare_all, sizes, budget, growth=1)  # embedding; the cosines hardly count
    slow = measure(read_all, sizes, budget)
    n, m = quick.texts[-1], slow.texts[-1]
    per_comparison = seconds_per_cosine(bi.dim)
    return CostCurve(
        quick,
        slow,
        per_text=max(quick.seconds[-1] - pair_count(n) * per_comparison, 0.0) / n,
        per_comparison=per_comparison,
        per_pair=slow.seconds[-1] / pair_count(m),
        tokens=float(np.mean([len(pieces) for pieces in bi.tokenize(texts[:n]).pieces])),
    )


def measure(
    work: Callable[[int], None],
    sizes: Sequence[int],
    budget: float,
    growth: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> Timings:
    """Time `work(n)` for each size in turn, and leave out the sizes that would exceed the budget.

    What the next size will take is judged from the last one, as if work grew with n to the power `growth`.
    """
    texts: list[int] = []
    seconds: list[float] = []
    for n in sizes:
        if texts and sum(seconds) + seconds[-1] * (n / texts[-1]) ** growth > budget:
            break
        began = clock()
        work(n)
        texts.append(n)
        seconds.append(clock() - began)
    return Timings(tuple(texts), tuple(seconds))


def seconds_per_cosine(dim: int, n: int = 1000) -> float:
    """Seconds for one comparison of two vectors, from a product of (n, dim) with its transpose."""
    z = np.random.default_rng(0).standard_normal((n, dim), dtype=np.float32)
    z @ z.T
    began = time.perf_counter()
    z @ z.T
    return (time.perf_counter() - began) / n**2


def sample_texts(n: int) -> list[str]:
    """n different sentences of everyday length from the built-in corpus."""
    sentences = [part.strip() for p in built_in().passages for part in p.text.split(". ")]
    rounds = -(-n // len(sentences))
    return [s if i == 0 else f"{i + 1}. {s}" for i in range(rounds) for s in sentences][:n]
