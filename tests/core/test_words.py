"""Words in every script, found alike by search, by word vectors and where one word is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.concepts import contrast
from core.retrieval.corpus import parse_passages
from core.retrieval.ranking import Bm25Index
from core.training.word2vec.text import read, tokenize
from core.words import same_word, search_terms, without_each_word, words

WORDS = {
    "Don't use C++, use C# or R.": ["Don't", "use", "C++", "use", "C#", "or", "R"],
    "such as 'engine' and l'eau": ["such", "as", "engine", "and", "l'eau"],
    "1+1=2, a well-known #tag": ["1", "1", "2", "a", "well", "known", "tag"],
    "naïve cafe\u0301s": ["naïve", "cafe\u0301s"],
    "हिन्दी भाषा में": ["हिन्दी", "भाषा", "में"],  # combining marks belong to their letters
    "今天天气很好": ["今天", "天气", "很好"],
    "今日は天気がいい。": ["今日", "は", "天気", "が", "いい"],
    "한국어 문장": ["한국어", "문장"],
    "วันนี้อากาศดี เราไปเดินเล่น": ["วัน", "นี้", "อากาศ", "ดี", "เรา", "ไป", "เดิน", "เล่น"],  # Thai
    "ມື້ນີ້ອາກາດດີຫຼາຍ": ["ມື້ນີ້", "ອາກາດ", "ດີ", "ຫຼາຍ"],  # Lao
    "អាកាសធាតុល្អណាស់": ["អាកាសធាតុ", "ល្អ", "ណាស់"],  # Khmer
    "ကျွန်တော်ထမင်းစားချင်တယ်": ["ကျွန်တော်", "ထမင်းစား", "ချင်", "တယ်"],  # Burmese
    "half \ud800 of a pair": ["half", "of", "a", "pair"],
    "co\u00adoperate": ["co\u00adoperate"],
    "العربية، لغة": ["العربية", "لغة"],
    "I am 👨‍👩‍👧 fine 😀": ["I", "am", "👨‍👩‍👧", "fine", "😀"],
}


@pytest.mark.parametrize(("text", "expected"), WORDS.items())
def test_words_are_found_as_unicode_says_and_left_out_alike(text, expected):
    assert words(text) == expected
    assert [word for word, _ in without_each_word(text)] == expected
    for word, rest in without_each_word(text):
        assert len(rest.replace(" ", "")) == len(text.replace(" ", "")) - len(word)


@given(st.text(max_size=40))
def test_any_text_has_words_that_stand_in_it_in_order(text):
    at = 0
    for word in words(text):
        at = text.index(word, at) + len(word)
    assert all(search_terms(text))


PASSAGES = """C++ is a compiled language
R is used in statistics
今天天气很好我们去公园
vitamin C helps you
the naïve café owners
Go is a language by Google
วันนี้อากาศดีมาก"""


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("C++", 0),
        ("c", 3),
        ("R", 1),
        ("天气", 2),
        ("cafe", 4),
        ("CAFÉ", 4),
        ("naive", 4),
        ("go", 5),
        ("อากาศ", 6),
    ],
)
def test_queries_that_found_nothing_before(query, first):
    found, _ = parse_passages(PASSAGES)
    ranking = Bm25Index(found.full_texts).rank(query)
    assert ranking.rows.tolist() == [first]


def test_a_letter_of_thai_is_no_match_and_common_words_are_none():
    index = Bm25Index(parse_passages(PASSAGES)[0].full_texts)
    assert len(index.rank("ดำ").rows) == 0
    assert len(index.rank("the is a").rows) == 0


def test_word_vectors_see_the_same_words():
    assert tokenize("Don’t co\u00adop. C++ and R! 3.14 is π。今天很好。") == [
        ["don't", "coop"],
        ["c++", "and", "r"],
        ["is", "π"],
        ["今天", "很好"],
    ]
    assert same_word("CAFÉ") == same_word("cafe\u0301") == "café"  # an accent may be another word
    assert set(read("วันนี้อากาศดีมาก " * 50).vocabulary) == {"วัน", "นี้", "อากาศ", "ดี", "มาก"}


def test_why_p_and_not_q_takes_chinese_apart():
    p, q = ([word for word, _ in without_each_word(text)] for text in ("天气好", "天气坏"))
    z = np.ones((2 + len(p) + len(q), 2), np.float32)
    shared = {effect.word: effect.shared for effect in contrast.explain(z, p, q).words}
    assert shared == {"天气": True, "好": False, "坏": False}


@pytest.mark.parametrize("piece", ["a", "天", "ก", ".", "a\u0301", "😀\u200d", "a.", "C+", "\u200d", "🇦"])
def test_long_runs_of_anything_are_read_in_time_in_proportion(piece):
    search_terms(piece * 30_000)  # a square of this would take hours: the test's own limit would end it
