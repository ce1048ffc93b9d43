"""The cross-encoder while it is trained: the joint model with LoRA beside its linear maps, and a head."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import MethodType
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from core.models.adapter import ADAPTER, HEAD, PREFIX
from core.models.encoder import Encoder, Layer, Packing
from core.models.joint_model import Head, JointModel, JointPacking, JointTokens, join
from scripts.cross_encoder_data import Vectors

MAX_TOKENS = 256  # of a pair, as in use
INNER = 64  # width of the head's network
MATRICES = {  # our names of a layer's linear maps, and transformers' names
    "query_key_value": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention_out": ("attention.output.dense",),
    "up": ("intermediate.dense",),
    "down": ("output.dense",),
}
BRANCHES = ("attention_out", "down")  # what they give is added to the tokens, after dropout


class Adapted(nn.Module):
    """x W + x A B in place of each linear map x W; only A, B, the token types and the head learn.

    Steps are cheap so: no gradient of W is made, and dropout of a branch drops the same features of all
    tokens of a pair (Gal & Ghahramani 2016), which asks for few random numbers.
    """

    def __init__(self, base: Encoder, rank: int, seed: int, vectors: Vectors | None = None) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.rank = rank
        self.vectors = vectors
        self.head = Head(base.dim, INNER, apart=vectors is not None)
        nn.init.normal_(self.head.out.weight, std=0.02)  # at first the cosine decides
        nn.init.zeros_(self.head.out.bias)
        self.joint = JointModel(base.copy(), self.head).requires_grad_(False)
        self.head.requires_grad_(True)
        self.token_type = self.joint.embeddings.token_type.requires_grad_(True)
        self.dropped: list[Tensor] = []  # what is left of a branch's features, (t, d), the next branch last
        self.lora = nn.ParameterDict()
        for i, layer in enumerate(self.joint.layers):
            assert isinstance(layer, Layer)
            for own, theirs in MATRICES.items():
                linear = getattr(layer, own)
                rows, columns = linear.weight.shape
                for name in theirs:
                    a = torch.empty(rank, columns)
                    nn.init.kaiming_uniform_(a, a=math.sqrt(5))  # as peft starts
                    self.lora[_key(i, name, "A")] = a
                    self.lora[_key(i, name, "B")] = torch.zeros(rows // len(theirs), rank)
                linear.to(torch.bfloat16)  # autocast would round it anew in every step
                linear.register_forward_hook(self._beside(i, own))
            layer.attend = MethodType(attend, layer)  # type: ignore[method-assign]

    def _beside(self, layer: int, own: str) -> Callable[[Any, tuple[Tensor], Tensor], Tensor]:
        keys = [(_key(layer, name, "A"), _key(layer, name, "B")) for name in MATRICES[own]]

        def add(module: Any, given: tuple[Tensor], found: Tensor) -> Tensor:
            low = F.linear(given[0], torch.cat([self.lora[a] for a, _ in keys])).split(self.rank, dim=1)
            found = found + torch.cat([F.linear(x, self.lora[b]) for x, (_, b) in zip(low, keys)], dim=1)
            return found * self.dropped.pop() if own in BRANCHES and self.dropped else found

        return add

    def start(self, folder: Path) -> None:
        """Begin with the adapter and the head of this folder."""
        adapter, head = load_file(folder / ADAPTER), load_file(folder / HEAD)
        names = {PREFIX + name: key for key, name in zip(self.lora, hub_names(self.lora))}
        for name, value in adapter.items():
            target = self.lora[names[name]] if name in names else self.token_type
            target.data.copy_(value.float())
        self.head.load_state_dict({key: value.float() for key, value in head.items()})

    def forward(self, pairs: Sequence[tuple[str, str]], dropout: float = 0.0) -> Tensor:
        """Pairs -> logits (n,)."""
        tokens = join(self.joint.tokenizer, pairs, self.joint.across, MAX_TOKENS)
        if self.vectors is not None:
            z = torch.from_numpy(self.vectors.of([text for pair in pairs for text in pair]))
            tokens = replace(tokens, cosines=(z[0::2] * z[1::2]).sum(dim=1))
        tokens = padded(tokens)
        packing = tokens.packing
        if dropout:
            branches = len(BRANCHES) * len(self.joint.layers)
            kept = torch.rand(branches, len(pairs), self.token_type.shape[1]) >= dropout
            self.dropped = list(
                (kept.bfloat16() / (1 - dropout)).repeat_interleave(packing.mask.shape[1], dim=1)
            )
        # bfloat16 halves the time; the weights that learn stay float32.
        with torch.autocast("cpu", torch.bfloat16):
            x = self.joint.run(self.joint.embed(tokens), packing)
            logits = self.joint.read(x, tokens, dropout)
        assert not self.dropped
        return logits.float()


def padded(tokens: JointTokens) -> JointTokens:
    """The same, padded with tokens that nobody sees up to a multiple of eight: the products then come in few
    shapes, and the code that oneDNN writes for each serves again."""
    old = tokens.packing
    n, longest = old.mask.shape
    length = -(-longest // 8) * 8
    place = old.flat // longest * length + old.flat % longest
    ids, positions, segments = (
        torch.zeros(n * length, dtype=torch.long).index_copy_(0, place, x)
        for x in (tokens.ids, tokens.positions, tokens.segments)
    )
    room = (0, length - longest)
    everywhere = torch.arange(n * length)
    bias = F.pad(F.pad(old.bias, room, value=-torch.inf), (0, 0, *room))
    packing = JointPacking(everywhere, everywhere % length, F.pad(old.mask, room), bias)
    return replace(tokens, ids=ids, positions=positions, segments=segments, packing=packing)


def attend(layer: Layer, x: Tensor, packing: Packing, dropout: float) -> Tensor:
    """As Layer.attend, in plain products: the fused kernel's backward takes five times as long here."""
    n, length = packing.mask.shape
    padded = packing.pad(layer.query_key_value(x)).view(n, length, 3, layer.heads, -1)
    q, k, v = padded.permute(2, 0, 3, 1, 4)  # each (n, heads, l, d / heads)
    weights = torch.softmax(
        (q / math.sqrt(q.shape[3])) @ k.transpose(2, 3) + packing.visible.bfloat16(), dim=3
    )
    return packing.unpad((weights @ v).transpose(1, 2).reshape(n, length, -1))


def _key(layer: int, name: str, which: str) -> str:
    """A key that ParameterDict accepts: no dots."""
    return f"{layer}/{name.replace('.', '-')}/{which}"


def hub_names(lora: nn.ParameterDict) -> dict[str, Tensor]:
    """As transformers and peft call them."""
    found = {}
    for key, value in lora.items():
        layer, name, which = key.split("/")
        found[f"encoder.layer.{layer}.{name.replace('-', '.')}.lora_{which}.weight"] = value.detach()
    return found
