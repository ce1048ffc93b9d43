"""The intervals against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap

from core.metrics.intervals import paired_bootstrap, wilson


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_as_scipy(counts):
    right, count = counts
    theirs = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert wilson(right, count) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_of_nothing_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_paired_bootstrap_as_scipy():
    found = np.random.default_rng(3).normal(0.1, 0.5, size=60)
    theirs = bootstrap((found,), np.mean, method="percentile", random_state=1).confidence_interval
    assert paired_bootstrap(found) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert paired_bootstrap(found) == paired_bootstrap(found)
    assert paired_bootstrap([0.2, 0.2]) == pytest.approx((0.2, 0.2))
