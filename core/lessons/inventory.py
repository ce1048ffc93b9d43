"""The items of the before-and-after test, read from assets/concept_inventory and checked as lessons are.

A concept inventory asks for one idea at a time, and its wrong answers are misbeliefs that people really hold
(Hestenes, Wells and Swackhamer 1992, "Force concept inventory").
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..data.assets import ASSETS
from ..data.schema import Line, Table, Text, load, refuse
from .reader import LESSONS

ITEMS = ASSETS / "concept_inventory" / "items.toml"
RIGHT = "right"  # stands in a sitting for the right answer; any other answer is a belief
Form = Literal["a", "b"]
FORMS: tuple[Form, ...] = ("a", "b")


class Wrong(Table):
    """An answer that a misbelief leads to; `belief` names it the same way in both forms."""

    belief: Line
    text: Line

    @field_validator("belief")
    @classmethod
    def _not_right(cls, belief: str) -> str:
        if belief == RIGHT:
            raise ValueError(f"{RIGHT!r} is no belief")
        return belief


class ItemForm(Table):
    """One form of an item."""

    question: Text
    right: Line
    explanation: Text
    wrong: tuple[Wrong, ...] = Field(min_length=3, max_length=3)

    def options(self, key: str) -> dict[str, str]:
        """What a sitting keeps -> the answer in words, in an order that depends on `key` alone."""
        found = [(RIGHT, self.right), *((wrong.belief, wrong.text) for wrong in self.wrong)]
        random.Random(f"{key} {self.question}").shuffle(found)
        return dict(found)


class Item(Table):
    """One idea in two parallel forms, and the lesson that treats it."""

    key: Annotated[str, Field(pattern=r"^[a-z-]{2,40}$")]
    concept: Line
    lesson: Line
    a: ItemForm
    b: ItemForm

    def form(self, form: Form) -> ItemForm:
        return self.a if form == "a" else self.b

    @field_validator("lesson")
    @classmethod
    def _there(cls, lesson: str) -> str:
        if not (LESSONS / f"{lesson}.toml").is_file():
            raise ValueError(f"there is no lesson {lesson!r} in assets/lessons")
        return lesson

    @model_validator(mode="after")
    def _parallel(self) -> Self:
        beliefs = [{wrong.belief for wrong in form.wrong} for form in (self.a, self.b)]
        if len(beliefs[0]) < 3 or beliefs[0] != beliefs[1]:
            refuse((("b", "wrong"), "both forms need the same three beliefs, each once"))
        return self


class Inventory(Table):
    """The file."""

    items: tuple[Item, ...] = Field(alias="item", min_length=12, max_length=16)

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        keys = [item.key for item in self.items]
        refuse(
            *(
                (("item", i, "key"), f"{key!r} stands here twice")
                for i, key in enumerate(keys)
                if key in keys[:i]
            )
        )
        return self


@cache
def inventory(file: Path = ITEMS) -> Inventory:
    """The items in their order. Raises InputError with the first thing to mend."""
    return load(file, Inventory)
