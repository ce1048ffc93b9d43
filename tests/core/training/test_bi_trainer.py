"""Training: exact repetition, exact forks, gradients equal to sentence-transformers', sound batches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.losses import LOSSES
from core.models import registry
from core.training.bi_trainer import BiEncoderTrainer, train
from core.training.gradient import learning_rate
from core.training.sampling import make_sampler
from core.training.trainer import Diverged, iterate
from core.types import InputError, Pair, Sentence, SentenceSet, Snapshot, TrainingConfig
from tests.tiny import tiny_encoder, tiny_pairs, tiny_set

CONFIG = TrainingConfig(steps=12, batch_size=4, learning_rate=1e-3)
HELD_OUT = (Pair("a3", "a4", 1.0), Pair("a4", "m4", 0.0))
VARIANTS = [
    {},
    {"loss": "simcse"},
    {"loss": "softmax", "dropout": 0.2},
    {"loss": "triplet", "weight_decay": 0.1},
    {"loss": "cosent", "trained_layers": 0, "train_word_embeddings": True},
    {"loss": "mnrl", "trained_layers": 3, "train_word_embeddings": True, "dropout": 0.1},
]


def run(config: TrainingConfig = CONFIG, **kwargs: object) -> list[Snapshot]:
    return list(train(tiny_encoder(), tiny_set(), tiny_pairs(), config, HELD_OUT, **kwargs))


def same(one: Snapshot, two: Snapshot) -> bool:
    return (
        one.step == two.step
        and (one.loss == two.loss or (math.isnan(one.loss) and math.isnan(two.loss)))
        and np.array_equal(one.embeddings, two.embeddings)
        and np.array_equal(one.forces.rows, two.forces.rows)
        and np.array_equal(one.forces.values, two.forces.values)
        and one.metrics == two.metrics
    )


@pytest.mark.parametrize("changes", VARIANTS)
def test_same_seed_same_numbers_and_a_fork_equals_the_unbroken_run(changes: dict[str, object]) -> None:
    config = CONFIG.replace(**changes)
    torch.manual_seed(1)
    whole = run(config)
    torch.manual_seed(2)  # the process's own random state must not matter
    assert all(map(same, whole, run(config)))
    trainer = BiEncoderTrainer(tiny_encoder(), tiny_set(), tiny_pairs(), config, HELD_OUT)
    for _ in range(5):
        trainer.advance()
    checkpoint = trainer.checkpoint()
    trainer.advance()  # must not reach into the checkpoint
    rest = run(config, resume=checkpoint)
    assert [s.step for s in rest] == [6, 7, 8, 9, 10, 11, 12]
    assert all(map(same, whole[6:], rest))


def test_training_leaves_torchs_random_state_and_the_base_model_alone() -> None:
    encoder = tiny_encoder()
    before = encoder.encode(tiny_set().texts)
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    everything = CONFIG.replace(dropout=0.3, trained_layers=3, train_word_embeddings=True)
    list(train(encoder, tiny_set(), tiny_pairs(), everything))
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(encoder.encode(tiny_set().texts), before)
    assert not any(p.requires_grad for p in encoder.parameters())


def test_the_seed_matters() -> None:
    assert not same(run()[-1], run(CONFIG.replace(seed=8))[-1])


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_learns_and_reports(loss: str) -> None:
    snapshots = run(CONFIG.replace(loss=loss, steps=30))
    first, last = snapshots[0], snapshots[-1]
    assert first.step == 0 and math.isnan(first.loss) and len(first.forces.values) == 0
    np.testing.assert_allclose(first.embeddings, tiny_encoder().encode(tiny_set().texts), atol=1e-6)
    assert not last.embeddings.flags.writeable and last.embeddings.dtype == np.float32
    assert not np.allclose(first.embeddings, last.embeddings, atol=1e-3)
    assert last.forces.rows.max() < 10 and np.isfinite(last.forces.values).all()
    assert len(last.forces.rows) == len(last.forces.values) > 0
    assert np.mean([s.loss for s in snapshots[-5:]]) < np.mean([s.loss for s in snapshots[1:6]])


def test_similar_pairs_are_pulled_and_dissimilar_ones_pushed() -> None:
    row = tiny_set().row()
    label = {frozenset((row[p.left], row[p.right])): p.label for p in tiny_pairs()}
    for snapshot in run(CONFIG.replace(loss="cosine"))[1:]:
        for (i, j), value in zip(snapshot.forces.rows.tolist(), snapshot.forces.values):
            cosine = float(snapshot.embeddings[i] @ snapshot.embeddings[j])
            if label[frozenset((i, j))] == 1.0:
                assert value < 0
            elif cosine > 0.2:
                assert value > 0


def test_snapshots_come_when_due() -> None:
    steps = [s.step for s in run(CONFIG.replace(snapshot_every=5))]
    assert steps == [0, 1, 5, 10, 12]


def test_warm_up_is_linear_and_then_flat() -> None:
    config = TrainingConfig(steps=100, warmup=0.1, learning_rate=1.0)
    assert [learning_rate(s, config) for s in (1, 5, 10, 100)] == [0.1, 0.5, 1.0, 1.0]
    assert learning_rate(1, config.replace(warmup=0.0)) == 1.0


def test_only_the_top_layers_change_and_a_tuned_encoder_has_them() -> None:
    base = tiny_encoder()
    trainer = BiEncoderTrainer(base, tiny_set(), tiny_pairs(), CONFIG.replace(trained_layers=1))
    trainer.advance()
    tuned = trainer.tuned()
    changed = [n for (n, p), q in zip(base.named_parameters(), tuned.parameters()) if not torch.equal(p, q)]
    assert changed and all(name.startswith("layers.2.") for name in changed)
    np.testing.assert_allclose(tuned.encode(tiny_set().texts), trainer.snapshot().embeddings, atol=1e-6)


def test_compact_word_embeddings_equal_the_full_update() -> None:
    config = CONFIG.replace(trained_layers=3, train_word_embeddings=True, warmup=0.0, batch_size=16)
    trainer = BiEncoderTrainer(tiny_encoder(), tiny_set(), tiny_pairs(), config)
    full = tiny_encoder().requires_grad_(True)
    optimizer = torch.optim.AdamW(full.parameters(), lr=config.learning_rate, weight_decay=0.0, fused=True)
    sampler = make_sampler(tiny_set(), tiny_pairs(), (), config)
    for step in range(1, 6):
        trainer.advance()
        sample = sampler(step)
        z = full(full.tokenize([tiny_set().texts[i] for i in sample.rows]))
        optimizer.zero_grad()
        LOSSES["mnrl"].compute(z, sample.batch, trainer.settings).value.backward()
        optimizer.step()
    tuned = dict(trainer.tuned().named_parameters())
    for name, parameter in full.named_parameters():
        torch.testing.assert_close(tuned[name], parameter.detach(), atol=2e-6, rtol=1e-5)
    untouched = torch.ones(len(full.embeddings.word), dtype=torch.bool)
    untouched[torch.from_numpy(trainer.encoder.words)] = False
    assert torch.equal(tuned["embeddings.word"][untouched], tiny_encoder().embeddings.word[untouched])


def test_one_steps_gradient_equals_sentence_transformers() -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.losses import MultipleNegativesRankingLoss

    texts = [
        "How do I reset my password?",
        "I forgot my password, what now?",
        "Where is the nearest station?",
        "How do I get to the train?",
        "It rains.",
        "The weather is wet today, so take an umbrella with you.",
    ]
    sentences = SentenceSet(tuple(Sentence(str(i), text) for i, text in enumerate(texts)))
    pairs = [Pair(str(i), str(i + 1), 1.0) for i in (0, 2, 4)]
    config = TrainingConfig(trained_layers=6, train_word_embeddings=True, warmup=0.0)
    trainer = BiEncoderTrainer(registry.load("minilm-l6"), sentences, pairs, config)
    trainer.advance()

    theirs = SentenceTransformer(str(registry.packaged_folder()), device="cpu").eval()
    features = [theirs.tokenize(texts[side::2]) for side in (0, 1)]
    loss = MultipleNegativesRankingLoss(theirs)(features, None)
    loss.backward()
    assert trainer.last_loss == pytest.approx(loss.item(), abs=1e-5)
    found = {
        name.split("0.auto_model.")[-1].split("0.model.")[-1]: p for name, p in theirs.named_parameters()
    }
    ours = trainer.encoder.parameters
    word = found["embeddings.word_embeddings.weight"].grad[torch.from_numpy(trainer.encoder.words)]
    torch.testing.assert_close(ours["embeddings.word"].grad, word, atol=1e-5, rtol=1e-3)
    for i in range(6):
        three = [
            found[f"encoder.layer.{i}.attention.self.{n}.weight"].grad for n in ("query", "key", "value")
        ]
        for mine, wanted in (
            ("query_key_value", torch.cat(three)),
            ("up", found[f"encoder.layer.{i}.intermediate.dense.weight"].grad),
            ("down", found[f"encoder.layer.{i}.output.dense.weight"].grad),
        ):
            grad = ours[f"layers.{i}.{mine}.weight"].grad
            torch.testing.assert_close(grad, wanted, atol=1e-5, rtol=1e-3)


def test_known_likenesses_are_no_in_batch_negatives() -> None:
    pairs = [Pair("a0", "a1", 1.0), Pair("a2", "a3", 1.0), Pair("m0", "m1", 1.0)]
    batch = make_sampler(tiny_set(), pairs, (), CONFIG.replace(batch_size=3))(1).batch
    rows = make_sampler(tiny_set(), pairs, (), CONFIG.replace(batch_size=3))(1).rows
    groups = [tiny_set().groups[i] for i in rows]
    assert batch.known is not None and batch.negative is None
    for i, left in enumerate(batch.left.tolist()):
        for j, right in enumerate(batch.right.tolist()):
            assert bool(batch.known[i, j]) == (groups[left] == groups[right])


def test_a_marked_dissimilar_pair_becomes_a_hard_negative() -> None:
    plain = SentenceSet(tuple(Sentence(s.id, s.text) for s in tiny_set().sentences))
    pairs = [Pair("a0", "a1", 1.0), Pair("m0", "m1", 1.0), Pair("a1", "a2", 0.0)]
    sample = make_sampler(plain, pairs, (), CONFIG)(1)
    batch = sample.batch
    assert batch.negative is not None and batch.known is not None
    anchors = [plain.ids[sample.rows[i]] for i in batch.left.tolist()]
    negatives = [plain.ids[sample.rows[i]] for i in batch.negative.tolist()]
    assert sorted(anchors) == ["a1", "m0"]  # a0-a1 turned round: a1 has the opposite
    place = anchors.index("a1")
    assert negatives[place] == "a2"
    assert batch.known[:, 2 + place].tolist() == [False, False]
    assert batch.known[:, 2 + 1 - place].tolist() == [True, True]  # a filler is nobody's negative


def test_an_epoch_shows_every_pair_once() -> None:
    config = CONFIG.replace(loss="cosine", batch_size=4)
    sampler = make_sampler(tiny_set(), tiny_pairs(), (), config)
    seen = []
    for step in (1, 2, 3):
        sample = sampler(step)
        seen += [
            (int(sample.rows[a]), int(sample.rows[b])) for a, b in zip(sample.batch.left, sample.batch.right)
        ]
    assert len(seen) == len(set(seen)) == len(tiny_pairs())
    assert all(len(sampler(step).batch.left) in (3, 4) for step in range(1, 7))


def test_simcse_reads_twice_and_never_looks_at_held_out_sentences() -> None:
    sampler = make_sampler(tiny_set(), (), HELD_OUT, CONFIG.replace(loss="simcse"))
    row = tiny_set().row()
    for step in range(1, 8):
        rows = sampler(step).rows
        half = len(rows) // 2
        assert rows[:half].tolist() == rows[half:].tolist()
        assert not {row["a3"], row["a4"], row["m4"]} & set(rows.tolist())
    assert BiEncoderTrainer(tiny_encoder(), tiny_set(), (), CONFIG.replace(loss="simcse")).dropout == 0.1


@pytest.mark.parametrize(
    ("changes", "pairs", "says"),
    [
        ({}, [], "no pairs"),
        ({}, [Pair("a0", "m0", 0.0)], "none is marked as similar"),
        ({}, [Pair("a0", "a1", 1.0)], "sentences that differ"),
        ({"loss": "triplet"}, [Pair("a0", "a1", 1.0), Pair("m0", "m1", 0.0)], "in a similar and in a"),
        ({"loss": "cosent"}, [Pair("a0", "a1", 1.0)], "compares labels"),
        ({"trained_layers": 0}, tiny_pairs(), "nothing to learn"),
        ({}, [Pair("a0", "nobody", 1.0)], "nobody"),
        ({"batch_size": 1}, tiny_pairs(), "batch_size"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes: dict[str, object], pairs: list[Pair], says: str) -> None:
    with pytest.raises(InputError, match=says):
        BiEncoderTrainer(tiny_encoder(), tiny_set(), pairs, CONFIG.replace(**changes))


def test_simcse_without_enough_sentences_is_refused() -> None:
    one = SentenceSet((Sentence("a", "alone"),))
    with pytest.raises(InputError, match="at least two"):
        BiEncoderTrainer(tiny_encoder(), one, (), CONFIG.replace(loss="simcse"))


def test_softmax_may_train_its_classifier_alone() -> None:
    snapshots = run(CONFIG.replace(loss="softmax", trained_layers=0))
    assert np.array_equal(snapshots[0].embeddings, snapshots[-1].embeddings)


def test_a_run_that_blows_up_says_what_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = BiEncoderTrainer(tiny_encoder(), tiny_set(), tiny_pairs(), CONFIG)
    trainer.advance()
    for parameter in trainer.encoder.parameters.values():
        parameter.data.mul_(math.inf)
    with pytest.raises(Diverged, match=r"step 2.*lower learning rate \(now 0\.001\)"):
        trainer.advance()
    with pytest.raises(Diverged):
        trainer.snapshot()
    assert issubclass(Diverged, InputError) and trainer.step == 1


def test_chunks_do_not_change_the_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run()[-1]
    monkeypatch.setattr("core.training.trainable.CHUNK_TOKENS", 30)
    parts = run()[-1]
    np.testing.assert_allclose(parts.embeddings, whole.embeddings, atol=1e-4)


@pytest.mark.parametrize(
    "changes", [{}, {"loss": "triplet"}, {"train_word_embeddings": True}, {"dropout": 0.1}]
)
def test_a_snapshot_shows_every_sentence_as_the_tuned_encoder_does(changes: dict[str, object]) -> None:
    trainer = BiEncoderTrainer(tiny_encoder(), tiny_set(), tiny_pairs(), CONFIG.replace(**changes), HELD_OUT)
    for snapshot in iterate(trainer):
        assert snapshot is not None
        alone = trainer.tuned().encode(tiny_set().texts)
        np.testing.assert_allclose(snapshot.embeddings, alone, atol=1e-6)


def test_no_sentence_passes_twice_through_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = BiEncoderTrainer(tiny_encoder(), tiny_set(), tiny_pairs(), CONFIG.replace(steps=3))
    seen: list[int] = []
    plain = trainer.encoder.hidden

    def counted(rows: np.ndarray, dropout: float) -> object:
        seen.extend(rows.tolist())
        return plain(rows, dropout)

    monkeypatch.setattr(trainer.encoder, "hidden", counted)
    for _ in iterate(trainer):
        assert sorted(seen) == list(range(len(tiny_set()))), "the step's batch and the snapshot's others"
        seen.clear()


@pytest.mark.parametrize("changes", [{}, {"loss": "softmax", "trained_layers": 0}, {"dropout": 0.1}])
def test_how_often_snapshots_are_taken_changes_nothing(changes: dict[str, object]) -> None:
    often, seldom = (run(CONFIG.replace(snapshot_every=n, **changes)) for n in (1, 100))
    assert same(often[-1], seldom[-1]) and same(often[1], seldom[1])
    assert [s.step for s in seldom] == [0, 1, 12]
