"""The joint pass, written out: two texts in one row of tokens, BERT's layers over both, one number out.

The layers are the bi-encoder's own (encoder.py). Three things differ: the tokens of the two texts see
each other, a token type says which text a token belongs to, and a head turns the pass into a logit.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from ..types import FloatArray
from .device import numbers
from .encoder import Embeddings, Encoder, Layer, LayerStack, Packing
from .pair_model import JointAttention, TextPair

ACROSS = -2.0  # added to attention between the two texts, before the softmax; see JointPacking
SECOND_SHARE = 0.4  # see refined; the packaged model's Spearman on STSb dev falls from 0.895 past this
MAX_TOKENS = 256  # of one pair; the packaged model saw no longer texts in training
KEPT = 4_000  # vectors of texts read apart
SPECIAL = 4  # [CLS] left [SEP] [CLS] right [SEP]


@dataclass(frozen=True, slots=True, eq=False)
class JointPacking(Packing):
    """Packing of pairs. A token sees its own text as it is, and the other text a little dimmed.

    all-MiniLM-L6-v2 has only ever seen one text at a time. Unchanged, its attention spends itself on the
    other text's tokens; with exp(-2) = 0.14 of the weight at the start, training begins about as good as
    the bi-encoder and learns where to look across.
    """

    bias: Tensor  # (n, 1, l, l) float32: 0 within a text, ACROSS between texts, -inf for padding

    @property
    def visible(self) -> Tensor:
        return self.bias

    @classmethod
    def joint(cls, lengths: Tensor, segments: Tensor, across: float) -> JointPacking:
        """From the tokens of each pair, (n,), and the text that each token belongs to, (t,)."""
        packing = Packing.of(lengths)
        side = packing.pad(segments[:, None])[:, :, 0]  # (n, l)
        apart = side[:, :, None] != side[:, None, :]
        bias = torch.zeros(apart.shape, device=apart.device).masked_fill(apart, across)
        bias = bias.masked_fill(~packing.mask[:, None, :], -torch.inf)
        return cls(packing.flat, packing.columns, packing.mask, bias[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class JointTokens:
    """n pairs as tokens laid end to end, t in all; the longest pair has l tokens.

    Each text is framed as when it stands alone, `[CLS] left [SEP] [CLS] right [SEP]`, and its positions
    start at 0 again, so the joint pass begins where the bi-encoder's two passes were.
    """

    ids: Tensor  # (t,) int64
    positions: Tensor  # (t,) int64, place within its own text
    segments: Tensor  # (t,) int64, 0 left, 1 right
    packing: JointPacking
    pieces: tuple[tuple[str, ...], ...]  # what each token shows, pair by pair
    dropped: tuple[int, ...]  # tokens of each pair that did not fit
    cosines: Tensor | None = None  # (n,) of the texts read apart, where the head asks for it


def join(
    tokenizer: Tokenizer,
    pairs: Sequence[TextPair],
    across: float = ACROSS,
    max_tokens: int = MAX_TOKENS,
    device: torch.device | str = "cpu",
) -> JointTokens:
    """Tokens of each pair. Where a pair is too long, the longer text loses its last tokens first."""
    assert pairs, "there is nothing to tokenize"
    texts = list(dict.fromkeys(text.strip() for pair in pairs for text in pair))
    found = dict(zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False)))
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    assert start is not None and end is not None, "the tokenizer frames texts as BERT's does"
    ids: list[int] = []
    positions: list[int] = []
    segments: list[int] = []
    pieces: list[tuple[str, ...]] = []
    dropped: list[int] = []
    for left, right in pairs:
        both = (found[left.strip()], found[right.strip()])
        kept = fit(len(both[0].ids), len(both[1].ids), max_tokens - SPECIAL)
        shown: list[str] = []
        for segment, (one, count) in enumerate(zip(both, kept)):
            ids += [start, *one.ids[:count], end]
            positions += range(count + 2)
            segments += [segment] * (count + 2)
            shown += ["[CLS]", *one.tokens[:count], "[SEP]"]
        pieces.append(tuple(shown))
        dropped.append(sum(len(one.ids) for one in both) - sum(kept))
    lengths = torch.tensor([len(shown) for shown in pieces]).to(device)
    word, place, side = torch.tensor([ids, positions, segments]).to(device)  # (t,) each
    packing = JointPacking.joint(lengths, side, across)
    return JointTokens(word, place, side, packing, tuple(pieces), tuple(dropped))


def fit(left: int, right: int, room: int) -> tuple[int, int]:
    """How many tokens of each text stay: the longer one is cut until both fit (longest first).

    >>> fit(10, 3, 8)
    (5, 3)
    """
    if left + right <= room:
        return left, right
    shorter = min(left, right, room // 2)
    return (shorter, room - shorter) if left <= right else (room - shorter, shorter)


class Head(nn.Module):
    """A logit from the joint pass: a scaled cosine of the two halves plus a small network.

    With u and v the mean token vectors of the left and the right text, both already informed by the other
    text, the network reads [|u - v|; u * v; first token]. The factors bring each part to about unit size.
    With `apart` it also adds a slope times the bi-encoder's own cosine of the two texts, so that re-ranking
    begins with what retrieval knew.
    """

    def __init__(self, dim: int, inner: int, apart: bool = False) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([5.0, -2.5]))  # slope and offset of the cosine
        self.apart = nn.Parameter(torch.tensor(15.0)) if apart else None
        self.inner = nn.Linear(3 * dim, inner)
        self.out = nn.Linear(inner, 1)

    def forward(
        self, hidden: Tensor, sides: Tensor, dropout: float = 0.0, cosines: Tensor | None = None
    ) -> Tensor:
        """hidden (n, l, d); sides (n, 2, l) averages each text's tokens -> logits (n,)."""
        u, v = F.normalize(sides @ hidden, dim=2).unbind(1)  # (n, d) each
        dim = hidden.shape[2]
        parts = [(u - v).abs() * math.sqrt(dim), u * v * dim, hidden[:, 0] * 3]
        cosine = (u * v).sum(dim=1)
        inner = F.dropout(F.gelu(self.inner(torch.cat(parts, dim=1))), dropout)
        logits: Tensor = self.scale[0] * cosine + self.scale[1] + self.out(inner).squeeze(1)
        if self.apart is not None:
            assert cosines is not None, "this head needs the cosines of the texts read apart"
            logits = logits + self.apart * (cosines - 0.5)
        return logits


def refined(first: Tensor, again: Callable[[list[int]], Tensor]) -> Tensor:
    """One logit from two readings of each pair, (n,): the more alike the first finds it, the more the second
    counts. `again` gives the second's logits of the pairs in these rows, those with a first logit above 0.

    With w = 0.4 first it is first + w (second - first): past a logit of 2.5 what the second sees is stressed.
    A pair that looks more unlike than alike keeps its first. No gradient flows through w.
    """
    rows = torch.nonzero(first > 0).flatten()
    if not len(rows):
        return first
    alike = first[rows]
    change = SECOND_SHARE * alike.detach() * (again(rows.tolist()) - alike)
    return first.index_add(0, rows, change)


class JointModel(LayerStack):
    """Embeddings, layers and head. Shared between callers: train only a `copy_to_train`.

    `bi_encoder` reads the texts apart for a head that wants their cosine too. `second` reads pairs that look
    alike once more, with an eye for what makes near-identical texts differ: a cascade of two (Viola & Jones
    2001), since one small model that learns this judges all others worse.
    """

    def __init__(
        self,
        base: Encoder,
        head: Head,
        across: float = ACROSS,
        bi_encoder: Encoder | None = None,
        second: JointModel | None = None,
    ) -> None:
        super().__init__()
        self.second = second
        self.across = across
        self.bi_encoder = bi_encoder if head.apart is not None else None
        self.vectors: dict[str, Tensor] = {}  # of texts read apart: passages come again with each question
        self.tokenizer = Tokenizer.from_str(base.tokenizer.to_str())  # its own limits: the base cuts at less
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.embeddings: Embeddings = base.embeddings
        self.layers = base.layers
        self.head = head

    @property
    def device(self) -> torch.device:
        return self.embeddings.word.device

    def tokenize(self, pairs: Sequence[TextPair]) -> JointTokens:
        tokens = join(self.tokenizer, pairs, self.across, device=self.device)
        if self.bi_encoder is None:
            return tokens
        missing = [text for text in dict.fromkeys(t for p in pairs for t in p) if text not in self.vectors]
        if len(self.vectors) + len(missing) > KEPT:
            self.vectors, missing = {}, list(dict.fromkeys(text for pair in pairs for text in pair))
        self.vectors |= zip(missing, torch.from_numpy(self.bi_encoder.encode(missing)))
        cosines = [self.vectors[left] @ self.vectors[right] for left, right in pairs]
        return replace(tokens, cosines=torch.stack(cosines).to(self.device))

    def embed(self, tokens: JointTokens, dropout: float = 0.0) -> Tensor:
        """What enters the first layer, (t, d)."""
        table = self.embeddings
        x = F.embedding(tokens.ids, table.word) + F.embedding(tokens.positions, table.position)
        x = table.norm(x + F.embedding(tokens.segments, table.token_type))
        return F.dropout(x, dropout)

    def read(self, x: Tensor, tokens: JointTokens, dropout: float = 0.0) -> Tensor:
        """The head's logits (n,) from the last layer's (t, d)."""
        segment = tokens.packing.pad(tokens.segments[:, None])[:, :, 0]  # (n, l)
        mask = tokens.packing.mask
        sides = torch.stack([mask & (segment == 0), mask & (segment == 1)], dim=1).float()  # (n, 2, l)
        share = sides / sides.sum(dim=2, keepdim=True)
        logits: Tensor = self.head(tokens.packing.pad(x), share, dropout, tokens.cosines)
        return logits

    def forward(self, tokens: JointTokens, dropout: float = 0.0) -> Tensor:
        """Pairs -> logits (n,) of this reading alone."""
        x = self.run(self.embed(tokens, dropout), tokens.packing, dropout=dropout)
        return self.read(x, tokens, dropout)

    def attention(self, tokens: JointTokens) -> Tensor:
        """Who looks at whom in the joint pass of ONE pair: (layers, heads, t, t), each row sums to 1."""
        x = self.embed(tokens)
        seen = []
        for layer in self.layers:
            assert isinstance(layer, Layer)
            seen.append(attention_weights(layer, x, tokens.packing.bias[0]))
            x = layer(x, tokens.packing)
        return torch.stack(seen)

    def copy_to_train(self, first: int) -> JointModel:
        """A copy whose layers from `first` on, and head, are its own and learn, in both readings; the rest
        is shared."""
        own = self.with_own_layers(range(first, len(self.layers)))
        own.head = copy.deepcopy(self.head)
        if self.second is not None:
            own.second = self.second.copy_to_train(first)
        for part in (*own.layers[first:], own.head):
            part.requires_grad_(True)
        return own


class JointPairModel:
    """The packaged model, or one being trained, as a PairModel: texts in, plain arrays out."""

    def __init__(self, model: JointModel) -> None:
        self.joint = model

    @torch.no_grad()
    def logits(self, pairs: Sequence[TextPair]) -> tuple[FloatArray, list[bool]]:
        tokens = self.joint.tokenize(pairs)
        logits, second = self.joint(tokens), self.joint.second
        if second is not None:
            logits = refined(logits, lambda rows: second(second.tokenize([pairs[row] for row in rows])))
        return numbers(logits), [count > 0 for count in tokens.dropped]

    @torch.no_grad()
    def attention(self, left: str, right: str) -> JointAttention:
        """Of the first reading."""
        tokens = self.joint.tokenize([(left, right)])
        weights: FloatArray = numbers(self.joint.attention(tokens))
        return JointAttention(tokens.pieces[0], tuple(numbers(tokens.segments).tolist()), weights)


def attention_weights(layer: Layer, x: Tensor, bias: Tensor) -> Tensor:
    """softmax(q k' / sqrt(d / heads) + bias) of one pair's tokens (t, d) -> (heads, t, t)."""
    q, k, _ = (
        layer.query_key_value(x).view(len(x), 3, layer.heads, -1).permute(1, 2, 0, 3)
    )  # (heads, t, d/heads)
    return torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[2]) + bias, dim=2)
