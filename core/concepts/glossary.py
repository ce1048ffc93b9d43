"""The glossary: terms with a sentence, a formula, links and relations, read from one file; and its map.

The map's positions are computed here from the relations alone, so the drawing never disagrees with the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from ..data.assets import ASSETS
from ..data.schema import Line, Table, Text, refuse
from ..data.schema import load as read

FILE = ASSETS / "glossary.toml"


class Term(Table):
    """One entry. `page` is an address with settings, `deck` the deck with its cards, `related` are keys."""

    key: Line
    name: Line
    theme: Line
    sentence: Text
    page: Line
    deck: Line
    source: Line
    related: tuple[Line, ...] = ()
    formula: str = ""  # LaTeX
    also: tuple[Line, ...] = ()  # other names


class Glossary(Table):
    """All terms, by theme and then as they stand in the file. Relations go both ways."""

    themes: tuple[Line, ...]
    terms: tuple[Term, ...] = Field(alias="term")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        keys = [term.key for term in self.terms]
        for i, term in enumerate(self.terms):
            if term.theme not in self.themes:
                refuse((("term", i, "theme"), f"{term.theme!r} is none of {', '.join(self.themes)}"))
            if term.key in keys[:i]:
                refuse((("term", i, "key"), "this key stands in the file twice"))
            for other in term.related:
                if other not in keys or other == term.key:
                    refuse((("term", i, "related"), f"there is no other term {other!r}"))
        return self

    def term(self, key: str) -> Term | None:
        return next((t for t in self.terms if t.key == key), None)

    def related(self, key: str) -> tuple[Term, ...]:
        """What a term names, then what names it."""
        own = self.term(key)
        named = own.related if own is not None else ()
        naming = tuple(t.key for t in self.terms if key in t.related)
        found = (self.term(k) for k in dict.fromkeys((*named, *naming)))
        return tuple(t for t in found if t is not None)

    def edges(self) -> tuple[tuple[str, str], ...]:
        """Every relation once, in the order of the terms."""
        place = {t.key: i for i, t in enumerate(self.terms)}
        pairs = {
            tuple(sorted((t.key, other), key=place.__getitem__)) for t in self.terms for other in t.related
        }
        return tuple(sorted(((a, b) for a, b in pairs), key=lambda e: (place[e[0]], place[e[1]])))

    def search(self, text: str) -> tuple[Term, ...]:
        """Terms that contain every word of `text`; those with it in their name come first."""
        words = text.casefold().split()
        found = []
        for term in self.terms:
            name = " ".join((term.name, *term.also)).casefold()
            everything = f"{name} {term.sentence} {term.source} {term.theme}".casefold()
            if all(word in everything for word in words):
                found.append((0 if all(word in name for word in words) else 1, term))
        return tuple(term for _, term in sorted(found, key=lambda f: f[0]))


@cache
def load(file: Path = FILE) -> Glossary:
    """Read and check the file. Raises InputError naming the file, the term and the field."""
    found = read(file, Glossary)
    terms = sorted(found.terms, key=lambda term: found.themes.index(term.theme))
    return found.model_copy(update={"terms": tuple(terms)})


# ---- the map -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """Terms with positions (x, y), and the relations between them as pairs of keys."""

    terms: tuple[Term, ...]
    places: tuple[tuple[float, float], ...]
    edges: tuple[tuple[str, str], ...]


def around(glossary: Glossary, key: str) -> ConceptMap:
    """One term in the middle and what it is related to in a ring around it."""
    centre = glossary.term(key)
    assert centre is not None, key
    ring = glossary.related(key)
    places = [(0.0, 0.0)]
    for i in range(len(ring)):
        angle = math.pi / 2 - 2 * math.pi * i / max(1, len(ring))
        places.append((math.cos(angle), math.sin(angle)))
    shown = {key, *(t.key for t in ring)}
    edges = tuple(e for e in glossary.edges() if set(e) <= shown)
    return ConceptMap((centre, *ring), tuple(places), edges)


def whole(glossary: Glossary, sweeps: int = 12) -> ConceptMap:
    """All terms: one column a theme, ordered within it so that related terms stand at like heights.

    The order is found by sweeping over the columns and sorting each by the mean height of its terms'
    neighbours (Sugiyama, Tagawa and Toda 1981, the barycentre method).
    """
    columns = [[t.key for t in glossary.terms if t.theme == theme] for theme in glossary.themes]
    neighbours: dict[str, list[str]] = {t.key: [] for t in glossary.terms}
    for a, b in glossary.edges():
        neighbours[a].append(b)
        neighbours[b].append(a)

    def heights() -> dict[str, float]:
        return {key: (i + 0.5) / len(column) for column in columns for i, key in enumerate(column)}

    for sweep in range(sweeps):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            now = heights()
            mean = {k: sum(now[n] for n in neighbours[k]) / max(1, len(neighbours[k])) for k in column}
            column.sort(key=mean.__getitem__)
    final = heights()
    place = {key: (float(x), 1.0 - final[key]) for x, column in enumerate(columns) for key in column}
    return ConceptMap(glossary.terms, tuple(place[t.key] for t in glossary.terms), glossary.edges())
