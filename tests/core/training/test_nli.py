"""Three classes from two vectors: value and gradient against the reference, the split, the trainer."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from core.losses import LOSSES, Batch, LossSettings
from core.losses.softmax import CONCATENATIONS, new_head
from core.training import checkpoints, nli
from core.training.nli_trainer import NliTrainer
from core.types import InputError
from tests.tiny import tiny_encoder

B, D = 7, 12


@pytest.fixture(scope="module")
def reference():
    from sentence_transformers import losses

    return losses


class Stub(torch.nn.Module):
    """All that SoftmaxLoss asks of a model."""

    device = torch.device("cpu")


@pytest.mark.parametrize("concatenation", CONCATENATIONS)
def test_three_class_softmax_equals_the_reference(reference, concatenation, monkeypatch):
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(2 * B, D, generator=generator, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 2, 1, 0, 2])
    loss = reference.SoftmaxLoss(
        Stub(),
        D,
        3,
        concatenation_sent_rep="u,v" in concatenation,
        concatenation_sent_difference="|u-v|" in concatenation,
        concatenation_sent_multiplication="u*v" in concatenation,
    )
    weight, bias = loss.classifier.weight, loss.classifier.bias
    module = sys.modules[type(loss).__module__]
    monkeypatch.setattr(module, "embed_columns", lambda model, features: features)
    theirs = loss([z[:B], z[B:]], labels)
    their_gradients = torch.autograd.grad(theirs, (z, weight, bias))

    batch = Batch.of(list(range(B)), list(range(B, 2 * B)), [label / 2 for label in labels.tolist()])
    settings = LossSettings(concatenation=concatenation, head=weight, head_bias=bias)
    ours = LOSSES["softmax"].compute(z, batch, settings).value
    assert torch.allclose(ours, theirs, atol=1e-6)
    for mine, other in zip(torch.autograd.grad(ours, (z, weight, bias)), their_gradients):
        assert torch.allclose(mine, other, atol=1e-6)

    u, v = z[:B].detach().numpy(), z[B:].detach().numpy()
    chances = nli.probabilities(u, v, concatenation, weight.detach().numpy(), bias.detach().numpy())
    picked = chances[np.arange(B), labels.numpy()]
    assert abs(-np.log(picked).mean() - theirs.item()) < 1e-5


def test_the_built_in_pairs_are_balanced_and_every_sentence_is_one_line():
    found = nli.examples()
    assert [sum(e.label == i for e in found) for i in range(3)] == [len(found) // 3] * 3
    assert len(found) >= 60
    assert len({e.premise for e in found}) == len(found) // 3
    assert len({e.hypothesis for e in found}) == len(found)


@pytest.mark.parametrize("seed", range(5))
def test_no_premise_is_on_both_sides(seed):
    found = nli.examples()
    train, held = nli.split(found, seed)
    assert not {found[i].premise for i in train} & {found[i].premise for i in held}
    assert sorted([*train, *held]) == list(range(len(found)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a | b", "Line 1"),
        ("a | b | e\n\nc | | n", "Line 3"),
        ("a | b | similar", "“similar” is none of"),
        ("x" * 301 + " | b | n", "at most 300 characters"),
        ("\n".join(f"p{i} | h | n" for i in range(301)), "Line 301 is one too many"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text, told):
    with pytest.raises(InputError, match=told):
        nli.parse(text)


def test_too_few_premises_or_a_missing_class_are_refused():
    with pytest.raises(InputError, match="too few premises"):
        nli.split(nli.parse("a | b | e\na | c | n"), 0)
    with pytest.raises(InputError, match="is marked contradiction"):
        nli.split(nli.parse("a | b | e\nb | c | n\nc | d | e\nd | e | n\ne | f | e\nf | g | n"), 0)


TINY = tuple(
    nli.Example(f"the {who} {does}", f"{start} {who}", label)
    for who in ("cat", "dog", "bird", "bank", "river", "film")
    for does in ("runs",)
    for label, start in enumerate(("a good", "very bad", "not in"))
)


def trained(steps: int = 25, **changes) -> NliTrainer:
    task = nli.NliTask(TINY, steps=steps, learning_rate=3e-3, **changes)
    trainer = NliTrainer(tiny_encoder(), task)
    while trainer.step < steps:
        trainer.advance()
    return trainer


def test_it_learns_and_repeats_bit_for_bit():
    first, second = trained(), trained()
    before = NliTrainer(tiny_encoder(), first.task).snapshot()
    lap, again = first.snapshot(), second.snapshot()
    assert lap.train_accuracy > before.train_accuracy and lap.train_accuracy == 1.0
    assert (lap.loss, lap.cosines, lap.probe) == (again.loss, again.cosines, again.probe)


def test_one_that_was_put_aside_ends_like_one_that_was_not(tmp_path):
    whole, file = trained(), tmp_path / "step-000010.safetensors"
    first = NliTrainer(tiny_encoder(), whole.task)
    for _ in range(10):
        first.advance()
    first.save(file)
    second = NliTrainer(tiny_encoder(), whole.task, checkpoints.load(file))
    assert second.step == 10 and not second.fresh
    while second.step < whole.step:
        second.advance()
    assert second.snapshot().cosines == whole.snapshot().cosines and second.last_loss == whole.last_loss


def test_the_trainer_and_the_plain_formula_agree_on_the_loss():
    """One step's loss from the trainer equals cross-entropy of `probabilities` on the same batch."""
    trainer = trained(steps=1)
    fresh = NliTrainer(tiny_encoder(), trainer.task)
    sample = fresh.sample(1)
    with torch.no_grad():
        z = fresh.embed(sample.rows).numpy()
    chances = fresh.probabilities(z[sample.batch.left], z[sample.batch.right])
    labels = (sample.batch.label * 2).long().numpy()
    assert abs(-np.log(chances[np.arange(len(labels)), labels]).mean() - trainer.last_loss) < 1e-5


def test_the_base_model_is_left_alone():
    encoder = tiny_encoder()
    before = {name: p.clone() for name, p in encoder.named_parameters()}
    trainer = NliTrainer(encoder, nli.NliTask(TINY, steps=5, learning_rate=3e-3))
    trainer.advance()
    assert all(torch.equal(p, before[name]) for name, p in encoder.named_parameters())
    assert any(not torch.equal(p, before[name]) for name, p in trainer.encoder.tuned().named_parameters())


def test_the_seed_changes_the_first_classifier():
    assert not torch.equal(new_head("u,v", 4, 3, 1)[0], new_head("u,v", 4, 3, 2)[0])
