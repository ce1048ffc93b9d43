"""What figures draw, checked on the numbers they were given."""

from __future__ import annotations

import numpy as np
import pytest

from pages.compare import plots
from ui import figures
from ui.figures import classifiers, comparisons, cross_encoder, vectors


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


HOSTILE = ["2019", "2020", "1984-05-01", "1e3", "2019", "x" * 40 + "a", "x" * 40 + "b"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda names, v, m: figures.bars(names, v, x_title="x"),
        lambda names, v, m: figures.matrix(m, names),
        lambda names, v, m: classifiers.pairs_of_bars(names, {"2001": v, "2002": v}, y_title="y"),
        lambda names, v, m: classifiers.confusion((m * 10).astype(np.int64), names),
        lambda names, v, m: cross_encoder.word_bars(names, [0] * len(names), v, "t"),
        lambda names, v, m: cross_encoder.attention(m, names, names),
        lambda names, v, m: cross_encoder.quality(names, {"a": v, "b": v}),
        lambda names, v, m: vectors.token_shares(v, names),
        lambda names, v, m: vectors.same_or_alike(names, v, v),
        lambda names, v, m: vectors.measure_matrix(m, names, "t", closer_is_low=False),
        lambda names, v, m: comparisons.chances(names[:3], v[:3]),
        lambda names, v, m: comparisons.by_class(v, [0, 1, 2, 0, 1, 2, 0], names[:3], names),
    ],
)
def test_labels_are_names_whatever_they_look_like(draw):
    """Numbers, dates, equal ones and those equal in their beginning: each keeps a place of its own."""
    n = len(HOSTILE)
    values = np.linspace(0.1, 0.9, n).astype(np.float32)
    figure = draw(HOSTILE, values, np.abs(np.subtract.outer(values, values)))
    places = [getattr(trace, axis) for trace in figure.data for axis in ("x", "y")]
    assert not [place for some in places if some is not None for place in some if isinstance(place, str)]
    named = [axis for axis in (figure.layout.xaxis, figure.layout.yaxis) if axis.ticktext]
    assert any(len(axis.ticktext) in (n, 3) for axis in named)
    assert all(len(axis.tickvals) == len(axis.ticktext) for axis in named)


def test_typed_text_is_no_template_of_a_hover():
    typed = "100 %{y} <b>sure</b>"
    for figure in (
        vectors.rank_lines([typed], {"a": np.array([1]), "b": np.array([1])}, 0),
        cross_encoder.ranks([typed], np.array([1]), np.array([1])),
    ):
        assert all("sure" not in trace.hovertemplate for trace in figure.data)
        assert any("100 %{y}" in text for trace in figure.data for text in trace.customdata)
