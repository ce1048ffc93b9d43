"""Answers to tap: as high as a thumb needs them, the chosen one marked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import streamlit as st

from ui import messages, state

_HTML = '<div class="choices" role="radiogroup" data-testid="class-choices"></div>'
_CSS = """
.choices { display: grid; gap: 10px; font-family: var(--st-font); }
button { min-height: 56px; padding: 10px 16px; border: 1.5px solid var(--st-border-color); border-radius: 8px;
         background: var(--st-secondary-background-color); color: var(--st-text-color); font: inherit;
         font-size: 1.05rem; line-height: 1.3; text-align: left; overflow-wrap: anywhere; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
button[aria-checked=true] { background: var(--st-primary-color); border-color: var(--st-primary-color);
                            color: #fff; font-weight: 600; }
"""
_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".choices");
  root.setAttribute("aria-label", data.label);
  root.replaceChildren(
    ...data.options.map((text, i) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: text });
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(i === data.chosen));
      button.onclick = () => {
        [...root.children].forEach((one) => one.setAttribute("aria-checked", String(one === button)));
        setTriggerValue("picked", i);
      };
      return button;
    }),
  );
}
"""


@cache
def _component() -> Any:
    return st.components.v2.component("embedding-lab.class-choices", html=_HTML, css=_CSS, js=_JS)


def choices(
    key: str, label: str, options: Sequence[str], chosen: int | None, act: Callable[[int], object]
) -> None:
    """One of the options; a tap calls `act` with its place before the page is drawn again."""
    data = {"label": label, "options": list(options), "chosen": chosen}
    _component()(key=key, data=data, on_picked_change=partial(_take, key, len(options), act))


def _take(key: str, count: int, act: Callable[[int], object]) -> None:
    picked = getattr(state.widget_value(key), "picked", None)
    if isinstance(picked, int) and 0 <= picked < count:
        messages.refusals_kept(act, picked)
