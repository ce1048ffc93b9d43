"""The glossary: terms with a sentence, a formula, links and relations, read from one file; and its map.

The map's positions are computed here from the relations alone, so the drawing never disagrees with the file.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..data.assets import ASSETS
from ..types import InputError

FILE = ASSETS / "glossary.toml"
_TEXTS = ("key", "name", "theme", "sentence", "page", "deck", "source")
_FIELDS = {*_TEXTS, "formula", "also", "related"}


@dataclass(frozen=True, slots=True)
class Term:
    """One entry. `page` is an address with settings, `deck` the deck with its cards, `related` are keys."""

    key: str
    name: str
    theme: str
    sentence: str
    page: str
    deck: str
    source: str
    related: tuple[str, ...]
    formula: str = ""  # LaTeX
    also: tuple[str, ...] = ()  # other names


@dataclass(frozen=True, slots=True)
class Glossary:
    """All terms, by theme and then as they stand in the file. Relations go both ways."""

    terms: tuple[Term, ...]
    themes: tuple[str, ...]

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
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} is not valid TOML: {error}.") from error
    themes = tuple(data.get("themes", ()))
    terms = tuple(_term(file.name, i, raw, themes) for i, raw in enumerate(data.get("term", ()), start=1))
    keys = [term.key for term in terms]
    for term in terms:
        where = f"{file.name}, term {term.key!r}"
        if keys.count(term.key) > 1:
            raise InputError(f"{where}: this key stands in the file twice.")
        for other in term.related:
            if other not in keys or other == term.key:
                raise InputError(f"{where}, related: there is no other term {other!r}.")
    order = {theme: i for i, theme in enumerate(themes)}
    return Glossary(tuple(sorted(terms, key=lambda t: order[t.theme])), themes)


def _term(name: str, number: int, raw: Mapping[str, Any], themes: tuple[str, ...]) -> Term:
    where = f"{name}, term {raw.get('key') or number!r}"
    if unknown := sorted(set(raw) - _FIELDS):
        raise InputError(f"{where}: there is no field {unknown[0]!r}. Known: {', '.join(sorted(_FIELDS))}.")
    for field in _TEXTS:
        if not isinstance(raw.get(field), str) or not raw[field].strip():
            raise InputError(f"{where}, {field}: it must be a text.")
    if raw["theme"] not in themes:
        raise InputError(f"{where}, theme: {raw['theme']!r} is none of {', '.join(themes)}.")
    texts: dict[str, str] = {field: raw[field] for field in _TEXTS}
    related, also = tuple(raw.get("related", ())), tuple(raw.get("also", ()))
    return Term(**texts, related=related, formula=raw.get("formula", ""), also=also)


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
