"""Watching runs: a fragment that ticks while any of them goes on, and the buttons that start and stop them.

A page keeps the ids of its runs and says what to draw; the executor does the rest, also when nobody looks.
The ids stand in the page's address, so that a reload finds them, for whoever began them only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from core.training.trainer import Task
from core.types import InputError, Run, RunStatus, TaskRun
from ui import state
from ui.resources import executor, session_is_open
from ui.widgets import button, row

LOOK = 1.0  # seconds between two looks
REMEMBERED = 80  # runs of a visitor that a reload finds again
R = TypeVar("R", Run, TaskRun[Any])


def begin(task: Task[Any], until: int | None = None) -> str:
    """Start a run of this visitor's, up to step `until` or its end, and return its id."""
    run_id = executor().start(task, session_is_open(), until)
    state.put(state.OTHER_RUN_IDS, (*state.get(state.OTHER_RUN_IDS), run_id)[-REMEMBERED:])
    return run_id


def task_runs(run_ids: Sequence[str], kind: type = object) -> list[TaskRun[Any]]:
    """This visitor's runs of that kind of task as they are now, without those that have been forgotten."""
    return [
        run for run in _own(run_ids, lambda run_id: executor().task_run(run_id)) if isinstance(run.task, kind)
    ]


def runs(run_ids: Sequence[str]) -> list[Run]:
    """The same for runs of a bi-encoder."""
    return _own(run_ids, lambda run_id: executor().run(run_id))


def _own(run_ids: Sequence[str], read: Callable[[str], R]) -> list[R]:
    own, found = state.get(state.OTHER_RUN_IDS), []
    for run_id in run_ids:
        with contextlib.suppress(InputError):
            if run_id in own:
                found.append(read(run_id))
                keep_going(run_id)
    return found


def keep_going(run_id: str) -> None:
    """After a reload it is this tab that keeps the run going. Raises InputError as `renew`."""
    if state.once(f"run {run_id}"):
        executor().renew(run_id, session_is_open())


def any_active(runs: Sequence[R]) -> bool:
    return any(run.is_active for run in runs)


def watch(
    read: Callable[[], Sequence[R]],
    draw: Callable[[Sequence[R]], None],
    busy: Callable[[Sequence[R]], bool] = any_active,
    every: float = LOOK,
) -> None:
    """Draw what `read` finds, again and again while it is `busy`, and the whole page when it no longer is."""
    ticking = busy(read())

    def look() -> None:
        now = read()
        draw(now)
        if ticking and not busy(now):
            st.rerun()

    st.fragment(look, run_every=every if ticking else None)()


def word(runs: Sequence[R]) -> str:
    """What is happening, in one word."""
    states = [run.status for run in runs]
    if all(status is RunStatus.FINISHED for status in states):
        return "Finished"
    if not any_active(runs):
        return "Stopped"
    waiting = all(status in (RunStatus.WAITING, RunStatus.FINISHED) for status in states)
    return "Waiting for a worker" if waiting else "Training"


def buttons(
    runs: Sequence[TaskRun[Any]],
    label: str,
    start: Callable[[], object] | None,
    reset: Callable[[], object],
    *,
    key: str,
    again: str,
) -> None:
    """One filled button, which is always the next thing to do: start, stop or go on; and Reset beside it."""
    go = f"{key}_go"
    with row():
        if not runs or all(run.status is RunStatus.FINISHED for run in runs):
            name = again if runs else label
            button(name, start, key=go, icon="play_arrow", type="primary", disabled=start is None)
        elif any_active(runs):
            button("Stop", each, executor().pause, runs, key=go, icon="stop", type="primary")
        else:
            button("Go on", each, executor().resume, runs, key=go, icon="play_arrow", type="primary")
        if runs:
            button("Reset", reset, key=f"{key}_reset", icon="restart_alt", type="tertiary")


def each(act: Callable[[str], object], runs: Sequence[TaskRun[Any]]) -> None:
    """Do it with those that have not come to their end."""
    for run in runs:
        if run.status is not RunStatus.FINISHED:
            act(run.id)


def forget(run_ids: Sequence[str]) -> None:
    """Nobody will come back for these."""
    own = state.get(state.OTHER_RUN_IDS)
    for run_id in set(run_ids).intersection(own):
        with contextlib.suppress(InputError):
            executor().forget(run_id)
