"""The one run of a room: begun by the teacher, seen by everybody on map, curve, pairs and card of the moment.

What it learns from is kept with its activity, so that a server that was started again repeats it: equal runs
give equal numbers.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence

import streamlit as st

from core.cards.moments import moments
from core.cards.reading import Reading
from core.classroom import entries, stage
from core.classroom.activities import PredictActivity, RunActivity, step_of
from core.classroom.entries import Sent, Status
from core.classroom.rooms import Room
from core.classroom.stage import Phase, Staged
from core.concepts import bi_vs_cross
from core.data.split import held_out_rows
from core.lessons import evidence
from core.maps import layouts
from core.models import embedding
from core.runs.live import Tab
from core.runs.messages import ShownPairs, phase, space, told
from core.types import FloatArray, Frame, InputError, Run, RunStatus, SentenceSet, TrainingConfig
from core.vectors import nearest_neighbours
from pages.classroom import acts
from ui import kit, messages
from ui.boards import live_panel, moving_map
from ui.learner import database, now
from ui.resources import executor
from ui.runs import live_run, push

NEIGHBOURS = 5
ALL_NAMED = 14  # points; of fewer each carries its text
HEIGHTS = {"phone": 320, "screen": 430}
EMPTY = "The map appears with the first sentences."

_lock = threading.Lock()  # thirty phones that draw a run after a restart begin it once
_runs: dict[tuple[int, int], str] = {}  # (room, activity) -> run


def begin(room: Room, number: int) -> None:
    """Start the run in front of everybody; a callback. Raises InputError when it cannot be."""
    staged = stage.activity(database(), room.id, number)
    assert staged is not None and isinstance(staged.content, RunActivity)
    found = entries.sentence_set(entries.entries(database(), room.id), room.title)
    entries.run_request(staged.content, found)  # refuses before anything has changed
    if staged.content.source == "class":
        acts.teach(stage.set_outcome, number, entries.freeze(found))
    acts.teach(stage.set_phase, number, Phase.REVEALED)


def prepare(room: Room, content: RunActivity) -> None:
    """Have the first map ready before the teacher starts, so that all phones show it at once."""
    with contextlib.suppress(InputError):  # which `begin` tells
        found = entries.sentence_set(entries.entries(database(), room.id), room.title)
        request = entries.run_request(content, found)
        first_map(_embedded(request.config, request.sentences))


def current(room: Room, staged: Staged) -> Run | None:
    """The run, begun again where the server no longer knows it; None before the teacher begins it."""
    content = staged.content
    if staged.phase is not Phase.REVEALED or not isinstance(content, RunActivity):
        return None
    place = (room.id, staged.number)
    with _lock:
        try:
            return executor().run(_runs[place])
        except (KeyError, InputError):
            if room.is_over(now()):
                return None
            request = entries.run_request(content, entries.frozen(staged.outcome, room.title))
            alive = Tab(room.topic, lambda: place in _runs and not room.is_over(now()))
            _runs[place] = executor().start(request, alive)
    return executor().run(_runs[place])


def draw(run: Run, size: str, key: str, beside: bool = True) -> None:
    """Progress, map and panel; all of them moved by the run's own messages. Without `beside` no panel."""
    live_run.progress(run, key=f"{key} progress")
    messages.error(run.error)
    present = size == "screen"
    picture, side = st.columns([0.58, 0.42], gap="small") if present else (st.container(), st.container())
    with picture:
        _map(run, size, key)
    if beside:
        with side:
            _panel(run, present, key)


def _map(run: Run, size: str, key: str) -> None:
    sentences, frames = run.sentences, run.frames
    now_ = run.snapshots[-1].embeddings if run.snapshots else _embedded(run.config, sentences)
    frame = frames[-1] if frames else first_map(now_)
    replay = phase(run) == "rest" and len(frames) > 1
    moving_map.board(
        key=f"{key} map",
        sentence_set=sentences,
        xy=frame.xy,
        step=frame.step,
        space=space(frame.method, sentences),
        labels=False,
        named=_named(sentences),
        neighbours=nearest_neighbours(now_, min(NEIGHBOURS, len(sentences) - 1)),
        height=HEIGHTS[size],
        below=(100, 100) if size == "screen" else None,
        held_out=held_out_rows(sentences, run.held_out),
        can_mark=False,
        frames=[f.xy for f in frames] if replay else None,
        steps=[f.step for f in frames] if replay else None,
        replay_of=run.id,
        channel=live_run.channel(run),
    )


def _panel(run: Run, present: bool, key: str) -> None:
    if not run.snapshots:
        st.caption("Curve, pairs and a card appear with the first step.")
        return
    texts, rows = run.sentences.texts, ShownPairs.of(run).rows.tolist()
    asked = [(texts[a], texts[b]) for a, b in rows]  # a handful, and the same for the whole room: read once
    likeness = kit.ask(bi_vs_cross.likeness, asked, busy="Reading the pairs")
    scores = {(a, b): float(score) for (a, b), score in zip(rows, likeness, strict=True)}
    channel = live_run.channel(run)
    if channel is not None:
        push.hub().topic(run.id).scores = scores
    found = moments(Reading(run, scores))
    live_panel.panel(
        key=f"{key} panel",
        run=run,
        scores=scores,
        moment=told(found[0], run, run.step) if found else None,
        channel=channel,
        present=present,
        text_beside=False,
    )


def collected_map(shown: Sequence[Sent], room: Room, size: str, key: str) -> None:
    """What the class has sent so far, as the untrained model sees it."""
    sentences = entries.sentence_set(shown, room.title)
    if not len(sentences):
        st.caption(EMPTY)
        return
    z = _embedded(TrainingConfig(), sentences)
    frame = first_map(z, "pca")  # of few points, many times: quick, and the same points lie the same way
    k = min(NEIGHBOURS, len(sentences) - 1)
    moving_map.board(
        key=f"{key} collected",
        sentence_set=sentences,
        xy=frame.xy,
        space="collected",
        labels=False,
        named=_named(sentences) or [len(sentences) - 1],
        neighbours=nearest_neighbours(z, k) if k else None,
        height=HEIGHTS[size] - 60,
        below=(100, 100) if size == "screen" else None,
        can_mark=False,
    )


def _named(sentences: SentenceSet) -> list[int]:
    return list(range(len(sentences))) if len(sentences) <= ALL_NAMED else []


def _embedded(config: TrainingConfig, sentences: SentenceSet) -> FloatArray:
    texts = sentences.texts
    return kit.ask(embedding.embed, config.base_model, config.seed, config.pooling, texts, busy="Reading")


def first_map(embeddings: FloatArray, method: str = "equilibrium") -> Frame:
    """The first frame of a map (n, 2); PCA until umap-learn is ready."""
    ready = method != "pca" and executor().layout_ready.is_set()
    lane = "layout" if ready else "encode"
    return kit.ask(layouts.first_frame, method if ready else "pca", embeddings, lane=lane, busy="Drawing")


def question_of(room: Room, staged: Staged) -> Staged | None:
    """The lesson's prediction that this run answers."""
    content = staged.content
    if not isinstance(content, RunActivity) or content.lesson is None:
        return None
    for other in stage.activities(database(), room.id):
        asked = other.content
        if isinstance(asked, PredictActivity) and (asked.lesson, asked.step) == (
            content.lesson,
            content.step,
        ):
            return other
    return None


def settle(room: Room, run: Run, staged: Staged) -> None:
    """Once the run has finished, measure what the lesson's question asked. Only the teacher's page does."""
    asked = question_of(room, staged)
    if run.status is not RunStatus.FINISHED or asked is None or asked.outcome is not None:
        return
    assert isinstance(staged.content, RunActivity)
    first, last = run.snapshots[0].embeddings, run.snapshots[-1].embeddings
    weights = executor().checkpoint_path(run.id, run.step)
    measure(asked, evidence.Trained(run.config, first, last, weights), staged.content.seed)


def measure(staged: Staged, trained: evidence.Trained | None, seed: int = 7) -> None:
    """Keep what came out of a lesson's question. Raises InputError where that cannot be measured."""
    assert isinstance(staged.content, PredictActivity)
    lesson, step = step_of(staged.content.lesson, staged.content.step)
    prepared = lesson.prepared(step, seed) if lesson.experiment is not None else None
    found = evidence.gather(step, prepared, step.texts, seed, kit.ask, trained)
    outcome = step.measurement.compute(found, step.limits).outcome
    acts.teach(stage.set_outcome, staged.number, list(step.options).index(outcome))


def shown_only(found: Sequence[Sent]) -> list[Sent]:
    return [sent for sent in found if sent.status is Status.SHOWN]
