"""Checkpoints: exact on disk, foreign files refused, forks with other settings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.training.bi_trainer import BiEncoderTrainer, train
from core.training.checkpoints import Checkpoint, load, save, thin
from core.types import InputError, TrainingConfig
from tests.tiny import tiny_encoder, tiny_pairs, tiny_set

CONFIG = TrainingConfig(steps=6, batch_size=4, learning_rate=1e-3, train_word_embeddings=True, dropout=0.1)


def at_step(
    config: TrainingConfig = CONFIG, step: int = 3, resume: Checkpoint | None = None
) -> BiEncoderTrainer:
    trainer = BiEncoderTrainer(tiny_encoder(), tiny_set(), tiny_pairs(), config, resume=resume)
    while trainer.step < step:
        trainer.advance()
    return trainer


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    kept = at_step().checkpoint()
    file = tmp_path / "run" / "step-000003.safetensors"
    save(kept, file)
    again = load(file)
    assert (again.step, again.config, again.seconds) == (3, CONFIG, kept.seconds)
    assert again.updates == kept.updates and np.array_equal(again.words, kept.words)
    for name in ("parameters", "first", "second"):
        one, two = getattr(kept, name), getattr(again, name)
        assert one.keys() == two.keys() and all(np.array_equal(one[k], two[k]) for k in one)
    assert [p.name for p in file.parent.iterdir()] == [file.name]
    assert file.stat().st_size == pytest.approx(kept.size, rel=0.2)


def test_a_run_from_disk_equals_the_unbroken_one(tmp_path: Path) -> None:
    save(at_step().checkpoint(), tmp_path / "c")
    went_on = at_step(step=6, resume=load(tmp_path / "c"))
    assert np.array_equal(went_on.snapshot().embeddings, at_step(step=6).snapshot().embeddings)


def test_step_zero_can_be_kept_too(tmp_path: Path) -> None:
    for config in (CONFIG, CONFIG.replace(loss="softmax")):
        save(at_step(config, step=0).checkpoint(), tmp_path / "c")
        again = at_step(config, step=6, resume=load(tmp_path / "c"))
        assert np.array_equal(again.snapshot().embeddings, at_step(config, step=6).snapshot().embeddings)


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "softmax"},
        {"learning_rate": 1e-4, "temperature": 0.2},
        {"trained_layers": 3},
        {"trained_layers": 1, "train_word_embeddings": False},
        {"steps": 10, "pooling": "max"},
    ],
)
def test_a_fork_with_other_settings_starts_where_the_run_stood(changes: dict[str, object]) -> None:
    trainer = at_step(CONFIG.replace(loss="mnrl"))
    fork = at_step(CONFIG.replace(**changes), resume=trainer.checkpoint())
    if "pooling" not in changes:
        np.testing.assert_allclose(fork.snapshot().embeddings, trainer.snapshot().embeddings, atol=1e-6)
    before = fork.snapshot().embeddings
    fork.advance()
    assert not np.allclose(fork.snapshot().embeddings, before, atol=1e-5)


def test_a_fork_of_a_fork_keeps_what_is_frozen_now() -> None:
    first = at_step(CONFIG)
    narrow = CONFIG.replace(trained_layers=1, train_word_embeddings=False, dropout=0.0)
    second = at_step(narrow, step=4, resume=first.checkpoint())
    third = at_step(narrow, resume=second.checkpoint())
    np.testing.assert_allclose(third.snapshot().embeddings, second.snapshot().embeddings, atol=1e-6)
    second.advance()
    third.advance()
    assert np.array_equal(third.snapshot().embeddings, second.snapshot().embeddings)
    np.testing.assert_allclose(third.tuned().encode(tiny_set().texts), third.snapshot().embeddings, atol=1e-6)


def test_a_checkpoint_of_another_model_is_refused() -> None:
    kept = at_step().checkpoint()
    with pytest.raises(InputError, match="keep the base model"):
        at_step(CONFIG.replace(base_model="minilm-l3"), resume=kept)
    blank = replace(kept, config=CONFIG.replace(base_model="blank"))
    with pytest.raises(InputError, match="keep the seed"):
        at_step(CONFIG.replace(base_model="blank", seed=1), resume=blank)
    for other in (tiny_encoder(dim=16), tiny_encoder(layers=2)):
        with pytest.raises(InputError, match="do not fit"):
            list(train(other, tiny_set(), tiny_pairs(), CONFIG, resume=kept))
    with pytest.raises(InputError, match="do not fit"):
        at_step(resume=replace(kept, words=kept.words + 10_000))


def _resaved(file: Path, **about: str) -> None:
    save_file({"parameters/x": np.ones(2, np.float32)}, file, metadata=about)


GOOD = {
    "format": "embedding-lab-checkpoint-1",
    "step": "1",
    "config": CONFIG.to_json(),
    "updates": "{}",
    "seconds": "0.0",
}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: f.write_bytes(f.read_bytes()[:-100]), "damaged or not a checkpoint"),
        (lambda f: f.write_bytes(b"\x80\x04K\x01."), "damaged or not a checkpoint"),
        (lambda f: f.write_bytes(b""), "damaged or not a checkpoint"),
        (lambda f: f.unlink(), "There is no checkpoint"),
        (lambda f: _resaved(f), "not a checkpoint of this app"),
        (lambda f: _resaved(f, format=GOOD["format"]), "does not describe its run"),
        (lambda f: _resaved(f, **GOOD | {"step": "-1"}), "negative step"),
        (lambda f: _resaved(f, **GOOD | {"config": '{"speed": 3}'}), "does not describe its run"),
        (lambda f: _resaved(f, **GOOD | {"config": "[]"}), "does not describe its run"),
        (lambda f: _resaved(f, **GOOD | {"updates": "[1]"}), "does not describe its run"),
        (lambda f: _resaved(f, **GOOD | {"updates": json.dumps({"x": 1})}), "state is incomplete"),
        (
            lambda f: save_file({"parameters/x": np.full(2, np.nan, np.float32)}, f, metadata=GOOD),
            "finite float32",
        ),
        (
            lambda f: save_file(
                {"parameters/x": np.ones(2, np.float32), "first/x": np.ones(3, np.float32)}, f, metadata=GOOD
            ),
            "another shape",
        ),
        (
            lambda f: save_file(
                {"parameters/embeddings.word": np.ones((2, 4), np.float32)}, f, metadata=GOOD
            ),
            "token ids",
        ),
    ],
)
def test_foreign_and_damaged_files_are_refused_in_one_sentence(
    tmp_path: Path, damage: object, says: str
) -> None:
    file = tmp_path / "c.safetensors"
    save(at_step(step=1).checkpoint(), file)
    damage(file)  # type: ignore[operator]
    with pytest.raises(InputError, match=says) as caught:
        load(file)
    assert "\n" not in str(caught.value)


def test_thinning_keeps_the_ends_and_spreads_the_rest() -> None:
    steps = list(range(0, 101, 5))
    assert thin(steps, 100) == tuple(steps)
    assert thin(steps, 5) == (0, 25, 50, 75, 100)
    assert thin(steps, 2) == (0, 100)
    assert thin(steps, 1) == (100,)
    assert thin([], 3) == ()
    for room in range(2, 21):
        kept = thin(steps, room)
        assert len(kept) == room and kept[0] == 0 and kept[-1] == 100
