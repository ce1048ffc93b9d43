"""Random clouds against theory, flat maps against scikit-learn, and pairs on which a map misleads."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from core.concepts import flat_maps, high_dimensions
from core.types import InputError

RNG = np.random.default_rng(11)
# Three groups in 16 dimensions, well apart.
CENTRES = np.eye(16, dtype=np.float32)[[0, 5, 9]] * 4
GROUPS = (np.repeat(CENTRES, 12, axis=0) + RNG.normal(size=(36, 16)) * 0.5).astype(np.float32)


@pytest.mark.parametrize("cloud", high_dimensions.CLOUDS)
def test_distances_concentrate_whatever_the_cloud(cloud):
    found = high_dimensions.simulate_all(cloud, 150, seed=3)
    assert [s.dims for s in found] == list(high_dimensions.DIMENSIONS)
    ratios = [s.ratio for s in found]
    assert ratios[0] > 10 and 1 < ratios[-1] < 1.5
    assert found[-1].variation < 0.05 < found[0].variation


@pytest.mark.parametrize("dims", [4, 64, 384])
def test_cosines_of_random_directions_spread_as_theory_says(dims):
    found = high_dimensions.simulate("sphere", 300, dims, seed=1)
    assert found.cosine_spread == pytest.approx(dims**-0.5, rel=0.05)
    assert found.cosine_mean == pytest.approx(0, abs=0.02)
    assert len(found.cosines) == len(found.distances) == 300 * 299 // 2


def test_the_same_seed_gives_the_same_points_and_another_gives_others():
    first, again, other = (high_dimensions.simulate("cube", 20, 8, seed=s) for s in (4, 4, 5))
    assert np.array_equal(first.distances, again.distances)
    assert not np.array_equal(first.distances, other.distances)


def test_spread_by_hand():
    z = np.array([[0, 0], [3, 4], [6, 8]], np.float32)
    found = high_dimensions.spread(z)
    np.testing.assert_allclose(found.distances, [5, 10, 5], rtol=1e-6)
    assert found.ratio == pytest.approx(2)  # 10/5, 5/5, 10/5
    assert found.effective == pytest.approx(1, abs=1e-5)  # they lie on one line
    assert high_dimensions.spread(np.ones((4, 3), np.float32)).ratio == np.inf


def test_effective_dimension_counts_equal_directions():
    cube = np.vstack([np.eye(5), -np.eye(5)]).astype(np.float32)
    assert high_dimensions.effective_dimension(cube) == pytest.approx(5, abs=1e-5)
    assert high_dimensions.effective_dimension(np.ones((3, 4), np.float32)) == 0


@pytest.mark.parametrize(("cloud", "points"), [("torus", 50), ("cube", 5), ("cube", 1000)])
def test_what_cannot_be_drawn_is_said(cloud, points):
    with pytest.raises(InputError):
        high_dimensions.simulate(cloud, points, 3, 0)


def test_pca_map_is_scikit_learns_up_to_scale_and_sign():
    found = flat_maps.draw("pca", GROUPS, 10, 0)
    units = GROUPS / np.linalg.norm(GROUPS, axis=1, keepdims=True)
    reference = PCA(2).fit(units)
    expected = reference.transform(units)
    expected /= np.sqrt((expected**2).sum(axis=1).mean())
    np.testing.assert_allclose(np.abs(found.xy), np.abs(expected), atol=1e-3)
    assert found.kept == pytest.approx(reference.explained_variance_ratio_.sum(), abs=1e-4)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_every_map_keeps_clear_groups_together(method):
    found = flat_maps.draw(method, GROUPS, 8, seed=2)
    assert found.xy.shape == (36, 2) and np.isfinite(found.xy).all()
    assert np.sqrt((found.xy**2).sum(axis=1).mean()) == pytest.approx(1, abs=1e-3)
    near = NearestNeighbors(n_neighbors=6).fit(found.xy).kneighbors(return_distance=False)
    assert (near // 12 == np.arange(36)[:, None] // 12).mean() > 0.95
    assert found.trustworthiness == pytest.approx(
        trustworthiness(GROUPS, found.xy, n_neighbors=5, metric="cosine"), abs=1e-3
    )


def test_tsne_follows_its_seed_and_few_points_do_not_break_it():
    first, again, other = (flat_maps.draw("tsne", GROUPS, 10, s).xy for s in (1, 1, 2))
    assert np.array_equal(first, again) and not np.allclose(first, other, atol=0.05)
    assert flat_maps.draw("tsne", GROUPS[:5], 50, 0).xy.shape == (5, 2)


def test_true_neighbours():
    z = np.array([[1, 0, 0], [1, 0.1, 0], [1, 0.3, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    assert flat_maps.true_neighbours(z, 0, 2).tolist() == [1, 2]


def test_pairs_that_mislead_are_found_both_ways():
    z = GROUPS.copy()
    xy = flat_maps.draw("pca", z, 10, 0).xy.copy()
    xy[0] = xy[20] + 1e-3  # of another group, now drawn on top of it
    close = flat_maps.false_neighbours(z, xy)
    assert any({m.left, m.right} == {0, 20} for m in flat_maps.false_neighbours(z, xy, most=40))
    assert all(m.map_quantile <= flat_maps.CLOSE < m.true_quantile for m in close)
    assert [m.true_quantile for m in close] == sorted((m.true_quantile for m in close), reverse=True)
    far = flat_maps.missed_neighbours(z, xy)
    assert 0 in (far[0].left, far[0].right)
    assert all(m.true_quantile <= flat_maps.CLOSE < m.map_quantile for m in far)
    units = z / np.linalg.norm(z, axis=1, keepdims=True)
    assert far[0].cosine == pytest.approx(float(units[far[0].left] @ units[far[0].right]), abs=1e-5)


def test_a_faithful_map_misleads_nobody():
    angles = np.array([0, 0.1, 0.23, 0.41, 0.67, 0.98, 1.37, 1.85, 2.4])  # no two gaps alike
    z = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert flat_maps.false_neighbours(z, z) == flat_maps.missed_neighbours(z, z) == ()


def test_too_few_points_or_an_unknown_map_is_said():
    with pytest.raises(InputError, match="4 points"):
        flat_maps.draw("pca", GROUPS[:4], 5, 0)
    with pytest.raises(InputError, match="no map"):
        flat_maps.draw("mds", GROUPS, 5, 0)
