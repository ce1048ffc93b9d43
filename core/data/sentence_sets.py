"""The built-in sentence sets: one TOML file each in assets/sets, checked when it is read.

Adding a file adds a set; CONTRIBUTING.md shows one. The blocks of sentences carry a group and, where it
helps to see the point, a second attribute (the topic beside the sentiment).
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ..types import InputError, Pair, Sentence, SentenceSet, TrainingConfig
from .assets import ASSETS
from .pair_files import Scale, parse_pairs
from .schema import Between, Table, Text, load, refuse
from .text import MAX_GROUP_CHARACTERS, MAX_PAIRS, clean, same_text, sentence_id

SETS_FOLDER = ASSETS / "sets"


def _untouched(text: str) -> str:
    if not text or text != clean(text):
        raise ValueError(f"{text!r} must be a text without line breaks or spaces at its ends")
    return text


class Block(Table):
    """A [[block]] of a file: sentences of one group."""

    group: Annotated[str, StringConstraints(min_length=1, max_length=MAX_GROUP_CHARACTERS)]
    attribute: str | None = None
    sentences: tuple[Annotated[str, AfterValidator(_untouched)], ...] = Field(min_length=1)


class BuiltInSet(Table):
    """What a person reads before choosing a set, its sentences, and how to train on them."""

    key: str = Field(exclude=True)  # file name without .toml
    title: Text
    point: Text  # what to look for, one or two sentences
    question: Text  # what to predict before pressing Train
    groups_are: Text  # what the groups stand for: "sentiment", "intent", ...
    source: Text
    order: Annotated[int, Between(0, 100_000)] = 1000
    attribute: str | None = None  # what the second attribute stands for, if there is one
    blocks: tuple[Block, ...] = Field(alias="block", min_length=1)
    listed: str | None = Field(None, alias="pairs")  # one pair a line
    to_make: Annotated[int, Between(1, MAX_PAIRS)] | None = Field(None, alias="pair_count")
    similar_share: Annotated[float, Between(0, 1)] = 0.5
    settings: dict[str, Any] = Field({})  # suggested changes to TrainingConfig's defaults

    @cached_property
    def sentence_set(self) -> SentenceSet:
        found = [Sentence(sentence_id(text), text, b.group) for b in self.blocks for text in b.sentences]
        return SentenceSet(tuple(found), self.title, self.source)

    @cached_property
    def attributes(self) -> tuple[str | None, ...]:
        """The second attribute, row by row."""
        return tuple(block.attribute for block in self.blocks for _ in block.sentences)

    @cached_property
    def pairs(self) -> tuple[Pair, ...] | None:
        """The listed pairs, None where pairs are to be made from the groups."""
        if self.listed is None:
            return None
        parsed = parse_pairs(self.listed, self.sentence_set, Scale())
        for notice in parsed.notices:
            lines = ", ".join(map(str, notice.lines))
            raise InputError(f"line {lines}: every pair must join two sentences of the set, once")
        return parsed.pairs

    @property
    def pair_count(self) -> int:
        """How many pairs there are, or are to be made."""
        return self.to_make or len(self.pairs or ())

    def config(self) -> TrainingConfig:
        return TrainingConfig.from_mapping(self.settings)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.listed is None) == (self.to_make is None):
            refuse(((), "there must be either pairs or pair_count"))
        seen: set[str] = set()
        for i, block in enumerate(self.blocks):
            if (block.attribute is None) != (self.attribute is None):
                told = "attribute must be given in every block, and named at the top, or in none"
                refuse((("block", i), told))
            for text in block.sentences:
                if same_text(text) in seen:
                    refuse((("block", i), f"{text!r} stands in the file twice"))
                seen.add(same_text(text))
        for field, read in (("settings", self.config), ("pairs", lambda: self.pairs)):
            try:
                read()
            except InputError as error:
                refuse(((field,), str(error)))
        return self


def list_sets(folder: Path = SETS_FOLDER) -> tuple[BuiltInSet, ...]:
    """All sets, in the order their files ask for. Raises InputError, naming the file, for a bad file."""
    return tuple(sorted((_load(path) for path in folder.glob("*.toml")), key=lambda s: (s.order, s.key)))


def load_set(key: str, folder: Path = SETS_FOLDER) -> BuiltInSet:
    """One set by its key. Raises InputError for an unknown key or a bad file."""
    known = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if key not in known:
        raise InputError(f"There is no sentence set {key!r:.60}. Known: {', '.join(known)}.")
    return _load(known[key])


@cache
def _load(file: Path) -> BuiltInSet:
    return load(file, BuiltInSet, key=file.stem)
