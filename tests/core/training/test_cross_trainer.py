"""Training a cross-encoder: it learns, it is reproducible, it resumes exactly, it leaves the base alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.metrics.measures import auc
from core.models.cross_encoder import CrossEncoder
from core.models.joint_model import Head, JointModel, JointPairModel
from core.training.checkpoints import Checkpoint
from core.training.cross_trainer import CrossEncoderTrainer, CrossSnapshot
from core.training.trainer import iterate
from core.types import InputError, TrainingConfig
from tests.tiny import tiny_encoder, tiny_pairs, tiny_set

CONFIG = TrainingConfig(steps=12, learning_rate=3e-3, batch_size=4, trained_layers=2, seed=3)
HELD_OUT = tiny_pairs()[-2:] + tiny_pairs()[:2]
PAIRS = tiny_pairs()[2:-2]


def tiny(apart: bool) -> CrossEncoder:
    """For likeness with a second reading, for relevance with the cosine of the texts read apart."""
    base = tiny_encoder()
    torch.manual_seed(0)
    second = None if apart else JointModel(tiny_encoder(seed=5), Head(base.dim, 8))
    model = JointModel(base, Head(base.dim, 8, apart), bi_encoder=base, second=second)
    return CrossEncoder(JointPairModel(model.requires_grad_(False)), "tiny")


@pytest.fixture
def cross() -> CrossEncoder:
    return tiny(apart=False)


def run(
    cross: CrossEncoder, config: TrainingConfig = CONFIG, resume: Checkpoint | None = None
) -> list[CrossSnapshot]:
    trainer = CrossEncoderTrainer(cross, tiny_set(), PAIRS, config, HELD_OUT, resume)
    return [snapshot for snapshot in iterate(trainer) if snapshot is not None]


def test_snapshots_come_as_for_the_bi_encoder(cross: CrossEncoder) -> None:
    found = run(cross, CONFIG.replace(snapshot_every=5))
    assert [s.step for s in found] == [0, 1, 5, 10, 12]
    assert math.isnan(found[0].loss) and found[0].seconds == 0.0
    assert all(s.scores.shape == (len(PAIRS),) and s.held_out_scores.shape == (4,) for s in found)
    assert [s.seconds for s in found] == sorted(s.seconds for s in found)


def test_it_learns_the_pairs(cross: CrossEncoder) -> None:
    found = run(cross, CONFIG.replace(steps=40))
    labels = np.array([pair.label for pair in PAIRS])
    before, after = (np.abs(s.scores - labels).mean() for s in (found[0], found[-1]))
    assert after < 0.5 * before
    truth = np.array([pair.is_similar for pair in HELD_OUT])
    assert found[-1].held_out_auc == auc(found[-1].held_out_scores, truth)


@pytest.mark.parametrize("apart", [False, True], ids=["likeness", "relevance"])
def test_step_0_is_the_untrained_model_and_the_last_is_the_tuned_one(apart: bool) -> None:
    cross = tiny(apart)
    texts = dict(zip(tiny_set().ids, tiny_set().texts))
    asked = [(texts[pair.left], texts[pair.right]) for pair in PAIRS]
    trainer = CrossEncoderTrainer(cross, tiny_set(), PAIRS, CONFIG, HELD_OUT)
    np.testing.assert_allclose(trainer.snapshot().scores, cross.score_both_orders(asked).scores, atol=1e-5)
    before = cross.score(asked).logits
    for _ in range(5):
        trainer.advance()
    tuned = trainer.tuned()
    np.testing.assert_allclose(trainer.snapshot().scores, tuned.score_both_orders(asked).scores, atol=1e-5)
    kept = tuned.score(asked).logits
    trainer.advance()
    np.testing.assert_array_equal(tuned.score(asked).logits, kept)  # later steps do not reach it
    np.testing.assert_array_equal(cross.score(asked).logits, before)  # nor the model one began with


def test_the_same_seed_gives_the_same_numbers(cross: CrossEncoder) -> None:
    config = CONFIG.replace(dropout=0.1)
    torch.manual_seed(1)
    first = run(cross, config)
    torch.manual_seed(2)
    second = run(cross, config)
    assert all(a.loss == b.loss for a, b in zip(first[1:], second[1:]))
    np.testing.assert_array_equal(first[-1].scores, second[-1].scores)
    assert run(cross, config.replace(seed=4))[-1].loss != first[-1].loss


def test_resuming_equals_the_unbroken_run(cross: CrossEncoder) -> None:
    config = CONFIG.replace(dropout=0.1)
    whole = run(cross, config)
    trainer = CrossEncoderTrainer(cross, tiny_set(), PAIRS, config, HELD_OUT)
    for _ in range(5):
        trainer.advance()
    rest = run(cross, config, resume=trainer.checkpoint())
    assert [s.step for s in rest] == list(range(6, 13))
    assert [s.loss for s in rest] == [s.loss for s in whole if s.step > 5]
    np.testing.assert_array_equal(rest[-1].scores, whole[-1].scores)


def test_a_checkpoint_of_another_shape_is_refused(cross: CrossEncoder) -> None:
    trainer = CrossEncoderTrainer(cross, tiny_set(), PAIRS, CONFIG)
    other = CONFIG.replace(trained_layers=1)
    with pytest.raises(InputError, match="other trained layers"):
        CrossEncoderTrainer(cross, tiny_set(), PAIRS, other, resume=trainer.checkpoint())
    with pytest.raises(InputError, match="other trained layers"):
        CrossEncoderTrainer(cross, tiny_set(), PAIRS, CONFIG, resume=Checkpoint(1, CONFIG, {}))


@pytest.mark.parametrize("layers", [0, 1, 20])
def test_only_the_chosen_layers_and_the_head_learn(cross: CrossEncoder, layers: int) -> None:
    assert isinstance(cross.model, JointPairModel)
    trainer = CrossEncoderTrainer(cross, tiny_set(), PAIRS, CONFIG.replace(trained_layers=layers))
    trainer.advance()
    base, own = cross.model.joint, trainer.model
    assert base.second is not None and own.second is not None
    for was, now in ((base, own), (base.second, own.second)):
        for i, (before, after) in enumerate(zip(was.layers, now.layers)):
            assert torch.equal(before.up.weight, after.up.weight) == (i < 3 - min(layers, 3))
        assert not torch.equal(was.head.inner.weight, now.head.inner.weight)


def test_pairs_are_needed(cross: CrossEncoder) -> None:
    with pytest.raises(InputError, match="no pairs to train on"):
        CrossEncoderTrainer(cross, tiny_set(), (), CONFIG)
