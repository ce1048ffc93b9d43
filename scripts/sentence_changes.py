"""Rules that change a sentence so that its meaning stays, or so that it does not while the words stay.

Each takes a sentence and a generator, and gives the changed one, or None where it does not fit.
"""

from __future__ import annotations

import re

import numpy as np

Generator = np.random.Generator
SAME, DIFFERENT = 1.0, 0.0

NAME = re.compile(r"(?:[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*|\b\d[\d,.]*\d\b)")
ONE = r"([A-Z][\w'-]+(?: [A-Z][\w'-]+){0,2}|[a-z]{4,})"
AROUND_AND = re.compile(rf"\b{ONE} and {ONE}(?=[ ,.]|$)")
FRONT = re.compile(r"^((?:In|On|After|Before|During|At|By) [^,]{3,30}), ([A-Z][^,]* [^.]+)\.?$")
ROLES = re.compile(
    r"\b([Aa]n?|[Tt]he) ([a-z]+)( (?:is|are|was|were)? ?[a-z]+(?: [a-z]+){0,3}? )"
    r"([Aa]n?|[Tt]he) ([a-z]+)(?=[.,]|$| (?:in|on|at|with|near|and)\b)"
)


def swap_names(text: str, rng: Generator) -> str | None:
    """Two names, or two numbers, change places: the words stay and the meaning does not."""
    found = [m for m in NAME.finditer(text) if m.start() > 0]
    kinds = [[m for m in found if m[0][0].isdigit() == digits] for digits in (True, False)]
    kinds = [kind for kind in kinds if len({m[0] for m in kind}) > 1]
    if not kinds:
        return None
    kind = kinds[int(rng.integers(len(kinds)))]
    first, second = sorted(rng.choice(len(kind), 2, replace=False))
    a, b = kind[first], kind[second]
    if a[0] == b[0] or text[a.end() : b.start()].strip(" ,") in ("and", "or", ""):
        return None  # "Anna and Ben" is "Ben and Anna"
    return text[: a.start()] + b[0] + text[a.end() : b.start()] + a[0] + text[b.end() :]


def swap_around_and(text: str, rng: Generator) -> str | None:
    """ "food and water" for "water and food": other order, same meaning."""
    m = AROUND_AND.search(text)
    if m is None or m[1][0].isupper() != m[2][0].isupper() or m.start() == 0:
        return None
    if m[1].islower() and m[1][-1] != m[2][-1]:  # alike endings: rarely a noun and a verb
        return None
    return f"{text[: m.start()]}{m[2]} and {m[1]}{text[m.end() :]}"


def move_front(text: str, rng: Generator) -> str | None:
    """ "In 1901, he left." for "He left in 1901." """
    m = FRONT.match(text.strip())
    return None if m is None else f"{m[2].rstrip('. ')} {m[1][0].lower()}{m[1][1:]}."


AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|has(?= been)|have(?= been))\b(?! not|n't)"
)
NOT = re.compile(r"\b(is|are|was|were|do|does|did|has|have|had|could|would|should) not\b")


def negate(text: str, rng: Generator) -> str | None:
    """ "It is not new." for "It is new." """
    changed = AUXILIARY.sub(r"\1 not", text, count=1)
    return None if changed == text else changed


def shorten_not(text: str, rng: Generator) -> str | None:
    """ "It isn't new." for "It is not new." """
    changed = NOT.sub(r"\1n't", text)
    return None if changed == text else changed


COUNTS = ("two", "three", "four", "five", "six", "seven", "eight", "ten", "several")
COUNT = re.compile(rf"\b(?:{'|'.join(COUNTS)})\b", re.IGNORECASE)


def other_count(text: str, rng: Generator) -> str | None:
    """ "Three dogs run." for "Two dogs run." """
    m = COUNT.search(text)
    if m is None:
        return None
    word = [w for w in COUNTS[:-1] if w != m[0].lower()][int(rng.integers(len(COUNTS) - 2))]
    return text[: m.start()] + (word.capitalize() if m[0][0].isupper() else word) + text[m.end() :]


def swap_roles(text: str, rng: Generator) -> str | None:
    """ "A dog chases a cat." for "A cat chases a dog." """
    m = ROLES.search(text)
    if m is None or m[2] == m[5] or " and " in m[3]:
        return None
    return f"{text[: m.start()]}{m[1]} {m[5]}{m[3]}{m[4]} {m[2]}{text[m.end() :]}"


CHANGES = (
    (swap_names, DIFFERENT, 0.1),
    (negate, DIFFERENT, 0.03),
    (swap_around_and, SAME, 0.5),
    (move_front, SAME, 0.5),
    (shorten_not, SAME, 0.5),
)
OF_RATED = (swap_roles, swap_roles, negate, other_count)  # all of other meaning
