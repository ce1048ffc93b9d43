"""What holds for every set of points: finite maps, symmetry where there is one, numbers in their range."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from core.maps import equilibrium
from core.maps.layouts import LAYOUTS, advance, place, point_trust, start, trustworthiness
from core.vectors import cosine_distances

FEW = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)
rows = st.integers(0, 12).flatmap(
    lambda n: arrays(np.float32, (n, 4), elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1e-9, 3.0]))
)


def cloud(seed: int, n: int, dims: int = 6) -> NDArray:
    return np.random.default_rng(seed).normal(size=(n, dims)).astype(np.float32)


@FEW
@given(rows, rows, st.sampled_from(sorted(set(LAYOUTS) - {"umap"})))
def test_every_map_is_finite(first: NDArray, other: NDArray, method: str) -> None:
    """Duplicates, zeros and ties included, however the points then move."""
    state, frame = start(method, first)
    moved = np.resize(other, first.shape) if other.size else first * 0
    _, later = advance(state, moved, 1)
    for drawn in (frame, later):
        assert np.isfinite(drawn.xy).all() and np.isfinite(drawn.trust).all()
        assert drawn.xy.shape == (len(first), LAYOUTS[method].dims)


@FEW
@given(seeds, st.integers(4, 40))
def test_following_a_graph_does_not_depend_on_the_order_of_sentences(seed: int, n: int) -> None:
    """umap-learn's sampled start does; the descent from a given map may not."""
    random = np.random.default_rng(seed)
    x, xy, order = cloud(seed, n), random.normal(size=(n, 2)) * 3, random.permutation(n)
    xy -= xy.mean(axis=0)
    straight = equilibrium.follow(equilibrium.neighbour_graph(cosine_distances(x), 6), xy, 10)
    mixed = equilibrium.follow(equilibrium.neighbour_graph(cosine_distances(x[order]), 6), xy[order], 10)
    np.testing.assert_allclose(straight[order], mixed, atol=1e-3)


@FEW
@given(seeds, st.integers(3, 30))
def test_pca_does_not_depend_on_the_order_of_sentences(seed: int, n: int) -> None:
    x = cloud(seed, n)
    order = np.random.default_rng(seed).permutation(n)
    a, b = start("pca", x)[1].xy[order], start("pca", x[order])[1].xy
    gaps = [np.linalg.norm(m[:, None] - m, axis=2) for m in (a, b)]  # signs and ties may differ
    np.testing.assert_allclose(gaps[0], gaps[1], atol=1e-3)


@FEW
@given(rows)
def test_a_perfect_map_is_fully_trusted(x: NDArray) -> None:
    """Unit rows in the plane, drawn as they are, keep every neighbour."""
    angle = np.linspace(0, 2, len(x)) ** 2
    plane = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert (point_trust(plane, plane, 3) == 1).all()
    assert trustworthiness(plane, plane) in (None, 1.0)


@FEW
@given(seeds, st.integers(1, 30), st.integers(1, 12))
def test_trust_is_a_share(seed: int, n: int, k: int) -> None:
    trust = point_trust(cloud(seed, n), cloud(seed + 1, n, 2), k)
    whole = max(1, min(k, n - 1))
    assert ((trust >= 0) & (trust <= 1)).all()
    np.testing.assert_allclose(trust * whole, np.round(trust * whole), atol=1e-5)


@FEW
@given(seeds, st.integers(1, 20), st.integers(1, 8))
def test_placed_points_stay_on_the_ground_of_the_map(seed: int, n: int, m: int) -> None:
    xy = cloud(seed, n, 2)
    placed = place(cloud(seed + 1, n), xy, cloud(seed + 2, m))
    assert (placed >= xy.min(axis=0) - 1e-5).all() and (placed <= xy.max(axis=0) + 1e-5).all()
