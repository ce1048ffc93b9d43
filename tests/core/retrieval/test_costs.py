"""Costs: what is measured is measured, what is projected follows from it."""

from __future__ import annotations

import pytest

from core.retrieval import costs


def test_pairs_of_sberts_example() -> None:
    assert costs.pair_count(costs.SBERT.texts) == costs.SBERT.pairs == 49_995_000
    assert [costs.pair_count(n) for n in (0, 1, 2, 3, 10)] == [0, 0, 1, 3, 45]


def test_measuring_stops_before_the_budget_is_exceeded() -> None:
    now = 0.0

    def work(n: int) -> None:
        nonlocal now
        now += n**2 / 100

    found = costs.measure(work, (2, 4, 8, 16, 32), budget=4.0, clock=lambda: now)
    assert found.texts == (2, 4, 8, 16)  # 0.04 + 0.16 + 0.64 + 2.56 s; 32 would take 10 s more
    assert found.seconds == pytest.approx((0.04, 0.16, 0.64, 2.56))
    assert costs.measure(work, (50, 60), budget=0.0, clock=lambda: now).texts == (50,)


def test_projection_goes_through_the_measured_rates() -> None:
    empty = costs.Timings((), ())
    curve = costs.CostCurve(empty, empty, per_text=0.01, per_comparison=1e-9, per_pair=0.02, tokens=12.0)
    assert curve.cross_seconds(10_000) == pytest.approx(999_900)
    assert curve.bi_seconds(10_000) == pytest.approx(100.05, abs=0.01)


def test_sample_texts_differ() -> None:
    texts = costs.sample_texts(1000)
    assert len(texts) == len(set(texts)) == 1000 and all(texts)


def test_both_encoders_are_measured_for_real() -> None:
    curve = costs.measure_costs(sizes=(2, 4, 8), budget=1.0)
    assert curve.bi.texts[0] == curve.cross.texts[0] == 2
    assert all(s > 0 for s in (*curve.bi.seconds, *curve.cross.seconds))
    assert curve.per_pair > 0 and curve.per_text >= 0 and curve.per_comparison > 0 and curve.tokens > 5
    assert curve.cross_seconds(10_000) > curve.bi_seconds(10_000)
