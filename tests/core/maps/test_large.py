"""Maps of many texts: the sample is drawn first, the whole keeps its shape, and neighbours are exact."""

from __future__ import annotations

import numpy as np
import pytest

from core.maps import large
from core.maps.quality import trustworthiness
from core.vectors import cosine_distances, unit_rows


@pytest.fixture
def file(tmp_path):
    """Three clouds of 50 unit vectors; the last two are equal, as copies of a text are."""
    rng = np.random.default_rng(5)
    z = unit_rows(np.repeat(np.eye(8)[:3], 50, axis=0) + 0.3 * rng.normal(size=(150, 8)))
    z[-1] = z[-2]
    np.save(tmp_path / "z.npy", z)
    return str(tmp_path / "z.npy")


def test_rows_are_all_or_a_sample_in_their_order():
    assert large.drawn_rows(5, 9).tolist() == [0, 1, 2, 3, 4]
    found = large.drawn_rows(1_000, 50)
    assert len(set(found.tolist())) == 50 and (np.diff(found) > 0).all()
    assert found.tolist() == large.drawn_rows(1_000, 50).tolist()


def test_neighbours_are_exact_across_blocks(file, monkeypatch):
    monkeypatch.setattr(large, "BLOCK", 64)
    z = np.load(file)
    near, lengths = large.neighbours(z, 6)
    true = cosine_distances(z)
    assert (near[:, 0] == np.arange(150)).all() and (lengths[:, 0] == 0).all()
    assert near[-1, 1] == 148 and lengths[-1, 1] == 0
    np.testing.assert_allclose(lengths, np.sort(true, axis=1)[:, :6], atol=1e-6)


def test_the_whole_map_begins_where_the_sample_stands(file):
    rows = np.arange(150)
    chosen, xy = large.preview(file, rows, sample=60)
    assert xy.shape == (60, 2) and len(chosen) == 60
    every = large.whole(file, rows, sample=60)
    assert every.shape == (150, 2) and np.isfinite(every).all() and every.dtype == np.float32
    np.testing.assert_allclose(every.mean(axis=0), 0, atol=1e-4)
    assert (every**2).sum(axis=1).mean() == pytest.approx(1, abs=1e-3)
    trust = trustworthiness(np.load(file), every)
    assert trust is not None and trust > 0.9
    centres = [[m[np.isin(rows_, range(50 * c, 50 * c + 50))].mean(axis=0) for c in range(3)]
               for m, rows_ in ((xy, chosen), (every, rows))]  # fmt: skip
    assert np.linalg.norm(np.subtract(*centres), axis=1).max() < 0.8, "each cloud is about where it was"
    assert np.array_equal(every, large.whole(file, rows, sample=60)), "the same picture every time"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_texts_are_no_error(file, count):
    assert large.whole(file, np.arange(count)).shape == (count, 2)
    assert np.isfinite(large.whole(file, np.full(6, 148))).all(), "nor are copies of one"
