"""What figures draw, checked on the numbers they were given."""

from __future__ import annotations

import numpy as np
import pytest

from pages.compare import plots
from ui import figures


def test_a_histogram_and_its_table_hold_every_value_once():
    rng = np.random.default_rng(0)
    samples = {"a": rng.normal(size=500).astype(np.float32), "b": rng.uniform(-4, 4, 300)}
    bins = figures.binned(samples)
    drawn, rows = figures.histogram(bins, x_title="x"), bins.columns("x")
    for trace, (name, values) in zip(drawn.data, samples.items(), strict=True):
        expected, _ = np.histogram(values, np.append(rows["x, from"], rows["to"][-1]))
        assert trace.name == name and list(trace.y) == expected.tolist() == list(rows[f"pairs, {name}"])
        assert sum(trace.y) == len(values)
    assert list(drawn.data[0].x) == pytest.approx((rows["x, from"] + rows["to"]) / 2)


@pytest.mark.parametrize("values", [[], [0.5], [1.0, 1.0, 1.0]])
def test_a_histogram_of_almost_nothing_still_draws(values):
    bins = figures.binned({"a": np.array(values)})
    assert bins.counts["a"].sum() == len(values)
    figures.histogram(bins, x_title="x")


def test_margins_that_no_model_has_draw_an_empty_figure():
    assert not plots.margins(None, None).data
