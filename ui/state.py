"""Reads and writes the keys of ui/keys.py: the only file that touches session state or the address.

Keys with `url` stand in the query string, so a link reopens the page as it was;
texts too long for a link travel in one packed parameter (`pack` and `unpack` below).
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.types import InputError, TrainingConfig
from core.untrusted import door, json_value, whole
from ui import visits
from ui.keys import *  # noqa: F403 (pages say state.SET, state.get(...))
from ui.keys import CONFIG, Key, T

PACKED = "data"  # the query parameter that carries typed text
LONGEST_LINK = 6000  # characters of packed text; browsers and proxies refuse much longer addresses
READABLE = 1500  # characters of percent-encoded text in a parameter of its own; longer ones are packed
MAX_UNPACKED = 1_000_000  # bytes: a tiny word may not become a huge text
MAX_PACKED_TEXTS = 100
MARK = "~"  # begins a parameter whose text is packed, or names one that is kept for this visitor
KEPT_TEXTS = 5  # of those that are too long for a link, for each visitor


def get(key: Key[T]) -> T:
    """The value now, also before the widget that owns it has been drawn."""
    if key.url:
        _adopt(key)
    visit = visits.remembered() if key.visit else None
    value: T
    if visit is not None:
        value = visit.get(key.name, key.default, key.kind)
    else:
        value = st.session_state.get(key.name, key.default)
    return value


def put(key: Key[T], value: T) -> None:
    """Set a value. For a key that a drawn widget owns, only from that widget's callback or before it."""
    visit = visits.remembered() if key.visit else None
    if visit is not None:
        visit.put(key.name, value, key.kind)
    else:
        st.session_state[key.name] = value


def clear(key: Key[Any]) -> None:
    st.session_state.pop(key.name, None)


def setter(key: Key[T], value: T) -> Callable[[], None]:
    """For on_click: a callback that puts `value`."""
    return lambda: put(key, value)


def bound(key: Key[Any]) -> dict[str, Any]:
    """Keyword arguments that tie a widget to `key`: kept for the whole session, and in the URL.

    Streamlit's own tie to the address forgets a number once its page is left, and writes the label of a
    choice into links; so values stand there as we write them.
    """
    if key.url:
        write_address(key)
    return {"key": key.name, "persist_state": "session"}


def _adopt(key: Key[Any]) -> str | None:
    """Take the address's value where we did not write it ourselves. Returns what the address says."""
    _on_this_page()[key.name] = key
    written: dict[str, str] = st.session_state.setdefault("_written", {})
    given: str | None = st.query_params.get(key.name)
    if given is not None and given != written.get(key.name):
        written[key.name] = given
        try:
            put(key, _read(key, given))
        except (ValueError, OverflowError):  # the latter: a whole number of hundreds of digits
            put(key, key.default)
    return given


def _on_this_page() -> dict[str, Key[Any]]:
    """The keys of the address that the page has asked for so far, by name."""
    context = get_script_run_ctx()
    pages: dict[str, dict[str, Key[Any]]] = st.session_state.setdefault("_keys_of_pages", {})
    return pages.setdefault("" if context is None else context.page_script_hash, {})


def went_back() -> bool:
    """Whether the script runs because somebody pressed Back or Forward: the address then says where to be."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def follow_address() -> None:
    """After Back or Forward the page is what its address says: what that leaves out has its default again.
    At all other times that keeps the value it has. To be called before anything is drawn."""
    if went_back():
        for key in _on_this_page().values():
            st.session_state.get("_written", {}).pop(key.name, None)
            if not in_link(key):
                put(key, key.default)


def write_address(key: Key[Any]) -> None:
    """Write the value into the address, where defaults stay out of it."""
    given, value = _adopt(key), get(key)
    written: dict[str, str] = st.session_state["_written"]
    word = "" if value is None else _write(value)
    if value is None or word == _write(key.default) or len(word) > LONGEST_LINK:
        written.pop(key.name, None)
        if given is not None:
            del st.query_params[key.name]
    elif given != word:
        written[key.name] = st.query_params[key.name] = word


def fits_link(key: Key[str]) -> bool:
    """Whether the text is short enough for the address. One that is not stays on the page only."""
    return len(_write(get(key))) <= LONGEST_LINK


def _write(value: Any) -> str:
    """A value as it stands in the address."""
    if isinstance(value, str) and (value.startswith(MARK) or len(quote(value)) > READABLE):
        return MARK + pack({"": value})
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(value) if isinstance(value, tuple | list) else str(value)


def _read(key: Key[Any], given: str) -> Any:
    """The reverse of _write. Raises ValueError for what this key cannot hold: addresses say anything."""
    if key.default is None or isinstance(key.default, str):
        text = unpack(given[1:]).get("") if given.startswith(MARK) else given
        if text is None:
            raise ValueError(given)
        return text
    if isinstance(key.default, bool):
        return {"true": True, "false": False}.get(given.lower(), key.default)
    if isinstance(key.default, tuple):
        return tuple(given.split())
    number = type(key.default)(given)
    too_low = key.low is not None and number < key.low
    too_high = key.high is not None and number > key.high
    if too_low or too_high or not math.isfinite(number):
        raise ValueError(given)
    return number


def config() -> TrainingConfig:
    """The training settings as they stand on the page."""
    return TrainingConfig.from_mapping({field: get(key) for field, key in CONFIG.items()})


def pack(values: dict[str, str]) -> str:
    """Texts -> one URL-safe word."""
    raw = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


def unpack(word: str) -> dict[str, str]:
    """The reverse of pack; an unreadable word gives no texts at all."""
    try:
        with door("The packed text of a link cannot be read."):
            raw = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
            limited = zlib.decompressobj().decompress(raw, MAX_UNPACKED)
            values = json_value(limited.decode(), "The packed text of a link", MAX_PACKED_TEXTS)
    except InputError:
        return {}
    texts = values.items() if isinstance(values, dict) else ()
    return {whole(name): whole(text) for name, text in texts if isinstance(text, str)}


def in_link(key: Key[Any]) -> bool:
    """Whether the address names a value for this key."""
    return key.name in st.query_params


def link_value(key: Key[str]) -> str:
    """What the address says for a key that no widget is bound to, "" without it."""
    return st.query_params.get(key.name, "")


def put_in_link(key: Key[str], value: str) -> None:
    """Let the address carry a value that no widget is bound to; "" takes it out."""
    if value and link_value(key) != value:
        st.query_params[key.name] = value
    elif not value and key.name in st.query_params:
        del st.query_params[key.name]


def once(name: str) -> bool:
    """True the first time in a session, then never again."""
    first = f"_once {name}" not in st.session_state
    st.session_state[f"_once {name}"] = True
    return first


def open_link(*keys: Key[str]) -> bool:
    """First run of a session, or Back: take the texts that the link carries. True when there were some."""
    if not (once("link") or went_back()) or PACKED not in st.query_params:
        return False
    word = st.query_params[PACKED]
    texts = unpack(_kept_texts().get(word, "") if word.startswith(MARK) else word)
    for key in keys:
        if key.name in texts:
            put(key, texts[key.name])
    return bool(texts)


def write_link(*keys: Key[str]) -> bool:
    """Put the texts into the link; none where they are too long for one: half of them would mislead.

    For whoever wrote them the link then names them, so that a reload finds them all the same.
    """
    texts = {key.name: get(key) for key in keys if get(key)}
    word = pack(texts) if texts else ""
    fits = len(word) <= LONGEST_LINK
    if not fits:
        word = _keep_text(word)
    if word:
        st.query_params[PACKED] = word
    elif PACKED in st.query_params:
        del st.query_params[PACKED]
    return fits


_TEXTS = Key[tuple[tuple[str, str], ...]]("_texts", (), visit=True, kind=tuple[tuple[str, str], ...])


def _kept_texts() -> dict[str, str]:
    """Name -> packed texts too long for a link, of this visitor."""
    kept: tuple[tuple[str, str], ...] = get(_TEXTS)
    return dict(kept)


def _keep_text(word: str) -> str:
    """What the link says instead of a long word: its name; nothing where it would not be found again."""
    if visits.remembered() is None:
        return ""
    name, kept = MARK + hashlib.sha256(word.encode()).hexdigest()[:16], _kept_texts()
    kept[name] = kept.pop(name, word)  # the newest last
    put(_TEXTS, tuple(kept.items())[-KEPT_TEXTS:])
    return name


def browser_clock() -> dict[str, Any]:
    """The reader's time zone by name, and the minutes that their clock is ahead of UTC now; "" and 0 where
    the browser does not say."""
    return {"time_zone": st.context.timezone or "", "utc_offset": -int(st.context.timezone_offset or 0)}


def widget_value(name: str) -> Any:
    """What the widget of this name holds now: a file, a text, a selection; None without one."""
    return st.session_state.get(name)
