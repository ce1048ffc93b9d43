"""The Compare page's two sides: which models, at which moment, on which sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.metrics import comparison
from core.models import embedding, registry
from core.training import tuned
from core.training.controls import pooling_meant
from core.types import FloatArray, InputError, Pair, Run, SentenceSet, TrainingConfig
from pages.compare import keys
from ui import kit, messages, state, training_data
from ui.resources import executor
from ui.runs import live_run

RUN, BASE = "run:", "base:"
NEAR = 5
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
    _take_next()
    options = titles()
    runs = {RUN + run.id: run for run in known_runs()}
    newest = next(iter(runs), None)
    left, right = st.columns(2, gap="medium")
    with left:
        a = _side("A, before", keys.A, keys.A_STEP, options, runs, newest or BASE + "minilm-l3", 0)
    with right:
        b = _side("B, after", keys.B, keys.B_STEP, options, runs, newest or BASE + "minilm-l6", -1)
    return a, b


def _take_next() -> None:
    """A remedy that was tried, and what it mends, take their sides at the moments that are asked for."""
    mended, step, tried, last = state.get(keys.NEXT)
    for key, moment, side, at in ((keys.A, keys.A_STEP, mended, step), (keys.B, keys.B_STEP, tried, last)):
        if side:
            state.once(f"{moment.name} {side.removeprefix(RUN)}")  # else its usual moment would be shown
            state.put(key, side)
            state.put(moment, at)
    state.put(keys.NEXT, keys.NEXT.default)


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
    both = Both(a, b, sentences, train, held_out, _embedded(a, sentences), _embedded(b, sentences))
    tell_unread(both, sentences.texts)
    return both


def tell_unread(both: Both, texts: Sequence[str]) -> None:
    """What of the texts A or B does not read; the same is said once."""
    models = {(side.config.base_model, side.config.seed) for side in (both.a, both.b)}
    found = [kit.ask(embedding.unread, *model, tuple(texts)) for model in sorted(models)]
    messages.notices(dict.fromkeys(notice for told in found for notice in told))


def _embedded(side: Side, sentences: SentenceSet) -> FloatArray:
    if side.run is not None and side.run.sentences == sentences:
        found = next((s.embeddings for s in side.run.snapshots if s.step == side.step), None)
        if found is not None:
            return found
    return side.embed(sentences.texts)
