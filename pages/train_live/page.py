"""Train live: a sentence set, one button, and a map that moves because the model does."""

from __future__ import annotations

import streamlit as st

from core.types import InputError
from pages.train_live import keys, map, setup
from pages.train_live.panels import PANELS, summary
from ui import experiment as exp
from ui import live_run, state
from ui.cards import side_panel

state.open_link(*exp.TEXTS)
setup.open_set()
exp.take_marked()

st.title("Train live", anchor=False)
st.markdown(
    "Every point is a sentence, placed by a real model on this machine. Pairs say what belongs together. "
    "Press **Train** and the model learns from them, step by step; the points move because it does."
)
choose, act = st.columns([0.42, 0.58], gap="medium", vertical_alignment="top")
picture, side = st.columns([0.72, 0.28], gap="medium")
with picture:
    pictured, texts, below = st.container(), st.container(), st.container()

# Everything that decides what is trained is drawn first, whatever its place on the page.
with choose:
    setup.choose_set()
with side:
    results = st.container()
    st.subheader("Settings", anchor=False)
    setup.settings()
    side_panel.show("train")
with texts:
    with st.expander("Sentences", icon=":material/notes:"):
        setup.edit_sentences()
    with st.expander("Pairs", icon=":material/link:"):
        setup.edit_pairs()

config = state.config()
run = live_run.current_run()
try:
    experiment = exp.current()
    problem = experiment.error
except InputError as error:
    experiment, problem = None, str(error)
base = map.base_embeddings(experiment, config)

with act:
    live_run.controls(experiment, config, run)
    live_run.tell(run, problem)
with pictured:
    map.show(experiment, run, base)
if run is not None:
    with results:
        summary(run)
with texts:
    map.tell(experiment, problem)
with below:
    panel = st.segmented_control(
        "What the model does", list(PANELS), required=True, label_visibility="collapsed",
        default=keys.PANEL.default, **state.bound(keys.PANEL),
    )  # fmt: skip
    if experiment is not None and base is not None:
        if run is not None and run.is_active:
            st.button(f"Drawn at step {run.step}: look again", key="look", icon=":material/refresh:")
        PANELS[panel](experiment, run, base)

if not state.write_link(*exp.TEXTS):
    st.caption(
        "The typed text is too long to travel in the address of this page; the settings do. Download the "
        "map as a table to share the sentences."
    )
