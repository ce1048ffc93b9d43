"""What went wrong or was noticed, one sentence each, on the page exactly as written.

Streamlit reads every message as Markdown, and messages quote what people typed: a label, a column's name.
"""

from __future__ import annotations

import re

from core.types import Notice

_MARKS = re.compile(r"([\\`*_\[\]<>#~|$&]|:(?=\w))")
_FIRST = re.compile(r"^([-+=]|\d+(?=[.)]\s))")  # would begin a list or a heading
LINES = 10  # of a notice that are named


def as_written(text: str) -> str:
    """Markdown that shows one line of exactly this text. Leaves plain words and numbers as they are."""
    line = _MARKS.sub(r"\\\1", " ".join(text.split()))
    return _FIRST.sub(lambda m: f"{m[1]}\\" if m[1].isdigit() else f"\\{m[1]}", line)


def at(where: str, text: str) -> str:
    """The message with the field it is about in front: "Line 3: ..." becomes "Pairs, line 3: ..."."""
    if text.startswith(where):
        return text
    return f"{where}, l{text[1:]}" if text.startswith("Line ") else f"{where}: {text}"


def located(where: str, notice: Notice) -> Notice:
    """The notice with its field and lines in front of its text."""
    if not notice.lines:
        return notice
    named = ", ".join(f"{line:,}" for line in notice.lines[:LINES])
    more = ", …" if len(notice.lines) > LINES else ""
    word = "line" if len(notice.lines) == 1 else "lines"
    return Notice(f"{where}, {word} {named}{more}: {notice.text}", notice.lines)
