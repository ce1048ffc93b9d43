"""Similarity: three measures on the same sentences, and the pairs where the model is wrong."""

from __future__ import annotations

import streamlit as st

from pages.similarity import keys, views
from ui import kit
from ui.predictions.gate import predict

PATH = "similarity"


def matrix() -> None:
    found = views.sentences()
    question = "How many pairs of your sentences have a cosine below zero?"
    gate = predict(keys.GUESS_SIGN, question, views.SIGNS, views.SIGN_RULE, height=760)
    views.matrix(found)
    truth, share = views.signs(found)
    gate.tell(
        truth,
        f"It is {share:.0%} of the pairs. A cosine of 0 means that two directions have nothing to do with "
        "each other, and under MiniLM most unrelated sentences end near it. Opposite directions, a cosine "
        "near −1, do not occur: training asked for unrelated ones to be apart, not to face each other.",
    )


def ranking() -> None:
    st.markdown(
        "Every measure puts the other sentences in an order. At length 1 all three must agree: the dot "
        "product *is* the cosine, and the squared distance is 2 minus twice the cosine. So change a length. "
        "The stretched vector is the model's own, made longer or shorter by you."
    )
    found = views.sentences()
    chosen = views.stretch(found)
    question = "With the settings as they are: do the three measures give the same order?"
    gate = predict(
        keys.GUESS_ORDER, question, ("Yes", "No"), "Yes: every sentence has the same place in all."
    )
    agree = views.ranking(found, *chosen)
    gate.tell(
        "Yes" if agree else "No",
        "The cosine looks at directions alone. The dot product multiplies by both lengths, so a long vector "
        "that points roughly the right way moves up. The distance punishes any difference, in length too.",
    )


def wrong() -> None:
    st.markdown(
        "Each row has a sentence, one that **means the same** in other words, and one that only **looks "
        "alike**. A model is wrong when the second is at least as close as the first. In every list four "
        "of the eight paraphrases stay near the words of the sentence and four go further away; the list "
        "with two meanings has only far ones."
    )
    judged = views.built_in()
    question = "Which kind does the bi-encoder get wrong most often?"
    rule = "The kind with the largest share of wrong rows; of several, yours counts."
    gate = predict(keys.GUESS_KIND, question, views.kinds(), rule)
    views.failures(judged)
    gate.tell(
        views.hardest(judged, gate.guess),
        "The bi-encoder was trained on pairs where shared words and a shared topic were nearly always a good "
        "sign. A “not”, another number or exchanged roles hardly changes either. Eight rows a kind are a "
        "hint, not a measurement of the language; add rows of your own.",
    )
    st.subheader("Your own", anchor=False)
    views.own()


VIEWS = {"Matrix": matrix, "Ranking": ranking, "Where it is wrong": wrong}

LEAD = (
    "How alike are two sentences? The model answers with two vectors, and a **measure** turns them into one "
    "number. Compare three measures on the same sentences, then look for pairs where the answer is wrong."
)
kit.page_of_views(PATH, LEAD, keys.VIEW, VIEWS)
