"""What a collection waits for: its vectors, as a run with the time left, then the indexes of both kinds."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

import streamlit as st

from core.models import registry
from core.retrieval import embedding_run, vector_index
from core.retrieval.collection import TextCollection
from core.retrieval.embedding_run import Embedding
from core.retrieval.vector_index import IndexReport
from core.runs.messages import duration, waiting_line
from core.types import InputError, RunStatus, TaskRun
from ui import messages, state, widgets
from ui.collections import BUILD
from ui.resources import executor, session_is_open
from ui.state import Key
from ui.widgets import button

LOOK = 1.0  # seconds between two looks

_lock = threading.Lock()  # script threads of several sessions come here at once
_runs: dict[Embedding, str] = {}  # the run that embeds it
_building: dict[Embedding, Future[IndexReport]] = {}


def model(key: Key[str], room: int = widgets.ROOM) -> str:
    """Which model embeds the texts; `room` as of a segmented control."""
    names = {name: registry.BASE_MODELS[name].title for name in ("minilm-l6", "static")}
    help_ = "MiniLM understands more; static word vectors are some ten times as quick."
    return widgets.segmented_control(key, "Model", names, room=room, help=help_)


def embedded(found: TextCollection, base_model: str) -> bool:
    """Whether every text has its vector; until then there is progress on the page."""
    task = Embedding(found.folder, base_model)
    notices = embedding_run.embedded(task, found.count)
    if notices is None:
        _embed(task)
        return False
    messages.notices(notices, "Texts")
    return True


def index(found: TextCollection, base_model: str) -> IndexReport | None:
    """What the index of its vectors is and misses; until that is known None, with progress on the page."""
    if not embedded(found, base_model):
        return None
    task = Embedding(found.folder, base_model)
    report = vector_index.known(found.folder, base_model)
    if report is not None:
        return report
    with _lock:
        future = _building.get(task)
        if future is None:
            args = (found.folder, base_model, vector_index.EXACT_UP_TO)
            future = _building[task] = executor().call(vector_index.build, *args, lane=BUILD)
        if future.done():  # and yet not known: it failed, or its files are gone; the next look begins anew
            del _building[task]
            future.result()
    began = time.monotonic()

    def look() -> None:
        if future.done():
            st.rerun()
        seconds = time.monotonic() - began
        st.caption(f"Building the index of {found.count:,} texts, {duration(seconds)} so far")

    st.fragment(look, run_every=LOOK)()
    return None


def _embed(task: Embedding) -> None:
    """Progress with the time left, Stop and Go on. It goes on while the page is left, for everybody who
    brought these texts."""
    run = _run(task)
    ticking = run.is_active

    def look() -> None:
        now = _run(task)
        st.progress(now.step / max(1, now.steps), text=_line(now))
        if ticking and not now.is_active:
            st.rerun()

    st.fragment(look, run_every=LOOK if ticking else None)()
    messages.error(run.error)
    if ticking:
        button("Stop", executor().pause, run.id, key="own_stop", icon="stop")
    else:
        button("Go on", executor().resume, run.id, key="own_stop", icon="play_arrow")


def _run(task: Embedding) -> TaskRun[embedding_run.Embedded]:
    """The run that embeds it, begun where there is none, or its files had to make room and came back."""
    with _lock:
        known = _runs.get(task)
        try:
            run = executor().task_run(known or "")
        except InputError:
            run = None
        if run is None or (run.status is RunStatus.FINISHED and embedding_run.progress(task) is None):
            run_id = _runs[task] = executor().start(task, session_is_open())
            state.once(f"run {run_id}")
            return executor().task_run(run_id)
    if state.once(f"run {run.id}"):
        executor().renew(run.id, session_is_open())
        if run.status is RunStatus.STOPPED:  # because nobody watched; who presses Stop has it paused
            executor().resume(run.id)
            return executor().task_run(run.id)
    return run


def _line(run: TaskRun[embedding_run.Embedded]) -> str:
    if run.status is RunStatus.WAITING and not run.step:
        return waiting_line(run.turn)
    word = "Embedding" if run.is_active else "Stopped"
    line = f"{word}: {run.step:,} of {run.steps:,} texts" if run.steps else f"{word}: loading the model"
    if run.turn is not None and run.turn.seconds is not None and run.step:
        line += f", about {duration(run.turn.seconds)} left"
    return line
