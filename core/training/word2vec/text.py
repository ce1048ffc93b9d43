"""A text as numbers, for word vectors to learn from: its sentences, its words, how often each occurs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...types import InputError, IntArray
from ...words import same_word, words

LONGEST_SENTENCE = 500  # words; a longer one is cut
LONGEST_TEXT = 300_000  # characters
FEWEST_WORDS = 30  # running words
FEWEST_DIFFERENT = 5

_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+(?=\s|$)|[。！？｡।॥؟۔]+|\n\s*\n")

# Words that hold sentences together; left off the map, not out of the training.
_FUNCTION = """
a about after all also an and any are as at be been before but by can could did do does down each
even every few first for from had has have he her herself him himself his how i if in into is it its
itself last many may me more most much my never no not now of off often on once one only or other
our out over own same she so some still such than that the their them then there these they this
those through to too two until up us very was we well were what when where which while who will with
would you your
"""
FUNCTION_WORDS = frozenset(_FUNCTION.split())


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """A text as numbers. Words are rows of `vocabulary`, the most frequent first.

    `words` (t,) int32 the running text, `bounds` (s + 1,) where its s sentences begin, `counts` (v,).
    """

    vocabulary: tuple[str, ...]
    counts: IntArray
    words: NDArray[np.int32]
    bounds: IntArray

    @property
    def sentences(self) -> int:
        return len(self.bounds) - 1

    def row(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.vocabulary)}


def tokenize(text: str) -> list[list[str]]:
    """Sentences of lower-case words. A sentence ends at . ! or ?, at such marks of other scripts and at a
    blank line; a text without any of these is read line by line. Words without a letter are left out."""
    pieces = _SENTENCE_END.split(text)
    if len(pieces) < 2:
        pieces = text.splitlines()
    found = [[same_word(word) for word in words(piece) if any(map(str.isalpha, word))] for piece in pieces]
    cut = range(0, max(map(len, found), default=0), LONGEST_SENTENCE)
    return [part for sentence in found for i in cut if len(part := sentence[i : i + LONGEST_SENTENCE]) > 1]


@lru_cache(maxsize=8)
def read(text: str, min_count: int = 2) -> TokenizedText:
    """The text in words and sentences; words rarer than `min_count` are left out, as in the papers.

    Raises InputError when the text is too long, or too short to learn from.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"The text has {len(text):,} characters and the limit is {LONGEST_TEXT:,}. Paste a part of it."
        )
    sentences = tokenize(text)
    every = Counter(word for sentence in sentences for word in sentence)
    vocabulary = tuple(
        word for word, n in sorted(every.items(), key=lambda item: (-item[1], item[0])) if n >= min_count
    )
    row = {word: i for i, word in enumerate(vocabulary)}
    kept = [[row[w] for w in sentence if w in row] for sentence in sentences]
    kept = [sentence for sentence in kept if len(sentence) > 1]
    words = np.array([w for sentence in kept for w in sentence], np.int32)
    if len(vocabulary) < FEWEST_DIFFERENT or len(words) < FEWEST_WORDS:
        raise InputError(
            f"Different words that occur at least {min_count} times in the text: {len(vocabulary)}; running "
            f"words with them: {len(words)}. Word vectors need at least {FEWEST_DIFFERENT} and "
            f"{FEWEST_WORDS}: paste a longer text, ideally some thousand words on one topic."
        )
    bounds = np.cumsum([0, *map(len, kept)]).astype(np.int64)
    counts = np.bincount(words, minlength=len(vocabulary)).astype(np.int64)
    return TokenizedText(vocabulary, counts, words, bounds)
