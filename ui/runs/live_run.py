"""Run controls and the progress line: the part of a page that changes while a model trains.

The page draws map and line once; the run's messages then move them (core/runs/messages.py, ui/runs/push.py).
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.runs.messages import moved, phase, status_line
from core.runs.request import RunRequest
from core.types import FloatArray, InputError, Run, TrainingConfig
from ui import messages, state, widgets
from ui.boards.moving_map import component
from ui.resources import executor, session_is_open
from ui.runs import push, watching
from ui.training_data import TrainingData
from ui.widgets import button

SLOW = 1.0  # seconds between two messages where they cannot be pushed
BOARD = "map"
UNTRAINED = "The base model, before any training"
SNAPSHOT_SENTENCES = 300  # up to so many, a frame at every step
RUN_BYTES = 60_000_000  # of embeddings that one run may keep in the server's memory
REMEMBERED = 12  # runs of a visitor that the history offers


def current_run() -> Run | None:
    """The run on the page, or None when there is none, it has been forgotten, or somebody else began it."""
    run_id = state.get(state.RUN_ID)
    found = None if run_id is None or run_id not in state.get(state.RUN_IDS) else own_run(run_id)
    if found is None:
        state.put(state.RUN_ID, None)
    return found


def own_run(run_id: str) -> Run | None:
    """A run of this visitor; None when it has been forgotten. After a reload this tab keeps it going."""
    try:
        found = executor().run(run_id)
        watching.keep_going(run_id)
    except InputError:
        return None
    return found


def history() -> list[Run]:
    """This visitor's runs, newest first."""
    runs = (own_run(run_id) for run_id in state.get(state.RUN_IDS))
    return [run for run in runs if run is not None]


def remember(run_id: str) -> None:
    """Put a run first in this visitor's history."""
    others = tuple(i for i in state.get(state.RUN_IDS) if i != run_id)
    state.put(state.RUN_IDS, (run_id, *others)[:REMEMBERED])


def _show(run_id: str) -> None:
    state.put(state.RUN_ID, run_id)
    remember(run_id)


def snapshot_interval(sentences: int, steps: int) -> int:
    """Steps between two frames that keep a run quick and its frames within memory.

    A snapshot embeds every sentence, so beyond a few hundred they cost more than the steps themselves.
    """
    slow = math.ceil(sentences / SNAPSHOT_SENTENCES)
    large = math.ceil(steps * sentences * 384 * 4 / RUN_BYTES)
    return max(1, slow, large)


def start(data: TrainingData, config: TrainingConfig, until: int | None = None) -> None:
    """Begin a new run; a callback for the Train button."""
    now = current_run()
    if now is not None and now.is_active:
        return  # one click came twice, which was seen on a busy machine; this run is what it began
    every = max(config.snapshot_every, snapshot_interval(len(data.sentences), config.steps))
    config = config.replace(snapshot_every=min(every, 100))
    request = RunRequest(config, data.sentences, data.train, data.held_out, state.get(state.LAYOUT), until)
    with messages.kept_in(state.MESSAGE):
        _show(executor().start(request, session_is_open()))


def fork(run: Run, step: int, config: TrainingConfig) -> None:
    """Go back to a kept step as a new, paused run, with the settings as they stand now."""
    config = config.replace(steps=max(config.steps, step + 1))
    state.put(state.REWIND_OPEN, False)
    with messages.kept_in(state.MESSAGE):
        forked = executor().fork(run.id, step, config)
        _show(forked)
        _, found = executor().run(forked).forked_from or (run.id, step)
        if found != step:
            state.put(
                state.MESSAGE, f"Step {step} is no longer kept. This is step {found}, the nearest before it."
            )


def show_again(run_id: str) -> None:
    """Bring back a run of this visit; a callback. The page's sentences become that run's."""
    run = executor().run(run_id)
    now = current_run()
    if now is not None and now.sentences != run.sentences:
        state.put(state.MESSAGE, "That run used other sentences. Choose its set first, then show it.")
        return
    _show(run_id)


def reset() -> None:
    """Back to the untouched base model. The run stays in the history."""
    run = current_run()
    if run is not None and run.is_active:
        executor().stop(run.id)
    state.put(state.RUN_ID, None)


def controls(
    data: TrainingData | None,
    config: TrainingConfig,
    run: Run | None,
    at_first: DeltaGenerator,
    at_others: DeltaGenerator,
    rewinds: bool = True,
) -> None:
    """The filled button, which is always the next thing to do, at one place; the others beside it.
    Without `rewinds` only the map's slider goes back to a step."""
    engine, first = executor(), partial(button, key="go", type="primary")
    train = None if data is None or data.error else partial(start, data, config)
    with at_first:
        if run is None:
            first("Train", train, icon="play_arrow", disabled=train is None)
        elif run.is_active:
            first("Pause", engine.pause, run.id, icon="pause")
        elif run.snapshots and run.step < run.config.steps:
            first("Continue", engine.resume, run.id, icon="play_arrow")
        else:
            says = "A new run from the base model, with the settings as they are now."
            first("Train again", train, icon="replay", disabled=train is None, help=says)
    with at_others:
        for label, steps, key in (("1 step", 1, "one"), ("+10", 10, "ten")):
            if run is not None:
                button(label, engine.resume, run.id, steps, key=key, disabled=run.is_active)
            elif train is not None:
                button(label, train, steps, key=key)
            else:
                button(label, None, key=key, disabled=True)
        if run is None:
            return
        if run.is_active:
            button("Stop", engine.stop, run.id, key="stop", icon="stop")
        says = "Back to the base model. This run stays in the history."
        button("Reset", reset, key="reset", icon="restart_alt", type="tertiary", help=says)
        if rewinds and not run.is_active and len(run.checkpoints) > 1:
            _rewind(run, config)


def tell(run: Run | None, problem: str | None) -> None:
    """What stands in the way, or went wrong, in one sentence each."""
    messages.left_in(state.MESSAGE, lambda text: st.toast(messages.as_written(text)))
    messages.info(problem)
    messages.error(run.error if run is not None else None)


def _rewind(run: Run, config: TrainingConfig) -> None:
    with widgets.popover(state.REWIND_OPEN, "Rewind", "history"):
        st.write(
            "Go back to a step that was kept. Training goes on from exactly that state, with the settings "
            "as they are now; with the same settings it repeats the same numbers. This run stays in the "
            "history."
        )
        choices = [s for s in run.checkpoints if s < run.step] or list(run.checkpoints)
        step = st.select_slider("Step", choices, value=choices[len(choices) // 2], key="rewind_step")
        button("Go back to this step", fork, run, step, config, key="rewind")


def progress(run: Run | None, key: str = "progress", prefix: str = "") -> None:
    """The progress line, and a new page when the run has ended, without any tick of the page.

    Only where server.py was not started, so that nothing can be pushed, a slow tick brings the messages.
    """
    watched = channel(run)
    component.mount_progress(
        key=key,
        data={
            "channel": watched,
            "phase": "rest" if run is None else phase(run),
            "line": UNTRAINED if run is None else status_line(run),
            "step": 0 if run is None else run.step,
            "steps": 1 if run is None else max(run.config.steps, run.step),
            "prefix": prefix,
        },
    )

    def bring() -> None:
        if run is not None and (data := push.newest(run)) is not None:
            component.mount_feed(key=f"{key} feed", data=data)

    if run is not None and watched is not None and not push.is_mounted():
        st.fragment(bring, run_every=SLOW)()


def channel(run: Run | None) -> dict[str, Any] | None:
    """What a component needs to be moved by the run's messages; None for a run that rests."""
    return None if run is None or phase(run) == "rest" else push.address(run)


def point_values(run: Run) -> FloatArray | None:
    """What the map is coloured by, per point: trust of the frame, or movement in 384 dimensions."""
    colour = state.get(state.COLOUR)
    if colour == "trust" and run.frames:
        return run.frames[-1].trust
    if colour == "movement" and run.snapshots:
        return moved(run)
    return None
