"""Watching runs: a fragment that ticks while any of them goes on, and the buttons that start and stop them.

A page keeps the ids of its runs and says what to draw; the executor does the rest, also when nobody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from core.types import InputError, Run, RunStatus, TaskRun
from ui.resources import executor
from ui.widgets import button, row

LOOK = 1.0  # seconds between two looks
R = TypeVar("R", Run, TaskRun[Any])


def task_runs(run_ids: Sequence[str]) -> list[TaskRun[Any]]:
    """The runs as they are now; those that have been forgotten are left out."""
    found = []
    for run_id in run_ids:
        try:
            found.append(executor().task_run(run_id))
        except InputError:
            continue
    return found


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
    for run in task_runs(run_ids):
        executor().forget(run.id)
