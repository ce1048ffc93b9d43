"""Keys belong to the card: a tiny component that takes the keyboard back from decks, modes and switches.

After a click there the browser's focus stays where it was clicked, and Space would choose it again instead
of flipping the card. Everything else about keys is Streamlit's own `shortcut=`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

_SCRIPT = """
export default function () {
  const focused = document.activeElement;
  const rows = "[data-testid=stButtonGroup], [data-testid=stCheckbox], [data-testid=stSelectbox]";
  if (focused && focused.closest(rows)) focused.blur();
}
"""


@cache
def _component() -> Any:
    return st.components.v2.component("embedding-lab.study-keys", js=_SCRIPT)


def belong_to_card(trial: str) -> None:
    """Take the focus off decks, modes and switches whenever `trial` changes; text fields keep it."""
    _component()(key="study_keys", data={"trial": trial})
