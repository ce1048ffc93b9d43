"""The experiment of a prediction step: started only after the prediction, watched live, then measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import streamlit as st

from core.lessons import evidence
from core.lessons.measurement import Evidence, Measured
from core.lessons.preparation import Prepared
from core.lessons.progress import Answer
from core.lessons.types import Lesson, Predict
from core.maps import layouts
from core.runs.messages import phase, space
from core.runs.request import RunRequest
from core.types import FloatArray, Metrics, Run, RunStatus, TrainingConfig
from core.vectors import nearest_neighbours
from pages.lessons import keys, record
from ui import figures, kit, messages
from ui.boards import moving_map
from ui.charts import chart
from ui.resources import executor, session_is_open
from ui.runs import live_run
from ui.tables import safe_table
from ui.widgets import button

MAP_HEIGHT = 384
NEIGHBOURS = 5
BUSY = "The model is reading"


def embed(texts: tuple[str, ...]) -> FloatArray:
    """Embeddings (m, d) of single texts by the base model that lessons look at without training."""
    c = TrainingConfig()
    return kit.embedded(c.base_model, c.seed, c.pooling, texts, busy=BUSY)


def current(lesson: Lesson, number: int) -> Run | None:
    """The run of this step, or None when none was started or it has been forgotten."""
    run_id = record.run_id(lesson, number)
    if run_id is None:
        return None
    found = live_run.own_run(run_id)
    if found is None:
        record.keep_run(lesson, number, None)
    return found


def start(lesson: Lesson, number: int, step: Predict, prediction: str, seed: int) -> None:
    """Keep the prediction, then begin the run; a callback. Without a prediction nothing begins."""
    if not prediction:
        return
    with messages.kept_in(keys.SAID):
        prepared = lesson.prepared(step, seed)
        request = RunRequest(
            prepared.config, prepared.sentences, prepared.train, prepared.held_out, "equilibrium"
        )
        run_id = executor().start(request, session_is_open())
        record.keep_run(lesson, number, run_id)
        live_run.remember(run_id)
        record.keep(lesson, record.progress(lesson).with_answer(number, Answer(prediction)))


def gathered(
    step: Predict, prepared: Prepared | None, run: Run | None, texts: tuple[str, ...], seed: int
) -> Evidence:
    """Everything the measurement may look at: the run's first and last embeddings, or the base model's."""
    trained = None
    if step.measurement.trains:
        assert run is not None
        first, last = run.snapshots[0].embeddings, run.snapshots[-1].embeddings
        trained = evidence.Trained(run.config, first, last, executor().checkpoint_path(run.id, run.step))
    return evidence.gather(step, prepared, texts, seed, kit.ask, trained)


def measured(step: Predict, found: Evidence) -> tuple[Measured, tuple[Measured, ...]]:
    """(the answer to the question, what is shown beside it)."""
    from core.lessons.outcomes import MEASUREMENTS

    beside = tuple(MEASUREMENTS[key].compute(found, MEASUREMENTS[key].limits) for key in step.also)
    return step.measurement.compute(found, step.limits), beside


def is_done(run: Run | None, prepared: Prepared) -> bool:
    """Only the whole run, with the settings on the page, answers the question."""
    return run is not None and run.status is RunStatus.FINISHED and run.config == prepared.config


def watch(run: Run) -> None:
    """Progress and its Stop button; new positions go to the map below."""
    messages.error(run.error)
    if run.is_active:
        button("Stop", executor().stop, run.id, key="lesson_stop", icon="stop")
    live_run.progress(run)


def map_of(prepared: Prepared, run: Run | None, held_out: Sequence[int] = ()) -> None:
    """The sentences on the moving map: the base model's, then the run's, replayed once it has ended. Rows of
    `held_out` are drawn hollow."""
    frames = run.frames if run is not None else ()
    now = (
        run.snapshots[-1].embeddings
        if run is not None and run.snapshots
        else evidence.base(prepared, kit.ask)
    )
    if frames:
        frame = frames[-1]
    else:
        ready = executor().layout_ready.is_set()
        method, lane = ("equilibrium", "layout") if ready else ("pca", "encode")
        frame = kit.ask(layouts.first_frame, method, now, lane=lane, busy="Drawing the map")
    sentences = prepared.sentences
    kit.tell_unread(sentences.texts, prepared.config.base_model, prepared.config.seed)
    # A board that replays takes no more frames, so it waits for the last one to be drawn.
    replay = run is not None and phase(run) == "rest" and len(frames) > 1
    moving_map.board(
        key=live_run.BOARD,
        sentence_set=sentences,
        xy=frame.xy,
        step=frame.step,
        space=space(frame.method, sentences),
        labels=False,
        neighbours=nearest_neighbours(now, min(NEIGHBOURS, len(sentences) - 1)),
        height=MAP_HEIGHT,
        frames=[f.xy for f in frames] if replay else None,
        steps=[f.step for f in frames] if replay else None,
        replay_of="" if run is None else run.id,
        held_out=held_out,
        can_mark=False,
        channel=live_run.channel(run),
    )


def numbers(step: Predict, run: Run | None, result: Measured, beside: tuple[Measured, ...], key: str) -> None:
    """The course of the measure during the run, and every measured number as a table."""
    name = step.measurement.value
    if run is not None and name in {f.name for f in fields(Metrics)}:
        steps = [s.step for s in run.snapshots]
        values = [getattr(s.metrics, name) for s in run.snapshots]
        title = result.rows[0][0]
        st.caption(f"{title} at every step of the run")
        chart(figures.curve(steps, {title: values}), f"{key} curve", f"{title} over the training steps")
    rows = [row for found in (result, *beside) for row in found.rows]
    names, before, after = zip(*rows)
    columns = {"before training": before, "after training": after}
    filled = {name: values for name, values in columns.items() if any(v is not None for v in values)}
    if not step.measurement.trains:  # nothing was trained, so nothing is "before" it
        filled = {"value": before}
    safe_table({"measured": names} | filled, key=f"{key} table", name="lesson-measured")
