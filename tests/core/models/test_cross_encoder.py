"""The cross-encoder: equal to peft's own result, independent of batching, honest about order and length."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.assets import ASSETS
from core.metrics.measures import spearman
from core.models import cross_encoder, registry
from core.models.adapter import ADAPTER, CONFIG, HEAD, SECOND, read_adapter
from core.models.cross_encoder import CrossEncoder, sigmoid
from core.models.joint_model import MAX_TOKENS, Head, JointModel, JointPairModel, fit, join
from core.retrieval.corpus import built_in
from core.types import InputError
from tests.tiny import tiny_encoder

JUDGEMENTS = (cross_encoder.LIKENESS, cross_encoder.RELEVANCE)
FOLDER = ASSETS / cross_encoder.LIKENESS
PAIRS = [
    ("A man is playing a guitar.", "Someone plays an instrument."),
    ("The cat sleeps.", "The stock market fell sharply on Tuesday after the bank's report."),
    ("A dog bit a man.", "A man bit a dog."),
    ("Hi", "Hello there, how are you doing on this fine and sunny day in the middle of May?"),
]


@pytest.fixture(scope="module")
def packaged() -> CrossEncoder:
    return cross_encoder.load()


@pytest.fixture
def tiny() -> CrossEncoder:
    base = tiny_encoder(max_length=24)
    torch.manual_seed(0)
    return CrossEncoder(JointPairModel(JointModel(base, Head(base.dim, 8)).requires_grad_(False)), "tiny")


# --- The same as peft ------------------------------------------------------------------------------


def peft_logits(pairs: list[tuple[str, str]], folder: Path) -> np.ndarray:
    """The adapter loaded by peft onto transformers' BertModel, not merged, with the head written anew."""
    import peft
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, BertModel

    base = registry.packaged_folder()
    tokenizer = AutoTokenizer.from_pretrained(base)
    bert = BertModel.from_pretrained(base, add_pooling_layer=False)
    adapted = peft.PeftModel.from_pretrained(bert, folder).eval()
    across = json.loads((folder / CONFIG).read_text())["across"]
    head = {name: value.float() for name, value in load_file(folder / HEAD).items()}
    encoder = registry.load("minilm-l6")
    logits = []
    for left, right in pairs:
        a, b = (tokenizer(text)["input_ids"] for text in (left, right))
        segments = torch.tensor([[0] * len(a) + [1] * len(b)])
        positions = torch.tensor([[*range(len(a)), *range(len(b))]])
        apart = segments[:, :, None] != segments[:, None, :]
        bias = torch.where(apart, across, 0.0)[:, None]  # (1, 1, t, t), added before the softmax
        with torch.no_grad():
            hidden = adapted(
                input_ids=torch.tensor([a + b]),
                token_type_ids=segments,
                position_ids=positions,
                attention_mask=bias,
            ).last_hidden_state[0]
        u, v = (torch.nn.functional.normalize(h.mean(0), dim=0) for h in (hidden[: len(a)], hidden[len(a) :]))
        d = len(u)
        features = torch.cat([(u - v).abs() * d**0.5, u * v * d, hidden[0] * 3])
        inner = torch.nn.functional.gelu(head["inner.weight"] @ features + head["inner.bias"])
        cosine = head["scale"][0] * (u @ v) + head["scale"][1]
        if "apart" in head:
            x, y = encoder.encode([left, right])
            cosine = cosine + head["apart"] * float(x @ y - 0.5)
        logits.append(float(cosine + head["out.weight"][0] @ inner + head["out.bias"][0]))
    return np.array(logits)


@pytest.mark.parametrize("judgement", JUDGEMENTS)
def test_merged_weights_give_what_peft_gives_unmerged(judgement: str) -> None:
    """For likeness both readings, and what becomes of them together."""
    ours, theirs = cross_encoder.load(judgement).score(PAIRS), peft_logits(PAIRS, ASSETS / judgement)
    if judgement == cross_encoder.LIKENESS:
        again = peft_logits(PAIRS, FOLDER / SECOND)
        share = 0.4 * np.maximum(theirs, 0)
        assert share.max() > 0.4 and share.min() == 0, "pairs on both sides of the limit"
        theirs = theirs + share * (again - theirs)
    np.testing.assert_allclose(ours.scores, 1 / (1 + np.exp(-theirs)), atol=1e-5)
    np.testing.assert_allclose(ours.logits, theirs, atol=2e-5)  # of size up to about 8, in single precision


def test_merging_leaves_the_bi_encoder_as_it_was() -> None:
    base = registry.load("minilm-l6")
    before = base.layers[0].up.weight.clone()
    twin = read_adapter(FOLDER)
    assert torch.equal(base.layers[0].up.weight, before)
    assert not torch.equal(twin.layers[0].up.weight, before)
    assert twin.embeddings.word is base.embeddings.word  # the large table is in memory once


@pytest.mark.parametrize("judgement", JUDGEMENTS)
def test_each_adapter_is_small_enough_to_ship(judgement: str) -> None:
    assert sum(file.stat().st_size for file in (ASSETS / judgement).rglob("*.safetensors")) <= 3e6
    assert "CC BY-SA 4.0" in (ASSETS / judgement / "README.md").read_text(encoding="utf-8")


def test_each_judgement_has_its_own_model_and_way_of_reading() -> None:
    alike = cross_encoder.score_likeness(PAIRS)
    np.testing.assert_array_equal(
        alike.logits, cross_encoder.load(cross_encoder.LIKENESS).score_both_orders(PAIRS).logits
    )
    corpus = built_in()
    asked = [
        (q.text, corpus.passages[row].full_text)
        for q in corpus.questions[:12]
        for row in (q.answers[0], q.answers[0] + 1)  # the answer and its neighbour
    ]
    relevant = cross_encoder.score_relevance(asked)
    np.testing.assert_array_equal(relevant.logits, cross_encoder.load("relevance").score(asked).logits)
    assert (relevant.logits[0::2] > relevant.logits[1::2]).sum() >= 11
    assert np.abs(relevant.logits - cross_encoder.score_likeness(asked).logits).max() > 1


# --- Scores ----------------------------------------------------------------------------------------


def test_scores_do_not_depend_on_batching(packaged: CrossEncoder) -> None:
    together = packaged.score(PAIRS, batch_size=4).logits
    alone = np.concatenate([packaged.score([pair]).logits for pair in PAIRS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(packaged.score(PAIRS[::-1], batch_size=3).logits[::-1], alone, atol=1e-5)


def test_repeated_pairs_are_read_once_and_score_the_same(tiny: CrossEncoder) -> None:
    asked: list[int] = []
    inner = tiny.model

    class Counting:
        attention = inner.attention

        def logits(self, pairs):  # type: ignore[no-untyped-def]
            asked.append(len(pairs))
            return inner.logits(pairs)

    found = CrossEncoder(Counting(), "counting").score([("a cat", "a dog")] * 5 + [("a dog", "a cat")])
    assert asked == [2]
    assert len(set(found.logits[:5])) == 1
    assert found.logits[5] != found.logits[0]


def test_scores_are_the_sigmoid_of_the_logits(packaged: CrossEncoder) -> None:
    found = packaged.score(PAIRS)
    np.testing.assert_allclose(found.scores, torch.sigmoid(torch.from_numpy(found.logits)), atol=1e-6)
    assert found.logits.dtype == found.scores.dtype == np.float32
    assert np.isfinite(sigmoid([-1e4, 1e4])).all()


def test_no_pairs_no_scores(tiny: CrossEncoder) -> None:
    assert tiny.score([]).logits.shape == (0,)
    assert tiny.score_both_orders([]).difference.shape == (0,)


def test_unlike_sentences_score_lower_than_like_ones(packaged: CrossEncoder) -> None:
    same, like, unlike = packaged.score(
        [
            ("The cat sat on the mat.", "The cat sat on the mat."),
            ("A man is playing a guitar.", "A man plays the guitar."),
            ("A man is playing a guitar.", "Shares fell on Tuesday."),
        ]
    ).scores
    assert same > 0.9 and like > 0.8 and unlike < 0.2


# --- Order -----------------------------------------------------------------------------------------


def test_order_matters_and_is_shown(packaged: CrossEncoder) -> None:
    both = packaged.score_both_orders(PAIRS)
    turned = packaged.score([(right, left) for left, right in PAIRS])
    np.testing.assert_allclose(both.backward.logits, turned.logits, atol=1e-5)
    assert (np.abs(both.difference) > 1e-4).any()  # not made symmetric behind the learner's back
    assert np.abs(both.difference).max() < 0.2  # but trained on both orders
    swapped = packaged.score_both_orders([(right, left) for left, right in PAIRS])
    np.testing.assert_allclose(both.scores, swapped.scores, atol=1e-5)


def test_identical_texts_have_no_order(packaged: CrossEncoder) -> None:
    assert packaged.score_both_orders([("Rain is coming.", "Rain is coming.")]).difference[0] == 0.0


# --- Length ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "room", "kept"),
    [
        (3, 4, 10, (3, 4)),
        (10, 3, 8, (5, 3)),
        (3, 10, 8, (3, 5)),
        (9, 9, 8, (4, 4)),
        (9, 8, 7, (4, 3)),
        (8, 9, 7, (3, 4)),
    ],
)
def test_the_longer_text_is_cut_first(left: int, right: int, room: int, kept: tuple[int, int]) -> None:
    assert fit(left, right, room) == kept


def test_cut_pairs_are_reported(packaged: CrossEncoder) -> None:
    long = "word " * 400
    found = packaged.score([PAIRS[0], (long, "short text"), PAIRS[1], ("short text", long)])
    assert found.truncated == (1, 3)
    assert packaged.score_both_orders([PAIRS[0], (long, "short text")]).backward.truncated == (1,)
    tokens = join(read_adapter(FOLDER).tokenizer, [(long, "short text")])
    assert len(tokens.pieces[0]) == MAX_TOKENS
    assert tokens.pieces[0][-3:] == ("short", "text", "[SEP]")  # the short one is whole


@pytest.mark.parametrize(("pair", "side"), [((" ", "b"), "first"), (("a", ""), "second")])
def test_an_empty_text_is_refused_with_its_place(
    tiny: CrossEncoder, pair: tuple[str, str], side: str
) -> None:
    with pytest.raises(InputError, match=f"Pair 2: the {side} text is empty"):
        tiny.score([("a", "b"), pair])


# --- Looking inside --------------------------------------------------------------------------------


def test_attention_covers_both_texts(packaged: CrossEncoder) -> None:
    seen = packaged.attention("A man sleeps.", "Nobody is awake.")
    t = len(seen.tokens)
    assert seen.tokens == (
        "[CLS]",
        "a",
        "man",
        "sleeps",
        ".",
        "[SEP]",
        "[CLS]",
        "nobody",
        "is",
        "awake",
        ".",
        "[SEP]",
    )
    assert seen.segments == (0,) * 6 + (1,) * 6
    assert seen.weights.shape == (6, 12, t, t)
    np.testing.assert_allclose(seen.weights.sum(axis=-1), 1.0, atol=1e-5)
    across = seen.weights[:, :, :6, 6:].sum(axis=(2, 3))
    assert (across > 1e-3).all(), "every head can look across"


def test_attention_is_what_the_layers_used() -> None:
    from transformers import BertModel

    from core.models.weights import to_hub_names

    base = tiny_encoder()
    joint = JointModel(base, Head(base.dim, 8)).requires_grad_(False)
    tokens = joint.tokenize([("the cat sleeps", "a bank")])
    config = BertModel.config_class(
        vocab_size=base.shape.vocabulary,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        attn_implementation="eager",
    )
    bert = BertModel(config, add_pooling_layer=False).eval()
    bert.load_state_dict(to_hub_names(base), strict=False)
    theirs = bert(
        input_ids=tokens.ids[None],
        token_type_ids=tokens.segments[None],
        position_ids=tokens.positions[None],
        attention_mask=tokens.packing.visible,
        output_attentions=True,
    )
    expected = torch.stack([layer[0] for layer in theirs.attentions])
    torch.testing.assert_close(joint.attention(tokens), expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        joint.run(joint.embed(tokens), tokens.packing), theirs.last_hidden_state[0], atol=1e-5, rtol=1e-4
    )


def test_leaving_a_word_out_is_scoring_the_rest(packaged: CrossEncoder) -> None:
    left, right = "A man plays guitar.", "A man isn't playing."
    found = packaged.leave_one_word_out(left, right)
    assert found.words == ("A", "man", "plays", "guitar", "A", "man", "isn't", "playing")
    assert found.segments == (0,) * 4 + (1,) * 4
    without = packaged.score([("A man plays .", right), (left, "A man playing.")]).logits
    np.testing.assert_allclose(found.logit - found.drops[[3, 6]], without, atol=1e-5)


def test_a_single_word_can_be_left_out(tiny: CrossEncoder) -> None:
    found = tiny.leave_one_word_out("cat", "the dog")
    assert found.words == ("cat", "the", "dog") and np.isfinite(found.drops).all()


# --- Figures, offline, hub --------------------------------------------------------------------------


def test_better_than_the_bi_encoder_on_stsb_dev(shared_data: Path, packaged: CrossEncoder) -> None:
    file = shared_data / "stsb" / "dev.tsv"
    if not file.is_file():
        pytest.skip(f"no STS Benchmark at {file}")
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))[::8]  # 188 of 1,500
    gold = [float(row["score"]) for row in rows]
    pairs = [(row["sentence1"], row["sentence2"]) for row in rows]
    cross = spearman(packaged.score_both_orders(pairs).logits, gold)
    encoder = registry.load("minilm-l6")
    left, right = (encoder.encode([pair[side] for pair in pairs]) for side in (0, 1))
    bi = spearman((left * right).sum(axis=1), gold)
    assert cross is not None and bi is not None
    assert cross > bi


OFFLINE = """
import socket
def refuse(*args, **kwargs): raise AssertionError("the network was asked")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from core.models import cross_encoder
found = cross_encoder.score([("A cat sleeps.", "A cat is asleep.")])
import sys
assert "transformers" not in sys.modules and "peft" not in sys.modules
print(float(found.scores[0]))
"""


def test_works_without_network_transformers_and_peft() -> None:
    result = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        cwd=FOLDER.parent.parent,
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "0"},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) > 0.5


def test_importing_it_does_not_load_torch() -> None:
    names = "core.models.cross_encoder, core.retrieval.corpus, core.retrieval.ranking, core.retrieval.costs"
    code = f"import sys, {names}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parent.parent, check=True)


def test_a_damaged_adapter_is_refused_in_one_sentence(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    for folder in (tmp_path / SECOND, tmp_path):
        (folder / ADAPTER).write_bytes(b"\x00" * 100)
        with pytest.raises(InputError, match="cannot be read"):
            read_adapter(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_adapter(tmp_path / "nowhere")


def test_other_cross_encoders_need_permission() -> None:
    for name in ("cross-encoder/anything", "minilm-l6"):
        with pytest.raises(InputError, match="not allowed here"):
            cross_encoder.load(name)


@pytest.fixture
def hub_folder(tmp_path: Path) -> Path:
    """A tiny BERT for pairs, saved as transformers saves it."""
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        num_labels=1,
        sentence_transformers={"activation_fn": "torch.nn.modules.linear.Identity"},
    )
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(registry.packaged_folder()).save_pretrained(tmp_path)
    return tmp_path


def test_an_allowed_model_equals_sentence_transformers(
    hub_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sentence_transformers

    monkeypatch.setenv(registry.ALLOWED, str(hub_folder))
    ours = cross_encoder.load(str(hub_folder))
    theirs = sentence_transformers.CrossEncoder(str(hub_folder), device="cpu")
    assert ours.activation == "identity"
    np.testing.assert_allclose(ours.score(PAIRS).logits, theirs.predict(PAIRS), atol=1e-5)
    seen = ours.attention(*PAIRS[0])
    assert seen.weights.shape == (2, 4, len(seen.tokens), len(seen.tokens))
    assert seen.segments == tuple(sorted(seen.segments)) and set(seen.segments) == {0, 1}
    assert ours.score([("word " * 700, "short"), PAIRS[0]]).truncated == (0,)


def test_a_model_with_three_labels_is_refused(hub_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = hub_folder / "config.json"
    config = json.loads(file.read_text()) | {"id2label": {"0": "no", "1": "maybe", "2": "yes"}}
    file.write_text(json.dumps(config))
    monkeypatch.setenv(registry.ALLOWED, str(hub_folder))
    with pytest.raises(InputError, match="gives 3 labels"):
        cross_encoder.load(str(hub_folder))
