"""The parts of a sentence add up to what the encoder makes of it, and to what transformers makes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.concepts import anatomy
from core.models import registry
from core.models.encoder import pool
from core.types import InputError
from tests.tiny import tiny_encoder

TEXT = "The flurbicious cat didn't sit at the café."


@pytest.fixture
def tiny(monkeypatch):
    encoder = tiny_encoder(max_length=12)
    monkeypatch.setattr(registry, "load", lambda key, seed=0: encoder)
    return encoder


def test_every_layer_equals_transformers_on_the_real_model():
    from transformers import AutoModel, AutoTokenizer

    folder = str(registry.packaged_folder())
    tokenizer, reference = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    given = tokenizer(TEXT, return_tensors="pt")
    with torch.no_grad():
        expected = reference(**given, output_hidden_states=True).hidden_states
    encoder = registry.load("minilm-l6")
    with torch.no_grad():
        found = anatomy.hidden_states(encoder, encoder.tokenize([TEXT]))
    assert len(found) == len(expected) == 7
    for ours, theirs in zip(found, expected):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)
    np.testing.assert_allclose(anatomy.layer(TEXT, 3, "minilm-l6"), expected[3][0], atol=2e-5)
    whole = anatomy.dissect(TEXT, "minilm-l6")
    assert [t.id for t in whole.tokens] == given["input_ids"][0].tolist()
    np.testing.assert_allclose(whole.vector, encoder.encode([TEXT])[0], atol=1e-5)


@pytest.mark.parametrize("how", anatomy.POOLINGS)
def test_parts_add_up_to_the_pooled_vector_and_shares_to_one(how):
    hidden = np.random.default_rng(3).normal(size=(7, 16)).astype(np.float32)
    mask = torch.ones(1, 7, dtype=torch.bool)
    expected = pool(torch.from_numpy(hidden)[None], mask, how)[0].numpy()
    np.testing.assert_allclose(anatomy.parts(hidden, how).sum(axis=0), expected, atol=1e-6)
    assert anatomy.token_shares(hidden, how).sum() == pytest.approx(1, abs=1e-5)


def test_shares_tell_which_token_carries_the_result():
    hidden = np.array([[1, 0], [4, 0], [0, 0], [-2, 0]], np.float32)
    np.testing.assert_allclose(anatomy.token_shares(hidden, "mean"), [1 / 3, 4 / 3, 0, -2 / 3], atol=1e-6)
    np.testing.assert_allclose(anatomy.token_shares(hidden, "cls"), [1, 0, 0, 0])
    np.testing.assert_allclose(anatomy.token_shares(hidden, "max"), [0, 1, 0, 0])
    assert not anatomy.token_shares(np.zeros((3, 4), np.float32), "mean").any()


def test_tokens_point_back_at_the_typed_letters():
    found = anatomy.dissect("Naïve  ferrywoman\tat the café 猫.", "minilm-l6")
    for token in found.tokens:
        assert token.text == found.text[token.start : token.end]
    assert found.tokens[1].piece == "naive" and found.tokens[1].text == "Naïve"
    words = dict(found.words())
    assert words["ferrywoman"] == 2 and words["café"] == 1
    assert sum(words.values()) == len(found.tokens) - 2
    assert found.won.sum() == 384


def test_a_text_that_is_too_long_is_read_to_the_limit_and_no_further(tiny):
    found = anatomy.dissect("cat dog bird " * 10)
    assert len(found.tokens) == found.max_length == 12
    assert found.dropped == 30 - 10
    assert found.text[: found.read_to] == "cat dog bird cat dog bird cat dog bird cat"
    assert found.unread_cosine == pytest.approx(1, abs=1e-5)
    whole = anatomy.dissect("cat dog bird")
    assert whole.dropped == 0 and whole.read_to == len(whole.text) and whole.unread_cosine is None


def test_a_changed_word_changes_only_itself_at_the_input_and_everything_after_a_layer(tiny):
    change = anatomy.compare("the cat sleeps in the bank", "the dog sleeps in the bank")
    changed = [i for i, (a, b) in enumerate(zip(change.first, change.second)) if a != b]
    assert changed == [2]
    assert change.moved[0, 2] > anatomy.MOVED
    assert np.delete(change.moved[0], 2).max() < 1e-6
    assert change.moved[-1].min() > 1e-6
    assert 2 not in change.same_piece and len(change.same_piece) == len(change.first) - 1
    vectors = tiny.encode(["the cat sleeps in the bank", "the dog sleeps in the bank"])
    assert change.cosine == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)
    np.testing.assert_allclose(change.difference, vectors[1] - vectors[0], atol=1e-5)


def test_equal_texts_differ_nowhere(tiny):
    change = anatomy.compare("the cat", "the cat")
    assert change.moved.max() < 1e-6 and change.cosine == pytest.approx(1, abs=1e-6)


def test_an_added_word_has_no_partner():
    matched = anatomy.match(("[CLS]", "a", "cat", "[SEP]"), ("[CLS]", "a", "fat", "red", "cat", "[SEP]"))
    assert matched.tolist() == [[0, 0], [1, 1], [2, 4], [3, 5]]
    assert anatomy.match(("a", "b", "c"), ("a", "x", "c")).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert anatomy.match(("a", "b", "c"), ("a", "x", "y", "c")).tolist() == [[0, 0], [2, 3]]


def test_padding_fills_the_rectangle_and_changes_no_vector(tiny):
    found = anatomy.padded_batch(("the cat", "the dog sleeps in the bank"))
    assert found.mask.sum(axis=1).tolist() == [4, 8]
    assert found.pieces[0][4:] == ("[PAD]",) * 4
    assert (found.ids[0, 4:] == tiny.shape.pad_id).all()
    assert found.drift.max() < 1e-5


def test_bad_input_is_said_in_one_sentence(tiny):
    for text in ("", "   \n", "\u200b"):
        with pytest.raises(InputError, match="is empty"):
            anatomy.dissect(text)
    with pytest.raises(InputError, match="at most 4,000"):
        anatomy.dissect("a" * 4001)
    with pytest.raises(InputError, match="second text is empty"):
        anatomy.compare("the cat", " ")
    with pytest.raises(InputError, match="pooling"):
        anatomy.dissect("the cat", pooling="sum")
    with pytest.raises(InputError, match="layers 0 to 3"):
        anatomy.layer("the cat", 4)
