"""Buttons, and widgets tied to a key: each shows the key's value and writes it to session and address.

They are Streamlit's widgets of the same names. Default and bounds come from the key, so a page says only the
label; a value that is no option any more, or never was (a link may say anything), gives way to the default.
`at` is the column a widget stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Literal, Protocol, TypeVar, TypeVarTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_popover_container import PopoverContainer
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ui import messages, state
from ui.guard import uploads
from ui.messages import as_written
from ui.state import Key

Number = TypeVar("Number", int, float)
V = TypeVar("V")
Arguments = TypeVarTuple("Arguments")
Place = DeltaGenerator | None

ROOM = 600  # pixels beside the cards in a window of 1366
PADDING, CHARACTER = 32, 7.4  # pixels of an option and of a character in it

TOO_LONG = (
    "Your text is too long to travel in a link, so it stays in this browser tab only. The settings do travel."
)


class Titled(Protocol):
    """A row of one of the registries: a loss, a measure, a base model."""

    @property
    def title(self) -> str: ...


Options = Sequence[V] | Mapping[V, str] | Mapping[V, Titled]


# ---- buttons -----------------------------------------------------------------------------------------


def row(key: str | None = None) -> DeltaGenerator:
    """Where buttons and short texts stand side by side."""
    return st.container(horizontal=True, vertical_alignment="center", key=key)


def button(
    label: str,
    act: Callable[[*Arguments], object] | None,
    *args: *Arguments,
    key: str | None = None,
    icon: str = "",
    type: Literal["primary", "secondary", "tertiary"] = "secondary",
    **more: Any,
) -> None:
    """A click calls `act(*args)` before the page is drawn again. `icon` is a Material symbol's name. A label
    too long for its line wraps."""
    more = {"wrap": True} | more
    click: Any = act and partial(messages.refusals_kept, act)
    symbol = f":material/{icon}:" if icon else None
    st.button(label, key=key, on_click=click, args=args, icon=symbol, type=type, **more)


def download(label: str, make: str | Callable[[], bytes], file: str, *, key: str, **more: Any) -> None:
    """A button that hands over a file, made when it is pressed, without drawing the page again.

    With an `on_click` of its own the page is drawn again, and the file is made at the same time.
    """
    more = {"on_click": "ignore"} | more
    st.download_button(label, make, file_name=file, key=key, icon=":material/download:", **more)


def popover(key: Key[bool], label: str, icon: str, **more: Any) -> PopoverContainer:
    """Its state is kept so that what is done in it can close it: it would cover the answer."""
    return st.popover(label, icon=f":material/{icon}:", key=key.name, on_change="rerun", **more)


def upload(
    label: str, types: Sequence[str], *, key: str, megabytes: int, act: Callable[[], None] | None = None
) -> UploadedFile | None:
    """A file of at most so many megabytes; `act` is called when there is one, or none any more."""
    uploads.draw(megabytes)
    return st.file_uploader(label, types, key=key, max_upload_size=megabytes, on_change=act or "rerun")


# ---- numbers and switches ----------------------------------------------------------------------------


def number_input(key: Key[Number], label: str, *, at: Place = None, **more: Any) -> Number:
    low, high = key.bounds
    with _in(at):
        return st.number_input(label, low, high, value=key.default, **more, **state.bound(key))


def slider(
    key: Key[Number], label: str, *, high: Number | None = None, at: Place = None, **more: Any
) -> Number:
    """`high` is a bound that depends on what the page shows."""
    low, top = key.low, key.high if high is None else high
    assert low is not None and top is not None, f"{key.name} has no bounds"
    if state.get(key) > top:
        state.put(key, top)
    with _in(at):
        return st.slider(label, low, top, min(key.default, top), **more, **state.bound(key))


def select_slider(
    key: Key[Number], label: str, values: Sequence[Number], *, at: Place = None, **more: Any
) -> Number:
    """One of some numbers that do not lie at equal distances."""
    mend(key, values)
    more = {"format_func": lambda value: f"{value:g}"} | more
    with _in(at):
        found: Number = st.select_slider(label, values, value=key.default, **more, **state.bound(key))
        return found


def toggle(key: Key[bool], label: str, *, at: Place = None, **more: Any) -> bool:
    with _in(at):
        return st.toggle(label, key.default, **more, **state.bound(key))


# ---- choices -----------------------------------------------------------------------------------------


def selectbox(key: Key[V], label: str, options: Options[V], *, at: Place = None, **more: Any) -> V:
    values, titles = mend(key, options), titles_of(options)
    with _in(at):
        at_first = values.index(key.default) if key.default in values else 0
        return st.selectbox(label, values, at_first, titles, **more, **state.bound(key))


def segmented_control(
    key: Key[V], label: str, options: Options[V], *, at: Place = None, room: int = ROOM, **more: Any
) -> V:
    """The options side by side; a list where they do not fit on one line of `room` pixels."""
    values, titles = mend(key, options), titles_of(options)
    if sum(PADDING + CHARACTER * len(titles(value)) for value in values) > room:
        return selectbox(key, label, options, at=at, **more)
    more = {"wrap": True} | more  # in a narrower window
    with _in(at):
        return st.segmented_control(
            label, values, default=key.default, required=True, format_func=titles, **more, **state.bound(key)
        )


def pills(key: Key[tuple[V, ...]], label: str, options: Options[V], **more: Any) -> tuple[V, ...]:
    """Any number of the options."""
    values, titles, chosen = list(options), titles_of(options), list(key.default)
    more |= {"selection_mode": "multi", "format_func": titles, "default": chosen}
    return tuple(st.pills(label, values, **more, **state.bound(key)))


def radio(key: Key[V | None], label: str, options: Options[V], **more: Any) -> V | None:
    """Nothing is chosen at first. The options may be words that somebody typed: they are shown as written."""
    values, titles = list(options), titles_of(options)
    if state.get(key) not in values:
        state.put(key, None)
    more |= {"label_visibility": "collapsed", "format_func": lambda value: as_written(titles(value))}
    return st.radio(label, values, index=None, **more, **state.bound(key))


def view(key: Key[str], label: str, names: Sequence[str] | Mapping[str, Any], room: int = ROOM) -> str:
    """Which part of the page to show; what is not chosen is not computed."""
    return segmented_control(key, label, tuple(names), room=room, label_visibility="collapsed")


# ---- texts -------------------------------------------------------------------------------------------


def text_input(key: Key[str], label: str, *, at: Place = None, **more: Any) -> str:
    with _in(at):
        return st.text_input(label, key.default, **more, **state.bound(key)) or ""


def text_area(key: Key[str], label: str, **more: Any) -> str:
    """The text as typed. Says so where it is too long for the address, if it is to stand there."""
    text = st.text_area(label, key.default, **more, **state.bound(key)) or ""
    if key.url and not state.fits_link(key):
        st.caption(TOO_LONG)
    return text


def _in(place: Place) -> AbstractContextManager[object]:
    return place if place is not None else nullcontext()


def mend(key: Key[V], options: Options[V]) -> list[V]:
    """The options, one of which is chosen from now on."""
    values = list(options)
    if state.get(key) not in values:
        state.put(key, key.default if key.default in values else values[0])
    return values


def titles_of(options: Options[V]) -> Callable[[V], str]:
    if not isinstance(options, Mapping):
        return str
    return lambda value: title if isinstance(title := options[value], str) else title.title
