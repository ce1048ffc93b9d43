"""What several pages ask for in the same way: a set of sentences, one's own text, a base model, a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.data import sentence_sets
from core.data.sentence_sets import BuiltInSet
from core.data.sentences import parse_sentences
from core.types import SentenceSet
from ui import kit, messages, state, widgets
from ui.state import Key

OWN = "own"  # the value of a key that means: what stands in the text area


def sentence_set(
    key: Key[str],
    label: str = "Sentences",
    *,
    only: Callable[[BuiltInSet], bool] = lambda _: True,
    others: Mapping[str, str] | None = None,
    **more: Any,
) -> str:
    """A built-in set, or one's own sentences (`OWN`). `others` are further values with their titles."""
    titles = {info.key: info.title for info in sentence_sets.list_sets() if only(info)}
    return widgets.selectbox(key, label, titles | {OWN: "My own sentences"} | dict(others or {}), **more)


def own_text(key: Key[str], label: str, example: str, **more: Any) -> str:
    """One's own text. An example stands there at first; emptied by hand the field stays empty."""
    if not state.get(key) and state.once(key.name):
        state.put(key, example)
    return widgets.text_area(key, label, **more)


def own_sentences(text: str, read_by: str | None = None) -> SentenceSet:
    """What somebody typed, one sentence a line; what was noticed in it is said, and what of it the model
    `read_by` does not read, where no kit.embedded says so. Raises InputError as parse_sentences does."""
    parsed = parse_sentences(text)
    messages.notices(parsed.notices, "Sentences")
    if read_by is not None:
        kit.tell_unread(parsed.sentence_set.texts, read_by)
    return parsed.sentence_set


def base_model(key: Key[str], seed: Key[int]) -> tuple[str, int]:
    """A base model, and the seed of its weights where they are random."""
    from core.models import registry

    rows = registry.available()
    left, right = st.columns([0.7, 0.3], vertical_alignment="bottom")
    chosen = widgets.selectbox(key, "Model", rows, at=left)
    random = rows[chosen].random
    return chosen, widgets.number_input(seed, "Seed of the weights", at=right) if random else 0


def numbered(key: Key[int], label: str, texts: Sequence[str]) -> int:
    """The row of one of some texts; the key, and so the address, counts them from 1."""
    return widgets.selectbox(key, label, {i: f"{i}. {text}" for i, text in enumerate(texts, 1)}) - 1
