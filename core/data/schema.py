"""Files that people write or bring: checked by pydantic, and refused in sentences of one kind.

A Table says what a file may hold. WORDS is the one way from pydantic's errors to our sentences: what was
found and what is allowed; TomlFile adds where it stands: file, line, part and field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from ..types import InputError
from ..untrusted import toml_values

Place = tuple[str | int, ...]
S = TypeVar("S", bound="Table")
T = TypeVar("T")
# No two neighbours in these patterns match the same blanks: time grows with a line's length, not its cube.
_ARRAY = re.compile(r"^\s*\[\[([\w.\-\s]+)\]\]")
_TABLE = re.compile(r"^\s*\[([\w.\-\s]+)\]")
_FIELD = re.compile(r"""^\s*["']?([\w\-]+)["']?(?:\s*\.\s*([\w\-]+))?\s*=""")
LONGEST_TEXT, LONGEST_LINE = 4_000, 300  # characters
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_LINE)]

WORDS = {
    "told": "{reason}",  # by `refuse`
    "value_error": "{error}",  # by a validator of ours
    "missing": "it is missing",
    "union_tag_not_found": "it is missing",
    "missing_argument": "it is missing",
    "unexpected_positional_argument": "it is one value too many",
    "extra_forbidden": "there is no such field here. Known are {known}",
    "string_type": "it must be a text in quotes, not {found}",
    "string_too_short": "it is empty; write a text",
    "string_too_long": "it has {length:,} characters; at most {max_length:,} are allowed",
    "too_short": "it has {actual_length} entries; at least {min_length} are needed",
    "too_long": "it has {length:,} entries; at most {max_length:,} are allowed",
    "literal_error": "it must be {expected}, not {found}",
    "enum": "it must be {expected}, not {found}",
    "union_tag_invalid": "it must be one of {expected_tags}, not {tag!r:.60}",
    "bool_type": "it must be true or false, not {found}",
    "int_type": "it must be a whole number, not {found}",
    "float_type": "it must be a number, not {found}",
    "tuple_type": "it must be a list, not {found}",
    "json_invalid": "it is not valid JSON: {error}",
}
A_MOMENT = "it must be a moment such as 2026-03-02T09:00:00+00:00, not {found}"
A_TABLE = "it must be a table of named values, not {found}"
WORDS |= dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "dataclass_type"), A_TABLE)
WORDS |= dict.fromkeys(("datetime_type", "datetime_parsing", "timezone_aware"), A_MOMENT)


def _told(error: ErrorDetails, known: Iterable[str] = ()) -> tuple[Place, str]:
    """Where, below the value that was checked, and why; `known` are the fields that it may have."""
    kind, value, more = error["type"], error["input"], error.get("ctx", {})
    allowed = {
        name: str(more[name]).replace("'", "") for name in ("expected", "expected_tags") if name in more
    }
    length = len(value) if hasattr(value, "__len__") else 0
    words = WORDS.get(kind, "{found} does not fit here")
    place = (*error["loc"], "kind") if kind.startswith("union_tag") else error["loc"]
    return place, words.format(**more | allowed, found=found(value), length=length, known=", ".join(known))


def refuse(*problems: tuple[Place, str]) -> None:
    """Called in a validator: raise these reasons, each at its place below the value at hand."""
    if problems:
        raise ValidationError.from_exception_data("", [_detail(*problem) for problem in problems])


def _detail(place: Place, reason: str) -> InitErrorDetails:
    error = PydanticCustomError("told", "{reason}", {"reason": reason})
    return InitErrorDetails(type=error, loc=place, input=None)


def found(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:60]


@dataclass(frozen=True, slots=True)
class Between:
    """Annotated[int or float, Between(low, high)]: that kind of number, no text or switch in its place."""

    low: float
    high: float

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds, named = ((int,), "whole number") if source is int else ((int, float), "number")

        def check(value: Any) -> Any:
            if isinstance(value, bool) or not isinstance(value, kinds) or not self.low <= value <= self.high:
                raise ValueError(
                    f"it must be a {named} from {self.low:g} to {self.high:.12g}, not {found(value)}"
                )
            return value

        return core_schema.no_info_before_validator_function(check, handler(source))


class Table(BaseModel):
    """A table of a file as a frozen value: fields it does not name are refused, and told which there are.

    A field marked with exclude comes from elsewhere, such as the file's name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="wrap")
    @classmethod
    def _say(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            known = [field.alias or name for name, field in cls.model_fields.items() if not field.exclude]
            refuse(*(_told(detail, known) for detail in error.errors()))
            raise


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A TOML file as it was read: its values, and the line of each field."""

    name: str
    data: dict[str, Any]
    lines: dict[Place, int]

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        return cls(name, toml_values(text, name), lines_of_fields(text))

    def check(self, schema: type[S], **given: str) -> tuple[S | None, tuple[str, ...]]:
        """(the value, ()) or (None, a sentence for every problem). `given`: fields that no file may hold."""
        if doubled := [name for name in given if name in self.data]:
            return None, (self.sentence((doubled[0],), "there is no such field here"),)
        try:
            return schema.model_validate(self.data | given), ()
        except ValidationError as error:
            return None, tuple(self.sentence(*_told(detail)) for detail in error.errors())

    def sentence(self, place: Place, reason: str) -> str:
        """ "mine.toml, line 12, step 2 (predict), options.rises: it is empty; write a text." """
        path: list[str | int] = []
        words: list[str] = []
        value: Any = self.data
        for before, part in zip((None, *place), place):
            if isinstance(before, int) and isinstance(value, dict) and part == value.get("kind"):
                continue  # pydantic names the chosen kind of a union; it is in the words already
            value = _inside(value, part)
            if isinstance(part, int):
                label = value.get("kind") or value.get("key") if isinstance(value, dict) else None
                words[-1] += f" {part + 1}" + (f" ({label:.40})" if isinstance(label, str) else "")
            elif path and isinstance(path[-1], str) and not words[-1].startswith("["):
                words[-1] += f".{part:.60}"
            else:
                words.append(f"[{part:.60}]" if not words and isinstance(value, dict) else part[:60])
            path.append(part + 1 if isinstance(part, int) else part)
        while path and tuple(path) not in self.lines:
            path.pop()
        line = [f"line {self.lines[tuple(path)]}"] if path else []
        return f"{', '.join([self.name, *line, *words])}: {reason.rstrip('.')}."


def _inside(value: Any, part: str | int) -> Any:
    try:
        return value[part]
    except (LookupError, TypeError):
        return None


def storable(text: str) -> str:
    """The text itself. Raises InputError for what no database keeps: zero bytes, half characters."""
    if "\x00" in text or any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise InputError("It holds a character that cannot be saved; remove it.")
    return text


def from_json(schema: TypeAdapter[T], text: str) -> T:
    """The value in a JSON text. Raises InputError with the first place that does not fit: "a[0].b: why."."""
    try:
        return schema.validate_json(text, strict=True)
    except ValidationError as error:
        place, reason = _told(error.errors()[0])
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part:.60}" for part in place)
        raise InputError(f"{where.removeprefix('.') or 'The file'}: {reason.rstrip('.')}.") from error


def load(file: Path, schema: type[S], **given: str) -> S:
    """The file as a value of its schema. Raises InputError with the first thing to mend."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} cannot be read as a text in UTF-8: {error}.") from error
    value, problems = TomlFile.parse(text, file.name).check(schema, **given)
    if value is None:
        raise InputError(problems[0])
    return value


# ---- where in a TOML text a field stands, which the standard parser does not tell ---------------------
# Only headers and keys at the start of a line are looked at, which is how lessons are written.


def lines_of_fields(text: str) -> dict[Place, int]:
    """("title",), ("step", 2), ("step", 2, "options", "rises"), ... -> line, counted from 1.

    The number after a name counts the [[name]] blocks, from 1.
    """
    found: dict[Place, int] = {}
    counts: dict[str, int] = {}
    prefix: Place = ()
    quote = ""  # the mark that ends the multi-line text we are in
    for number, line in enumerate(text.splitlines(), start=1):
        if not quote:
            if header := _ARRAY.match(line) or _TABLE.match(line):
                parts = [part.strip() for part in header[1].split(".")]
                if line.lstrip().startswith("[["):
                    counts[parts[0]] = counts.get(parts[0], 0) + 1
                head: Place = (parts[0], counts[parts[0]]) if parts[0] in counts else (parts[0],)
                prefix = (*head, *parts[1:])
                found.setdefault(prefix, number)
            elif named := _FIELD.match(line):
                path = (*prefix, *(part for part in named.groups() if part))
                found.setdefault(path, number)
        for mark in ('"""', "'''"):
            if quote in ("", mark) and line.count(mark) % 2:
                quote = "" if quote else mark
                break
    return found
