"""Our layer norm is PyTorch's, but for its gradient's last bits: those no longer depend on the threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from core.data import sentence_sets
from core.data.split import make_split
from core.losses import LOSSES
from core.models import registry
from core.models.layer_norm import LayerNorm
from core.training.bi_trainer import BiEncoderTrainer
from core.types import TrainingConfig


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("shape", [(1, 8), (5, 16), (3, 7, 32), (300, 384)])
def test_it_equals_pytorchs(shape) -> None:
    generator = torch.Generator().manual_seed(1)
    x, grad = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    x.requires_grad_()
    found = []
    for kind in (nn.LayerNorm, LayerNorm):
        norm = kind(shape[-1], eps=1e-5).double()
        with torch.no_grad():
            norm.weight.copy_(torch.linspace(0.5, 2.0, shape[-1]))
            norm.bias.copy_(torch.linspace(-1.0, 1.0, shape[-1]))
        y = norm(x)
        found.append((y, *torch.autograd.grad(y, (x, norm.weight, norm.bias), grad)))
    for ours, theirs in zip(*found):
        torch.testing.assert_close(ours, theirs)


def test_frozen_weights_get_no_gradient() -> None:
    norm, x = LayerNorm(8).requires_grad_(False), torch.randn(3, 8, requires_grad=True)
    norm(x).sum().backward()
    assert x.grad is not None and norm.weight.grad is None and norm.bias.grad is None


@pytest.mark.parametrize(
    "loss", [key for key in LOSSES if key != "simcse"]
)  # it needs dropout, which does not
def test_training_gives_the_same_bits_with_any_number_of_threads(loss) -> None:
    chosen = sentence_sets.load_set("sentiment").sentence_set
    split = make_split(chosen, 40, 0.2, 7)
    config = TrainingConfig(
        base_model="minilm-l3", loss=loss, steps=2, trained_layers=2, train_word_embeddings=True
    )
    weights = []
    for threads in ((1, 1), (2, 2), (3, 1), (4, 7)):
        trainer = BiEncoderTrainer(registry.load("minilm-l3"), chosen, split.train, config, split.held_out)
        for count in threads:
            torch.set_num_threads(count)
            trainer.advance()
        weights.append(trainer.checkpoint().parameters)
    for other in weights[1:]:
        assert all((other[name] == values).all() for name, values in weights[0].items())
