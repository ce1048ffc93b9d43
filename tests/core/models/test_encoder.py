"""The encoder's steps, held to sentence-transformers and transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.models import registry
from core.models.encoder import Encoder, Packing, pool
from core.models.settings import POOLINGS
from core.models.weights import read_folder, save_folder
from core.types import InputError
from tests.tiny import tiny_encoder

TEXTS = [
    "A cat sleeps on the warm roof.",
    "Hi",
    "",
    "Der Zug nach München hat Verspätung, 猫が寝ている, кот спит \U0001f63a",
    "What  is   the\tdifference between a bi-encoder and a cross-encoder for many texts?",
    "  spaces around  ",
    "long " * 400,
    "Hi",
]


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    return registry.load("minilm-l6")


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(registry.packaged_folder()), device="cpu")
    return model.encode(TEXTS, convert_to_numpy=True, normalize_embeddings=True)


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_equals_sentence_transformers_whatever_the_batch_and_order(
    minilm: Encoder, reference: np.ndarray, batch_size: int
) -> None:
    order = np.random.default_rng(batch_size).permutation(len(TEXTS))
    z = minilm.encode([TEXTS[i] for i in order], batch_size=batch_size)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, reference[order], atol=1e-5)


def test_first_three_layers_equal_transformers(minilm: Encoder) -> None:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(registry.packaged_folder(), local_files_only=True).eval()
    tokens = minilm.tokenize(TEXTS)
    with torch.no_grad():
        theirs = model(tokens.ids, attention_mask=tokens.mask.long(), output_hidden_states=True).hidden_states
        for upto in (0, 1, 3, 6):
            ours = minilm.hidden_states(tokens, upto)
            torch.testing.assert_close(ours[tokens.mask], theirs[upto][tokens.mask], atol=1e-4, rtol=1e-4)
        short = registry.load("minilm-l3")
        expected = torch.nn.functional.normalize(pool(theirs[3], tokens.mask), dim=1)
        torch.testing.assert_close(torch.from_numpy(short.encode(TEXTS)), expected, atol=1e-5, rtol=0)


def test_truncation_is_reported(minilm: Encoder) -> None:
    tokens = minilm.tokenize(["short", "word " * 300])
    assert minilm.max_length == 256
    assert tokens.truncated == (1,)
    assert tokens.dropped == (0, 300 + 2 - 256)
    assert tokens.lengths.tolist() == [3, 256]
    assert tokens.pieces[0] == ("[CLS]", "short", "[SEP]")


def test_pooling_by_hand() -> None:
    hidden = torch.tensor([[[1.0, -5.0], [3.0, -7.0], [100.0, 100.0]]])
    mask = torch.tensor([[True, True, False]])
    assert pool(hidden, mask, "mean").tolist() == [[2.0, -6.0]]
    assert pool(hidden, mask, "cls").tolist() == [[1.0, -5.0]]
    assert pool(hidden, mask, "max").tolist() == [[3.0, -5.0]]


@pytest.mark.parametrize("how", POOLINGS)
def test_neither_padding_nor_neighbours_change_a_sentence(how: str) -> None:
    encoder = tiny_encoder()
    alone = np.concatenate([encoder.encode([text], pooling=how) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode(TEXTS, pooling=how), alone, atol=1e-6)


def test_places_pad_and_unpad_are_inverse() -> None:
    packing = Packing.of(torch.tensor([2, 4, 1]))
    x = torch.arange(14.0).view(7, 2)
    padded = packing.pad(x)
    assert padded.shape == (3, 4, 2)
    assert padded[0, 2:].abs().sum() == 0
    assert torch.equal(packing.unpad(padded), x)


def test_vectors_have_length_one_and_equal_texts_equal_rows() -> None:
    z = tiny_encoder().encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1.0, atol=1e-6)
    assert np.array_equal(z[1], z[7])
    assert tiny_encoder().encode([]).shape == (0, 32)


def test_unknown_pooling_is_refused() -> None:
    with pytest.raises(InputError, match="median"):
        tiny_encoder().encode(["a"], pooling="median")


def test_a_copy_shares_only_what_stays_frozen() -> None:
    encoder = tiny_encoder()
    before = encoder.encode(TEXTS)
    twin = encoder.copy(layers=[2], embeddings=False)
    assert twin.layers[0] is encoder.layers[0] and twin.embeddings is encoder.embeddings
    for parameter in twin.layers[2].parameters():
        parameter.data.add_(1.0)
    assert np.array_equal(encoder.encode(TEXTS), before)
    assert not np.allclose(twin.encode(TEXTS), before)


def test_a_saved_folder_loads_here_and_in_sentence_transformers(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    encoder = tiny_encoder()
    save_folder(encoder, tmp_path / "mine", pooling="max")
    again = read_folder(tmp_path / "mine")
    assert read_folder(tmp_path / "mine").settings.pooling == "max"
    z = encoder.encode(TEXTS, pooling="max")
    assert np.array_equal(again.encode(TEXTS, pooling="max"), z)
    theirs = SentenceTransformer(str(tmp_path / "mine"), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(theirs, z, atol=1e-5)


def test_roberta_counts_positions_from_its_padding_id(tmp_path: Path) -> None:
    from transformers import RobertaConfig, RobertaModel

    from core.models.encoder import ACTIVATIONS
    from core.models.weights import read_shape

    config = RobertaConfig(
        vocab_size=120,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=40,
        pad_token_id=1,
    )
    model = RobertaModel(config, add_pooling_layer=False).eval()
    model.save_pretrained(tmp_path)
    tiny_encoder().tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert config.hidden_act in ACTIVATIONS
    assert read_shape(config.to_dict(), "r").first_position == 2
    ours = read_folder(tmp_path)
    assert ours.max_length == 38
    tokens = ours.tokenize(["the cat sleeps", "a bank"])
    theirs = model(tokens.ids, attention_mask=tokens.mask.long()).last_hidden_state
    torch.testing.assert_close(
        ours.hidden_states(tokens)[tokens.mask], theirs[tokens.mask], atol=1e-5, rtol=1e-5
    )
