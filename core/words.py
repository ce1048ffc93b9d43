"""Where words begin and end, in every script: as Unicode says (UAX 29), by the library regex.

Apart from core/data/text.py because search, word vectors and leaving out one word must agree on it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import regex

# Between two default word boundaries whatever has a letter, a digit or a picture. Two things beyond UAX 29:
# the marks of C++ and C# belong to the name, and scripts that need a dictionary (Thai, Lao, Khmer, Burmese)
# are not cut within a run of letters, where UAX 29 alone would give single letters.
_WORD = regex.compile(
    r"(?w)\p{Line_Break=SA}+"
    r"|\b(?=[\w\p{Extended_Pictographic}])\X+?\b(?:(?:\+\+|\#)(?!\w))?"
)
_DICTIONARY = regex.compile(r"\p{Line_Break=SA}")
_SPACELESS = regex.compile(r"[\p{Line_Break=SA}\p{Han}\p{Hiragana}]")  # no spaces between words
_MARKS = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}])[\u0300-\u036f]+")
_UNSEEN = regex.compile(r"\p{Cf}+")  # soft hyphens, joiners, marks of direction


def words(text: str) -> list[str]:
    """The words of a text as they are written.

    >>> words("Don't use C++, use R: naïve cafés, 天气")
    ["Don't", 'use', 'C++', 'use', 'R', 'naïve', 'cafés', '天', '气']
    """
    return [found[0] for found in _WORD.finditer(text)]


def without_each_word(text: str) -> tuple[tuple[str, str], ...]:
    """Each word of a text, in order, with what is left of the text without it.

    >>> without_each_word("It rains!")
    (('It', 'rains!'), ('rains', 'It !'))
    """
    found = _WORD.finditer(text)
    return tuple((m.group(), " ".join((text[: m.start()] + text[m.end() :]).split())) for m in found)


def undivided(text: str) -> bool:
    """Whether some of the text is in a script whose words only a dictionary could tell apart."""
    return _DICTIONARY.search(text) is not None


def same_word(word: str) -> str:
    """The form in which two words are one, in search and among word vectors: lower-cased, without what is
    not seen, with one kind of apostrophe. Accents stay."""
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", word)).replace("’", "'")
    return unicodedata.normalize("NFC", plain.lower())


def search_terms(text: str) -> list[str]:
    """What a search by words compares: words without accents, and where a script puts no spaces between them
    every two neighbouring characters too, as Lucene does for Chinese, Japanese and Thai.

    >>> search_terms("Café 天气好")
    ['cafe', '天', '气', '天气', '好', '气好']
    """
    return list(_terms(text))


def _terms(text: str) -> Iterator[str]:
    before, end = "", -1  # the spaceless character right before this one, and where it ended
    for found in _WORD.finditer(text):
        word = _folded(found[0])
        if not _SPACELESS.match(found[0]):
            yield word
            continue
        pieces = [word] if len(word) == 1 else regex.findall(r"\X", word)
        if end != found.start():
            before = ""
        for piece in pieces:
            if len(pieces) == 1:  # of a run of Thai letters only the pairs: one letter tells nothing
                yield piece
            if before:
                yield before + piece
            before = piece
        end = found.end()


@lru_cache(maxsize=50_000)
def _folded(word: str) -> str:
    marked = unicodedata.normalize("NFKD", _UNSEEN.sub("", word).replace("’", "'").casefold())
    return unicodedata.normalize("NFC", _MARKS.sub("", marked))
