"""Bi-encoder vs cross-encoder: compare two vectors, or read both sentences at once."""

from __future__ import annotations

import streamlit as st

from pages.bi_vs_cross import keys, race
from pages.bi_vs_cross import views as bvc
from ui import kit
from ui.predictions.gate import predict

PATH = "bi-vs-cross"


def rank() -> None:
    st.markdown(
        "The bi-encoder turns the query and every candidate into vectors and compares those. The "
        "cross-encoder reads the query together with one candidate at a time and scores their likeness."
    )
    found = bvc.query_and_candidates()
    question = "Will both put the same candidate first?"
    gate = predict(keys.GUESS_RANK, question, ("Yes", "No"), "Only the first place counts.", height=560)
    bvc.ranking(found)
    same = bool((found.bi_rank == 1)[found.cross_rank == 1].all())
    gate.tell(
        "Yes" if same else "No",
        "A vector has to be ready for every question, so it keeps the topic and many of the words. In one "
        "joint pass each word can be checked against the other text.",
    )
    st.subheader("Where they disagree, and why", anchor=False)
    bvc.disagreement(found)
    st.caption(
        "This cross-encoder is small. It learned likeness from STS Benchmark (captions, headlines, forum "
        "posts). A pair that looks alike it reads a second time, with weights that learned from pairs that "
        "share their words and not their meaning. It is better there, not everywhere; swap the roles or add "
        "a “not”, and both may fail. Search uses another, for relevance."
    )


def order() -> None:
    st.markdown(
        "A cosine does not know which vector came first. A joint pass does: the two texts stand in a row, "
        "marked as first and second."
    )
    left, right = bvc.pair()
    question = "Do “A, B” and “B, A” get the same score, to three decimals?"
    gate = predict(
        keys.GUESS_ORDER, question, ("Yes", "No"), "Yes: they differ by less than 0.0005.", height=240
    )
    difference, lacking = bvc.orders(left, right)
    gate.tell(
        "Yes" if abs(difference) < 0.0005 else "No",
        f"The two orders differ by {difference:+.4f}. Where the order must not count, average both, at twice "
        f"the cost. Identical texts have a cosine of 1 by definition; their score stays {lacking:.3f} below "
        "1, because nothing in the model forces it to be 1.",
    )
    st.subheader("Logit and score", anchor=False)
    st.markdown(
        "The model gives a logit, any real number. The sigmoid squeezes it into 0 to 1. It never changes the "
        "order, but near the ends large differences between logits become small ones between scores."
    )
    bvc.squashing(left, right)


def attention() -> None:
    st.markdown(
        "In the joint pass, words of A can look at words of B. Each row says how one token spreads its "
        "attention; look for words that find their counterpart, and for heads that only look at [CLS]."
    )
    bvc.attention(*bvc.pair())
    st.caption(
        "Of the first reading. Attention shows where information may flow, not what the score rests on; see "
        "Words for that."
    )


def words() -> None:
    st.markdown(
        "Leave out one word at a time and see what the answer loses. Blue words hold the two texts together, "
        "vermillion words keep them apart."
    )
    bvc.words(*bvc.pair())
    st.caption(
        "Two words that say the same can stand in for each other, and then both look unimportant. The two "
        "scales differ: compare which words matter, not how long the bars are."
    )


def cost() -> None:
    st.markdown(
        "To find the most similar pair among n sentences, the bi-encoder encodes n texts. The cross-encoder "
        "has to read n(n − 1)/2 pairs."
    )
    question = "How much longer will the cross-encoder take for 10,000 sentences on this machine?"
    rule = "Seconds for all pairs over seconds for all texts, projected from what is measured here."
    gate = predict(keys.GUESS_COST, question, bvc.RATIOS, rule, height=480)
    if (ratio := bvc.costs()) is not None:
        gate.tell(
            bvc.ratio_name(ratio),
            f"Projected: {ratio:,.0f} times as long. So search retrieves with vectors and lets the "
            "cross-encoder read only the best few.",
        )


def learn() -> None:
    st.markdown(
        "Both learn from the same pairs in the same batches and take turns on one processor, so their clocks "
        "compare. The bi-encoder starts as all-MiniLM-L6-v2, the cross-encoder from what it learned of "
        "likeness. Accuracy is measured on pairs that neither was trained on."
    )
    race.setup()
    prepared = race.prepared()
    question = "Which is more accurate on held-out pairs after the same seconds of training?"
    gate = predict(keys.GUESS_RACE, question, race.ANSWERS, "Accuracy at the last second that both trained.")
    race.buttons(prepared)
    race.axes()
    race.watch()
    if result := race.outcome():
        gate.tell(*result)


VIEWS = {v.__name__.capitalize(): v for v in (rank, order, attention, words, cost, learn)}

LEAD = (
    "A **bi-encoder** reads each text alone and compares two vectors. A **cross-encoder** reads both at once "
    "and answers with one number. One is quick, the other looks closer."
)
kit.page_of_views(PATH, LEAD, keys.VIEW, VIEWS)
