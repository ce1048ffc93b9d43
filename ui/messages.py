"""What went wrong or was noticed, one sentence each, and whatever people typed, on the page as written.

Streamlit reads headings, labels and messages as Markdown, and these quote what people typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVarTuple

import streamlit as st

from core.data.text import isolated
from core.types import InputError, Notice
from ui import state

Arguments = TypeVarTuple("Arguments")

_MARKS = re.compile(r"([\\`*_\[\]<>#~|$&]|:(?=\w))")
_FIRST = re.compile(r"^([-+=]|\d+(?=[.)](?:\s|$)))")  # would begin a list or a heading
# After Markdown Streamlit still turns :names: into pictures, addresses into links and -> into an arrow.
_REWRITTEN = re.compile(r"(?<=:)(?=[\w+/-]+:|//)|(?<=www)(?=\.)|(?<=@)(?=\w)|(?<=[<>~=-])(?=[>=-])", re.I)
_JOINER = "\u2060"  # zero width, breaks no line
_ADDED = dict.fromkeys(map(ord, f"{_JOINER}\u2068\u2069"))  # what as_written may add: also isolated()'s marks
TOO_SLOW = "This takes longer than expected. The server may be busy: please try again in a minute."


def as_written(text: str) -> str:
    """Markdown that shows one line of exactly this text. Leaves plain words and numbers as they are."""
    line = _MARKS.sub(r"\\\1", _REWRITTEN.sub(_JOINER, isolated(" ".join(text.split()))))
    return _FIRST.sub(lambda m: f"{m[1]}\\" if m[1].isdigit() else f"\\{m[1]}", line)


def unwritten(markdown: str) -> str:
    """The line that `as_written` made this of; other Markdown without its backslashes."""
    return re.sub(r"\\(.)", r"\1", markdown).translate(_ADDED)


def plain(text: str) -> None:
    """Text of any number of lines exactly as written, each in the direction of its script."""
    st.text(isolated(text))


def at(where: str, text: str) -> str:
    """The message with the field it is about in front: "Line 3: ..." becomes "Pairs, line 3: ..."."""
    if text.startswith(where):
        return text
    return f"{where}, l{text[1:]}" if text.startswith("Line ") else f"{where}: {text}"


def notices(found: Iterable[Notice], where: str = "") -> None:
    """What was noticed in what people brought, wherever that was."""
    for notice in found:
        st.caption(as_written(notice.said(where)))


def info(text: str | None) -> None:
    """A hint. Without a text these four show nothing."""
    if text:
        st.info(as_written(text), icon=":material/info:")


def success(text: str | None) -> None:
    """What was done."""
    if text:
        st.success(as_written(text), icon=":material/check:")


def warning(text: str | None) -> None:
    """What has to be mended before the page can go on."""
    if text:
        st.warning(as_written(text), icon=":material/info:")


def error(text: str | None) -> None:
    """What broke."""
    if text:
        st.error(as_written(text), icon=":material/error:")


@contextmanager
def kept_in(key: state.Key[str | None]) -> Iterator[None]:
    """In a callback: what goes wrong is left under `key`, for `left_in` to tell when the page is drawn."""
    try:
        yield
    except (InputError, RuntimeError) as problem:
        state.put(key, str(problem))
    except TimeoutError:
        state.put(key, TOO_SLOW)


def refusals_kept(act: Callable[[*Arguments], object], *args: *Arguments) -> None:
    """Do what a click asks for; what the act refuses, or a full disk refuses it, stands on the next page."""
    try:
        act(*args)
    except InputError as problem:
        state.put(state.PROBLEM, str(problem))


def left_in(key: state.Key[str | None], show: Callable[[str], Any] = warning) -> None:
    """What a callback left to say, once."""
    if text := state.get(key):
        state.put(key, None)
        show(text)
