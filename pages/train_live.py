"""Train live: a sentence set, one button, and a map that moves because the model does."""

from __future__ import annotations

import streamlit as st

from core.types import InputError
from ui import experiment as exp
from ui import live_map, live_run, setup, state
from ui.panels import PANELS

state.open_link(state.TEXT, state.PAIR_TEXT)
setup.open_set()

st.title("Train live")
st.markdown(
    "Every point is a sentence, placed by a real model on this machine. Pairs say what belongs together. "
    "Press **Train** and the model learns from them, step by step; the points move because it does."
)

config = state.config()
run = live_run.current_run()
try:
    experiment = exp.current()
    problem = experiment.error
except InputError as error:
    experiment, problem = None, str(error)

choose, act = st.columns([0.42, 0.58], gap="medium", vertical_alignment="top")
with choose:
    setup.choose_set()
with act:
    live_run.controls(experiment, config, run)
    if problem:
        st.warning(problem, icon=":material/info:")
    if message := state.get(state.MESSAGE):
        st.warning(message, icon=":material/info:")
        state.put(state.MESSAGE, None)

base = live_map.base_embeddings(experiment, config)
picture, side = st.columns([0.72, 0.28], gap="medium")
with picture:
    live_map.show(experiment, run, base)
with side:
    st.subheader("Settings", anchor=False)
    setup.settings()

with st.expander("Sentences", icon=":material/notes:"):
    setup.edit_sentences()
with st.expander("Pairs", icon=":material/link:"):
    setup.edit_pairs(experiment, live_map.newest(experiment, run, base))
live_map.tell(experiment)

panel = st.segmented_control(
    "What the model does", list(PANELS), required=True, label_visibility="collapsed",
    default=state.PANEL.default, **state.bound(state.PANEL),
)  # fmt: skip
if experiment is not None and base is not None:
    live_run.ticking(run, lambda now: PANELS[state.get(state.PANEL)](experiment, now, base))

if not state.write_link(state.TEXT, state.PAIR_TEXT):
    st.caption(
        "The typed text is too long to travel in a link. The settings do; download the text to share it."
    )
