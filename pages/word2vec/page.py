"""Word2Vec: one vector a word, learned from nothing but which words stand near each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.types import InputError
from pages.word2vec import keys, live, setup, views
from pages.word2vec.live import Training
from ui import kit, state, widgets
from ui.predictions.gate import Gate

PATH = "word2vec"
# What to look at: its question, if it has one, and what stands below the map.
VIEWS: dict[str, tuple[Callable[[Training], Gate] | None, Callable[[Training, Any], None]]] = {
    "Neighbours": (views.predict_neighbour, views.neighbours),
    "Analogies": (None, views.analogies),
    "Pairs of a step": (None, views.pairs),
    "Without negatives": (views.predict_collapse, views.collapse),
}

state.open_link(keys.TEXT)
kit.opening(
    PATH,
    "Nobody tells this model what a word means. It reads a text and answers one question again and again: do "
    "these two words stand near each other, or was one of them drawn at random? **Predict, press Train** and "
    "watch where the words go.",
)
main, side = kit.columns(PATH)

with main:
    setup.choose()
    watched = None
    with kit.sentences_not_tracebacks():
        try:
            watched = live.current()
        except InputError:
            state.put(keys.RUN, None)
            raise
    if watched is not None:
        view = widgets.view(keys.VIEW, "View", VIEWS)
        ask, draw = VIEWS[view]
        with kit.sentences_not_tracebacks():
            gate = ask and ask(watched)
            live.buttons(watched)
            live.picture(watched)
            draw(watched, gate)
            with st.expander("Numbers behind the map", icon=":material/table:"):
                if watched.busy:
                    st.caption("The table appears when the training rests.")
                else:
                    views.numbers(watched)

    with st.expander("What is computed"):
        st.latex(r"L = -\log\sigma(u_o^\top v_w) - \sum_{i=1}^{k} \log\sigma(-u_{n_i}^\top v_w)")
        st.markdown(
            "$v_w$ is the vector of the word, $u_o$ the second vector of a true neighbour, $u_{n_i}$ that "
            "of each of k random words. The map shows the v. This is skip-gram (Mikolov and others 2013, "
            "[arXiv:1301.3781](https://arxiv.org/abs/1301.3781)) with negative sampling "
            "([arXiv:1310.4546](https://arxiv.org/abs/1310.4546)), in this app's own code.\n\n"
            "Each word has one vector, whatever the sentence, so the bank of a river and the bank that lends "
            "money share theirs. Models such as MiniLM give a word a new vector in every sentence. With a "
            "text of a few thousand words the neighbours of rare words are mostly chance: the original "
            "vectors were learned from billions of words."
        )

live.keep_in_link(watched)
