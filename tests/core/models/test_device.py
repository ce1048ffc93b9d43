"""Every tensor that meets a model is made on the model's device; here no graphics card is needed to see it.

The stand-in for one is torch's "meta" device with numbers behind it: tensors there compute as others do, but
meet no tensor of the CPU and are no numpy arrays until they are brought back, as on a graphics card.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

from core.concepts import anatomy
from core.losses import LOSSES
from core.models import device, registry
from core.models.cross_encoder import CrossEncoder
from core.models.encoder import Encoder
from core.models.joint_model import Head, JointModel, JointPairModel
from core.training import checkpoints, gradient
from core.training.bi_trainer import BiEncoderTrainer
from core.training.cross_trainer import CrossEncoderTrainer
from core.training.nli import NliTask
from core.training.nli_trainer import NliTrainer
from core.training.trainer import Trainer, iterate
from core.types import InputError, TrainingConfig
from tests.core.training.test_nli import TINY
from tests.tiny import TINY_TEXTS, tiny_encoder, tiny_pairs, tiny_set, tiny_static

CARD = torch.device("meta")
BACK = torch.ops.aten._to_copy.default


class OnCard(torch.Tensor):
    """A tensor of the card: `inner` has its numbers."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> OnCard:
        made: OnCard = torch.Tensor._make_wrapper_subclass(
            cls, inner.shape, inner.stride(), inner.storage_offset(), dtype=inner.dtype, device=CARD
        )
        made.inner = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {})


class Card(TorchDispatchMode):
    """While it is on, `device="meta"` means the card."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {})


def computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    here = [one for one in tensors if not isinstance(one, OnCard)]
    there = len(here) < len(tensors)
    copies = func in (BACK, torch.ops.aten.copy_.default)
    if there and not copies and any(one.ndim for one in here):  # a single number may come from the CPU
        raise RuntimeError(f"{func}: a tensor of the CPU meets one of the card")
    wanted = kwargs.get("device")
    if wanted == CARD:
        kwargs = kwargs | {"device": torch.device("cpu")}
    inner = lambda leaf: leaf.inner if isinstance(leaf, OnCard) else leaf  # noqa: E731
    with _disable_current_modes():
        found = func(*tree_map(inner, args), **tree_map(inner, kwargs))
    if func is torch.ops.aten.copy_.default:
        return args[0]
    there = wanted == CARD if wanted is not None else there
    by_inner = {id(one.inner): one for one in tensors if isinstance(one, OnCard)}  # written in place

    def outer(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor) or not there:
            return leaf
        known = by_inner.get(id(leaf))
        return OnCard(leaf) if known is None else known

    return tree_map(outer, found)


CONFIG = TrainingConfig(steps=3, trained_layers=2, batch_size=4, learning_rate=3e-3)
BI = {
    **{loss: CONFIG.replace(loss=loss) for loss in LOSSES},
    "words": CONFIG.replace(train_word_embeddings=True),
    "max": CONFIG.replace(pooling="max", trained_layers=0, train_word_embeddings=True),
}


def bi(config: TrainingConfig, encoder: Encoder, resume: checkpoints.Checkpoint | None) -> Trainer[Any]:
    return BiEncoderTrainer(encoder, tiny_set(), tiny_pairs()[2:-2], config, tiny_pairs()[-2:], resume)


def cross(apart: bool, encoder: Encoder, resume: checkpoints.Checkpoint | None) -> Trainer[Any]:
    torch.manual_seed(0)
    head = Head(encoder.dim, 8, apart).to(encoder.device)
    model = JointModel(encoder, head, bi_encoder=encoder).requires_grad_(False)
    scorer = CrossEncoder(JointPairModel(model), "tiny")
    scorer.attention("the cat", "a dog")
    return CrossEncoderTrainer(scorer, tiny_set(), tiny_pairs()[2:-2], CONFIG, tiny_pairs()[-2:], resume)


TRAINERS: dict[str, Callable[[Encoder, Any], Trainer[Any]]] = {
    **{
        name: lambda encoder, resume, config=config: bi(config, encoder, resume)
        for name, config in BI.items()
    },
    "cross": lambda encoder, resume: cross(False, encoder, resume),
    "cross, apart": lambda encoder, resume: cross(True, encoder, resume),
    "nli": lambda encoder, resume: NliTrainer(encoder, NliTask(TINY, steps=3), resume),
}


@pytest.fixture(autouse=True)
def plain_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fused one asks for a device that PyTorch knows; the plain one has the same formula."""
    fused = torch.optim.AdamW
    monkeypatch.setattr(
        gradient.torch.optim, "AdamW", lambda groups, lr, fused_=fused, **_: fused_(groups, lr)
    )


def learned(
    make: Callable[[Encoder, Any], Trainer[Any]], where: torch.device, file: Path
) -> list[np.ndarray]:
    """Three steps, the last of them from a checkpoint, and what the snapshots say in numbers."""
    with Card() if where == CARD else nullcontext():
        trainer = make(tiny_encoder().to(where), None)
        snapshots = list(iterate(trainer, 2))
        trainer.save(file)
        snapshots += iterate(make(tiny_encoder().to(where), checkpoints.load(file)))
    found = [getattr(s, name, None) for s in snapshots for name in ("loss", "embeddings", "scores", "forces")]
    return [np.asarray(getattr(one, "values", one), np.float64) for one in found if one is not None]


@pytest.mark.parametrize("name", TRAINERS)
def test_a_run_is_computed_on_the_device_of_its_model_with_the_same_numbers(
    name: str, tmp_path: Path
) -> None:
    card, cpu = (learned(TRAINERS[name], torch.device(d), tmp_path / "c") for d in (CARD, "cpu"))
    assert len(card) == len(cpu) >= 4
    for one, other in zip(card, cpu, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("make", [tiny_encoder, tiny_static])
def test_what_pages_ask_of_a_model_is_numpy(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = TINY_TEXTS["animal"]
    encoder = make()
    alone = encoder.encode(texts)
    with Card():
        encoder.to(CARD)
        monkeypatch.setattr(registry, "load", lambda *_, **__: encoder)
        np.testing.assert_allclose(encoder.encode(texts), alone, atol=1e-6)
        if not encoder.layers:
            return
        for found in (anatomy.dissect(texts[0]).vector, anatomy.layer(texts[0], 0)):
            assert type(found) is np.ndarray
        anatomy.compare(*texts[:2])
        anatomy.padded_batch(tuple(texts))


def test_models_are_loaded_where_the_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_loaded", type(registry._loaded)())
    monkeypatch.setattr(device, "chosen", lambda: CARD)
    with Card():
        assert registry.load("static").device == CARD


@pytest.mark.parametrize("name", ["cuda:7", "gpu", "meta", "mps:9"])
def test_a_device_that_is_not_there_is_refused_in_one_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDDING_LAB_DEVICE", name)
    with pytest.raises(
        InputError, match=f"EMBEDDING_LAB_DEVICE={name} is no device that PyTorch can use here"
    ):
        device.chosen.__wrapped__()
    monkeypatch.setenv("EMBEDDING_LAB_DEVICE", "cpu")
    assert device.chosen.__wrapped__() == torch.device("cpu")
