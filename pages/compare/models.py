"""The Compare page's two sides: which models, at which moment, on which sentences; and both on one map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from core.data.text import clean, is_blank
from core.maps.placing import place
from core.metrics import comparison
from core.models import registry
from core.training import tuned
from core.training.controls import pooling_meant
from core.types import FloatArray, InputError, Pair, Run, Sentence, SentenceSet, TrainingConfig
from pages.compare import keys
from ui import kit, state, training_data, widgets
from ui.boards import moving_map
from ui.resources import executor
from ui.runs import live_run

RUN, BASE = "run:", "base:"
MAPS = ("Side by side", "Arrows", "Blend")
HEIGHT = 430
NEAR = 5
TYPED, TYPED_ID = "typed now", "typed-now"
MAX_TYPED = 300
ANEW = -1  # no step: another run was chosen, and its usual moment is to be shown
NO_WEIGHTS = "The weights of step {} were not kept. Choose step 0 or one of: {}."


@dataclass(frozen=True, slots=True)
class Side:
    """A model at a moment. `run` is None for an untrained base model; `step` 0 is the base model too."""

    key: str
    title: str
    config: TrainingConfig
    run: Run | None = None
    step: int = 0

    @property
    def name(self) -> str:
        return self.title if self.run is None else f"{self.title}, step {self.step}"

    def checkpoint(self) -> str | None:
        """The file of its weights; None for the base model. Raises InputError when they were not kept."""
        if self.run is None or self.step == 0:
            return None
        path = executor().checkpoint_path(self.run.id, self.step)
        if path is None:
            kept = ", ".join(map(str, self.run.checkpoints)) or "none"
            raise InputError(NO_WEIGHTS.format(self.step, kept))
        return path

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit-length embeddings (n, d) of any texts."""
        return kit.ask(tuned.embed, self.config, self.checkpoint(), tuple(texts))


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """What is compared: two sides, the sentences, and their embeddings, (n, d) each."""

    a: Side
    b: Side
    sentences: SentenceSet
    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    before: FloatArray
    after: FloatArray

    @property
    def aligned(self) -> bool:
        a, b = (replace(side.config, pooling=pooling_meant(side.config)) for side in (self.a, self.b))
        return comparison.aligned(a, b)


# ---- choosing -------------------------------------------------------------------------------------


def titles() -> dict[str, str]:
    """Everything that can stand on a side: the runs of this session and of the link, then base models."""
    given = given_titles()
    found = {RUN + run.id: run_title(run, given.get(run.id)) for run in known_runs()}
    return found | {BASE + key: f"Base model: {row.title}" for key, row in registry.available().items()}


def given_titles() -> dict[str, str]:
    """Run id -> the title that an opened run was saved with."""
    pairs = state.get(keys.KEEP_TITLES)
    return dict(pairs)


def known_runs() -> list[Run]:
    """Runs of this session that have begun, newest first, then those that the address names."""
    runs = [run for run in live_run.history() if run.snapshots]
    for key in (keys.A, keys.B):
        linked = state.link_value(key)
        if linked.startswith(RUN) and linked not in {RUN + run.id for run in runs}:
            try:
                runs.append(executor().run(linked.removeprefix(RUN)))
            except InputError:
                continue
    return [run for run in runs if run.snapshots]


def run_title(run: Run, given: str | None = None) -> str:
    """What a run is called: its given title, or its sentences, loss and id."""
    return f"{given or run.sentences.title} · {run.config.loss} · {run.id}"


def choose() -> tuple[Side, Side]:
    """The two menus with their moments. Opens with the newest run, before against after; without a run
    with two base models."""
    options = titles()
    runs = {RUN + run.id: run for run in known_runs()}
    newest = next(iter(runs), None)
    left, right = st.columns(2, gap="medium")
    with left:
        a = _side("A, before", keys.A, keys.A_STEP, options, runs, newest or BASE + "minilm-l3", 0)
    with right:
        b = _side("B, after", keys.B, keys.B_STEP, options, runs, newest or BASE + "minilm-l6", -1)
    return a, b


def _side(
    label: str,
    key: state.Key[str],
    moment: state.Key[int],
    options: dict[str, str],
    runs: dict[str, Run],
    usual: str,
    usual_moment: int,
) -> Side:
    names = list(options)
    if state.get(key) not in options and not state.in_link(key):
        state.put(key, usual)
    anew = state.setter(moment, ANEW)
    chosen = st.selectbox(
        label, names, names.index(usual), options.__getitem__, on_change=anew, **state.bound(key)
    )
    chosen = chosen if chosen in options else usual
    run = runs.get(chosen)
    if run is None:
        st.caption("A base model as it is, without any training.")
        return Side(chosen, options[chosen], TrainingConfig(base_model=chosen.removeprefix(BASE)))
    steps = [s.step for s in run.snapshots]
    if len(steps) == 1:
        return Side(chosen, options[chosen], run.config, run, steps[0])
    if state.get(moment) not in steps or (
        not state.in_link(moment) and state.once(f"{moment.name} {run.id}")
    ):
        state.put(moment, steps[usual_moment])
    if usual_moment == -1:
        _follow(run.id, moment, steps[-1])
    step = st.select_slider("Step", steps, value=steps[usual_moment], **state.bound(moment))
    return Side(chosen, options[chosen], run.config, run, int(step))


def _follow(run_id: str, moment: state.Key[int], newest: int) -> None:
    """A side that showed the newest step of a run shows it still when the run has gone on since."""
    seen = state.get(keys.LAST)
    last = dict(seen)
    if last.get(run_id, newest) == state.get(moment):
        state.put(moment, newest)
    state.put(keys.LAST, tuple((last | {run_id: newest}).items()))


def measured(a: Side, b: Side) -> Both:
    """Both models' embeddings of the same sentences: those of B's run, else A's, else of the set chosen on
    Train live."""
    run = b.run or a.run
    if run is not None:
        sentences, train, held_out = run.sentences, run.pairs, run.held_out
    else:
        current = training_data.current()
        sentences, train, held_out = current.sentences, current.train, current.held_out
    if not len(sentences):
        raise InputError("There are no sentences yet. Type some on Train live, or choose a set there.")
    return Both(a, b, sentences, train, held_out, _embedded(a, sentences), _embedded(b, sentences))


def _embedded(side: Side, sentences: SentenceSet) -> FloatArray:
    if side.run is not None and side.run.sentences == sentences:
        found = next((s.embeddings for s in side.run.snapshots if s.step == side.step), None)
        if found is not None:
            return found
    return side.embed(sentences.texts)


# ---- the maps -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Both sides on one layout, with the sentence typed now as the last row if there is one."""

    sentences: SentenceSet
    xy_a: FloatArray
    xy_b: FloatArray
    near_a: Any  # (n, k) rows of the nearest neighbours
    near_b: Any
    method: str


def typed_sentence() -> str:
    label, hint = "A sentence of your own, placed on both maps", "Type a sentence and press Enter"
    text = widgets.text_input(keys.TEXT, label, max_chars=MAX_TYPED, placeholder=hint)
    return "" if is_blank(text) else clean(text)


def drawn(both: Both, text: str) -> Drawn:
    """Place everything. The map is umap-learn's, or PCA until that is ready."""
    ready = executor().layout_ready.is_set()
    place_both, lane = (comparison.shared_map, "layout") if ready else (comparison.shared_pca, "encode")
    xy_a, xy_b = kit.ask(
        place_both,
        both.before,
        both.after,
        both.aligned,
        lane=lane,
        busy="Drawing the map",
    )
    sentences, za, zb = both.sentences, both.before, both.after
    if text:
        new_a, new_b = both.a.embed((text,)), both.b.embed((text,))
        xy_a = np.vstack([xy_a, place(za, xy_a, new_a)])
        xy_b = np.vstack([xy_b, place(zb, xy_b, new_b)])
        za, zb = np.vstack([za, new_a]), np.vstack([zb, new_b])
        sentences = replace(sentences, sentences=(*sentences.sentences, Sentence(TYPED_ID, text, TYPED)))
        _tell_nearest(both, text, new_a, new_b)
    k = min(NEAR, len(sentences) - 1)
    return Drawn(sentences, xy_a, xy_b, _near(za, k), _near(zb, k), "umap" if ready else "pca")


def _near(z: FloatArray, k: int) -> Any:
    from core.vectors import nearest_neighbours

    return nearest_neighbours(z, k) if k > 0 else None


def _tell_nearest(both: Both, text: str, new_a: FloatArray, new_b: FloatArray) -> None:
    """What stands nearest to the typed sentence under each model, with its cosine."""
    columns = st.columns(2, gap="medium")
    for place_, side, z, new in zip(columns, (both.a, both.b), (both.before, both.after), (new_a, new_b)):
        cosines = z @ new[0]
        i = int(np.argmax(cosines))
        with place_:
            st.caption(f"Nearest under {'A' if side is both.a else 'B'}, cosine {cosines[i]:.3f}:")
            st.text(both.sentences.texts[i])


def maps(both: Both, picture: Drawn) -> None:
    """Side by side, one map with arrows, or one that blends A into B; all on the same layout."""
    kind = widgets.view(keys.MAP, "Map", MAPS)
    space = f"compare {picture.method} {both.a.key} {both.b.key} {len(both.sentences)}"
    if kind == MAPS[1]:
        st.caption("Hollow: where A puts a sentence. Filled, at the arrow's end: where B puts it.")
        _board("cmp_one", picture, picture.xy_b, picture.near_b, space, both.b.step, picture.xy_a)
    elif kind == MAPS[2]:
        share = widgets.slider(keys.BLEND, "From A (0) to B (1)", step=0.05)
        mixed = (1 - share) * picture.xy_a + share * picture.xy_b
        near = picture.near_a if share < 0.5 else picture.near_b
        step = both.a.step if share < 0.5 else both.b.step
        _board("cmp_one", picture, mixed.astype(np.float32), near, space, step)
    else:
        _side_by_side(both, picture, space)


def _side_by_side(both: Both, picture: Drawn, space: str) -> None:
    """What is selected on one map is selected on the other, too."""
    left, right = st.columns(2, gap="small")
    with left:
        st.caption("A, before")
        said_a = _board("cmp_a_board", picture, picture.xy_a, picture.near_a, space, both.a.step)
    with right:
        st.caption("B, after")
        said_b = _board("cmp_b_board", picture, picture.xy_b, picture.near_b, space, both.b.step)
    seen, common = state.get(keys.SEEN), state.get(keys.SELECTED)
    state.put(keys.SEEN, (said_a, said_b))
    for said, before in zip((said_a, said_b), seen):
        if said != before and set(said) != set(common):
            state.put(keys.SELECTED, said)
            st.rerun()


def _board(
    key: str,
    picture: Drawn,
    xy: FloatArray,
    near: Any,
    space: str,
    step: int,
    ghost: FloatArray | None = None,
) -> tuple[str, ...]:
    result = moving_map.board(
        key=key,
        sentence_set=picture.sentences,
        xy=xy,
        step=step,
        space=space,
        color_by="group" if picture.sentences.has_groups else "none",
        labels=False,
        neighbours=near,
        selected=state.get(keys.SELECTED),
        height=HEIGHT,
        ghost=ghost,
        ghost_label="A",
        can_mark=False,
        link="compare",
        extent=np.vstack([picture.xy_a, picture.xy_b]),
    )
    return result.selected
