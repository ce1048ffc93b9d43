"""Contrast: why P and not Q. Words left out, triplets, and what hard negatives teach."""

from __future__ import annotations

import streamlit as st

from pages.contrast import keys, views
from ui import kit, messages, state, widgets

PATH = "contrast"
VIEWS = {
    "Words": views.words,
    "Triplets": views.triplets,
    "Hard negatives": views.hard_negatives,
}
LEADS = {
    "Words": "Type what happened (P) and the alternative (Q). Every word is left out once, and the model is "
    "asked again: what the cosine loses or gains is that word's part.",
    "Triplets": "An anchor, a sentence that means the same, and one that only looks the same. The model "
    "should put the anchor nearer to the first.",
    "Hard negatives": "The same model is trained twice on the same similar pairs: once with random "
    "dissimilar pairs, once with those it finds most alike. Both are measured on sentences that neither "
    "has seen.",
}

state.open_link(keys.TEXT)
kit.opening(
    PATH,
    "To explain why something is so is to say why it is so **rather than** something else. Contrastive "
    "learning does the same with vectors: a sentence is told what it is like and what it is not like.",
)
main, side = kit.columns(PATH)

with main:
    view = widgets.view(keys.VIEW, "View", VIEWS)
    st.markdown(LEADS[view])
    messages.left_in(state.MESSAGE)
    with kit.sentences_not_tracebacks():
        VIEWS[view]()

kit.keep_link(keys.TEXT)
