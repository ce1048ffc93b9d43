"""The built-in sentence sets: one TOML file each in assets/sets, checked when it is read.

Adding a file adds a set; CONTRIBUTING.md shows one. The blocks of sentences carry a group and, where it
helps to see the point, a second attribute (the topic beside the sentiment).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..types import InputError, Pair, Sentence, SentenceSet, TrainingConfig
from .assets import ASSETS
from .sentences import MAX_GROUP_CHARACTERS, parse_pairs, sentence_id
from .text import clean, same_text

SETS_FOLDER = ASSETS / "sets"

_TEXT_FIELDS = ("title", "point", "question", "groups_are", "source")
_FIELDS = {*_TEXT_FIELDS, "order", "attribute", "pair_count", "similar_share", "settings", "block", "pairs"}
_BLOCK_FIELDS = {"group", "attribute", "sentences"}


@dataclass(frozen=True, slots=True)
class SetInfo:
    """What a person reads before choosing a set, and how to train on it."""

    key: str  # file name without .toml
    title: str
    point: str  # what to look for, one or two sentences
    question: str  # what to predict before pressing Train
    groups_are: str  # what the groups stand for: "sentiment", "intent", ...
    source: str
    sentence_count: int
    groups: tuple[str, ...]
    attribute: str | None  # what the second attribute stands for, if there is one
    pair_count: int  # pairs to make from groups; of listed pairs, how many there are
    similar_share: float
    has_listed_pairs: bool
    settings: tuple[tuple[str, Any], ...]  # suggested changes to TrainingConfig's defaults

    def config(self) -> TrainingConfig:
        return TrainingConfig.from_mapping(dict(self.settings))


@dataclass(frozen=True, slots=True)
class LibrarySet:
    """`pairs` is None where pairs are to be made from the groups; `attributes` go row by row."""

    info: SetInfo
    sentence_set: SentenceSet
    pairs: tuple[Pair, ...] | None
    attributes: tuple[str | None, ...]


def list_sets(folder: Path = SETS_FOLDER) -> tuple[SetInfo, ...]:
    """All sets, in the order their files ask for. Raises InputError, naming the file, for a bad file."""
    found = [_load(path.stem, folder) for path in folder.glob("*.toml")]
    return tuple(entry.info for _, entry in sorted(found, key=lambda f: (f[0], f[1].info.key)))


def load_set(key: str, folder: Path = SETS_FOLDER) -> LibrarySet:
    """One set by its key. Raises InputError for an unknown key or a bad file."""
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if key not in known:
        raise InputError(f"There is no sentence set {key!r}. Known: {', '.join(known)}.")
    return _load(key, folder)[1]


@cache
def _load(key: str, folder: Path) -> tuple[int, LibrarySet]:
    """(place in the list, the set)."""
    name = f"{key}.toml"
    try:
        data = tomllib.loads((folder / name).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is not valid TOML: {error}.") from error
    _check_fields(name, data)
    title, source = data["title"], data["source"]
    sentences, attributes = _sentences(name, data["block"], data.get("attribute") is not None)
    sentence_set = SentenceSet(sentences, title, source)
    pairs = _listed_pairs(name, data["pairs"], sentence_set) if "pairs" in data else None
    try:
        TrainingConfig.from_mapping(data.get("settings", {}))
    except InputError as error:
        raise InputError(f"{name}, [settings]: {error}") from error
    info = SetInfo(
        key=key,
        title=title,
        point=data["point"],
        question=data["question"],
        groups_are=data["groups_are"],
        source=source,
        sentence_count=len(sentences),
        groups=tuple(dict.fromkeys(s.group for s in sentences if s.group)),
        attribute=data.get("attribute"),
        pair_count=len(pairs) if pairs is not None else data["pair_count"],
        similar_share=data.get("similar_share", 0.5),
        has_listed_pairs=pairs is not None,
        settings=tuple(sorted(data.get("settings", {}).items())),
    )
    return data.get("order", 1000), LibrarySet(info, sentence_set, pairs, attributes)


def _check_fields(name: str, data: Mapping[str, Any]) -> None:
    unknown = sorted(set(data) - _FIELDS)
    if unknown:
        raise InputError(f"{name}: unknown field {unknown[0]!r}. Known: {', '.join(sorted(_FIELDS))}.")
    for field in _TEXT_FIELDS:
        _require(name, isinstance(data.get(field), str) and data[field].strip(), f"{field} must be a text")
    _require(name, isinstance(data.get("order", 0), int), "order must be a whole number")
    _require(name, isinstance(data.get("attribute", ""), str), "attribute must be a text")
    share = data.get("similar_share", 0.5)
    _require(name, isinstance(share, int | float) and 0 <= share <= 1, "similar_share must be from 0 to 1")
    _require(name, isinstance(data.get("settings", {}), dict), "settings must be a table")
    _require(name, isinstance(data.get("block"), list), "there must be at least one [[block]]")
    _require(name, ("pairs" in data) != ("pair_count" in data), "there must be either pairs or pair_count")
    if "pairs" in data:
        _require(name, isinstance(data["pairs"], str), "pairs must be a text with one pair a line")
    else:
        count = data["pair_count"]
        _require(name, isinstance(count, int) and count > 0, "pair_count must be a whole number above 0")


def _require(name: str, condition: object, rule: str) -> None:
    if not condition:
        raise InputError(f"{name}: {rule}.")


def _sentences(
    name: str, blocks: list[Any], with_attribute: bool
) -> tuple[tuple[Sentence, ...], tuple[str | None, ...]]:
    sentences: list[Sentence] = []
    attributes: list[str | None] = []
    seen: set[str] = set()
    for number, block in enumerate(blocks, start=1):
        where = f"{name}, block {number}"
        _require(where, isinstance(block, dict) and set(block) <= _BLOCK_FIELDS, "it may hold group, "
                 "attribute and sentences only")  # fmt: skip
        group, attribute, texts = block.get("group"), block.get("attribute"), block.get("sentences")
        _require(where, isinstance(group, str) and 0 < len(group) <= MAX_GROUP_CHARACTERS, "group must be "
                 f"a name of at most {MAX_GROUP_CHARACTERS} characters")  # fmt: skip
        _require(where, isinstance(attribute, str) == with_attribute, "attribute must be given in every "
                 "block, and named at the top, or in none")  # fmt: skip
        _require(where, isinstance(texts, list) and texts, "sentences must be a list of texts")
        for text in texts or ():
            _require(where, isinstance(text, str) and text and text == clean(text), f"{text!r} must be a "
                     "text without line breaks or spaces at its ends")  # fmt: skip
            _require(where, same_text(text) not in seen, f"{text!r} stands in the file twice")
            seen.add(same_text(text))
            sentences.append(Sentence(sentence_id(text), text, group))
            attributes.append(attribute)
    return tuple(sentences), tuple(attributes)


def _listed_pairs(name: str, text: str, sentence_set: SentenceSet) -> tuple[Pair, ...]:
    try:
        parsed = parse_pairs(text, sentence_set)
    except InputError as error:
        raise InputError(f"{name}, pairs: {error}") from error
    for notice in parsed.notices:
        lines = ", ".join(map(str, notice.lines))
        raise InputError(f"{name}, pairs, line {lines}: every pair must join two sentences of the set, once.")
    return parsed.pairs
