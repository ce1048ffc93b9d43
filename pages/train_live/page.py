"""Train live: one screen on which map, pairs, scores and an explanation move because the model does."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.types import InputError
from pages.train_live import beside, files, keys, map, setup
from pages.train_live.panels import PANELS, WIDE
from ui import state, training_data, widgets
from ui.runs import live_run

st.set_page_config(initial_sidebar_state="collapsed")
setup.open_set()
state.open_link(*training_data.TEXTS)
training_data.take_marked()
run = live_run.current_run()
# Before all else that the address says: a change of these is a new entry of the browser's history, and what
# was written before it would stand in the entry that is left.
state.write_address(state.SET)
state.write_address(state.RUN_ID)
present = state.get(keys.PRESENT)

bar = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
said, screen = st.container(), st.container()
with screen:
    if present:
        picture, side = st.columns([0.56, 0.44], gap="small")
    else:
        written, picture, side = st.columns([0.21, 0.44, 0.35], gap="small")

with bar:
    if not present:
        setup.choose_set()
    go, others = st.container(width="content"), st.container(horizontal=True, gap="xsmall", width="content")
    line = st.container() if present else said  # a projector has little room below the buttons
    if not present:
        settings = st.popover("Settings", icon=":material/settings:")
        view = st.popover("View", icon=":material/visibility:")
    widgets.toggle(keys.PRESENT, "Present", help="For a projector: large type, no text box.")


def draw_inputs() -> DeltaGenerator:
    """All that decides what is trained. Returns the place of the line below the text box."""
    with settings:
        setup.settings()
    with view:
        map.view_settings()
    with written:
        setup.edit_sentences()
        below = st.container()
        with st.container(horizontal=True, gap="small"):
            with widgets.popover(keys.PAIRS_OPEN, "Pairs", "link", width="stretch"):
                setup.edit_pairs()
                files.pair_file()
            with widgets.popover(keys.FILE_OPEN, "File", "upload_file", width="stretch"):
                files.sentence_file()
    files.look()
    return below


# While a run moves, nothing that is drawn here changes it, and where thirty learners press Train at once each
# of them sees it move sooner if all this comes after it.
moves = run is not None and run.is_active
counted = None if moves or present else draw_inputs()
config = state.config()
data = None
try:
    data = training_data.current()
    problem = data.error
except InputError as error:
    problem = str(error)
reading = map.read(data, config)
base = map.known(reading)
data = map.with_unread(data, config)

live_run.controls(data, config, run, go, others, rewinds=not present)
with said:  # why there are no sentences stands beside the text
    live_run.tell(run, problem if present or data is not None else None)
with line:
    live_run.progress(run)
with picture:
    map.draw(data, run, reading, base)
with side:
    if data is not None and base is not None:
        beside.panel(data, run, base)
if moves and not present:
    counted = draw_inputs()
if counted is not None:
    with counted:
        if data is not None:
            st.caption(map.counts(data))
        map.tell(data, problem)

if not present:
    panel = widgets.segmented_control(keys.PANEL, "More", tuple(PANELS), room=WIDE)
    if data is not None and base is not None:
        if run is not None and run.is_active:
            st.button(f"Drawn at step {run.step}: look again", key="look", icon=":material/refresh:")
        PANELS[panel](data, run, base)
    if not state.write_link(*training_data.TEXTS):
        st.caption(
            "The typed text is too long to travel in the address of this page; the settings do. Download the "
            "map as a table to share the sentences."
        )
