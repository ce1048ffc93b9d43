"""Single values of a lesson file: read as what they must be, or refused with file, line, field and reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 4_000
LONGEST_LINE = 300


class Fields:
    """Reads single values of a parsed file; what does not fit is collected with its line and field."""

    def __init__(self, name: str, lines: dict[tuple[str | int, ...], int]) -> None:
        self.name, self.lines, self.problems = name, lines, list[str]()
        self.at: tuple[str | int, ...] = ()
        self.where = ""

    def refuse(self, field: str, reason: str) -> None:
        path = (*self.at, *field.split("."))
        while path and path not in self.lines:
            path = path[:-1]
        line = f", line {self.lines[path]}" if path else ""
        named = f"{self.where}, {field}" if self.where and field else self.where or field
        self.problems.append(f"{self.name}{line}{', ' if named else ''}{named}: {reason}.")

    def known(self, data: Mapping[str, Any], fields: tuple[str, ...]) -> None:
        for field in sorted(set(data) - set(fields)):
            self.refuse(field, f"there is no such field here. Known are {', '.join(fields)}")

    def text(
        self, data: Mapping[str, Any], field: str, default: str | None = None, line: bool = False
    ) -> str:
        value = data.get(field, default)
        most = LONGEST_LINE if line else LONGEST_TEXT
        if value is None:
            self.refuse(field, "it is missing; write a text in quotes")
        elif not isinstance(value, str):
            self.refuse(field, f"it must be a text in quotes, not {found(value)}")
        elif default is None and not value.strip():
            self.refuse(field, "it is empty; write a text")
        elif len(value) > most:
            self.refuse(field, f"it has {len(value):,} characters; at most {most:,} are allowed")
        else:
            return value.strip()
        return ""

    def number(
        self, data: Mapping[str, Any], field: str, default: float | None, low: float, high: float, whole: bool
    ) -> Any:
        value = data.get(field, default)
        fits = isinstance(value, int) or (not whole and isinstance(value, float))
        if value is not None and (isinstance(value, bool) or not fits or not low <= value <= high):
            kind = "whole number" if whole else "number"
            self.refuse(field, f"it must be a {kind} from {low:g} to {high:g}, not {found(value)}")
            return default
        return value

    def texts(
        self, data: Mapping[str, Any], field: str, least: int, most: int, default: list[str] | None = None
    ) -> tuple[str, ...]:
        value = data.get(field, default)
        if not isinstance(value, list) or not all(isinstance(t, str) and t.strip() for t in value):
            self.refuse(field, 'it must be a list of texts, such as ["one", "two"]')
        elif not least <= len(value) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            self.refuse(field, f"{count} texts are needed here, and there are {len(value)}")
        elif long := [t for t in value if len(t) > LONGEST_LINE]:
            self.refuse(field, f"a text has {len(long[0])} characters; at most {LONGEST_LINE} are allowed")
        else:
            return tuple(t.strip() for t in value)
        return ()

    def table(self, data: Mapping[str, Any], field: str) -> dict[str, Any]:
        value = data.get(field, {})
        if isinstance(value, dict):
            return value
        self.refuse(field, f"it must be a table, not {found(value)}")
        return {}


def found(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:60]
