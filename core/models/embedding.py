"""Embeddings as the pages ask for them: plain values in, an array out, in whichever process has the model.

And what of the texts a model does not read, which is said wherever they are embedded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..data.text import plural, shown
from ..types import FloatArray, Notice

if TYPE_CHECKING:
    from .encoder import Encoder

NAMED = 8  # unknown words that a notice names


def embed(
    base_model: str, seed: int, pooling: str, texts: Sequence[str], normalize: bool = True
) -> FloatArray:
    """Embeddings (n, d) float32 of `texts` under an untrained base model; of length 1 with `normalize`.

    Raises InputError when the model is unknown or cannot be loaded.
    """
    from . import registry

    return registry.load(base_model, seed=seed).encode(list(texts), pooling=pooling, normalize=normalize)


def unread(base_model: str, seed: int, texts: Sequence[str]) -> tuple[Notice, ...]:
    """What of the texts a base model does not read. Raises InputError as `embed` does."""
    from . import registry

    found = Unread(registry.load(base_model, seed=seed))
    found.add(texts)
    return found.notices


class Unread:
    """Counts the texts that are cut at a model's greatest length, and those with words that it does not know,
    however many parts the texts come in."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        unknown = getattr(encoder.tokenizer.model, "unk_token", None)
        self._unknown = None if unknown is None else encoder.tokenizer.token_to_id(unknown)
        self._count = self._cut = self._strange = 0
        self._first_cut = ""
        self._words: dict[str, None] = {}

    def add(self, texts: Sequence[str]) -> None:
        full = [text.strip() for text in texts]
        self._count += len(full)
        for text, tokens in zip(full, self._encoder.tokenizer.encode_batch(full)):
            if tokens.overflowing:
                self._first_cut = self._first_cut or text
                self._cut += 1
            parts = [place for place, i in zip(tokens.offsets, tokens.ids) if i == self._unknown]
            self._strange += bool(parts)
            if len(self._words) <= NAMED:
                self._words |= dict.fromkeys(text[a:b] for a, b in parts)

    def state(self) -> list[Any]:
        """What was counted so far, for JSON; `restore` goes on from there."""
        return [self._count, self._cut, self._strange, self._first_cut, [*self._words]]

    def restore(self, state: list[Any]) -> None:
        self._count, self._cut, self._strange, self._first_cut, words = state
        self._words = dict.fromkeys(words)

    @property
    def notices(self) -> tuple[Notice, ...]:
        found = []
        if self._cut:
            found.append(
                f"{self._cut:,} of {self._count:,} texts {plural(self._cut, 'has', 'have')} more than the "
                f"{self._encoder.max_length:,} tokens that this model reads; the rest is cut. "
                f"The first: “{shown(self._first_cut)}”"
            )
        if self._strange:
            words = " ".join(map(shown, [*self._words][:NAMED])) + (" …" if len(self._words) > NAMED else "")
            found.append(
                f"{self._strange:,} of {self._count:,} texts {plural(self._strange, 'holds', 'hold')} what "
                f"this model does not know and reads as one and the same [UNK]: {words}"
            )
        return tuple(map(Notice, found))
