"""Static word vectors: held to sentence-transformers' StaticEmbedding, and blind to the order of words."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from core.data.folders import TUNED
from core.metrics.measures import spearman
from core.models import registry
from core.models.static import StaticEncoder, packed, read_static, save_static, unpacked
from core.types import InputError
from tests.tiny import WORDS, tiny_static, tiny_tokenizer

TEXTS = ("the cat sleeps", "A dog, a bird and a bank.", "cat dog bird " * 100, "  money  ", "日本語 🌞")


def reference(encoder: StaticEncoder, texts: tuple[str, ...]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    part = StaticEmbedding(encoder.tokenizer, embedding_weights=encoder.embeddings.word.detach().clone())
    found: np.ndarray = SentenceTransformer(modules=[part, Normalize()], device="cpu").encode(list(texts))
    return found


@pytest.mark.slow
def test_the_same_vectors_as_sentence_transformers() -> None:
    for encoder in (tiny_static(), registry.load("static")):
        assert isinstance(encoder, StaticEncoder)
        assert np.abs(encoder.encode(TEXTS) - reference(encoder, TEXTS)).max() < 1e-6


@given(
    st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=12).flatmap(
        lambda words: st.tuples(st.just(words), st.permutations(words))
    )
)
def test_the_order_of_the_words_makes_no_difference(orders: tuple[list[str], list[str]]) -> None:
    one, other = tiny_static().encode([" ".join(words) for words in orders])
    assert np.abs(one - other).max() < 1e-6


def test_two_orders_of_a_real_sentence_are_one_vector_and_two_for_minilm() -> None:
    orders = ["The dog bites the man.", "The man bites the dog."]
    one, other = registry.load("static").encode(orders)
    assert np.abs(one - other).max() < 1e-6
    one, other = registry.load("minilm-l6").encode(orders)
    assert np.abs(one - other).max() > 1e-2


def test_every_text_has_a_unit_vector_and_every_pooling_is_the_mean() -> None:
    encoder = tiny_static()
    z = encoder.encode(["the cat", "\u0301", "zebra 🌞"])  # an accent alone leaves no token
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1.0, atol=1e-6)
    assert np.array_equal(encoder.encode(["the cat"], pooling="max"), z[:1])
    assert encoder.tokenize(["\u0301"]).pieces == (("[UNK]",),)
    with pytest.raises(InputError, match="median"):
        encoder.encode(["a"], pooling="median")


def test_long_texts_are_cut_and_it_is_told() -> None:
    tokens = tiny_static().tokenize(["the cat", "the " * 300])
    assert tokens.dropped == (0, 300 - 256) and int(tokens.lengths[1]) == 256


def test_packing_rounds_to_one_part_in_254_of_the_largest() -> None:
    vectors = (
        torch.randn(50, 16, generator=torch.Generator().manual_seed(1)) * torch.logspace(-3, 1, 50)[:, None]
    )
    vectors[7] = 0.0
    gap = (unpacked(packed(vectors)) - vectors).abs().amax(dim=1)
    assert bool((gap <= vectors.abs().amax(dim=1) * (1 / 254 + 2e-3)).all())
    assert bool((gap[7] == 0).all())


def test_the_shipped_file_is_small_and_whole() -> None:
    file = registry.static_folder() / "model.safetensors"
    assert file.stat().st_size <= 4_000_000
    registry.check_sum(file, registry.STATIC_SHA256)
    vectors = registry.load("static").embeddings.word
    lengths = vectors.norm(dim=1)
    assert vectors.shape == (30_522, 128) and bool(torch.isfinite(vectors).all())
    assert lengths[lengths > 0].mean().item() == pytest.approx(1.0, abs=1e-3)


def test_a_folder_comes_back_and_is_known_as_static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = tiny_static()
    save_static(encoder, tmp_path / "mine")
    assert np.array_equal(read_static(tmp_path / "mine").encode(TEXTS), encoder.encode(TEXTS))
    monkeypatch.setenv(TUNED, str(tmp_path))
    assert registry.layer_count("tuned:mine") == 0
    assert registry.available()["tuned:mine"].rate == registry.BASE_MODELS["static"].rate
    assert np.array_equal(registry.load("tuned:mine").encode(TEXTS), encoder.encode(TEXTS))


@pytest.mark.slow
def test_what_sentence_transformers_saves_can_be_loaded(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    part = StaticEmbedding(tiny_tokenizer(), embedding_dim=8)
    model = SentenceTransformer(modules=[part], device="cpu")
    model.save_pretrained(str(tmp_path / "theirs"))
    theirs = model.encode(["the cat"], normalize_embeddings=True)
    assert np.abs(read_static(tmp_path / "theirs").encode(["the cat"]) - theirs).max() < 1e-6


@pytest.mark.parametrize(
    "tensors",
    [
        {"x": np.ones((2, 2), np.float32)},
        {"embedding.weight": np.ones((2, 2), np.float32)},
        {"embedding.weight": np.ones(999, np.float32)},
        {"vectors": np.ones((999, 2), np.int8), "scales": np.ones(3, np.float16)},
        {"vectors": np.ones((999, 2), np.int8)},
    ],
)
def test_other_weights_are_refused(tmp_path: Path, tensors: dict[str, np.ndarray]) -> None:
    save_static(tiny_static(), tmp_path)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="not one vector for each token"):
        read_static(tmp_path)


def test_the_figures_in_the_model_card(shared_data: Path) -> None:
    for part, figure in (("dev", 0.796), ("test", 0.705)):
        file = shared_data / "stsb" / f"{part}.tsv"
        if not file.is_file():
            pytest.skip(f"no STS Benchmark at {file}")
        with file.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
        left, right = (registry.load("static").encode([r[f"sentence{i}"] for r in rows]) for i in (1, 2))
        found = spearman((left * right).sum(axis=1), [float(r["score"]) for r in rows])
        assert found == pytest.approx(figure, abs=5e-4)
        assert f"{figure:.3f}" in (registry.static_folder() / "README.md").read_text(encoding="utf-8")
