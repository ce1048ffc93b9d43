"""The bi-encoder, one visible step after the other: tokenize, embed, run the layers, pool, normalize.

The transformer is written out here (BERT, Devlin et al. 2019, with Hugging Face's weights and names) for
two reasons: it can be read in one go, and it runs on the real tokens only. Sentences are laid end to end
as (t, d), t tokens in all, and are padded to a rectangle only inside attention, where a sentence has to
see itself and no other. That and one fused attention kernel make a training step about a third faster.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from ..types import FloatArray
from .layer_norm import LayerNorm
from .settings import OWN, POOLINGS, USUAL, ModelSettings

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a BERT-family model, as its config.json gives them."""

    vocabulary: int
    dim: int
    layers: int
    heads: int
    inner: int  # width of the feed-forward part
    positions: int
    token_types: int = 2
    epsilon: float = 1e-12  # of the layer norms
    activation: str = "gelu"
    first_position: int = 0  # RoBERTa counts positions from its padding id + 1
    pad_id: int = 0
    model_type: str = "bert"


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Sentences as token ids: n sentences, the longest with l tokens, t real tokens in all.

    `pieces` are the tokens as words show them, with the special ones at both ends. `dropped` says how
    many tokens of each sentence did not fit in the model's maximum length and were cut off.
    """

    ids: Tensor  # (n, l) int64, padded on the right
    mask: Tensor  # (n, l) bool, True for real tokens
    pieces: tuple[tuple[str, ...], ...]
    dropped: tuple[int, ...]

    @property
    def lengths(self) -> Tensor:
        return self.mask.sum(dim=1)  # (n,)

    @property
    def truncated(self) -> tuple[int, ...]:
        """Rows of the sentences that were cut."""
        return tuple(i for i, count in enumerate(self.dropped) if count)


@dataclass(frozen=True, slots=True, eq=False)
class Packing:
    """Where each of t tokens, laid end to end, stands in the padded (n, l) rectangle."""

    flat: Tensor  # (t,) int64, row * l + column
    columns: Tensor  # (t,) int64, place within the sentence
    mask: Tensor  # (n, l) bool

    @classmethod
    def of(cls, lengths: Tensor) -> Packing:
        """From the number of tokens of each sentence, (n,) int64, all at least 1."""
        mask = torch.arange(int(lengths.max()), device=lengths.device)[None, :] < lengths[:, None]  # (n, l)
        flat = mask.flatten().nonzero().squeeze(1)
        return cls(flat, flat % mask.shape[1], mask)

    @property
    def visible(self) -> Tensor:
        """Attention's mask: no token looks at padding. (n, 1, 1, l) bool."""
        return self.mask[:, None, None, :]

    def pad(self, x: Tensor) -> Tensor:
        """(t, d) -> (n, l, d), zeros where there is no token."""
        n, length = self.mask.shape
        if len(self.flat) == n * length:  # nothing to pad
            return x.view(n, length, -1)
        padded: Tensor = _Pad.apply(x, self.flat, n * length)
        return padded.view(n, length, -1)

    def unpad(self, padded: Tensor) -> Tensor:
        """(n, l, d) -> (t, d)."""
        together = padded.reshape(-1, padded.shape[2])
        return together if len(self.flat) == len(together) else together.index_select(0, self.flat)


class _Pad(torch.autograd.Function):
    """Rows x (t, d) into their places `flat` (t,) among `count` rows of zeros. PyTorch's own index_copy would
    copy the zeros once more, and clear a copy of the gradient that nobody reads."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, flat: Tensor, count: int) -> Tensor:
        ctx.save_for_backward(flat)
        return x.new_zeros(count, x.shape[1]).index_copy_(0, flat, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (flat,) = ctx.saved_tensors
        return grad.index_select(0, flat), None, None


class Embeddings(nn.Module):
    """What enters the first layer: word + position + token type, normalised."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.first_position = shape.first_position
        self.word = nn.Parameter(torch.empty(shape.vocabulary, shape.dim))
        self.position = nn.Parameter(torch.empty(shape.positions, shape.dim))
        self.token_type = nn.Parameter(torch.empty(shape.token_types, shape.dim))
        self.norm = LayerNorm(shape.dim, eps=shape.epsilon)

    def forward(self, ids: Tensor, packing: Packing, dropout: float = 0.0) -> Tensor:
        """ids (t,) -> (t, d)."""
        position = F.embedding(packing.columns + self.first_position, self.position)
        x: Tensor = self.norm(F.embedding(ids, self.word) + position + self.token_type[0])
        return F.dropout(x, dropout)

    def cut(self, words: Tensor, length: int) -> Embeddings:
        """A copy to train, with these rows of the word embeddings and the first `length` positions only."""
        twin = copy.copy(self)
        twin._parameters = dict(self._parameters)
        twin.word = nn.Parameter(self.word.detach()[words])
        twin.position = nn.Parameter(self.position.detach()[:length].clone())
        twin.token_type = nn.Parameter(self.token_type.detach().clone())
        twin._modules = {"norm": copy.deepcopy(self.norm)}
        return twin


class Layer(nn.Module):
    """One transformer layer: every token looks at its sentence, then thinks by itself."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.query_key_value = nn.Linear(shape.dim, 3 * shape.dim)  # one product instead of three
        self.attention_out = nn.Linear(shape.dim, shape.dim)
        self.attention_norm = LayerNorm(shape.dim, eps=shape.epsilon)
        self.up = nn.Linear(shape.dim, shape.inner)
        self.down = nn.Linear(shape.inner, shape.dim)
        self.out_norm = LayerNorm(shape.dim, eps=shape.epsilon)
        self.activation = ACTIVATIONS[shape.activation]

    def forward(self, x: Tensor, packing: Packing, dropout: float = 0.0) -> Tensor:
        """(t, d) -> (t, d). Dropout as in BERT: on attention weights and on both residual branches."""
        attended = self.attention_out(self.attend(x, packing, dropout))
        x = self.attention_norm(x + F.dropout(attended, dropout))
        thought = self.down(self.activation(self.up(x)))
        out: Tensor = self.out_norm(x + F.dropout(thought, dropout))
        return out

    def attend(self, x: Tensor, packing: Packing, dropout: float) -> Tensor:
        """softmax(q k' / sqrt(d / heads)) v for each head, within each sentence. (t, d) -> (t, d)."""
        n, length = packing.mask.shape
        padded = packing.pad(self.query_key_value(x)).view(n, length, 3, self.heads, -1)
        q, k, v = padded.permute(2, 0, 3, 1, 4)  # each (n, heads, l, d / heads)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=packing.visible, dropout_p=dropout)
        return packing.unpad(seen.transpose(1, 2).reshape(n, length, -1))


def pool(hidden: Tensor, mask: Tensor, how: str = "mean") -> Tensor:
    """One vector a sentence: hidden (n, l, d), mask (n, l) bool -> (n, d).

    "mean" averages the real tokens, "cls" takes the first, "max" the largest value of each dimension.
    Reimers & Gurevych 2019 compare the three (Sentence-BERT, table 6).
    """
    return _POOL[how](hidden, mask[:, :, None])


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.masked_fill(~mask, 0.0).sum(dim=1) / mask.sum(dim=1)


def _cls(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[:, 0]


def _max(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.masked_fill(~mask, -torch.inf).amax(dim=1)


_POOL = dict(zip(POOLINGS, (_mean, _cls, _max)))


class LayerStack(nn.Module):
    """Layers one after the other: what the bi-encoder and the joint model share."""

    layers: nn.ModuleList

    def run(
        self, x: Tensor, packing: Packing, start: int = 0, stop: int | None = None, dropout: float = 0.0
    ) -> Tensor:
        """Send (t, d) through layers start..stop-1 (all by default)."""
        for layer in self.layers[start:stop]:
            x = layer(x, packing, dropout)
        return x

    def with_own_layers(self, wanted: Container[int]) -> Self:
        """A shallow copy whose wanted layers are duplicates; everything else is shared."""
        own = copy.copy(self)
        own._modules = dict(self._modules)
        own.layers = nn.ModuleList(
            copy.deepcopy(layer) if i in wanted else layer for i, layer in enumerate(self.layers)
        )
        return own


class Encoder(LayerStack):
    """A tokenizer, an embedding table and a stack of layers. Base models are shared: train a copy."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        shape: Shape,
        max_length: int,
        name: str = "",
        settings: ModelSettings = USUAL,
    ) -> None:
        super().__init__()
        assert shape.dim % shape.heads == 0, "the heads share the dimensions evenly"
        self.tokenizer = tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_length)
        self.shape = shape
        self.max_length = max_length
        self.name = name
        self.settings = settings
        self.embeddings = Embeddings(shape)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))

    @property
    def dim(self) -> int:
        return self.shape.dim

    @property
    def device(self) -> torch.device:
        return self.embeddings.word.device

    def tokenize(self, texts: Sequence[str], prompt: str | None = None) -> Tokens:
        """Split texts into the pieces the model knows, at most `max_length` each, special ones included.

        `prompt` stands before each text; None means the model's usual one, if it has any.
        """
        assert len(texts) > 0, "there is nothing to tokenize"
        prompt = self.settings.prompt if prompt is None else prompt
        found = self.pieces([prompt + text.strip() for text in texts])
        length = max(len(one.ids) for one in found)
        ids = torch.full((len(found), length), self.shape.pad_id)
        mask = torch.zeros(len(found), length, dtype=torch.bool)
        for row, one in enumerate(found):
            ids[row, : len(one.ids)] = torch.tensor(one.ids)
            mask[row, : len(one.ids)] = True
        dropped = tuple(sum(rest.special_tokens_mask.count(0) for rest in one.overflowing) for one in found)
        ids, mask = ids.to(self.device), mask.to(self.device)
        return Tokens(ids, mask, tuple(tuple(one.tokens) for one in found), dropped)

    def pieces(self, texts: list[str]) -> list[Encoding]:
        """What the tokenizer makes of each text: at least one token."""
        return self.tokenizer.encode_batch(texts)

    def hidden_states(self, tokens: Tokens, upto: int | None = None) -> Tensor:
        """What each token carries after `upto` layers (0: the embeddings alone), (n, l, d)."""
        packing = Packing.of(tokens.lengths)
        x = self.embeddings(tokens.ids[tokens.mask], packing)
        return packing.pad(self.run(x, packing, stop=len(self.layers) if upto is None else upto))

    def forward(self, tokens: Tokens, pooling: str = OWN, normalize: bool = True) -> Tensor:
        """Tokens -> one vector a sentence (n, d): pooled and, with `normalize`, scaled to length 1."""
        z = self.pool(self.hidden_states(tokens), tokens.mask, pooling)
        return F.normalize(z, dim=1) if normalize else z

    def pool(self, hidden: Tensor, mask: Tensor, how: str) -> Tensor:
        """One vector a sentence, (n, l, d) -> (n, d): see pool(). Raises InputError for an unknown one."""
        return pool(hidden, mask, self.settings.pooling_named(how))

    def encode(
        self,
        texts: Sequence[str],
        batch_size: int = 32,
        pooling: str = OWN,
        normalize: bool | None = True,
        prompt: str | None = None,
    ) -> FloatArray:
        """Vectors (n, d) float32 in the order of `texts`, of length 1 with `normalize`; None means as the
        model's own settings say. Equal texts get equal rows. `prompt` as in `tokenize`.

        Texts of similar length share a batch; the result depends on neither batch nor order beyond
        rounding (1e-6). Raises InputError for an unknown pooling.
        """
        pooling = self.settings.pooling_named(pooling)
        normalize = self.settings.normalize if normalize is None else normalize
        if not texts:
            return torch.zeros(0, self.dim).numpy()
        unique = list(dict.fromkeys(texts))
        order = sorted(range(len(unique)), key=lambda i: len(unique[i]))
        z = torch.empty(len(unique), self.dim)
        with torch.no_grad():
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                z[rows] = self(self.tokenize([unique[i] for i in rows], prompt), pooling, normalize).cpu()
        place = {text: i for i, text in enumerate(unique)}
        result: FloatArray = z[[place[text] for text in texts]].numpy()
        return result

    def copy(self, layers: Sequence[int] | None = None, embeddings: bool = True) -> Encoder:
        """A copy to train. Only the named layers (all by default) and the embedding table, if wanted, are
        duplicated; whatever else stays frozen is shared with the base model and never written to."""
        own = self.with_own_layers(range(len(self.layers)) if layers is None else layers)
        if embeddings:
            own.embeddings = copy.deepcopy(self.embeddings)
        return own
