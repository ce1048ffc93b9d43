"""The Word2Vec page's run: start and stop, the worker that learns, and the map that moves meanwhile.

A worker learns from some hundred sentences, answers with plain arrays, and is asked again. Nobody asks once
the tab is closed or Stop is pressed, so nothing goes on by itself.
"""

from __future__ import annotations

from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from core.data.text import sentence_id
from core.maps import layouts
from core.maps.layouts import LayoutState
from core.training import word2vec
from core.training.word2vec import Settings, State, Step, TokenizedText
from core.types import FloatArray, Forces, Frame, InputError, IntArray, Sentence, SentenceSet
from pages.word2vec import keys
from pages.word2vec import setup as page
from ui import kit, messages, state, widgets
from ui.boards import moving_map
from ui.resources import executor
from ui.widgets import button, row

BOARD = "w2v_board"
POLL = 0.5  # seconds between two looks
MOMENT = 0.3  # seconds to wait for an answer that is nearly there
HEIGHT = 480
LABELLED = 120  # with more words on the map, names would cover each other


@dataclass(frozen=True, slots=True)
class Watched:
    """The run on the page. `asked` and `drawing` are answers under way, if any.

    `rows` are the words on the map, `history` (sentences read, loss), `drawn` what the frame shows.
    """

    text: str
    settings: Settings
    rows: tuple[int, ...]
    state: State
    step: Step | None = None
    history: tuple[tuple[int, float], ...] = ()
    running: bool = False
    asked: Future[Any] | None = None
    layout: LayoutState | None = None
    frames: tuple[Frame, ...] = ()
    drawing: Future[Any] | None = None
    drawn: int = -1
    error: str | None = None

    @property
    def corpus(self) -> TokenizedText:
        return word2vec.read(self.text)

    @property
    def total(self) -> int:
        return word2vec.total(self.corpus, self.settings)

    @property
    def done(self) -> bool:
        return self.state.done >= self.total and not self.running

    @property
    def busy(self) -> bool:
        under_way = self.asked is not None or self.drawing is not None
        return self.running or under_way or self.drawn != self.state.done

    @property
    def space(self) -> str:
        method = self.frames[-1].method if self.frames else ""
        return f"{method} {len(self.rows)} {self.text[:40]!r} {self.settings}"


def current() -> Watched:
    """The run that the settings want, begun if it is new. Raises InputError for a text that will not do."""
    text, settings = page.text(), page.settings()
    if not text.strip():
        raise InputError("Paste a text: some thousand words on one topic are best, a hundred are the least.")
    corpus = word2vec.read(text)
    rows = page.shown(corpus)
    old: Watched | None = state.get(keys.RUN)
    if old is not None and (old.text, old.settings) == (text, settings):
        if old.rows == rows and not _can_be_drawn_better(old):
            return old
        new = replace(old, rows=rows, layout=None, frames=(), drawing=None)
    else:
        new = Watched(text, settings, rows, word2vec.start(corpus, settings))
        linked = state.link_value(keys.AT) if state.once("w2v") else ""
        at = min(int(linked), new.total) if linked.isdecimal() and len(linked) < 10 else 0
        new = replace(new, asked=_ask(new, at))
    new = _draw(new)
    state.put(keys.RUN, new)
    return new


def _can_be_drawn_better(watched: Watched) -> bool:
    """An untrained map that was drawn before the neighbour map was ready. Later, its replay is worth more."""
    by_pca = watched.layout is not None and watched.layout.method == "pca"
    return by_pca and not watched.busy and not watched.state.done and executor().layout_ready.is_set()


def _ask(watched: Watched, until: int) -> Future[Any]:
    begun = watched.state if watched.state.done else None
    return executor().call(word2vec.run_on, watched.text, watched.settings, begun, until, lane="background")


def _next_mark(watched: Watched) -> int:
    marks = word2vec.marks(watched.corpus, watched.settings)
    return next((mark for mark in marks if mark > watched.state.done), watched.total)


def move(watched: Watched) -> Watched:
    """Take what has come in, and ask for what comes next unless the run is over or stopped."""
    if watched.asked is not None and wait([watched.asked], MOMENT).done:
        try:
            now, step = watched.asked.result()
        except (InputError, RuntimeError) as error:
            return replace(watched, asked=None, running=False, error=str(error))
        history = watched.history if np.isnan(now.loss) else (*watched.history, (now.done, now.loss))
        watched = replace(watched, asked=None, state=now, step=step, history=history)
        watched = replace(watched, running=watched.running and now.done < watched.total)
    if watched.drawing is not None and wait([watched.drawing], MOMENT).done:
        try:
            layout, frame = watched.drawing.result()
        except (InputError, RuntimeError) as error:
            return replace(watched, drawing=None, running=False, error=str(error))
        watched = _framed(replace(watched, drawing=None), layout, frame)
    if watched.drawing is None and watched.drawn != watched.state.done:
        watched = _draw(watched)
    if watched.running and watched.asked is None and watched.drawing is None:
        watched = replace(watched, asked=_ask(watched, _next_mark(watched)))
    return watched


def _draw(watched: Watched) -> Watched:
    """Lay out the vectors as they are now: PCA at once, the neighbour map once a worker has it loaded."""
    method = "equilibrium" if executor().layout_ready.is_set() else "pca"
    vectors: FloatArray = watched.state.vectors[list(watched.rows)]
    step, layout = watched.state.done, watched.layout
    goes_on = layout is not None and layout.method == method and step > watched.drawn
    if method == "pca":
        settled = (
            layouts.advance(layout, vectors, step)
            if goes_on and layout is not None
            else layouts.start(method, vectors, step=step)
        )
        return _framed(watched, *settled)
    if goes_on and layout is not None:
        drawing = executor().call(layouts.advance, layout, vectors, step, lane="layout")
    else:
        drawing = executor().call(layouts.start, method, vectors, None, step, lane="layout")
    return replace(watched, drawing=drawing, drawn=step)


def _framed(watched: Watched, layout: LayoutState, frame: Frame) -> Watched:
    same = [f for f in watched.frames if f.method == frame.method and f.step < frame.step]
    return replace(watched, layout=layout, frames=(*same, frame), drawn=frame.step)


def _go(running: bool) -> None:
    watched: Watched | None = state.get(keys.RUN)
    if watched is not None:
        watched = replace(watched, error=None)
        state.put(keys.RUN, replace(_begun(watched) if watched.done else watched, running=running))


def _begun(watched: Watched) -> Watched:
    """The same run from its beginning."""
    fresh = Watched(
        watched.text, watched.settings, watched.rows, word2vec.start(watched.corpus, watched.settings)
    )
    return _draw(replace(fresh, asked=_ask(fresh, 0)))


def _reset() -> None:
    watched: Watched | None = state.get(keys.RUN)
    if watched is not None:
        state.put(keys.RUN, _begun(watched))


def _one_sentence() -> None:
    watched: Watched | None = state.get(keys.RUN)
    if watched is not None and watched.asked is None and watched.state.done < watched.total:
        state.put(keys.RUN, replace(watched, asked=_ask(watched, watched.state.done + 1)))


def buttons(watched: Watched) -> None:
    """One filled button, which is always the next thing to do."""
    begun = watched.state.done > 0
    with row():
        if watched.running:
            button("Stop", _go, False, key="w2v_go", icon="stop", type="primary")
        else:
            label = "Train again" if watched.done else "Go on" if begun else "Train"
            button(label, _go, True, key="w2v_go", icon="play_arrow", type="primary")
            button("One sentence", _one_sentence, icon="skip_next", disabled=watched.done)
        if begun:
            button("Reset", _reset, icon="restart_alt", type="tertiary")
        widgets.toggle(keys.FORCES, "Pull and push of the next sentence")


# ---- the map ---------------------------------------------------------------------------------------


def words_of(watched: Watched) -> SentenceSet:
    vocabulary, known = watched.corpus.vocabulary, page.kinds()
    words = [vocabulary[row] for row in watched.rows]
    return SentenceSet(tuple(Sentence(sentence_id(w), w, known.get(w)) for w in words))


def _neighbours(watched: Watched) -> IntArray | None:
    from core.vectors import nearest_neighbours

    k = min(5, len(watched.rows) - 1)
    return nearest_neighbours(watched.state.vectors[list(watched.rows)], k) if k > 0 else None


def forces(watched: Watched) -> Forces | None:
    """The next sentence's pairs among the words on the map: d loss / d (u . v), summed over equal pairs."""
    if watched.step is None or not state.get(keys.FORCES):
        return None
    place = {row: i for i, row in enumerate(watched.rows)}
    summed: dict[tuple[int, int], float] = {}
    for pair, chance in zip(watched.step.pairs.tolist(), watched.step.chance.tolist()):
        for k, other in enumerate(pair[1:]):
            ends = place.get(pair[0], -1), place.get(other, -1)
            if min(ends) >= 0 and ends[0] != ends[1]:
                both = (min(ends), max(ends))
                summed[both] = summed.get(both, 0.0) + chance[k] - (k == 0)
    return Forces(
        np.array(list(summed), np.int64).reshape(-1, 2), np.array(list(summed.values()), np.float32)
    )


def picture(watched: Watched) -> None:
    """The map, mounted once; the ticking part below it brings new positions."""
    if not watched.frames:
        st.container(height=HEIGHT, border=True).caption("Placing the words on the map.")
    else:
        replay = not watched.busy and len(watched.frames) > 1
        moving_map.board(
            key=BOARD,
            sentence_set=words_of(watched),
            xy=watched.frames[-1].xy,
            step=watched.frames[-1].step,
            space=watched.space,
            color_by="group" if page.kinds() else "none",
            labels=len(watched.rows) <= LABELLED,
            neighbours=_neighbours(watched),
            forces=forces(watched),
            height=HEIGHT,
            frames=[f.xy for f in watched.frames] if replay else None,
            steps=[f.step for f in watched.frames] if replay else None,
            can_mark=False,
            noun="word",
        )
    drawn, busy = bool(watched.frames), watched.busy

    def look() -> None:
        now = move(state.get(keys.RUN))
        state.put(keys.RUN, now)
        if now.frames and drawn and busy:
            feed = now.frames[-1]
            more: dict[str, Any] = {"forces": forces(now), "neighbours": _neighbours(now), "space": now.space}
            moving_map.feed(key="w2v_feed", board_key=BOARD, xy=feed.xy, step=feed.step, **more)
        _progress(now)
        if busy != now.busy or (now.frames and not drawn):  # begin or end the ticking
            st.rerun()

    st.fragment(look, run_every=POLL if busy else None)()


def _progress(watched: Watched) -> None:
    messages.error(watched.error)
    done, total, corpus = watched.state.done, watched.total, watched.corpus
    if watched.step is None and watched.asked is not None:
        st.progress(0.0, text="Loading the training loop. The first time it is compiled, for some seconds.")
        return
    word = (
        "Training" if watched.running else "Finished" if watched.done else "Stopped" if done else "Untrained"
    )
    loss = "" if np.isnan(watched.state.loss) else f" · loss {watched.state.loss:.3f} a pair"
    st.progress(
        min(1.0, done / total),
        text=f"{word} · sentence {done:,} of {total:,} ({corpus.sentences:,} sentences, "
        f"{watched.settings.epochs} epochs) · {len(corpus.vocabulary):,} words{loss}",
    )
    view = (
        "a PCA view" if watched.frames and watched.frames[-1].method.startswith("pca") else "a neighbour map"
    )
    st.caption(
        f"{len(watched.rows)} words as {view} of their vectors in {watched.settings.dimensions} dimensions. "
        "Hover over a word to see its nearest in the full space. A step is one sentence read."
    )


def keep_in_link(watched: Watched | None) -> None:
    """A link reopens a run that rests where it stood."""
    if watched is not None and not watched.busy:
        state.put_in_link(keys.AT, str(watched.state.done or ""))
    kit.keep_link(keys.TEXT)
