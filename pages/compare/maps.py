"""The maps of the Compare page: both sides on one layout, side by side, with arrows, or blended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from core.data.text import clean, is_blank
from core.maps.placing import place
from core.metrics import comparison
from core.types import FloatArray, Sentence, SentenceSet
from pages.compare import keys
from pages.compare.models import NEAR, Both
from ui import kit, state, widgets
from ui.boards import moving_map
from ui.resources import executor

MAPS = ("Side by side", "Arrows", "Blend")
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
