"""What must hold for every loss whatever the embeddings: order does not matter, nothing is ever nan."""

from __future__ import annotations

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.losses import LOSSES, Batch, LossSettings
from core.losses.forces import forces
from core.losses.softmax import new_head

D = 4
COSINE_LOSSES = [key for key in LOSSES if key != "softmax"]
HEAD, HEAD_BIAS = (t.double() for t in new_head("u,v,|u-v|", D))
SETTINGS = LossSettings(temperature=0.2, head=HEAD, head_bias=HEAD_BIAS)

coordinates = st.floats(-10, 10).map(lambda x: round(x, 3))


@st.composite
def batches(draw: st.DrawFn) -> tuple[torch.Tensor, Batch]:
    """Few rows, so that rows repeat inside a batch; rows may be equal or zero."""
    n = draw(st.integers(2, 6))
    b = draw(st.integers(1, 6))
    z = draw(arrays.arrays(np.float64, (n, D), elements=coordinates))
    row = st.lists(st.integers(0, n - 1), min_size=b, max_size=b)
    label = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=b, max_size=b))
    return torch.tensor(z, requires_grad=True), Batch.of(draw(row), draw(row), label, draw(row))


@pytest.mark.parametrize("key", LOSSES)
@settings(max_examples=60, deadline=None)
@given(drawn=batches())
def test_value_gradient_and_forces_are_finite(key, drawn):
    z, batch = drawn
    terms = LOSSES[key].compute(z, batch, SETTINGS)
    force = forces(terms, z)
    (gradient,) = torch.autograd.grad(terms.value, z)
    assert terms.value.isfinite() and terms.value >= -1e-9
    assert force.isfinite().all() and gradient.isfinite().all()
    assert force.shape == (len(terms.pairs),) and terms.pairs.shape[1:] == (2,)


@pytest.mark.parametrize("key", LOSSES)
@settings(max_examples=40, deadline=None)
@given(drawn=batches(), seed=st.integers(0, 1000))
def test_order_of_pairs_and_rows_does_not_matter(key, drawn, seed):
    z, batch = drawn
    generator = np.random.default_rng(seed)
    order = torch.tensor(generator.permutation(len(batch.left)))
    rows = torch.tensor(generator.permutation(len(z)))
    place = torch.argsort(rows)  # row i of z stands at place[i] of z[rows]
    shuffled = Batch(
        place[batch.left[order]], place[batch.right[order]], batch.label[order], place[batch.negative[order]]
    )
    value = LOSSES[key].compute(z, batch, SETTINGS).value
    again = LOSSES[key].compute(z[rows], shuffled, SETTINGS).value
    torch.testing.assert_close(value, again)


@pytest.mark.parametrize("key", COSINE_LOSSES)
@settings(max_examples=40, deadline=None)
@given(drawn=batches(), scale=st.floats(0.1, 100))
def test_only_directions_count(key, drawn, scale):
    z, batch = drawn
    value = LOSSES[key].compute(z, batch, SETTINGS).value
    torch.testing.assert_close(value, LOSSES[key].compute(z * scale, batch, SETTINGS).value)


@pytest.mark.parametrize("key", LOSSES)
@settings(max_examples=20, deadline=None)
@given(row=arrays.arrays(np.float64, (D,), elements=coordinates), n=st.integers(2, 6))
def test_identical_vectors_are_no_nan(key, row, n):
    """A collapsed space: every embedding the same."""
    z = torch.tensor(np.tile(row, (2 * n, 1)), requires_grad=True)
    batch = Batch.of(list(range(n)), list(range(n, 2 * n)), [float(i % 2) for i in range(n)], [0] * n)
    terms = LOSSES[key].compute(z, batch, SETTINGS)
    (gradient,) = torch.autograd.grad(terms.value, z, retain_graph=True)
    assert terms.value.isfinite() and gradient.isfinite().all() and forces(terms, z).isfinite().all()


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, D), scale=st.floats(0.1, 10))
def test_no_loss_where_nothing_is_left_to_learn(n, scale):
    """Positives coincide, everything else is at a right angle or opposite."""
    corners = torch.eye(D, dtype=torch.float64)[:n] * scale
    z = torch.cat((corners, corners, -corners))  # anchors, positives, negatives
    rows = list(range(n))
    similar = Batch.of(rows, [i + n for i in rows], negative=[i + 2 * n for i in rows])
    for key in ("contrastive", "cosine", "triplet"):
        assert LOSSES[key].compute(z, similar, LossSettings()).value.item() == pytest.approx(0.0, abs=1e-12)
    for key in ("mnrl", "simcse"):  # softmax over cosines 1 and at most 0: log(1 + (2 n - 1) e^-20) at most
        assert 0.0 <= LOSSES[key].compute(z, similar, LossSettings()).value.item() < 2 * n * np.exp(-20)
    assert LOSSES["cosent"].compute(z, similar, LossSettings()).value == 0.0  # no order among equal labels
    dissimilar = Batch.of(rows, [i + 2 * n for i in rows], [0.0] * n)
    assert LOSSES["contrastive"].compute(z, dissimilar, LossSettings()).value == 0.0


@settings(max_examples=60, deadline=None)
@given(drawn=batches())
def test_mnrl_forces_of_an_anchor_cancel(drawn):
    """Softmax shares sum to one, so what the positive is pulled with, the negatives are pushed with."""
    z, batch = drawn
    terms = LOSSES["mnrl"].compute(z, batch, SETTINGS)
    assert forces(terms, z).sum().item() == pytest.approx(0.0, abs=1e-9)
