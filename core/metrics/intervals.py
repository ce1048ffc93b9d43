"""How sure a figure is: the interval that a share or a difference from few cases must be read with."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95


def wilson(right: int, count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The Wilson score interval (low, high), within [0, 1], of a share of which `right` of `count` were seen.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference"; unlike the usual
    plus-or-minus it stays sensible for few pairs and near 0 and 1. (0, 1) without any.
    """
    assert 0 <= right <= count, f"{right} of {count}"
    if count == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = right / count, z * z / count
    centre = (share + weight / 2) / (1 + weight)
    reach = z * math.sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def paired_bootstrap(
    differences: ArrayLike, confidence: float = CONFIDENCE, draws: int = 5_000, seed: int = 0
) -> tuple[float, float]:
    """The percentile interval (low, high) of the mean of differences (n,), one for each case, n at least 1.

    Both ways were tried on the same cases, so cases are drawn anew, with replacement, and never one way
    without the other (Efron & Tibshirani 1993; Smucker et al. 2007 for queries). Equal seeds, equal answer.
    """
    values = np.asarray(differences, np.float64)
    assert values.ndim == 1 and len(values) > 0, "one difference for each case"
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
