"""The entry point: page settings, navigation, the chosen page. The rest is in pages/, ui/ and core/."""

from __future__ import annotations

import os

import streamlit as st

from core.types import InputError
from ui import messages, pages, state
from ui.guard import uploads

LOGO = str(pages.ROOT / "assets" / "logo.svg")
st.set_page_config(page_title="Embedding Lab", page_icon=LOGO, layout="wide")
st.logo(LOGO, size="large")

page = st.navigation(pages.navigation())
state.follow_address()
messages.left_in(state.PROBLEM)
try:
    page.run()
except InputError as problem:  # such as a disk that took nothing: the app goes on
    messages.warning(str(problem))
uploads.page_is_drawn()

# Only after the page is drawn: the worker processes load the models while the reader reads.
if os.environ.get("EMBEDDING_LAB_WARM_UP", "1") != "0":
    from ui import resources

    resources.executor()
