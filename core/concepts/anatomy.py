"""One sentence taken apart: word pieces, every layer, what each token adds to the vector, what was cut.

Made of the encoder's own visible steps, so that what a page shows is what `Encoder.encode` does. Answers
are plain frozen values; torch is loaded only inside the functions, which run where the models are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from ..data.text import clean, is_blank
from ..metrics.measures import mean_random_cosine
from ..models.device import numbers
from ..models.settings import OWN, POOLINGS
from ..types import FloatArray, InputError, IntArray
from ..vectors import row_cosines, unit_rows

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.encoder import Encoder, Tokens

LONGEST_TEXT = 4_000  # characters; about four times what 256 tokens of English take
MOVED = 1e-4  # a cosine distance below this is rounding, not a change


@dataclass(frozen=True, slots=True)
class Token:
    """One piece the model reads. `text` is what was typed at characters start..end; "" for special tokens."""

    piece: str
    id: int
    text: str
    start: int
    end: int
    word: int | None  # number of the word it belongs to; None for special tokens


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """A sentence of l tokens in a model of L layers and d dimensions.

    `turned` (L + 1, l): 1 - cosine between a token's vector after each layer and its vector at the input.
    `alike` (L + 1,): mean cosine between different tokens of the sentence. `shares` (l,): what each token
    adds to the pooled vector, in shares that sum to 1 (see `token_shares`). `won` (l,): in how many
    dimensions the token has the largest value, which is what max pooling keeps.
    """

    text: str
    tokens: tuple[Token, ...]
    max_length: int
    dropped: int  # tokens that did not fit
    read_to: int  # the model reads text[:read_to]
    unread_cosine: float | None  # cosine of text and text[:read_to]; None when nothing was cut
    turned: FloatArray
    alike: FloatArray
    shares: FloatArray
    won: IntArray
    pooled: FloatArray  # (d,)
    vector: FloatArray  # (d,) the pooled vector at length 1
    poolings: FloatArray  # (3, 3) cosines between the results of the three poolings

    @property
    def layers(self) -> int:
        return len(self.turned) - 1

    @property
    def length(self) -> float:
        """Length of the pooled vector before it is scaled to 1."""
        return float(np.linalg.norm(self.pooled))

    @property
    def pieces(self) -> tuple[str, ...]:
        return tuple(token.piece for token in self.tokens)

    def words(self) -> tuple[tuple[str, int], ...]:
        """(word as typed, number of its pieces) in the order of the sentence."""
        found: dict[int, tuple[int, int, int]] = {}
        for token in self.tokens:
            if token.word is not None:
                start, _, count = found.get(token.word, (token.start, token.end, 0))
                found[token.word] = (start, token.end, count + 1)
        return tuple((self.text[start:end], count) for start, end, count in found.values())


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Two sentences side by side. `matched` (m, 2): token numbers in the first and in the second.

    `moved` (L + 1, m): 1 - cosine between the two vectors of a matched token after each layer. A token of
    the first sentence without a partner in the second is not in `matched`, and the other way round.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    matched: IntArray
    moved: FloatArray
    cosine: float
    difference: FloatArray  # (d,) second minus first, both of length 1

    @property
    def same_piece(self) -> IntArray:
        """Columns of `moved` whose token is the same piece in both sentences."""
        same = [self.first[i] == self.second[j] for i, j in self.matched.tolist()]
        return np.flatnonzero(np.array(same, bool)).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PaddedBatch:
    """Sentences as one rectangle: ids and mask (n, l). `drift` (n,): largest difference, in any dimension,
    between a sentence's vector computed in this batch and computed alone."""

    pieces: tuple[tuple[str, ...], ...]
    ids: IntArray
    mask: IntArray
    drift: FloatArray


def dissect(text: str, base_model: str = "minilm-l6", seed: int = 0, pooling: str = OWN) -> Anatomy:
    """Everything about one sentence but the full hidden states (see `layer`). Raises InputError."""
    import torch

    text = check_text(text)
    encoder = _load(base_model, seed)
    how = encoder.settings.pooling_named(pooling)
    tokens = encoder.tokenize([text])
    pieces = _tokens(encoder, text)
    with torch.no_grad():
        states = numbers(hidden_states(encoder, tokens)[:, 0])  # (L + 1, l, d)
    last = states[-1]
    results = unit_rows(np.stack([parts(last, name).sum(axis=0) for name in POOLINGS]))
    pooled = parts(last, how).sum(axis=0)
    read_to = max((t.end for t in pieces), default=0)
    dropped = tokens.dropped[0]
    return Anatomy(
        text=text,
        tokens=pieces,
        max_length=encoder.max_length,
        dropped=dropped,
        read_to=read_to if dropped else len(text),
        unread_cosine=_unread_cosine(encoder, text, read_to, how) if dropped else None,
        turned=1 - row_cosines(states, states[:1]),
        alike=np.array([mean_random_cosine(h) for h in states], np.float32),
        shares=token_shares(last, how),
        won=np.bincount(last.argmax(axis=0), minlength=len(last)).astype(np.int64),
        pooled=pooled,
        vector=unit_rows(pooled),
        poolings=results @ results.T,
    )


def layer(text: str, number: int, base_model: str = "minilm-l6", seed: int = 0, most: int = 48) -> FloatArray:
    """The vectors of the first `most` tokens after `number` layers (0: the input), (l, d) float32."""
    import torch

    encoder = _load(base_model, seed)
    if not 0 <= number <= len(encoder.layers):
        raise InputError(f"This model has layers 0 to {len(encoder.layers)}; {number} is not among them.")
    tokens = encoder.tokenize([check_text(text)])
    with torch.no_grad():
        hidden: FloatArray = numbers(encoder.hidden_states(tokens, upto=number)[0, :most])
    return hidden.copy()  # without the rows that were left out


def compare(
    first: str, second: str, base_model: str = "minilm-l6", seed: int = 0, pooling: str = OWN
) -> Change:
    """What a change of the text changes, token by token and layer by layer. Raises InputError."""
    import torch

    first, second = check_text(first, "The first text"), check_text(second, "The second text")
    encoder = _load(base_model, seed)
    how = encoder.settings.pooling_named(pooling)
    a, b = encoder.tokenize([first]), encoder.tokenize([second])
    matched = match(a.pieces[0], b.pieces[0])
    with torch.no_grad():
        left = numbers(hidden_states(encoder, a)[:, 0])
        right = numbers(hidden_states(encoder, b)[:, 0])
    u, v = (unit_rows(parts(states[-1], how).sum(axis=0)) for states in (left, right))
    moved = 1 - row_cosines(left[:, matched[:, 0]], right[:, matched[:, 1]])
    return Change(a.pieces[0], b.pieces[0], matched, np.maximum(moved, 0), float(u @ v), v - u)


def padded_batch(texts: tuple[str, ...], base_model: str = "minilm-l6", seed: int = 0) -> PaddedBatch:
    """The rectangle in which sentences of different length travel together. Raises InputError."""
    encoder = _load(base_model, seed)
    checked = [check_text(text) for text in texts]
    tokens = encoder.tokenize(checked)
    alone = np.concatenate([encoder.encode([text]) for text in checked])
    together = encoder.encode(checked, batch_size=len(checked))
    pad = encoder.tokenizer.id_to_token(encoder.shape.pad_id) or "[PAD]"
    width = tokens.ids.shape[1]
    return PaddedBatch(
        tuple((*row, *[pad] * (width - len(row))) for row in tokens.pieces),
        numbers(tokens.ids),
        numbers(tokens.mask.long()),
        np.abs(alone - together).max(axis=1),
    )


def check_text(text: str, name: str = "The text") -> str:
    """The text as the tokenizer gets it. Raises InputError when there is nothing in it, or far too much."""
    if is_blank(text):
        raise InputError(f"{name} is empty: type a sentence, and every number here follows from it.")
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"{name} has {len(text):,} characters; at most {LONGEST_TEXT:,} are taken here. The model reads "
            "only about the first thousand of them anyway: shorten it."
        )
    return clean(text)


def hidden_states(encoder: Encoder, tokens: Tokens) -> Tensor:
    """What each token carries at the input and after every layer, (L + 1, n, l, d), in one pass."""
    import torch

    from ..models.encoder import Packing

    packing = Packing.of(tokens.lengths)
    x = encoder.embeddings(tokens.ids[tokens.mask], packing)
    states = [packing.pad(x)]
    for number in range(len(encoder.layers)):
        x = encoder.run(x, packing, number, number + 1)
        states.append(packing.pad(x))
    return torch.stack(states)


def parts(hidden: FloatArray, how: str) -> FloatArray:
    """What each token puts into the pooled vector: (l, d) whose column sums are pool(hidden)."""
    return _PARTS[how](hidden)


def _mean_parts(hidden: FloatArray) -> FloatArray:
    return hidden / np.float32(len(hidden))


def _cls_parts(hidden: FloatArray) -> FloatArray:
    return np.where(np.arange(len(hidden))[:, None] == 0, hidden, np.float32(0))


def _max_parts(hidden: FloatArray) -> FloatArray:
    winner = hidden.argmax(axis=0)  # (d,)
    return np.where(np.arange(len(hidden))[:, None] == winner, hidden, np.float32(0))


_PARTS: dict[str, Callable[[FloatArray], FloatArray]] = dict(
    zip(POOLINGS, (_mean_parts, _cls_parts, _max_parts))
)


def token_shares(hidden: FloatArray, how: str) -> FloatArray:
    """How much of the pooled vector p comes from each token, (l,), summing to 1.

    Token t puts p_t into the sum p, and its share is p_t · p / |p|²: how far it reaches in the direction of
    the result. A token that points away from the result has a negative share. 0 for all when p is 0.
    """
    own = parts(hidden, how)
    pooled = own.sum(axis=0)
    size = float(pooled @ pooled)
    return own @ pooled / np.float32(size) if size > 0 else np.zeros(len(hidden), np.float32)


def match(first: tuple[str, ...], second: tuple[str, ...]) -> IntArray:
    """Token numbers (m, 2) that correspond: equal runs, and replacements as long as what they replace."""
    pairs: list[tuple[int, int]] = []
    for tag, i, i_end, j, j_end in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag == "equal" or (tag == "replace" and i_end - i == j_end - j):
            pairs += zip(range(i, i_end), range(j, j_end))
    return np.array(pairs, np.int64).reshape(-1, 2)


def _tokens(encoder: Encoder, text: str) -> tuple[Token, ...]:
    """The pieces with their places in the text; those of a prompt before it have none, as special ones."""
    prompt = encoder.settings.prompt
    found = encoder.tokenizer.encode(prompt + text)
    pieces = []
    for piece, number, place, word in zip(found.tokens, found.ids, found.offsets, found.word_ids):
        start, end = (max(0, at - len(prompt)) for at in place)
        typed = word if end > 0 else None
        pieces.append(Token(piece, number, text[start:end] if typed is not None else "", start, end, typed))
    return tuple(pieces)


def _unread_cosine(encoder: Encoder, text: str, read_to: int, how: str) -> float:
    whole, beginning = encoder.encode([text, text[:read_to]], pooling=how)
    return float(whole @ beginning)


def _load(base_model: str, seed: int) -> Encoder:
    from ..models import registry

    encoder = registry.load(base_model, seed=seed)
    if not encoder.layers:
        name = registry.available()[base_model].title
        raise InputError(f"{name}: this model has no layers to look into. Choose another one.")
    return encoder
