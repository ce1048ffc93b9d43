"""The way to start the app: `streamlit run server.py`. Its workers warm up before the first visitor comes,
and what changes during a run is pushed to the pages.

app.py alone works too; the workers then start with the first visitor, and pages ask once a second.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from ui.resources import executor
from ui.runs import push

# Streamlit takes a folder named pages/ for its older way of making pages until the first visitor's script
# has run; that visitor's link to a page would then be refused as unknown.
PagesManager.uses_pages_directory = False


@asynccontextmanager
async def life(_: st.App) -> AsyncIterator[dict[str, Any]]:
    engine = executor()
    with push.mounted():
        yield {}
    engine.close()


app = st.App(Path(__file__).with_name("app.py"), routes=[push.route()], lifespan=life)
