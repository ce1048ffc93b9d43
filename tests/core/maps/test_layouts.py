"""The maps: still when nothing learns, true to the neighbours, resumable, drawn for any number of points."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness as sklearn_trustworthiness
from sklearn.metrics import pairwise_distances

from core.maps import layouts
from core.maps.layouts import (
    LAYOUTS,
    LayoutSettings,
    advance,
    layout_all,
    place,
    point_trust,
    shared_layout,
    start,
)
from core.types import Frame, InputError
from core.vectors import cosine_distances

STUDY = Path(__file__).resolve().parents[4] / "shared" / "design" / "sentiment_frames.npz"


def clusters(n: int = 40, frames: int = 12, dims: int = 24, seed: int = 0) -> list[NDArray]:
    """Points that draw together into four groups, ever slower, like a model that learns."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(4, dims))
    own = random.normal(size=(n, dims))
    return [
        (centres[np.arange(n) % 4] + own * (0.4 + 0.9 * np.exp(-t / 2))).astype(np.float32)
        for t in range(frames)
    ]


def correlation(frames: list[Frame], embeddings: list[NDArray]) -> float:
    units = np.stack([e / np.linalg.norm(e, axis=1, keepdims=True) for e in embeddings])
    drawn = np.stack([f.xy for f in frames])
    moved, learned = (np.linalg.norm(np.diff(a, axis=0), axis=2).ravel() for a in (drawn, units))
    return float(spearmanr(moved, learned)[0])


def test_a_first_frame_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page draws the base model, and the run that it then starts begins with the same picture."""
    begun: list[Any] = []

    def counted(x: Any, settings: LayoutSettings, dims: int) -> Any:
        begun.append(x)
        return x[:, :dims].astype(float)

    layout = dataclasses.replace(LAYOUTS["equilibrium"], begin=counted)
    monkeypatch.setitem(LAYOUTS, "equilibrium", layout)
    x, other = clusters(n=12, frames=1, seed=91)[0], clusters(n=12, frames=1, seed=92)[0]
    frames = [start("equilibrium", points)[1] for points in (x, x.copy(), other, x)]
    assert len(begun) == 2
    assert np.array_equal(frames[0].xy, frames[1].xy) and np.array_equal(frames[0].xy, frames[3].xy)
    assert not np.array_equal(frames[0].xy, frames[2].xy)


def test_table_is_importable_without_umap_or_numba() -> None:
    code = (
        "import sys; from core.maps.layouts import LAYOUTS, start; import numpy as np; "
        "start('pca', np.eye(5)); "
        "print([m for m in ('umap', 'numba', 'sklearn', 'torch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    assert {"equilibrium", "pca", "umap", "pca3d"} <= set(LAYOUTS)
    assert all(row.title and row.summary and row.key == key for key, row in LAYOUTS.items())


@pytest.mark.parametrize("method", LAYOUTS)
def test_nothing_moves_when_nothing_is_learned(method: str) -> None:
    x = clusters()[0]
    state, first = start(method, x)
    for step in range(1, 4):
        state, frame = advance(state, x.copy(), step)
        assert frame.step == step
        np.testing.assert_array_equal(frame.xy, first.xy)


@pytest.mark.parametrize("method", ["equilibrium", "equilibrium3d", "pca"])
def test_the_start_rests_by_itself(method: str) -> None:
    """Not only because equal embeddings are skipped: a change too small to see moves the map as little."""
    x = clusters()[0]
    state, first = start(method, x)
    push = np.random.default_rng(1).normal(size=x.shape).astype(np.float32) * 1e-5
    _, frame = advance(state, x + push, 1)
    moved = np.linalg.norm(frame.xy - first.xy, axis=1)
    assert 0 < np.median(moved) < 1e-3


@pytest.mark.parametrize("method", LAYOUTS)
def test_same_input_same_map(method: str) -> None:
    frames = clusters(frames=3)
    for a, b in zip(layout_all(method, frames), layout_all(method, frames), strict=True):
        np.testing.assert_array_equal(a.xy, b.xy)


def test_equilibrium_follows_moving_clusters() -> None:
    embeddings = clusters(frames=16)
    frames = layout_all("equilibrium", embeddings)
    assert correlation(frames, embeddings) >= 0.6
    assert frames[-1].trustworthiness is not None and frames[-1].trustworthiness >= 0.9
    assert frames[-1].trust.mean() > 0.5


def test_equilibrium_reaches_its_goals_on_real_snapshots() -> None:
    if not STUDY.exists():
        pytest.skip("../shared/design/sentiment_frames.npz is not there")
    with np.load(STUDY, allow_pickle=False) as file:
        embeddings = list(file["F"])
    frames = layout_all("equilibrium", embeddings)
    assert correlation(frames, embeddings) >= 0.85
    for frame, x in zip(frames, embeddings, strict=True):
        assert sklearn_trustworthiness(x, frame.xy, n_neighbors=5, metric="cosine") >= 0.95


@pytest.mark.parametrize("method", LAYOUTS)
def test_a_resumed_run_equals_the_unbroken_one(method: str) -> None:
    frames = clusters(frames=5)
    state, _ = start(method, frames[0])
    for step in (1, 2):
        state, _ = advance(state, frames[step], step)
    copy = dataclasses.replace(
        state, **{f: np.array(getattr(state, f)) for f in ("embeddings", "xy", "axes", "spread")}
    )
    for step in (3, 4):
        state, unbroken = advance(state, frames[step], step)
    for step in (3, 4):
        copy, resumed = advance(copy, frames[step], step)
    np.testing.assert_array_equal(unbroken.xy, resumed.xy)


def effective_gradient(graph: Any, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gradient (n, 2 or 3) of `effective_loss`, by the compiled kernel."""
    from core.maps import equilibrium

    n, dims = xy.shape
    points, out = np.zeros((n, 3)), np.zeros((n, 3))
    points[:, :dims] = xy
    weights = equilibrium.NEGATIVES / (2 * n), equilibrium.GRAVITY
    equilibrium._gradient(*points.T.copy(), *graph.arrays, *weights, out)
    return out[:, :dims]


def test_the_kernel_is_the_gradient_of_the_effective_loss() -> None:
    from core.maps import equilibrium

    x = clusters(n=14)[0]
    graph = equilibrium.neighbour_graph(cosine_distances(x), 6)
    for dims in (2, 3):
        xy = np.random.default_rng(3).normal(size=(14, dims)) * 2
        found = effective_gradient(graph, xy)
        expected = np.zeros_like(xy)
        for i in np.ndindex(*xy.shape):
            ahead, behind = xy.copy(), xy.copy()
            ahead[i] += 1e-5
            behind[i] -= 1e-5
            change = equilibrium.effective_loss(graph, ahead) - equilibrium.effective_loss(graph, behind)
            expected[i] = change / 2e-5
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_descent_lowers_the_loss_and_rests_where_the_gradient_is_zero() -> None:
    from core.maps import equilibrium

    graph = equilibrium.neighbour_graph(cosine_distances(clusters()[0]), 10)
    xy = np.random.default_rng(0).normal(size=(40, 2)) * 3
    rest = equilibrium.settle(graph, xy)
    assert equilibrium.effective_loss(graph, rest) < equilibrium.effective_loss(graph, xy)
    assert np.abs(effective_gradient(graph, rest)).max() < 1e-4


def test_graph_is_umap_learns_own() -> None:
    from umap.umap_ import fuzzy_simplicial_set

    from core.maps import equilibrium

    x = clusters()[0]
    ours = equilibrium.neighbour_graph(cosine_distances(x), 10).matrix().toarray()
    cosine = pairwise_distances(x, metric="cosine")  # umap-learn does this too below 4,096 points
    theirs = fuzzy_simplicial_set(cosine, 10, np.random.RandomState(0), "precomputed")[0].toarray()
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


@pytest.mark.parametrize("method", LAYOUTS)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 8])
def test_any_number_of_sentences_gives_a_picture(method: str, n: int) -> None:
    random = np.random.default_rng(n)
    x = random.normal(size=(n, 6)).astype(np.float32)
    for begin in (x, x[np.arange(n) // 2], np.ones_like(x), np.zeros_like(x)):
        state, first = start(method, begin)
        state, second = advance(state, x, 1)
        state, third = advance(state, np.ones_like(x), 2)
        for frame in (first, second, third):
            assert frame.xy.shape == (n, LAYOUTS[method].dims) and frame.trust.shape == (n,)
            assert np.isfinite(frame.xy).all() and np.abs(frame.xy).max(initial=0) < 30
            assert ((frame.trust >= 0) & (frame.trust <= 1)).all()


def test_three_sentences_are_drawn_exactly_and_say_so() -> None:
    x = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0.9, 0.1, 0, 0.4]], np.float32)
    _, frame = start("equilibrium", x)
    units = x / np.linalg.norm(x, axis=1, keepdims=True)
    true = np.linalg.norm(units[:, None] - units, axis=2)
    drawn = np.linalg.norm(frame.xy[:, None] - frame.xy, axis=2)
    np.testing.assert_allclose(drawn / drawn[0, 1], true / true[0, 1], atol=1e-5)
    assert frame.method == "pca"


def test_first_frame_has_unit_size_and_growth_shows() -> None:
    x = clusters()[0]
    near = np.ones_like(x) * 3 + x * 0.1
    state, first = start("pca", near)
    _, later = advance(state, x, 1)
    sizes = [float(np.sqrt((f.xy**2).sum(axis=1).mean())) for f in (first, later)]
    assert sizes[0] == pytest.approx(1, abs=1e-5)
    assert 2 < sizes[1] <= 4


def test_live_pca_ends_where_the_replay_ends_and_never_flips() -> None:
    frames = clusters(frames=8)
    state, last = start("pca", frames[0])
    before = last.xy
    for step, x in enumerate(frames[1:], 1):
        state, last = advance(state, x, step)
        assert (before * last.xy).sum() > 0.5 * np.linalg.norm(before) * np.linalg.norm(last.xy)
        before = last.xy
    replay = layout_all("pca", frames)[-1].xy
    live = last.xy.astype(float)
    distances = [np.linalg.norm(m[:, None] - m, axis=2) for m in (live, replay)]
    np.testing.assert_allclose(
        distances[0] / distances[0].max(), distances[1] / distances[1].max(), atol=1e-4
    )


def test_trustworthiness_equals_scikit_learns() -> None:
    x = clusters(n=37)[0]
    xy = np.random.default_rng(2).normal(size=(37, 2))
    for k in (1, 5, 12):
        expected = sklearn_trustworthiness(x, xy, n_neighbors=k, metric="cosine")
        assert layouts.trustworthiness(x, xy, k) == pytest.approx(expected, abs=1e-9)


def test_point_trust_counts_shared_neighbours() -> None:
    angle = np.array([0.0, 0.1, 0.25, 2.0, 2.1, 2.25])
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    np.testing.assert_array_equal(point_trust(x, np.stack([angle, angle * 0], axis=1), k=2), np.ones(6))
    swapped = np.stack([angle[[3, 1, 2, 0, 4, 5]], angle * 0], axis=1)  # 0 and 3 drawn in each other's place
    np.testing.assert_array_equal(point_trust(x, swapped, k=2), [0, 0.5, 0.5, 0, 0.5, 0.5])


def test_shared_layout_does_not_depend_on_the_order_of_moments() -> None:
    before, *_, after = clusters()
    a, b = shared_layout([before, after])
    c, d = shared_layout([after, before])
    np.testing.assert_allclose(a, d, atol=1e-3)
    np.testing.assert_allclose(b, c, atol=1e-3)
    same, again = shared_layout([before, before])
    np.testing.assert_array_equal(same, again)
    assert np.linalg.norm(a - b) > 0.1


def test_place_puts_known_texts_on_their_points_and_new_ones_among_neighbours() -> None:
    x = clusters()[0]
    _, frame = start("equilibrium", x)
    np.testing.assert_allclose(place(x, frame.xy, x[:5]), frame.xy[:5], atol=1e-6)
    group = np.arange(40) % 4 == 1
    spot = place(x, frame.xy, x[group].mean(axis=0, keepdims=True))[0]
    centres = [frame.xy[np.arange(40) % 4 == g].mean(axis=0) for g in range(4)]
    assert int(np.argmin([np.linalg.norm(spot - c) for c in centres])) == 1
    assert place(x[:0], frame.xy[:0], x[:2]).shape == (2, 2)


def test_bad_input_is_refused_in_words() -> None:
    x = clusters()[0]
    with pytest.raises(InputError, match="no layout 'tsne'"):
        start("tsne", x)
    broken = x.copy()
    broken[4, 2] = np.nan
    with pytest.raises(InputError, match="sentence 5"):
        start("pca", broken)


def test_neighbours_setting_is_used() -> None:
    x = clusters()[0]
    few, many = (start("equilibrium", x, LayoutSettings(neighbours=k))[1].xy for k in (4, 20))
    assert not np.allclose(few, many, atol=0.05)
