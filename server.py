"""The way to start the app: `streamlit run server.py`. Its workers warm up before the first visitor comes,
and what changes during a run is pushed to the pages, and a cookie tells who comes back.

app.py alone works too; the workers then start with the first visitor, pages ask once a second, and what is
done in a tab is forgotten when that is loaded again.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from core.data.folders import remove_own_folder
from core.models import device
from core.runs.channel import meanwhile
from core.runs.executor import LocalExecutor
from core.runs.machine import keep_little_memory
from core.storage import bell
from core.storage.database import several_servers
from core.types import InputError
from ui import visits
from ui.guard import downloads, health, outside
from ui.guard.headers import Headers
from ui.guard.password import Password
from ui.guard.uploads import Uploads
from ui.learner import database
from ui.resources import executor
from ui.runs import push
from ui.visits import entrance

# Streamlit takes a folder named pages/ for its older way of making pages until the first visitor's script
# has run; that visitor's link to a page would then be refused as unknown.
PagesManager.uses_pages_directory = False
keep_little_memory()
outside.ask_nobody()
downloads.stay()


def start() -> LocalExecutor:
    """The executor, and a shared database where there is one. A setting that cannot be used ends the server
    with one sentence; uvicorn would print the traceback of whatever is raised here."""
    setting = "DATABASE_URL: "
    try:
        if several_servers():
            visits.share(database())
        setting = ""
        engine = executor()
        if os.environ.get(device.SETTING, "auto") not in ("", "auto", "cpu"):
            engine.call(device.check).result()
        return engine
    except InputError as problem:
        print(f"{setting}{problem}", file=sys.stderr, flush=True)
        remove_own_folder()
        os._exit(1)


@asynccontextmanager
async def life(_: st.App) -> AsyncIterator[dict[str, Any]]:
    if said := outside.who_can_reach():
        print(said, flush=True)
    engine = start()
    gc.collect()
    gc.freeze()  # modules stay: Python's collector need not look at them, and so comes to the rest sooner
    async with AsyncExitStack() as stack:
        if several_servers():
            await stack.enter_async_context(meanwhile(bell.listen(database(), push.room_hub().changed)))
        with push.mounted():
            yield {}
    engine.close()
    remove_own_folder()


guards = [Middleware(guard) for guard in (Headers, Password, Uploads)]  # the first one sees a request first
routes = [push.route(), *health.routes(), *entrance.routes()]
app = st.App(Path(__file__).with_name("app.py"), routes=routes, middleware=guards, lifespan=life)
