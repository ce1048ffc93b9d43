"""SBERT's objective: two passes through one network, and what the classifier on top gets to see."""

from __future__ import annotations

import streamlit as st

from core.training.nli import CLASSES
from pages.sbert import comparison, keys, views
from ui import kit, state
from ui.predictions.gate import predict

PATH = "sbert"


def two_passes() -> None:
    st.markdown(
        "The same network reads the premise and the hypothesis, each by itself, and pools each to one "
        "vector: **u** and **v**. A linear layer then sees some parts of both, such as the difference "
        "**|u − v|**, and guesses the class with a softmax."
    )
    st.latex(r"o = \mathrm{softmax}\left(W\,[\,u;\;v;\;|u-v|\,] + b\right)")
    premise, hypothesis = views.pair()
    question = "Premise and hypothesis change places. Which part stays exactly as it is?"
    rule = f"As it is: no number of it changes by {views.SHOWN:g} or more."
    gate = predict(keys.GUESSES["swap"], question, (*views.PARTS, "None"), rule)
    truth, numbers = views.passes(premise, hypothesis)
    gate.tell(
        truth,
        f"{numbers} So with |u − v| alone the classifier cannot know which sentence is the premise; with "
        "u and v it can.",
    )
    st.subheader("The classifier's answer", anchor=False)
    views.ask()


def the_pairs() -> None:
    st.markdown(
        "Each premise stands with three hypotheses: one that follows (**entailment**), one that may be true "
        "(**neutral**) and one that cannot be (**contradiction**). Here are their cosines in "
        "all-MiniLM-L6-v2 before any training."
    )
    question = "Which class has the lowest mean cosine?"
    examples = views.given()
    options = [name.capitalize() for name in CLASSES]
    gate = predict(keys.GUESSES["data"], question, options, "The mean over all pairs of a class.", height=560)
    truth, means = views.cosines(examples, views.baseline(examples))
    gate.tell(
        truth,
        f"Mean cosines: {means}. "
        + (
            "These contradictions are further away than the neutral ones, which is not the usual outcome: "
            "often they repeat the words of their premise. "
            if truth == CLASSES[2].capitalize()
            else "A contradiction speaks of the same people and things as its premise, so its vector is "
            "often close; a cosine measures a shared topic more than agreement. "
        )
        + "SBERT's objective asks for a class instead, and three classes need not lie on one scale from far "
        "to close.",
    )


def concatenation() -> None:
    st.markdown(
        "What may the classifier see? It is linear: from u and v side by side it can only add up a term for "
        "each sentence, never compare the two. Each choice below trains its own copy of the model."
    )
    _compare(
        "concatenation",
        "Which choice will leave the cosine worth least after training?",
        "With u and v alone, nothing in the loss ever compares the two vectors: classes become directions, "
        "and what a distance meant can decay. With |u − v| in view, a small distance has to mean something. "
        "Look at the accuracies with doubt: with so few held-out pairs they can change more from seed to "
        "seed than from choice to choice.",
        expected="u,v",
    )


def pooling() -> None:
    st.markdown(
        "How do the vectors of all tokens become one? The classifier sees u, v and |u − v| in each case."
    )
    _compare(
        "pooling",
        "Which pooling will leave the cosine worth least after training?",
        "MiniLM was trained with the mean alone, so nobody asked the other two to be comparable; how well "
        "they do all the same has to be measured. In the paper, under this objective, the three are less "
        "than two points apart.",
    )


def _compare(what: str, question: str, why: str, expected: str | None = None) -> None:
    """One copy of the model trained for each choice, and which of them came out worst."""
    examples = views.given()
    like, chosen = views.settings(what)
    options = [comparison.written(name) for name in chosen]
    gate = predict(keys.GUESSES[what], question, options, "The lowest mean rank correlation over the seeds.")
    plan = comparison.wanted(what, examples, chosen, like)
    comparison.buttons(what, plan)
    comparison.watch(what, plan, views.baseline(examples))
    if result := comparison.outcome(what, plan):
        worst, means = result
        probe = views.baseline(examples).probe  # by pooling; concatenations are compared with the mean's
        before = {n: probe.get(n if what == "pooling" else "mean") or 0.0 for n in means}
        listed = ", ".join(
            f"{comparison.written(n)}: {m:.2f} ({before[n]:.2f} before)" for n, m in means.items()
        )
        less = "What theory expects shows only in part here. " if expected not in (None, worst) else ""
        lead = f"Rank correlations after training: {listed}. {less}"
        gate.tell(comparison.written(worst), lead + why)
    views.paper(what)


VIEWS = {"Two passes": two_passes, "The pairs": the_pairs, "Concatenation": concatenation, "Pooling": pooling}

state.open_link(keys.TEXT)
LEAD = (
    "Sentence-BERT was first trained to tell **entailment**, **neutral** and **contradiction** apart. The "
    "classifier is thrown away afterwards; what stays is an encoder whose vectors can be compared."
)
kit.page_of_views(PATH, LEAD, keys.VIEW, VIEWS)
kit.keep_link(keys.TEXT)
