"""Settings of a model folder: read, kept, trained with and saved again, as sentence-transformers has them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from core import cli
from core.export.model_folder import model_folder
from core.models import registry
from core.models.embedding import embed
from core.models.settings import read_settings
from core.models.weights import read_folder
from core.training import checkpoints
from core.training.bi_trainer import BiEncoderTrainer
from core.training.controls import own_pooling_title, pooling_meant
from core.training.tuned import tuned
from core.types import InputError, Run, RunStatus, TrainingConfig
from tests.tiny import tiny_pairs, tiny_set, tiny_tokenizer

TEXTS = (
    "The cat sleeps.",
    "a dog RUNS on the river, and the bird sings in the bank and the cat is good",
    "money",
    "Very bad film",
)
TOKENIZER = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
E5 = {"query": "the query is ", "passage": "food "}
# What each folder asks for; everything else is as sentence-transformers has it without being asked.
COMBINATIONS = {
    "mean": {},
    "cls, cut early": {"pooling": "cls", "max_length": 9},
    "max, not normalised": {"pooling": "max", "normalize": False},
    "mean with a prompt": {"prompts": {"s": "is it "}, "default": "s"},
    "cls, prompts by use, not normalised": {"pooling": "cls", "prompts": E5, "normalize": False},
    "lower-cased before a cased tokenizer": {"cased": True, "lower": True},
    "cased": {"cased": True, "pooling": "max"},
    "all at once": {
        "pooling": "max",
        "max_length": 12,
        "normalize": False,
        "prompts": {"s": "The film "},
        "default": "s",
        "cased": True,
        "lower": True,
    },
}


def saved(folder: Path, **asked) -> Path:
    """A small BERT with these settings, saved by sentence-transformers itself."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    tokenizer = tiny_tokenizer()
    rules = tokenizer.normalizer
    rules.lowercase = not asked.get("cased", False)
    tokenizer.normalizer = rules
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=48,
        initializer_range=0.3,
    )
    torch.manual_seed(3)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder / "bert")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **TOKENIZER).save_pretrained(folder / "bert")
    first = Transformer(
        str(folder / "bert"), max_seq_length=asked.get("max_length"), do_lower_case=asked.get("lower", False)
    )
    modules = [first, Pooling(32, asked.get("pooling", "mean"))]
    modules += [Normalize()] if asked.get("normalize", True) else []
    model = SentenceTransformer(
        modules=modules,
        prompts=asked.get("prompts"),
        default_prompt_name=asked.get("default"),
        device="cpu",
    )
    model.save(str(folder / "model"))
    return folder / "model"


def theirs(folder: Path, texts=TEXTS, **more) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu").encode(list(texts), **more)


@pytest.mark.parametrize("asked", COMBINATIONS.values(), ids=COMBINATIONS)
def test_vectors_are_theirs_before_and_after_training(tmp_path, monkeypatch, asked):
    folder = saved(tmp_path, **asked)
    monkeypatch.setenv(registry.ALLOWED, str(folder))
    before = read_folder(folder)
    np.testing.assert_allclose(before.encode(TEXTS, normalize=None), theirs(folder), atol=1e-5)

    config = TrainingConfig(str(folder), "contrastive", steps=2, learning_rate=1e-2)
    trainer = BiEncoderTrainer(registry.load(str(folder)), tiny_set(), tiny_pairs(), config)
    snapshots = [trainer.snapshot()]
    while trainer.step < 2:
        trainer.advance()
    snapshots.append(trainer.snapshot())
    checkpoints.save(trainer.checkpoint(), tmp_path / "last.safetensors")
    run = Run("", config, tiny_set(), tiny_pairs(), (), tuple(snapshots), status=RunStatus.FINISHED)
    model_folder(run, str(tmp_path / "last.safetensors"), tmp_path / "tuned")

    encoder = tuned(config, str(tmp_path / "last.safetensors"))
    after = encoder.encode(TEXTS, normalize=None)
    assert np.abs(after - before.encode(TEXTS, normalize=None)).max() > 1e-2  # it did learn
    np.testing.assert_allclose(theirs(tmp_path / "tuned"), after, atol=1e-5)
    again = read_folder(tmp_path / "tuned")
    np.testing.assert_allclose(again.encode(TEXTS, normalize=None), after, atol=1e-6)
    assert again.settings == before.settings and again.max_length == before.max_length
    # What was trained is what is used: a run's snapshot, the pages, the command line.
    texts = tiny_set().texts
    np.testing.assert_allclose(encoder.encode(texts), snapshots[-1].embeddings, atol=1e-6)
    np.testing.assert_allclose(embed(str(folder), 0, "own", texts), snapshots[0].embeddings, atol=1e-6)
    assert pooling_meant(config) == asked.get("pooling", "mean")
    assert own_pooling_title(str(folder)) == f"The model's own: {pooling_meant(config)}"


def test_a_query_and_the_passages_get_their_own_prompts(tmp_path, capsys):
    folder = saved(tmp_path, prompts=E5)
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    cli.app(["search", str(tmp_path / "texts.txt"), "a dog", "-m", str(folder)], standalone_mode=False)
    (q,), z = theirs(folder, ["a dog"], prompt_name="query"), theirs(folder, prompt_name="passage")
    printed = {
        line.split("\t")[1]: float(line.split("\t")[0]) for line in capsys.readouterr().out.splitlines()
    }
    assert printed == {text: pytest.approx(float(row @ q), abs=1e-4) for text, row in zip(TEXTS, z)}


def test_the_command_line_writes_vectors_as_the_model_gives_them(tmp_path):
    folder = saved(tmp_path, normalize=False, pooling="cls")
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    cli.app(
        ["encode", *(str(tmp_path / name) for name in ("texts.txt", "z.npz")), "-m", str(folder)],
        standalone_mode=False,
    )
    np.testing.assert_allclose(np.load(tmp_path / "z.npz")["embeddings"], theirs(folder), atol=1e-5)


@pytest.mark.parametrize("older", [False, True])
def test_the_length_and_case_that_older_versions_wrote(tmp_path, older):
    """Before version 6 both stood in sentence_bert_config.json, and the files in a folder of their own."""
    folder = saved(tmp_path, cased=True)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 7, "do_lower_case": true}')
    if older:
        (folder / "0_Transformer").mkdir()
        for file in [file for file in folder.iterdir() if file.is_file() and "entence_tr" not in file.name]:
            if file.name != "modules.json":
                file.rename(folder / "0_Transformer" / file.name)
        modules = json.loads((folder / "modules.json").read_text())
        modules[0]["path"] = "0_Transformer"
        (folder / "modules.json").write_text(json.dumps(modules))
    np.testing.assert_allclose(read_folder(folder).encode(TEXTS), theirs(folder), atol=1e-5)
    assert read_folder(folder).max_length == 7


def _pools_by(mode):
    return lambda folder: (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"pooling_mode": mode})
    )


REFUSED = {
    "lasttoken": (_pools_by("lasttoken"), "pools by lasttoken; this app does by one of mean, cls, max"),
    "several": (_pools_by(["mean", "max"]), "pools by mean and max"),
    "prompts outside pooling": (
        lambda folder: (
            (folder / "1_Pooling" / "config.json").write_text('{"include_prompt": false}'),
            (folder / "config_sentence_transformers.json").write_text('{"prompts": {"query": "q: "}}'),
        ),
        "leaves its prompts out of pooling",
    ),
}


@pytest.mark.parametrize(("change", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_done_is_refused_by_name(tmp_path, change, says):
    folder = saved(tmp_path)
    change(folder)
    with pytest.raises(InputError, match=says):
        read_folder(folder)
    with pytest.raises(InputError, match=says):
        read_settings(folder)


def test_static_vectors_keep_theirs(tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    from core.models.static import read_static, save_static

    part = StaticEmbedding(tiny_tokenizer(), embedding_dim=8)
    asked = {"prompts": {"s": "food "}, "default_prompt_name": "s"}
    SentenceTransformer(modules=[part], device="cpu", **asked).save(str(tmp_path / "model"))
    texts = [*TEXTS, "the cat and " * 200]
    encoder = read_static(tmp_path / "model")
    z = encoder.encode(texts, normalize=None)
    np.testing.assert_allclose(z, theirs(tmp_path / "model", texts), atol=1e-5)
    save_static(encoder, tmp_path / "again")
    np.testing.assert_allclose(theirs(tmp_path / "again", texts), z, atol=1e-5)
