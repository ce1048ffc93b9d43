"""Votes as bars, both rounds side by side, and how many went from which answer to which; and large type."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import streamlit as st

from core.classroom.activities import PredictActivity
from core.classroom.stage import Staged, Tally

Size = Literal["phone", "screen"]
_JS = """
const el = (tag, className, textContent = "") =>
  Object.assign(document.createElement(tag), { className, textContent });

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".bars");
  const { labels, rounds, outcome, mine, size } = data;
  root.className = `bars ${size}`;
  const most = Math.max(1, ...rounds.flat());
  const rows = labels.map((label, i) => {
    const row = el("div", i === outcome ? "row outcome" : "row");
    const name = el("p", "name", label);
    if (i === outcome) name.append(el("span", "tag", "came out"));
    if (i === mine) name.append(el("span", "tag mine", "yours"));
    const counts = el("div", "counts");
    rounds.forEach((counted, round) => {
      const count = el("div", "count");
      const bar = el("div", "bar");
      bar.style.width = `${(80 * counted[i]) / most}%`;
      count.append(bar, el("b", "", String(counted[i])));
      count.setAttribute("aria-label", `${label}: ${counted[i]} in round ${round + 1}`);
      counts.append(count);
    });
    row.append(name, counts);
    return row;
  });
  const head = el("div", "counts head");
  if (rounds.length > 1) head.append(el("p", "", "First round"), el("p", "", "Second round"));
  root.replaceChildren(head, ...rows);
}
"""
_CSS = """
.bars { color: var(--st-text-color); font-family: var(--st-font); display: grid; gap: 0.6em; }
.bars.screen { font-size: clamp(15px, 2.1vw, 30px); gap: 0.45em; }
.bars p { margin: 0; overflow-wrap: anywhere; }
.counts { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 1em; }
.head { font-size: 0.85em; opacity: 0.75; }
.count { display: flex; align-items: center; gap: 0.4em; min-width: 0; }
.bar { height: 0.9em; border-radius: 3px; background: var(--st-primary-color); }
.outcome .name { font-weight: 650; }
.tag { margin-left: 0.6em; padding: 0 0.5em; border-radius: 1em; font-size: 0.75em; font-weight: 600;
       border: 1.5px solid currentcolor; white-space: nowrap; }
"""
_TYPE_JS = """
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".large");
  root.className = `large ${data.kind}`;
  root.textContent = data.text;
}
"""
_TYPE_CSS = """
.large { margin: 0; color: var(--st-text-color); font-family: var(--st-font); line-height: 1.2;
         overflow-wrap: anywhere; white-space: pre-line; }
.large.title { font-weight: 650; font-size: clamp(22px, 3.4vw, 54px); }
.large.text { font-size: clamp(15px, 2vw, 30px); }
.large.code { font-weight: 700; font-size: clamp(44px, 9vw, 140px); letter-spacing: 0.12em; }
"""


@cache
def _bars() -> Any:
    html = '<div class="bars" data-testid="class-bars"></div>'
    return st.components.v2.component("embedding-lab.class-bars", html=html, css=_CSS, js=_JS)


@cache
def _large() -> Any:
    html = '<p class="large" data-testid="class-large"></p>'
    return st.components.v2.component("embedding-lab.class-large", html=html, css=_TYPE_CSS, js=_TYPE_JS)


def large(key: str, text: str, kind: Literal["title", "text", "code"] = "title") -> None:
    """Text for a projector, exactly as written."""
    _large()(key=key, data={"text": text, "kind": kind})


def bars(key: str, found: Tally, outcome: int | None, size: Size, mine: int | None = None) -> None:
    """The tally; `outcome` and `mine` are places among its labels."""
    data = {"labels": list(found.labels), "rounds": found.bars.tolist(), "outcome": outcome}
    _bars()(key=key, data=data | {"mine": mine, "size": size})


def outcome_of(staged: Staged) -> int | None:
    """Which bar is what came out."""
    if not isinstance(staged.content, PredictActivity) or staged.outcome is None:
        return None
    return staged.content.place(float(staged.outcome))


def who_changed(found: Tally) -> str | None:
    """In words, None after one round."""
    changed, of = found.changed
    return f"{changed} of {of} changed their answer." if of else None


def changes(found: Tally) -> dict[str, list[Any]]:
    """The matrix as a table: from each answer of the first round to those of the second."""
    assert found.changes is not None
    columns: dict[str, list[Any]] = {"first round": list(found.labels)}
    for j, label in enumerate(found.labels):
        columns[f"then: {label}"] = found.changes[:, j].tolist()
    return columns
