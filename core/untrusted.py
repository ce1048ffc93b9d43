"""The one door for what strangers write: files, pasted texts, links. Bounds come before the parser, and what
a parser raises all the same becomes one sentence and an entry in the log.

Apart from the rooms that know the formats, so that none of them can forget it.
"""

from __future__ import annotations

import json
import logging
import re
import tomllib
import traceback
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .types import InputError

MAX_DEPTH = 40  # brackets within brackets; ours have 6
MAX_DOTS = 8  # in one dotted key: the parser's work grows with the square of the parts
TOML_PARTS, JSON_PARTS = 20_000, 2_000_000  # values; each costs the parser some 100 bytes
STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1

# Texts in quotes and comments; one that never ends goes up to the end, where the parser refuses it. Every
# alternative moves on, so the whole takes time in proportion to the text.
_TOML_TEXT = re.compile(
    r'"""(?:\\.?|[^\\])*?(?:"""|\Z)|'
    r"'''.*?(?:'''|\Z)|"
    r'"(?:\\[^\n]|[^"\\\n])*"?|'
    r"'[^'\n]*'?|#[^\n]*",
    re.DOTALL,
)
_JSON_TEXT = re.compile(r'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)
# Ten thousand of them and what stands between: one call on a long text keeps all other threads waiting.
_SOME_TEXTS = re.compile(r'(?:[^"]*+"[^"\\]*+(?:\\.?[^"\\]*+)*+"?){1,10000}+', re.DOTALL)
_STRETCH = re.compile(r"[^\n=\[\]{},]+")  # may hold one dotted key
_BRACKET = re.compile(r"[\[\]{}]")
_LONE = re.compile("[\ud800-\udfff]")  # half of a character: no encoding of Unicode writes it

_log = logging.getLogger(__name__)


@contextmanager
def door(sentence: str) -> Iterator[None]:
    """Whatever is raised inside becomes InputError(sentence) and an entry in the log; InputError passes.

    Works as a decorator too. Memory and depth that ran out are among it: both are given back by then.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        # One line, not a traceback: whoever sends a thousand such files fills no disk.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        _log.warning("%s %.200r in %s:%s", sentence, error, Path(frame.filename).name, frame.lineno)
        raise InputError(sentence) from error


def toml_values(text: str, name: str) -> dict[str, Any]:
    """The values of a TOML text. Raises InputError beyond the bounds above, and for what is not TOML."""
    bare = _TOML_TEXT.sub('""', text)
    if any(stretch[0].count(".") > MAX_DOTS for stretch in _STRETCH.finditer(bare)):
        raise InputError(
            f"{name} has a key of more than {MAX_DOTS + 1} parts; names here have at most three."
        )
    _bounded(bare, name, TOML_PARTS, "=,[{")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the former also a number of 5,000 digits
        told = f"{name} is not valid TOML: {error}. Texts stand in quotes, lists in [ ]."
        raise InputError(told) from error


def json_value(text: str, name: str, parts: int = JSON_PARTS) -> Any:
    """The value of a JSON text. Raises InputError beyond the bounds, and for what is not JSON; then from
    JSONDecodeError, which knows the line."""
    _bounded(_without_texts(text), name, parts, ",[{")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InputError(f"{name} is not valid JSON: line {error.lineno}, {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not valid JSON.") from error


def check_packing(archive: zipfile.ZipFile, name: str) -> None:
    """Raises InputError for a zip with members that are encrypted, or packed in other ways than stored and
    deflated: only these two are unpacked in steps, so that a limit holds."""
    for info in archive.infolist():
        if info.flag_bits & ENCRYPTED:
            raise InputError(f"{name} is encrypted; only files as this app saves them can be opened.")
        if info.compress_type not in STORED_OR_DEFLATED:
            raise InputError(
                f"{name} is refused: its part {info.filename[:60]!r} is packed in an unknown way."
            )


def whole(text: str) -> str:
    """The text with a replacement character for every lone surrogate, which no screen or file can take.

    >>> whole("a\\ud800b") == "a\\ufffdb"
    True
    """
    return _LONE.sub("\ufffd", text)


def _without_texts(text: str) -> str:
    """A JSON text without what stands in quotes."""
    bare, at = [], 0
    while found := _SOME_TEXTS.match(text, at):
        bare.append(_JSON_TEXT.sub("", found[0]))
        at = found.end()
    return "".join([*bare, text[at:]])


def _bounded(bare: str, name: str, parts: int, marks: str) -> None:
    """Raises InputError for too many parts or too deep a nesting in a text without what stands in quotes."""
    if sum(bare.count(mark) for mark in marks) > parts:
        raise InputError(f"{name} has more than {parts:,} values; that many are not read.")
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise InputError(f"{name} nests deeper than {MAX_DEPTH} levels; that deep is not read.")


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
