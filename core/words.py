"""Where words begin and end, in every script: as Unicode says (UAX 29), by ICU.

Apart from core/data/text.py because search, word vectors and leaving out one word must agree on it. Scripts
that put no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) ICU divides by dictionaries.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import regex
from icu4py.breakers import WordBreaker

_SAYS_SOMETHING = regex.compile(r"[\w\p{Extended_Pictographic}]")
_NAME_GOES_ON = regex.compile(r"(?:\+\+|#)(?!\w)")  # beyond UAX 29: the marks of C++ and C#
_HAN = regex.compile(r"\p{Han}")
_HALF = regex.compile(r"\p{Cs}")  # half of a surrogate pair, which no encoding knows
_MARKS = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}])[\u0300-\u036f]+")
_UNSEEN = regex.compile(r"\p{Cf}+")  # soft hyphens, joiners, marks of direction


def _places(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each word: of what lies between two boundaries, whatever has a letter, a digit or a
    picture."""
    at = end = 0
    for piece in WordBreaker(_HALF.sub("\ufffd", text), "en"):
        start, at = at, at + len(piece)
        if start >= end and _SAYS_SOMETHING.search(piece):
            mark = _NAME_GOES_ON.match(text, at)
            end = mark.end() if mark else at
            yield start, end


def words(text: str) -> list[str]:
    """The words of a text as they are written.

    >>> words("Don't use C++, use R: naïve cafés, 天气很好")
    ["Don't", 'use', 'C++', 'use', 'R', 'naïve', 'cafés', '天气', '很好']
    """
    return [text[start:end] for start, end in _places(text)]


def without_each_word(text: str) -> tuple[tuple[str, str], ...]:
    """Each word of a text, in order, with what is left of the text without it.

    >>> without_each_word("It rains!")
    (('It', 'rains!'), ('rains', 'It !'))
    """
    return tuple((text[a:b], " ".join((text[:a] + text[b:]).split())) for a, b in _places(text))


def same_word(word: str) -> str:
    """The form in which two words are one, in search and among word vectors: lower-cased, without what is
    not seen, with one kind of apostrophe. Accents stay."""
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", word)).replace("’", "'")
    return unicodedata.normalize("NFC", plain.lower())


def search_terms(text: str) -> list[str]:
    """What a search by words compares: words without accents, and of a Chinese word its characters too, since
    each may be a word elsewhere.

    >>> search_terms("Café 天气好")
    ['cafe', '天气', '天', '气', '好']
    """
    return list(_terms(text))


def _terms(text: str) -> Iterator[str]:
    for word in map(_folded, words(text)):
        yield word
        if len(word) > 1:
            yield from _HAN.findall(word)


@lru_cache(maxsize=50_000)
def _folded(word: str) -> str:
    marked = unicodedata.normalize("NFKD", _UNSEEN.sub("", word).replace("’", "'").casefold())
    return unicodedata.normalize("NFC", _MARKS.sub("", marked))
