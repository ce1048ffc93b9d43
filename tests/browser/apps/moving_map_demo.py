"""A small app around the moving map for the browser tests and for looking at it: points that really move.

The positions come from a clock-driven rotation, no model; query parameters choose what is shown:
n, dims, color_by, trails, forces, ghost, replay, labels, tick (seconds, 0 for none), still.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from core.types import Forces, Sentence, SentenceSet
from ui.boards.moving_map import board, feed

GROUPS = ("Card lost", "Balance", "Transfer", "Exchange rate", "Opening hours")
TEXTS = (
    "I lost my card somewhere in town",
    "How much money is left on my account?",
    "Send twenty euros to my sister",
    "What do you give me for a hundred dollars?",
    "Are you open on Saturdays?",
    "My card was stolen on the train",
    "Show me my balance, please",
    "The transfer has not arrived yet",
    "Is there a fee for changing yen?",
    "When does the branch at the station close?",
)
SPECIAL = (
    "<b>bold?</b> & <img src=x onerror=alert(1)>",
    "איבדתי את הכרטיס שלי אתמול",
    "فقدت بطاقتي المصرفية",
    "カードをなくしました 🙈",
)


def option(name: str, default: str) -> str:
    return st.query_params.get(name, default)


@st.cache_data
def sentences(n: int, tag: str) -> SentenceSet:
    rows = [Sentence(f"s{i}{tag}", text, GROUPS[i % 5]) for i, text in enumerate(SPECIAL)]
    for i in range(len(SPECIAL), n):
        again = "" if i < 14 else f" ({i})"
        rows.append(Sentence(f"s{i}", TEXTS[i % 10] + again, GROUPS[i % 5]))
    return SentenceSet(tuple(rows[:n]))


def layout(n: int, dims: int, t: float) -> np.ndarray:
    """Five clouds that tighten and turn as time passes."""
    random = np.random.default_rng(3)
    group = np.arange(n) % 5
    centre = (
        np.stack([np.cos(group * 1.257 + t / 3), np.sin(group * 1.257 + t / 3), np.sin(group * 2.0)], 1) * 3
    )
    spread = random.normal(size=(n, 3)) * (1.4 + 0.9 * np.cos(t / 2))
    return (centre + spread)[:, :dims].astype(np.float32)


st.set_page_config(layout="wide", page_title="Moving map")
n, dims, tick = int(option("n", "40")), int(option("dims", "2")), float(option("tick", "0.1"))
started = st.session_state.setdefault("started", time.time())
tag = "x" if st.session_state.get("other") else ""
half = bool(st.session_state.get("half"))
n = n // 2 if half else n
sentence_set = sentences(n, tag)


def now() -> float:
    return 0.0 if option("still", "") else time.time() - started


def step_of(t: float) -> int:
    return int(t * 10)


xy = layout(n, dims, now())
distance = np.linalg.norm(xy[:, None] - xy[None], axis=-1) if n <= 200 else None
neighbours = None if distance is None else np.argsort(distance, axis=1)[:, 1:6]
random = np.random.default_rng(5)
forces = None
if option("forces", ""):
    forces = Forces(random.integers(0, n, (14, 2)), random.normal(size=14).astype(np.float32))
frames = steps = None
if option("replay", "") or half:
    steps = list(range(0, 60))
    frames = np.stack([layout(n, dims, s / 10) for s in steps])
color_by = option("color_by", "group")
values = random.random(n) if color_by == "trust" else None

if half:  # a frame that is there before the board has so many points
    feed(key="hasty", board_key="map", xy=xy, step=0)
result = board(
    key="map",
    sentence_set=sentence_set,
    xy=xy,
    step=step_of(now()),
    space="demo",  # the feed names none: its frames belong to the board's
    color_by=color_by,  # type: ignore[arg-type]
    values=values,
    labels=option("labels", "1") == "1",
    trails=bool(option("trails", "")),
    neighbours=neighbours,
    forces=forces,
    height=int(option("height", "520")),
    ghost=layout(n, dims, now() - 3) if option("ghost", "") else None,
    frames=frames,
    steps=steps,
)

if result.action:
    st.session_state.marked = f"{result.action.kind}: {', '.join(result.action.ids)}"
st.markdown(f"selected: `{' '.join(result.selected) or 'nothing'}`")
st.markdown(f"marked: `{st.session_state.get('marked', 'nothing')}`")
st.button("Rerun")
st.checkbox("Other sentences", key="other")
st.checkbox("Replay half of them", key="half")


@st.fragment(run_every=tick or None)
def ticking() -> None:
    t = now()
    feed(key="feed", board_key="map", xy=layout(n, dims, t), step=step_of(t))


if tick and frames is None:
    ticking()
