"""The maps of the Compare page: both sides on one layout, all moments of a run, and B beside chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from core.data.text import clean, is_blank
from core.maps.placing import place
from core.metrics import comparison
from core.metrics.measures import neighbour_purity
from core.types import FloatArray, Sentence, SentenceSet
from pages.compare import keys
from pages.compare.models import NEAR, Both, tell_unread
from ui import kit, messages, state, widgets
from ui.boards import moving_map
from ui.resources import executor

MOMENTS, CHANCE = "Blend", "Beside chance"
MAPS = ("Side by side", "Arrows", MOMENTS, CHANCE)
CHANGED = 0.5  # of its neighbours kept: a sentence with fewer has changed
MOST_MOMENTS, MOST_POINTS = 9, 3000  # that are laid out together
HEIGHT = 430
TYPED, TYPED_ID = "typed now", "typed-now"
MAX_TYPED = 300


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
    """Both sides on one layout, and the typed sentence among them."""
    (xy_a, xy_b), method = _drawn((both.before, both.after), both.aligned)
    sentences, za, zb = both.sentences, both.before, both.after
    if text:
        new_a, new_b = both.a.embed((text,)), both.b.embed((text,))
        xy_a = np.vstack([xy_a, place(za, xy_a, new_a)])
        xy_b = np.vstack([xy_b, place(zb, xy_b, new_b)])
        za, zb = np.vstack([za, new_a]), np.vstack([zb, new_b])
        sentences = replace(sentences, sentences=(*sentences.sentences, Sentence(TYPED_ID, text, TYPED)))
        _tell_nearest(both, text, new_a, new_b)
        tell_unread(both, (text,))
    k = min(NEAR, len(sentences) - 1)
    return Drawn(sentences, xy_a, xy_b, _near(za, k), _near(zb, k), method)


def _drawn(moments: tuple[FloatArray, ...], aligned: bool) -> tuple[list[FloatArray], str]:
    """All on one layout, (n, 2) each, and its name: umap-learn's, or PCA until that is ready."""
    ready = executor().layout_ready.is_set()
    draw, lane = (comparison.shared_map, "layout") if ready else (comparison.shared_pca, "encode")
    return kit.ask(draw, moments, aligned, lane=lane, busy="Drawing the map"), "umap" if ready else "pca"


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
            messages.plain(both.sentences.texts[i])


def maps(both: Both) -> None:
    """Side by side, one map with arrows, or one that goes from A to B, on one layout; or beside chance."""
    kind = widgets.view(keys.MAP, "Map", MAPS)
    if kind == CHANCE:
        _beside_chance(both)
    elif kind == MOMENTS and len(moments := _moments(both)) > 2:
        _through(both, moments)
    else:
        picture = drawn(both, typed_sentence())
        space = f"compare {picture.method} {both.a.key} {both.b.key} {len(both.sentences)}"
        DRAWN[kind](both, picture, space)


def _arrows(both: Both, picture: Drawn, space: str) -> None:
    """Arrows are for what the vectors say, and the map moves others too."""
    changes = comparison.neighbour_changes(both.before, both.after, NEAR)
    changed = np.array([change.overlap < CHANGED for change in changes])
    st.caption(
        "Hollow: where A puts a sentence. Filled, at the arrow's end: where B puts it. Arrows for the "
        f"{changed.sum()} of {len(changed)} sentences that kept fewer than half of their {NEAR} true "
        "neighbours; the map moves the others too."
    )
    every = widgets.toggle(keys.EVERY_ARROW, "Every arrow")
    shown = np.ones(len(picture.xy_b), bool)  # a sentence typed now has no neighbours of its own to compare
    shown[: len(changed)] = every | changed
    ghost = np.where(shown[:, None], picture.xy_a, picture.xy_b)
    _board("cmp_one", picture, picture.xy_b, picture.near_b, space, both.b.step, ghost)


def _blend(both: Both, picture: Drawn, space: str) -> None:
    share = widgets.slider(keys.BLEND, "From A (0) to B (1)", step=0.05)
    mixed = (1 - share) * picture.xy_a + share * picture.xy_b
    near = picture.near_a if share < 0.5 else picture.near_b
    step = both.a.step if share < 0.5 else both.b.step
    _board("cmp_one", picture, mixed.astype(np.float32), near, space, step)


def _moments(both: Both) -> dict[int, FloatArray]:
    """Step -> embeddings (n, d) from A to B, where both are moments of one run; at most so many."""
    if both.a.run is None or both.b.run is None or both.a.run.id != both.b.run.id:
        return {}
    first, last = sorted((both.a.step, both.b.step))
    between = [s for s in both.a.run.snapshots if first <= s.step <= last]
    most = max(2, min(MOST_MOMENTS, MOST_POINTS // max(1, len(both.sentences))))
    chosen = np.unique(np.linspace(0, len(between) - 1, min(most, len(between))).round().astype(int))
    return {between[i].step: between[i].embeddings for i in chosen}


def _through(both: Both, moments: dict[int, FloatArray]) -> None:
    """One slider through all of them, on a layout that suits them all."""
    st.caption(f"{len(moments)} moments of the run on one layout: what moves between two of them, moved.")
    frames, method = _drawn(tuple(moments.values()), True)
    moving_map.board(
        **_same(both.sentences, _near(both.after, min(NEAR, len(both.sentences) - 1))),
        key="cmp_moments",
        xy=frames[-1],
        step=list(moments)[-1],
        space=f"moments {method} {both.a.key}",
        frames=frames,
        steps=list(moments),
        replay_of=f"compare {both.a.key} {min(moments)} {max(moments)}",
    )


def _beside_chance(both: Both) -> None:
    """B's own map, and the map of its numbers after they were shuffled: what islands are worth."""
    st.caption(
        f"Left: B. Right: B's numbers, each of the {both.after.shape[1]} shuffled among the sentences, drawn "
        "in the same way. Nothing belongs together there, so islands like its own mean nothing."
    )
    seed = widgets.number_input(keys.SHUFFLE_SEED, "Seed of the shuffling", width=180)
    mixed = comparison.shuffled(both.after, seed)
    for column, name, z in zip(st.columns(2, gap="small"), ("B", "shuffled"), (both.after, mixed)):
        with column:
            (xy,), method = _drawn((z,), True)
            near = _near(z, min(NEAR, len(z) - 1))
            purity = neighbour_purity(z, both.sentences.groups)
            told = "" if purity is None else f": {purity:.0%} of the nearest neighbours share the group"
            st.caption(f"{name if name == 'B' else 'Shuffled'}{told}")
            space, step = f"chance {method} {name} {both.b.key} {seed}", both.b.step
            board: dict[str, Any] = {"key": f"cmp_{name}_board", "xy": xy, "step": step, "space": space}
            moving_map.board(**_same(both.sentences, near), **board)


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
        **_same(picture.sentences, near),
        key=key,
        xy=xy,
        step=step,
        space=space,
        ghost=ghost,
        ghost_label="A",
        link="compare",
        extent=np.vstack([picture.xy_a, picture.xy_b]),
    )
    return result.selected


def _same(sentences: SentenceSet, near: Any) -> dict[str, Any]:
    """What every map of the page has in common."""
    return {
        "sentence_set": sentences,
        "color_by": "group" if sentences.has_groups else "none",
        "labels": False,
        "neighbours": near,
        "selected": state.get(keys.SELECTED),
        "height": HEIGHT,
        "can_mark": False,
    }


DRAWN = {MAPS[0]: _side_by_side, MAPS[1]: _arrows, MOMENTS: _blend}
