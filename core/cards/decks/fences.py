"""Fenced code blocks as CommonMark 0.31 defines them (4.5): one definition for reader, quiz and export.

Blocks within lists and quotations are not looked for: a card's text has neither.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_LINE = 10**9  # characters: no line is as long
_OPEN = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})")  # a run of backticks may not be followed by others


@dataclass(frozen=True, slots=True)
class Fence:
    """Lines `start` to `end` - 1 with both marks; one that is never closed goes on to the last line."""

    start: int
    end: int
    closed: bool
    indent: int  # spaces before the first mark: so many go from the lines inside, too

    def content(self, lines: Sequence[str]) -> str:
        """The code, without the marks."""
        inside = lines[self.start + 1 : self.end - self.closed]
        return "\n".join(line[min(self.indent, _spaces(line)) :] for line in inside)


def fences(lines: Sequence[str], unclosed: bool = True) -> list[Fence]:
    """The code blocks in order. Without `unclosed` a mark that nothing closes begins none."""
    found: list[Fence] = []
    at = 0
    hopeless: dict[str, int] = {}  # "`" or "~" -> marks of this length and longer are not closed any more
    while at < len(lines):
        opened = _OPEN.match(lines[at])
        if opened is None or len(opened[2]) >= hopeless.get(opened[2][0], MAX_LINE):
            at += 1
            continue
        fence = _fence(lines, at, opened)
        if fence.closed or unclosed:
            found.append(fence)
            at = fence.end
        else:
            hopeless[opened[2][0]] = len(opened[2])
    return found


def opens(line: str) -> bool:
    """Whether a code block would begin with this line."""
    return _OPEN.match(line) is not None


def _fence(lines: Sequence[str], at: int, opened: re.Match[str]) -> Fence:
    mark = opened[2]
    close = re.compile(rf" {{0,3}}{re.escape(mark)}{re.escape(mark[0])}*[ \t]*$")
    end = next((i for i in range(at + 1, len(lines)) if close.match(lines[i])), None)
    return Fence(at, len(lines) if end is None else end + 1, end is not None, len(opened[1]))


def segments(text: str) -> tuple[tuple[str, str], ...]:
    """Text in order as ("text", ...) and ("code", ...) parts: fenced blocks are code, the rest is plain.

    A page shows the first as text, never as Markdown or HTML, and the second in a code block.
    """
    lines = text.split("\n")
    parts: list[tuple[str, str]] = []
    at = 0
    for fence in fences(lines):
        parts += [("text", "\n".join(lines[at : fence.start])), ("code", fence.content(lines))]
        at = fence.end
    parts.append(("text", "\n".join(lines[at:])))
    return tuple((kind, shown) for kind, content in parts if (shown := content.strip("\n")))


def _spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
