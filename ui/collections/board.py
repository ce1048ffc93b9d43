"""The map of a collection: a sample within seconds, all of it when a worker has drawn it."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from core.maps import large
from core.retrieval import collection, embedding_run
from core.retrieval.collection import TextCollection
from core.types import Sentence, SentenceSet
from ui import resources
from ui.boards import moving_map
from ui.collections import BUILD
from ui.collections.work import LOOK

HEIGHT = 520
KEPT = 4  # collections' texts as the board takes them, some 10 MB each


def draw(found: TextCollection, base_model: str) -> None:
    """Its texts, by class where they have one; of many, so many at random. The vectors must be there."""
    file = str(embedding_run.vectors_file(found.folder, base_model))
    rows = large.drawn_rows(found.count)
    first = resources.later(large.preview, file, rows, lane="layout")  # which is warm
    every = resources.later(large.whole, file, rows, lane=BUILD)  # takes long: nobody's live map waits for it
    if every.done():
        shown, xy = list(range(len(rows))), every.result()
    else:
        with st.spinner("Drawing a sample"):
            places, xy = first.result(timeout=resources.PATIENCE)
        shown = places.tolist()
    moving_map.board(
        key="collection_map",
        sentence_set=_sentences(found.folder, tuple(shown) if len(shown) < len(rows) else ()),
        xy=xy,
        space="umap",
        color_by="group" if found.classes else "none",
        labels=False,
        can_mark=False,
        height=HEIGHT,
        noun="text",
    )
    what = f"all {found.count:,} texts"
    if len(rows) < found.count:
        what = f"{len(rows):,} texts chosen at random from {found.count:,}"
    if every.done():
        st.caption(f"UMAP of {what}. Points that lie together have vectors that do, as far as a plane can.")
        return
    st.caption(f"A sample of {len(shown):,} texts. The map of {what} is being drawn and takes its place.")

    def look() -> None:
        if every.done():
            st.rerun()

    st.fragment(look, run_every=LOOK)()


@lru_cache(maxsize=KEPT)
def _sentences(folder: str, places: tuple[int, ...]) -> SentenceSet:
    """The texts at these places among those that the map shows; () are all."""
    found = collection.opened(folder)
    texts, codes, rows = found.texts, found.codes, large.drawn_rows(found.count)
    chosen = rows[list(places)] if places else rows
    classes = [None, *found.classes]
    return SentenceSet(
        tuple(Sentence(str(row), texts[row], classes[codes[row] + 1]) for row in chosen.tolist())
    )
