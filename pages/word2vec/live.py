"""The Word2Vec page's run: start and stop, and the map that moves meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from core.data.text import sentence_id
from core.training import word2vec
from core.training.word2vec import Settings, SkipGrams, Word2vecSnapshot, Word2vecTask
from core.training.word2vec.text import TokenizedText, read
from core.types import Forces, Frame, InputError, IntArray, RunStatus, Sentence, SentenceSet, TaskRun
from pages.word2vec import keys
from pages.word2vec import setup as page
from ui import kit, messages, state, widgets
from ui.boards import moving_map
from ui.resources import executor
from ui.runs import watching
from ui.widgets import button, row

BOARD = "w2v_board"
POLL = 0.5  # seconds between two looks
HEIGHT = 480
LABELLED = 120  # with more words on the map, names would cover each other


@dataclass(frozen=True, slots=True)
class Training:
    """The run on the page as it is now, and which words its map shows."""

    run: TaskRun[Word2vecSnapshot]
    rows: tuple[int, ...]

    @property
    def settings(self) -> Settings:
        task: Word2vecTask = self.run.task
        return task.settings

    @property
    def corpus(self) -> TokenizedText:
        task: Word2vecTask = self.run.task
        return read(task.text)

    @property
    def total(self) -> int:
        return word2vec.total(self.corpus, self.settings)

    @property
    def state(self) -> Word2vecSnapshot:
        """Before the first report, the vectors that every run of these settings begins with."""
        return self.run.snapshots[-1] if self.run.snapshots else word2vec.start(self.corpus, self.settings)

    @property
    def skip_grams(self) -> SkipGrams | None:
        return self.state.skip_grams

    @property
    def history(self) -> list[tuple[int, float]]:
        return [(s.step, s.loss) for s in self.run.snapshots if not np.isnan(s.loss)]

    @property
    def frames(self) -> tuple[Frame, ...]:
        return self.run.frames

    @property
    def done(self) -> bool:
        return self.run.status is RunStatus.FINISHED

    @property
    def busy(self) -> bool:
        return is_busy(self.run)

    @property
    def space(self) -> str:
        method = self.frames[-1].method if self.frames else ""
        return f"{method} {len(self.rows)} {self.run.id}"


def is_busy(run: TaskRun[Word2vecSnapshot]) -> bool:
    """It learns, or its map is behind."""
    drawn = run.frames[-1].step if run.frames else -1
    return run.is_active or (bool(run.snapshots) and drawn < run.snapshots[-1].step)


def current() -> Training:
    """The run that the settings want, begun if it is new. Raises InputError for a text that will not do."""
    text, settings = page.text(), page.settings()
    if not text.strip():
        raise InputError("Paste a text: some thousand words on one topic are best, a hundred are the least.")
    task, corpus = Word2vecTask(text, settings), read(text)
    word2vec.check(settings)
    known = watching.task_runs(_ids(), Word2vecTask)
    if not known or known[0].task != task:
        linked = state.link_value(keys.AT) if state.once("w2v") else ""
        at = int(linked) if linked.isdecimal() and len(linked) < 10 else 0
        _begin(task, min(at, word2vec.total(corpus, settings)))
    state.write_address(keys.RUN)
    return _now(page.shown(corpus))


def _now(rows: tuple[int, ...]) -> Training:
    (run_id,) = _ids()
    executor().draw(run_id, "equilibrium", rows)
    return Training(executor().task_run(run_id), rows)


def _ids() -> tuple[str, ...]:
    run_id = state.get(keys.RUN)
    return () if run_id is None else (run_id,)


def _begin(task: Word2vecTask, until: int | None) -> None:
    """A new run in place of the one there is, up to that sentence."""
    watching.forget(_ids())
    state.put(keys.RUN, watching.begin(task, until))


def buttons(now: Training) -> None:
    """One filled button, which is always the next thing to do."""
    run, begun = now.run, now.run.step > 0
    with row():
        if run.is_active and begun:
            button("Stop", executor().pause, run.id, key="w2v_go", icon="stop", type="primary")
        else:
            label = "Train again" if now.done else "Go on" if begun else "Train"
            go = partial(_begin, run.task, None) if now.done else partial(executor().resume, run.id)
            button(label, go, key="w2v_go", icon="play_arrow", type="primary")
            one = partial(executor().resume, run.id, 1)
            button("One sentence", one, icon="skip_next", disabled=now.done or run.is_active)
        if begun:
            button("Reset", _begin, run.task, 0, icon="restart_alt", type="tertiary")
        widgets.toggle(keys.FORCES, "Pull and push of the next sentence")


# ---- the map ---------------------------------------------------------------------------------------


def words_of(now: Training) -> SentenceSet:
    vocabulary, known = now.corpus.vocabulary, page.kinds()
    words = [vocabulary[row] for row in now.rows]
    return SentenceSet(tuple(Sentence(sentence_id(w), w, known.get(w)) for w in words))


def _neighbours(now: Training) -> IntArray | None:
    from core.vectors import nearest_neighbours

    k = min(5, len(now.rows) - 1)
    return nearest_neighbours(now.state.vectors[list(now.rows)], k) if k > 0 else None


def forces(now: Training) -> Forces | None:
    """The next sentence's pairs among the words on the map: d loss / d (u . v), summed over equal pairs."""
    if now.skip_grams is None or not state.get(keys.FORCES):
        return None
    place = {row: i for i, row in enumerate(now.rows)}
    summed: dict[tuple[int, int], float] = {}
    for pair, chance in zip(now.skip_grams.pairs.tolist(), now.skip_grams.chance.tolist()):
        for k, other in enumerate(pair[1:]):
            ends = place.get(pair[0], -1), place.get(other, -1)
            if min(ends) >= 0 and ends[0] != ends[1]:
                both = (min(ends), max(ends))
                summed[both] = summed.get(both, 0.0) + chance[k] - (k == 0)
    return Forces(
        np.array(list(summed), np.int64).reshape(-1, 2), np.array(list(summed.values()), np.float32)
    )


def picture(now: Training) -> None:
    """The map, mounted once; the ticking part below it brings new positions."""
    if not now.frames:
        st.container(height=HEIGHT, border=True).caption("Placing the words on the map.")
    else:
        replay = not now.busy and len(now.frames) > 1
        moving_map.board(
            key=BOARD,
            sentence_set=words_of(now),
            xy=now.frames[-1].xy,
            step=now.frames[-1].step,
            space=now.space,
            color_by="group" if page.kinds() else "none",
            labels=len(now.rows) <= LABELLED,
            neighbours=_neighbours(now),
            forces=forces(now),
            height=HEIGHT,
            frames=[f.xy for f in now.frames] if replay else None,
            steps=[f.step for f in now.frames] if replay else None,
            can_mark=False,
            noun="word",
        )
    drawn, rows, busy = bool(now.frames), now.rows, now.busy

    def look(runs: Sequence[TaskRun[Word2vecSnapshot]]) -> None:
        if not runs:
            return
        seen = Training(runs[0], rows)
        if seen.frames and drawn and busy:
            frame, about = seen.frames[-1], (_neighbours(seen), forces(seen))
            moving_map.feed(
                key="w2v_feed",
                board_key=BOARD,
                xy=frame.xy,
                step=frame.step,
                space=seen.space,
                neighbours=about[0],
                forces=about[1],
            )
        _progress(seen)
        if seen.frames and not drawn:
            st.rerun()

    watching.watch(
        lambda: watching.task_runs(_ids()), look, lambda runs: any(is_busy(run) for run in runs), POLL
    )


def _progress(now: Training) -> None:
    messages.error(now.run.error)
    messages.info(now.run.note)
    step, total, corpus = now.run.step, now.total, now.corpus
    if now.run.is_active and not now.run.snapshots:
        st.progress(0.0, text="Loading the training loop. The first time it is compiled, for some seconds.")
        return
    word = watching.word([now.run]) if step or now.run.is_active else "Untrained"
    loss = "" if np.isnan(now.state.loss) else f" · loss {now.state.loss:.3f} a pair"
    st.progress(
        min(1.0, step / total),
        text=f"{word} · sentence {step:,} of {total:,} ({corpus.sentences:,} sentences, "
        f"{now.settings.epochs} epochs) · {len(corpus.vocabulary):,} words{loss}",
    )
    view = "a PCA view" if now.frames and now.frames[-1].method.startswith("pca") else "a neighbour map"
    st.caption(
        f"{len(now.rows)} words as {view} of their vectors in {now.settings.dimensions} dimensions. "
        "Hover over a word to see its nearest in the full space. A step is one sentence read."
    )


def keep_in_link(now: Training | None) -> None:
    """A link reopens a run that rests where it stood."""
    if now is not None and not now.busy:
        state.put_in_link(keys.AT, str(now.run.step or ""))
    kit.keep_link(keys.TEXT)
