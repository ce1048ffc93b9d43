"""Static word vectors go the way of every other model: trained, kept, taken up again, saved, exported."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.concepts import anatomy
from core.data import sentence_sets
from core.data.folders import TUNED
from core.data.split import make_split
from core.export import model_folder, run_file_weights
from core.export.script import script
from core.losses import LOSSES
from core.models import registry
from core.models.static import StaticEncoder, read_static
from core.training import checkpoints
from core.training.bi_trainer import BiEncoderTrainer, train
from core.training.controls import suggested_rate
from core.training.tuned import tuned
from core.types import InputError, Run, RunStatus, Sentence, SentenceSet, Snapshot, TrainingConfig
from tests.tiny import tiny_pairs, tiny_set, tiny_static

CONFIG = TrainingConfig(steps=12, batch_size=4, learning_rate=1e-2)
ORDERS = ["The dog bites the man.", "The man bites the dog."]


def run(config: TrainingConfig = CONFIG, **kwargs: object) -> list[Snapshot]:
    pairs = tiny_pairs()
    return list(train(tiny_static(), tiny_set(), pairs[:-2], config, pairs[-2:], **kwargs))


def same(one: Snapshot, two: Snapshot) -> bool:
    equal = one.loss == two.loss or (math.isnan(one.loss) and math.isnan(two.loss))
    return equal and one.metrics == two.metrics and np.array_equal(one.embeddings, two.embeddings)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_learns_and_a_fork_from_disk_equals_the_unbroken_run(loss: str, tmp_path: Path) -> None:
    config = CONFIG.replace(loss=loss, dropout=0.2 if loss == "softmax" else 0.0)
    whole = run(config)
    np.testing.assert_allclose(whole[0].embeddings, tiny_static().encode(tiny_set().texts), atol=1e-6)
    assert np.abs(whole[-1].embeddings - whole[0].embeddings).max() > 1e-2
    assert whole[-1].loss < whole[1].loss
    pairs = tiny_pairs()
    trainer = BiEncoderTrainer(tiny_static(), tiny_set(), pairs[:-2], config, pairs[-2:])
    for _ in range(5):
        trainer.advance()
    checkpoints.save(trainer.checkpoint(), tmp_path / "five.safetensors")
    rest = run(config, resume=checkpoints.load(tmp_path / "five.safetensors"))
    assert all(map(same, whole[6:], rest)) and len(rest) == 7


def test_what_needs_layers_changes_nothing() -> None:
    other = run(CONFIG.replace(trained_layers=0, train_word_embeddings=True, pooling="max"))
    assert all(map(same, run(), other))


def test_a_fork_may_bring_new_words() -> None:
    trainer = BiEncoderTrainer(tiny_static(), tiny_set(), tiny_pairs(), CONFIG)
    trainer.advance()
    more = SentenceSet((*tiny_set().sentences, Sentence("x", "zebra food", "animal")))
    fork = BiEncoderTrainer(tiny_static(), more, tiny_pairs(), CONFIG, (), trainer.checkpoint())
    assert len(fork.embed_all()) == len(more)
    np.testing.assert_array_equal(fork.embed_all()[:-1], trainer.embed_all())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """The first built-in set as it opens, a hundred steps, and the last checkpoint."""
    first = sentence_sets.list_sets()[0]
    split = make_split(first.sentence_set, first.pair_count, 0.25, 7)
    config = TrainingConfig(base_model="static", learning_rate=suggested_rate("static"))
    trainer = BiEncoderTrainer(
        registry.load("static"), first.sentence_set, split.train, config, split.held_out
    )
    snapshots = [trainer.snapshot()]
    while trainer.step < config.steps:
        trainer.advance()
        snapshots.append(trainer.snapshot())
    file = tmp_path_factory.mktemp("static") / "last.safetensors"
    checkpoints.save(trainer.checkpoint(), file)
    run = Run(
        "r",
        config,
        first.sentence_set,
        split.train,
        split.held_out,
        tuple(snapshots),
        status=RunStatus.FINISHED,
    )
    return run, str(file)


def test_the_first_set_is_learned_in_a_hundred_steps_at_the_suggested_rate(
    trained: tuple[Run, str],
) -> None:
    first, last = trained[0].snapshots[1], trained[0].snapshots[-1]
    assert last.loss < 0.05 * first.loss
    assert (last.metrics.neighbour_purity or 0) > (first.metrics.neighbour_purity or 0) + 0.2


def test_training_does_not_teach_it_the_order_of_words(trained: tuple[Run, str]) -> None:
    run, checkpoint = trained
    one, other = tuned(run.config, checkpoint).encode(ORDERS)
    assert np.abs(one - other).max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("step", ["before", "after"])
def test_the_exported_folder_is_a_static_embedding_with_equal_vectors(
    trained: tuple[Run, str], step: str, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    run, last = trained
    checkpoint = last if step == "after" else None
    model_folder.model_zip(run, checkpoint, "mine", str(tmp_path / "model.zip"))
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path)
    loaded = SentenceTransformer(str(tmp_path / "mine"), device="cpu")
    assert isinstance(loaded[0], StaticEmbedding)
    texts = [*run.sentences.texts, *ORDERS, "long " * 400, "日本語 🌞"]
    ours = tuned(run.config, checkpoint).encode(texts)
    assert np.abs(loaded.encode(texts) - ours).max() < 1e-6
    snapshot = run.snapshots[-1 if step == "after" else 0]
    assert np.abs(ours[: len(run.sentences)] - snapshot.embeddings).max() < 1e-6


def test_it_is_kept_among_the_base_models_and_trained_again(
    trained: tuple[Run, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TUNED, str(tmp_path))
    key = model_folder.keep_model(*trained, "kept")
    assert registry.layer_count(key) == 0 and suggested_rate(key) == suggested_rate("static")
    encoder = registry.load(key)
    assert isinstance(encoder, StaticEncoder)
    run = trained[0]
    assert np.abs(encoder.encode(run.sentences.texts) - run.snapshots[-1].embeddings).max() < 1e-6
    config = run.config.replace(base_model=key, steps=2)
    assert len(list(train(encoder, run.sentences, run.pairs, config))) == 3


def test_the_run_file_brings_its_weights_back(trained: tuple[Run, str], tmp_path: Path) -> None:
    run, checkpoint = trained
    file, again = str(tmp_path / "run.zip"), str(tmp_path / "again.safetensors")
    run_file_weights.save(run, checkpoint, "t", "", "2026-01-01", file)
    assert run_file_weights.restore(file, again) == 100
    texts = [*run.sentences.texts, "Something else."]
    one, other = (tuned(run.config, kept).encode(texts) for kept in (checkpoint, again))
    assert np.array_equal(one, other)


@pytest.mark.slow
def test_the_script_repeats_the_run(trained: tuple[Run, str], tmp_path: Path) -> None:
    source = script(trained[0])
    (tmp_path / "repeat.py").write_text(source, encoding="utf-8")
    (tmp_path / "base").mkdir()
    shutil.copy(registry.static_folder() / "model.safetensors", tmp_path / "base")
    shutil.copy(registry.packaged_folder() / "tokenizer.json", tmp_path / "base")
    done = subprocess.run(
        [sys.executable, "repeat.py", "--base", "base", "--out", "m"],
        cwd=tmp_path,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    run = trained[0]
    z = read_static(tmp_path / "m").encode(run.sentences.texts)
    assert np.abs(z - run.snapshots[-1].embeddings).max() < 1e-4


def test_pages_about_layers_refuse_it_by_name() -> None:
    with pytest.raises(InputError, match="Static word vectors: this model has no layers"):
        anatomy.dissect("Some text.", "static")
