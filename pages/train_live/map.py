"""The map of the page: the base model's picture until a run begins, then the run's own frames."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from core.data.pairs import MiningKind
from core.data.split import FEW, held_out_rows
from core.data.text import plural
from core.maps import layouts
from core.models import embedding
from core.runs.messages import moved, phase, space
from core.types import FloatArray, Forces, Frame, InputError, Run, SentenceSet, TrainingConfig
from core.vectors import nearest_neighbours
from pages.train_live import keys
from ui import kit, messages, state, training_data, widgets
from ui.boards import moving_map
from ui.boards.moving_map import ColorBy
from ui.resources import executor, later
from ui.runs import live_run
from ui.training_data import TrainingData

R = TypeVar("R")
BELOW = 92, 164  # pixels of the window under the map: slider and legend; on a phone also the panel's switch
HOVER_NEIGHBOURS = 5
ALL_NAMED = 20  # sentences; of fewer each has its text on the map
NAMED, MOVERS = 8, 3  # points with their text on the map: of groups, and of what moved most
MEANINGS = (
    "Trust: the share of a point's true neighbours that are also near it on the map. "
    "Movement: how far it has moved since the start, in all dimensions of the model."
)
COLOURS: dict[ColorBy, str] = {"group": "Group", "trust": "Trust", "movement": "Movement"}
COLOURS |= {"none": "One colour"}
WAIT = 0.25  # seconds that a page waits for an answer before it is drawn without
READING = "The model reads the sentences. Just after a start it takes a few seconds to load first."
OTHER_SENTENCES = (
    "This run learned from other sentences than those above, so the map shows the base model. The numbers "
    "below are the run's. Train again to use the sentences as they are now."
)


def read(data: TrainingData | None, config: TrainingConfig) -> Future[FloatArray] | None:
    """The base model's embeddings of the sentences, asked of a worker; None without sentences."""
    if data is None or not len(data.sentences):
        return None
    texts = data.sentences.texts
    return later(embedding.embed, config.base_model, config.seed, config.pooling, texts)


def with_unread(data: TrainingData | None, config: TrainingConfig) -> TrainingData | None:
    """The data with what of its texts the model does not read, once a worker has said so: for the page, and
    for the run that is saved."""
    if data is None or not len(data.sentences):
        return data
    answer = later(embedding.unread, config.base_model, config.seed, data.sentences.texts)
    told = known(answer)
    if told is None:
        _tell_later(answer)
        return data
    sentences = replace(data.sentences, notices=(*data.sentences.notices, *told))
    return replace(data, sentences=sentences, notices=(*data.notices, *told))


def _tell_later(answer: Future[Any]) -> None:
    """Draw the page again once there is an answer; shows nothing."""

    def look() -> None:
        if answer.done() and answer.exception() is None:
            st.rerun()

    st.fragment(look, run_every=None if answer.done() else 2 * WAIT)()


def known(answer: Future[R] | None) -> R | None:
    """What has been answered; None while it is computed, and where that failed: `draw` says so."""
    try:
        return None if answer is None else answer.result(timeout=WAIT)
    except (TimeoutError, InputError, RuntimeError):
        return None


def newest(data: TrainingData | None, run: Run | None, base: FloatArray | None) -> FloatArray | None:
    """The embeddings of these sentences as the model is now."""
    if data is not None and run is not None and run.snapshots and run.sentences == data.sentences:
        return run.snapshots[-1].embeddings
    return base


def mine_now(kind: MiningKind) -> None:
    """Mine pairs with the model as it is now; a callback for the Mine button."""
    try:
        data = training_data.current()
        now = newest(data, live_run.current_run(), known(read(data, state.config())))
        if now is None:
            raise InputError("The model is still loading. Press Mine again in a moment.")
        training_data.mine(data, now, state.get(state.PAIR_COUNT), kind)
    except InputError as error:
        state.put(state.MESSAGE, str(error))


def _first_layout(base: FloatArray) -> Future[Frame]:
    """The base model's embeddings drawn; PCA until umap-learn is ready."""
    ready = executor().layout_ready.is_set()
    method, lane = (state.get(state.LAYOUT), "layout") if ready else ("pca", "encode")
    return later(layouts.first_frame, method, base, lane=lane)


def draw(
    data: TrainingData | None, run: Run | None, reading: Future[FloatArray] | None, base: FloatArray | None
) -> None:
    """The map, as high as the window leaves room for. Without `base` it waits, even if the reading has ended
    meanwhile: what else the page lacks for want of it comes with the page that is drawn then."""
    if data is None or reading is None:
        st.container(height=300, border=True).caption("The map appears here once there are sentences.")
        return
    fits = run is not None and run.sentences == data.sentences
    drawn = run is not None and fits and bool(run.frames)
    if run is not None and drawn:
        frame = run.frames[-1]
    elif base is None:
        _wait(READING, reading)
        return
    else:
        answer = _first_layout(base)
        placed = known(answer)
        if placed is None:
            _wait(f"Placing {len(data.sentences)} sentences on the map.", answer)
            return
        frame = placed
    _board(data, run if drawn else None, frame, newest(data, run, base), run if fits else None)
    if run is not None and not fits:
        st.caption(OTHER_SENTENCES)
    if not executor().layout_ready.is_set():
        _wait_for_layout()


def counts(data: TrainingData) -> str:
    """One line below the text box: what there is to learn from, and what it is measured on."""
    count, train, held_out = len(data.sentences), len(data.train), len(data.held_out)
    trained = f"{train} {plural(train, 'pair')} to train on"
    line = f"{count} {plural(count, 'sentence')}, {trained}, {held_out} held out"
    if 0 < held_out < FEW:
        line += " (few: one pair more or less means little)"
    return line + "."


def view_settings() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        widgets.selectbox(state.COLOUR, "Colour", COLOURS, width=150, help=MEANINGS)
        widgets.selectbox(state.LAYOUT, "Layout", _layouts(), width=170, on_change=_layout_changed)
        for label, key in (("Labels", keys.LABELS), ("Trails", keys.TRAILS), ("Forces", state.FORCES)):
            widgets.toggle(key, label)


def _layouts() -> dict[str, str]:
    from core.maps.layouts import LAYOUTS

    return {key: layout.title.split(" (")[0] for key, layout in LAYOUTS.items()}


def _layout_changed() -> None:
    run = live_run.current_run()
    if run is not None:
        executor().draw(run.id, state.get(state.LAYOUT))


def _board(
    data: TrainingData, run: Run | None, frame: Frame, now: FloatArray | None, moved_by: Run | None
) -> None:
    replay = run is not None and phase(run) == "rest" and len(run.frames) > 1
    forces: Forces | None = None
    values = None if run is None else live_run.point_values(run)
    if run is not None and run.snapshots and state.get(state.FORCES):
        forces = run.snapshots[-1].forces
    if run is None and state.get(state.COLOUR) == "trust":
        values = frame.trust
    sentences = data.sentences
    k = min(HOVER_NEIGHBOURS, len(sentences) - 1)
    shown = data if moved_by is None else moved_by
    result = moving_map.board(
        key=live_run.BOARD,
        sentence_set=sentences,
        xy=frame.xy,
        step=frame.step,
        space=space(frame.method, sentences),
        color_by=state.get(state.COLOUR),
        values=values,
        labels=state.get(keys.LABELS),
        trails=state.get(keys.TRAILS),
        neighbours=nearest_neighbours(now, k) if now is not None and k > 0 else None,
        forces=forces,
        below=BELOW,
        held_out=held_out_rows(shown.sentences, shown.held_out),
        named=_named(sentences, moved_by),
        can_continue=replay,
        frames=[f.xy for f in run.frames] if run is not None and replay else None,
        steps=[f.step for f in run.frames] if run is not None and replay else None,
        replay_of="" if run is None else run.id,
        channel=live_run.channel(moved_by),
        live_forces=state.get(state.FORCES),
    )
    if (asked := result.continue_from) is not None and run is not None and run.checkpoints:
        kept = min(run.checkpoints, key=lambda step: abs(step - asked))
        live_run.fork(run, kept, state.config())
        st.rerun()
    if result.action is not None:
        added, other = training_data.add_marked(data, result.action.ids, result.action.kind == "similar")
        noun = "pair" if added == 1 else "pairs"
        said = f"{added} new {noun} marked as {result.action.kind}: see Pairs beside the text."
        if other:
            said += f" Typed with another label before, so left as they are: {other}."
        state.put(state.MESSAGE, said)
        st.rerun()


def _named(sentences: SentenceSet, run: Run | None) -> list[int]:
    """The points that always carry their text: all where there are few, else one of each group, and those
    that have moved most."""
    if len(sentences) < ALL_NAMED:
        return list(range(len(sentences)))
    first: dict[str | None, int] = {}
    for i, group in enumerate(sentences.groups):
        first.setdefault(group, i)
    rows = list(first.values())[:NAMED]
    if run is not None and len(run.snapshots) > 1 and run.sentences == sentences:
        rows += np.argsort(-moved(run))[:MOVERS].tolist()
    return list(dict.fromkeys(rows))


def _wait(what: str, answer: Future[Any]) -> None:
    """Say what is being computed, and draw the page again once it is there. What failed is told instead,
    and asked for again when the page is next drawn for another reason."""

    def look() -> None:
        with kit.sentences_not_tracebacks():
            if answer.done():
                answer.result()
                st.rerun()
            st.container(height=300, border=True).caption(what)

    st.fragment(look, run_every=2 * WAIT)()


def _wait_for_layout() -> None:
    """Say that this is PCA for now, and draw again once umap-learn is ready."""

    def look() -> None:
        if executor().layout_ready.is_set():
            st.rerun()
        st.caption("PCA for now: UMAP is still getting ready.")

    st.fragment(look, run_every=1.0)()


def tell(data: TrainingData | None, problem: str | None) -> None:
    """Beside the typed text: why it cannot be used, or what was noticed (duplicates, pairs set aside)."""
    if data is None:
        messages.error(problem)
    messages.notices(data.notices if data is not None else ())
