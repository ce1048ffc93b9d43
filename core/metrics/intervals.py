"""How sure a count is: the interval that a share of few pairs must be read with."""

from __future__ import annotations

import math
from statistics import NormalDist

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
