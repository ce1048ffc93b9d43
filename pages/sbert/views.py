"""Widgets of "SBERT's objective": a typed pair, the examples, the settings, and the paper's table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.concepts import sbert
from core.concepts.sbert import Baseline
from core.losses.softmax import CONCATENATIONS
from core.models.settings import POOLINGS
from core.training import nli
from core.training.nli import CLASSES, Example, NliTask
from core.types import InputError
from pages.sbert import comparison, keys
from ui import kit, state, widgets
from ui.charts import chart
from ui.figures import comparisons
from ui.resources import executor
from ui.tables import folded_table, safe_table

BUILT_IN, OWN = "Built-in pairs", "My own pairs"
RATES = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3)
PARTS = ("u", "v", "|u − v|")
HELP_OWN = "One a line: premise | hypothesis | entailment, neutral or contradiction"
SHOWN = 0.0005  # smaller differences are drawn as 0.000


@dataclass(frozen=True, slots=True)
class Published:
    """One row of table 6 of Reimers & Gurevych 2019: Spearman's rank correlation, times 100."""

    choice: str
    nli: float  # trained on NLI with the classification objective
    sts: float | None  # trained on STS benchmark with the regression objective


# arXiv:1908.10084, table 6: BERT-base, development set of the STS benchmark, mean of 10 seeds.
PAPER = {
    "pooling": (
        Published("mean", 80.78, 87.44),
        Published("max", 79.07, 69.92),
        Published("cls", 79.80, 86.62),
    ),
    "concatenation": (
        Published("u,v", 66.04, None),
        Published("|u-v|", 69.78, None),
        Published("u*v", 70.54, None),
        Published("|u-v|,u*v", 78.37, None),
        Published("u,v,u*v", 77.44, None),
        Published("u,v,|u-v|", 80.78, None),
        Published("u,v,|u-v|,u*v", 80.44, None),
    ),
}


# --- Two passes ------------------------------------------------------------------------------------


def pair() -> tuple[str, str]:
    """The typed premise and hypothesis. Raises InputError when one is missing."""

    def sentence(key: state.Key[str], label: str, place: DeltaGenerator) -> str:
        typed = widgets.text_input(key, label, max_chars=nli.MAX_CHARACTERS, at=place).strip()
        if not typed:
            raise InputError(f"The {label.lower()} is empty. Type a sentence.")
        return typed

    left, right = st.columns(2, gap="medium")
    both = sentence(keys.PREMISE, "Premise", left), sentence(keys.HYPOTHESIS, "Hypothesis", right)
    kit.tell_unread(both, nli.BASE)
    return both


def passes(premise: str, hypothesis: str) -> tuple[str, str]:
    """Draw u, v and |u - v|. Returns which part stays the same when both change places, and a sentence."""
    found = kit.ask(sbert.passes, premise, hypothesis, busy="One encoder reads both")
    rows = dict(zip(PARTS, (found.u, found.v, found.difference)))
    chart(comparisons.parts(rows), "sb_parts", "u, v and their difference")
    with st.container(horizontal=True, gap="large"):
        st.metric("Length of u", f"{float(np.linalg.norm(found.u)):.2f}")
        st.metric("Length of v", f"{float(np.linalg.norm(found.v)):.2f}")
        st.metric("Sum of |u − v|", f"{float(found.difference.sum()):.1f}")
        st.metric("Cosine", f"{found.cosine:.3f}")
    numbers = {"number": [str(i) for i in range(len(found.u))], **rows}
    folded_table(numbers, title="All numbers", key="sb_numbers", name="two-passes", height=260)
    moved = dict(zip(PARTS, (found.swapped["u"], found.swapped["v"], found.swapped["|u-v|"])))
    same = [name for name, change in moved.items() if change < SHOWN]
    truth = "All three" if len(same) == 3 else same[0] if same else "None"
    told = ", ".join(f"{name} by {change:.3f}" for name, change in moved.items())
    return truth, (
        f"Largest change of any number: {told}. Read alone instead of together, u changes by "
        f"{found.alone:.6f}: the two passes share all weights and do not see each other."
    )


# --- The examples ----------------------------------------------------------------------------------


def given() -> tuple[Example, ...]:
    """The pairs to learn from. Raises InputError naming the line of one's own pairs that cannot be read."""
    if widgets.segmented_control(keys.SOURCE, "Pairs", (BUILT_IN, OWN)) != OWN:
        return nli.examples()
    found = nli.parse(widgets.text_area(keys.TEXT, HELP_OWN, height=180, max_chars=40_000))
    if not found:
        raise InputError(f"There are no pairs yet. {HELP_OWN}.")
    kit.tell_unread([text for one in found for text in (one.premise, one.hypothesis)], nli.BASE)
    return found


def baseline(examples: tuple[Example, ...]) -> Baseline:
    return kit.ask(sbert.baseline, examples, state.get(keys.SEED), busy="Reading all pairs")


def cosines(examples: tuple[Example, ...], found: Baseline) -> tuple[str, str]:
    """Draw the cosines of each class. Returns the order of neutral and contradiction, and the means."""
    labels = [e.label for e in examples]
    texts = [f"{e.premise} / {e.hypothesis}" for e in examples]
    figure = comparisons.by_class(found.cosines, labels, CLASSES, texts)
    chart(figure, "sb_classes", "Cosine of every pair, by class")
    columns = {
        "premise": [e.premise for e in examples],
        "hypothesis": [e.hypothesis for e in examples],
        "class": [CLASSES[e.label] for e in examples],
        "cosine": found.cosines.astype(float),
    }
    safe_table(columns, key="sb_examples", name="nli-pairs", height=280)
    means = [float(found.cosines[np.asarray(labels) == i].mean()) for i in range(len(CLASSES))]
    lowest = CLASSES[int(np.argmin(means))]
    return lowest.capitalize(), ", ".join(f"{name} {mean:.2f}" for name, mean in zip(CLASSES, means))


# --- The comparison --------------------------------------------------------------------------------


def settings(what: str) -> tuple[NliTask, tuple[str, ...]]:
    """How the trainings learn, and which choices are compared."""
    if what == "concatenation":
        titles = {name: comparison.written(name) for name in CONCATENATIONS}
        chosen = widgets.pills(keys.MODES, "Choices to compare", titles)
        names = tuple(name for name in CONCATENATIONS if name in chosen)
    else:
        names = POOLINGS
    with st.expander("Settings of the training"):
        steps = widgets.slider(keys.STEPS, "Steps")
        layers = widgets.slider(keys.LAYERS, "Trained layers")
        widgets.slider(keys.SEEDS, "Seeds")
        rate = widgets.select_slider(keys.RATE, "Learning rate", RATES)
        seed = widgets.number_input(keys.SEED, "First seed")
        st.caption(
            "A seed decides which third of the premises is held out, the order of the batches of 16 pairs "
            "and the classifier's first weights. Few pairs are held out, so one pair more or less moves the "
            "accuracy by several percent: compare over a few seeds before you believe a difference."
        )
    return NliTask((), steps=steps, learning_rate=rate, trained_layers=layers, seed=seed), names


def paper(what: str) -> None:
    """The published table, marked as such."""
    with st.container(border=True):
        st.markdown("**From the paper, not measured here**")
        rows = PAPER[what]
        columns = {what: [comparison.written(r.choice) for r in rows]}
        columns["trained on NLI"] = [f"{r.nli:.2f}" for r in rows]
        if what == "pooling":
            columns["trained on STS benchmark"] = ["" if r.sts is None else f"{r.sts:.2f}" for r in rows]
        safe_table(columns, key=f"sb_paper_{what}", name=f"reimers-gurevych-2019-{what}")
        st.caption(
            "Reimers and Gurevych 2019, arXiv:1908.10084, table 6: Spearman rank correlation times 100 on "
            "the development set of the STS benchmark, BERT-base, mean of 10 seeds. They trained on about a "
            "million pairs, starting from BERT; here it is a few dozen pairs, starting from a model that "
            "already makes good sentence vectors. So compare the order, not the numbers."
        )


def ask() -> None:
    """What a classifier trained in this session says of the typed pair."""
    done = comparison.trained()
    if not done:
        st.caption(
            "Train a classifier under Concatenation or Pooling, and its answer for your pair appears here."
        )
        return
    tasks: list[NliTask] = [run.task for run in done]
    names = [
        f"{comparison.written(t.concatenation)} · {comparison.written(t.pooling)} · seed {t.seed}"
        for t in tasks
    ]
    chosen = st.selectbox("Classifier", range(len(done)), format_func=names.__getitem__, key="sb_asked")
    premise, hypothesis = ((state.get(key) or "").strip() for key in (keys.PREMISE, keys.HYPOTHESIS))
    checkpoint = executor().checkpoint_path(done[chosen].id, done[chosen].step)
    if checkpoint is None:
        raise InputError("This classifier is no longer kept. Train it again, then ask.")
    chances, cosine = kit.ask(sbert.classify, tasks[chosen], checkpoint, premise, hypothesis)
    chart(comparisons.chances(CLASSES, chances), "sb_chances", "The answer")
    st.caption(
        f"Cosine under the trained encoder: {cosine:.3f}. A few dozen examples teach a direction, not logic: "
        "expect it to be wrong on pairs unlike those it has seen."
    )
