"""Classification: a small classifier on frozen vectors, how many labels it takes, what tuning changes."""

from __future__ import annotations

import streamlit as st

from pages.classification import keys, tuned, views
from ui import kit, messages, state, widgets

PATH = "classification"
VIEWS = {
    "Learning curve": views.learning_curve,
    "Confusion": views.confusion,
    "Before and after": tuned.before_and_after,
    "Prototypes": views.prototypes,
    "Zero-shot": views.zero_shot,
    "Map": views.draw,
}

state.open_link(keys.TEXT, keys.WORDS)
kit.opening(
    PATH,
    "An embedding model turns sentences into vectors; to sort them into classes, a small classifier on top "
    "of the vectors is often enough. How few labelled sentences will do, and what is out of its reach?",
)
main, side = kit.columns(PATH)

with main:
    choose, how = st.columns([0.45, 0.55], gap="medium")
    with choose:
        views.choose()
    with how:
        views.settings()
    messages.left_in(state.MESSAGE)

    with kit.sentences_not_tracebacks():
        problem = views.problem()
        if problem is not None:
            views.describe(problem)
            left_out = (
                "Before and after" if problem.folder else "Map"
            )  # a run trains on fewer; a map shows more
            offered = [name for name in VIEWS if name != left_out]
            VIEWS[widgets.view(keys.VIEW, "View", offered)](problem)
            views.classify_own(problem)

    with st.expander("What the two classifiers do"):
        st.markdown(
            "**Logistic regression** learns one weight for each of the 384 numbers and each class; the class "
            "with the highest weighted sum wins, and the sums become probabilities. **Nearest neighbours** "
            "learns nothing: it looks up the k labelled sentences with the highest cosine and takes the "
            "majority. Both come from scikit-learn and see the vectors only, never the words."
        )

kit.keep_link(keys.TEXT, keys.WORDS)
