"""Static word vectors: an encoder without layers. A token has one vector, a sentence the mean of its tokens'.

The vectors that come with the app are distilled from all-MiniLM-L6-v2 by model2vec's method (Tulkens & van
Dongen 2024): assets/static/README.md says how. The order of the words is lost; what is won is time.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from ..types import InputError
from .encoder import Embeddings, Encoder, Packing, Shape, pool
from .registry import packaged_folder, static_part
from .settings import UNBOUNDED, USUAL, ModelSettings, read_settings
from .weights import read_tensors, read_tokenizer, save_modules

MAX_LENGTH = 256  # tokens that the packaged vectors read, as many as MiniLM
LEVELS = 127  # of one number in a packed file, on both sides of zero


class WordVectors(Embeddings):
    """The only weights there are: one vector for each token of the vocabulary."""

    def __init__(self, word: Tensor) -> None:
        nn.Module.__init__(self)
        self.word = nn.Parameter(word)

    def forward(self, ids: Tensor, packing: Packing, dropout: float = 0.0) -> Tensor:
        """ids (t,) -> (t, d)."""
        return F.dropout(F.embedding(ids, self.word), dropout)

    def cut(self, words: Tensor, length: int) -> WordVectors:
        """A copy to train with these rows only."""
        return WordVectors(self.word.detach()[words])


class StaticEncoder(Encoder):
    """An Encoder whose vectors (v, d) go straight to pooling, which is always the mean."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        vectors: Tensor,
        name: str,
        max_length: int = MAX_LENGTH,
        settings: ModelSettings = USUAL,
    ) -> None:
        vocabulary, dim = vectors.shape
        shape = Shape(vocabulary, dim, layers=0, heads=1, inner=0, positions=0, model_type="static")
        with torch.device("meta"):  # what a BERT would have before its first layer is not needed
            super().__init__(tokenizer, shape, max_length, name, settings)
        self.embeddings = WordVectors(vectors)
        self._unread = tokenizer.encode("[UNK]", add_special_tokens=False)
        self.requires_grad_(False).eval()

    def pieces(self, texts: list[str]) -> list[Encoding]:
        """No [CLS] and [SEP], which would be the same in all. Where nothing is left, one unknown token."""
        found = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [one if one.ids else self._unread for one in found]

    def pool(self, hidden: Tensor, mask: Tensor, how: str) -> Tensor:
        """The mean, whatever is asked: no token stands for the others, and saved models know no other."""
        return pool(hidden, mask, "mean")


def packed(vectors: Tensor) -> dict[str, Tensor]:
    """One byte a number and a scale a row: a quarter of the size. Rounds to 1/127 of a row's largest."""
    scales = (vectors.abs().amax(dim=1) / LEVELS).to(torch.float16)  # (v,)
    levels = (vectors / scales.float().clamp(min=1e-7)[:, None]).round().clamp(-LEVELS, LEVELS)
    return {"vectors": levels.to(torch.int8), "scales": scales}


def unpacked(found: dict[str, Tensor]) -> Tensor:
    """The vectors (v, d) float32 of a packed file. Raises KeyError or RuntimeError for another one."""
    return found["vectors"].float() * found["scales"].float()[:, None]


def read_static(folder: Path, name: str = "") -> StaticEncoder:
    """Load static vectors: the shipped file, or a folder of sentence-transformers' StaticEmbedding.

    Raises InputError when a file is missing, damaged, or holds something else.
    """
    part = static_part(folder)
    found = read_tensors(part or folder)
    tokenizer = read_tokenizer(part or packaged_folder())
    refusal = f"The weights of {folder.name} are not one vector for each token of its tokenizer."
    try:
        vectors = unpacked(found) if part is None else found["embedding.weight"].float().contiguous()
    except (KeyError, RuntimeError) as error:
        raise InputError(refusal) from error
    if vectors.ndim != 2 or len(vectors) < tokenizer.get_vocab_size():
        raise InputError(refusal)
    if part is None:
        return StaticEncoder(tokenizer, vectors, name or folder.name)
    # For sentence-transformers such a model has no limit but one that its tokenizer brings along.
    limit = tokenizer.truncation["max_length"] if tokenizer.truncation else UNBOUNDED
    return StaticEncoder(tokenizer, vectors, name or folder.name, limit, read_settings(folder))


def save_static(encoder: StaticEncoder, folder: Path) -> None:
    """Write a folder that this app and sentence-transformers can load."""
    save_modules(encoder.settings, folder, ("StaticEmbedding",))
    encoder.tokenizer.save(str(folder / "tokenizer.json"))
    weights = {"embedding.weight": encoder.embeddings.word.detach().clone()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
