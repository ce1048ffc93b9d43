"""A random encoder small enough for unit tests, made without any file or network."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from core.models.encoder import Encoder, Shape
from core.models.static import StaticEncoder
from core.types import Pair, Sentence, SentenceSet

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = "the a bank river money cat dog bird runs sleeps sings good bad very film food was is not and in on"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,?!'"


def tiny_tokenizer() -> Tokenizer:
    """WordPiece over a few words and single letters, lower-cased like MiniLM's."""
    pieces = [*SPECIAL, *WORDS.split(), *LETTERS[1:], *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"])]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    return tokenizer


def tiny_encoder(layers: int = 3, dim: int = 32, seed: int = 0, max_length: int = 24) -> Encoder:
    """An encoder with random weights; its tokens differ enough that sentences do, too."""
    tokenizer = tiny_tokenizer()
    shape = Shape(
        vocabulary=tokenizer.get_vocab_size(), dim=dim, layers=layers, heads=4, inner=2 * dim, positions=64
    )
    encoder = Encoder(tokenizer, shape, max_length, name="tiny")
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in encoder.named_parameters():
        if "norm" in name:
            values = torch.full(parameter.shape, float(name.endswith("weight")))
        else:
            values = torch.randn(parameter.shape, generator=generator) * 0.2
        parameter.data.copy_(values)
    return encoder.requires_grad_(False).eval()


TINY_TEXTS = {
    "animal": (
        "the cat sleeps",
        "a dog runs",
        "the bird sings on the river",
        "a cat and a dog",
        "the very good bird",
    ),
    "money": (
        "the bank",
        "money in the bank",
        "a bad bank is not good",
        "very good money",
        "the money was bad",
    ),
}


def tiny_set() -> SentenceSet:
    """Ten sentences in two groups; ids are a0..a4 and m0..m4."""
    return SentenceSet(
        tuple(
            Sentence(f"{group[0]}{i}", text, group)
            for group, texts in TINY_TEXTS.items()
            for i, text in enumerate(texts)
        )
    )


def tiny_pairs() -> tuple[Pair, ...]:
    """Similar within a group, dissimilar across."""
    similar = [("a0", "a1"), ("a1", "a2"), ("a2", "a3"), ("m0", "m1"), ("m1", "m2"), ("m2", "m3")]
    apart = [("a0", "m0"), ("a1", "m1"), ("a2", "m2"), ("a3", "m3")]
    return tuple(Pair(a, b, 1.0) for a, b in similar) + tuple(Pair(a, b, 0.0) for a, b in apart)


def tiny_static(dim: int = 16, seed: int = 0) -> StaticEncoder:
    """Random static vectors for the same few words."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens(list(SPECIAL))
    vectors = torch.randn(tokenizer.get_vocab_size(), dim, generator=torch.Generator().manual_seed(seed))
    return StaticEncoder(tokenizer, vectors, "tiny-static")
