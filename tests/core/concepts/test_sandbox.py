"""The sandbox's dynamics against finite differences of the real losses, and its presets' promises."""

from __future__ import annotations

import numpy as np
import pytest

from core.concepts import sandbox
from core.concepts.sandbox import Objective
from core.concepts.sandbox.presets import PRESETS
from core.types import InputError

GROUPS = (0, 0, 0, 1, 1, 1, 2, 2)


def objective(loss: str, **changes: object) -> Objective:
    return Objective(loss, GROUPS, **{"temperature": 0.3, "margin": 0.8, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("space", sandbox.SPACES)
@pytest.mark.parametrize("loss", sandbox.LOSS_KEYS)
def test_the_gradient_is_the_slope_along_the_surface(loss: str, space: str) -> None:
    z = sandbox.random_points(len(GROUPS), space, seed=3)
    seen = sandbox.observe(objective(loss), z)
    rng, h = np.random.default_rng(1), 1e-5
    for _ in range(3):
        way = sandbox.along_surface(z, rng.standard_normal(z.shape))
        ahead = sandbox.observe(objective(loss), sandbox.on_surface(z + h * way)).loss
        behind = sandbox.observe(objective(loss), sandbox.on_surface(z - h * way)).loss
        assert (ahead - behind) / (2 * h) == pytest.approx(float((seen.gradient * way).sum()), abs=1e-6)
    assert np.abs((seen.gradient * z).sum(axis=1)).max() < 1e-12


@pytest.mark.parametrize("loss", sandbox.LOSS_KEYS)
def test_the_pairs_contributions_add_up_to_the_motion(loss: str) -> None:
    z = sandbox.random_points(len(GROUPS), "sphere", seed=5)
    seen = sandbox.observe(objective(loss), z)
    total = np.zeros_like(z)
    for (i, j), (on_i, on_j) in zip(seen.pairs, sandbox.contributions(z, seen)):
        total[i] += on_i
        total[j] += on_j
    assert np.abs(total + seen.gradient).max() < 1e-10
    assert len({tuple(p) for p in seen.pairs}) == len(seen.pairs)


def test_a_force_is_the_derivative_by_the_cosine_of_its_pair() -> None:
    """Contrastive on one pair: half of (1 - cos)^2 has slope cos - 1."""
    z = sandbox.on_surface([[1.0, 0.0], [1.0, 2.0]])
    seen = sandbox.observe(Objective("contrastive", (0, 0)), z)
    assert seen.forces[0] == pytest.approx(seen.cosines[0] - 1.0)


def test_a_small_step_lowers_the_loss_by_rate_times_the_squared_slope_and_stays_on_the_sphere() -> None:
    z, rate = sandbox.random_points(len(GROUPS), "sphere", seed=2), 1e-4
    before = sandbox.observe(objective("mnrl"), z)
    after = sandbox.descend(objective("mnrl"), z, rate, 1)
    drop = before.loss - after.seen.loss
    assert drop == pytest.approx(rate * float((before.gradient**2).sum()), rel=1e-2)
    assert np.allclose(np.linalg.norm(after.z, axis=1), 1.0)
    assert after.losses == (after.seen.loss,)


def test_steps_taken_together_equal_steps_taken_one_by_one() -> None:
    z = sandbox.random_points(len(GROUPS), "circle", seed=4)
    together = sandbox.descend(objective("contrastive"), z, 0.5, 3)
    one = z
    for _ in range(3):
        one = sandbox.descend(objective("contrastive"), one, 0.5, 1).z
    assert np.allclose(together.z, one, atol=1e-12)  # scaling to length 1 twice rounds


def test_what_the_loss_is_told() -> None:
    assert sandbox.groups(7, 3) == (0, 0, 0, 1, 1, 2, 2)
    assert sandbox.split_groups((0, 0, 0, 0, 1, 1)) == (0, 0, 1, 1, 2, 3)
    rows = sandbox.rows_of(Objective("contrastive", (0, 0, 1), negatives=False))
    assert (rows.left, rows.right, rows.label) == ((0,), (1,), (1.0,))
    rows = sandbox.rows_of(Objective("triplet", (0, 0, 1)))
    assert rows.negative == (2, 2)
    with pytest.raises(InputError, match="no similar pairs"):
        sandbox.rows_of(Objective("mnrl", (0, 1, 2)))
    with pytest.raises(InputError, match="no triplets"):
        sandbox.rows_of(Objective("triplet", (0, 0)))


def test_outcomes_are_told_apart() -> None:
    east, north, west = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
    words = sandbox.OUTCOMES
    assert sandbox.outcome(np.array([east, east, east, east]), (0, 0, 1, 1)) == words[0]
    assert sandbox.outcome(np.array([east, east, north, north]), (0, 0, 1, 1)) == words[1]
    assert sandbox.outcome(np.array([east, north, west, west]), (0, 0, 1, 1)) == words[2]
    assert sandbox.outcome(np.array([east, east, north, north, north]), (0, 0, 1, 1, 2)) == words[3]


@pytest.mark.parametrize("seed", [7, 1])
@pytest.mark.parametrize("key", PRESETS)
def test_every_preset_ends_as_its_explanation_says(key: str, seed: int) -> None:
    preset = PRESETS[key]
    z = sandbox.random_points(preset.points, preset.space, seed)
    end = sandbox.descend(preset.objective(), z, preset.rate, preset.patience)
    assert preset.truth(end.z, end.seen.loss) == preset.expected
    assert end.seen.loss <= sandbox.observe(preset.objective(), z).loss
