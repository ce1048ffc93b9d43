"""The classification page's widgets: the labelled sentences, the classifier, and the five views of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

import numpy as np
import streamlit as st

from core.concepts import classification
from core.concepts.classification import METHODS, CurvePoint, Labelled, Split
from core.data import sentence_sets, sentences
from core.models import registry
from core.retrieval import collection
from core.retrieval.collection import TextCollection
from core.types import FloatArray, InputError, IntArray, SentenceSet
from pages.classification import keys
from ui import collections, figures, inputs, kit, state, widgets
from ui.charts import chart
from ui.collections import board, work
from ui.figures import classifiers
from ui.predictions.gate import predict
from ui.tables import safe_table
from ui.widgets import button

EXAMPLE = (
    "weather | It will rain all day.\nweather | The sun is out at last.\nweather | A storm is coming.\n"
    "weather | Fog hid the valley this morning.\nfood | This soup is too salty.\n"
    "food | Bake the bread for an hour.\nfood | I would like another slice of cake.\n"
    "food | The noodles were cold."
)
MODEL, POOLING = "minilm-l6", "mean"
NARROW = 270  # pixels of the left column
LISTED = 500  # test sentences that a table shows
R = TypeVar("R")
Ts = TypeVarTuple("Ts")
SAME = 0.05  # accuracies closer than this count as equal
GOOD = 0.9
CURVE = ("2", "4 or 8", "16 or more", "More than there are here")
ZERO = ("About chance", "Better than chance, worse than the classifier", "As well as the classifier")


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything the views need: the set, the labelled sentences, their vectors (n, d) and the split."""

    sentence_set: SentenceSet
    data: Labelled
    label_name: str
    other: Labelled | None  # the same sentences under the set's second label
    other_name: str | None
    z: FloatArray
    parts: Split
    model: str = MODEL
    folder: str = ""  # of a collection, whose vectors only workers read

    @property
    def truth(self) -> IntArray:
        return self.data.codes[self.parts.test]

    def compute(
        self, function: Callable[[FloatArray, IntArray, Split, *Ts], R], *args: *Ts, busy: str = "Classifying"
    ) -> R:
        """`function(z, codes, parts, *args)`, here or, for a collection, by a worker."""
        if not self.folder:
            return function(self.z, self.data.codes, self.parts, *args)
        there: Any = classification.compute  # the rest are the function's own arguments
        known = (self.folder, self.model, _seed())
        answer: R = kit.ask(there, function, *known, *args, busy=busy, lane=collections.CLASSIFY)
        return answer


def choose() -> None:
    """The sentences and what their classes are."""
    key = inputs.sentence_set(keys.SET, on_change=_set_changed)
    if key == inputs.OWN:
        _own()
        return
    info = sentence_sets.load_set(key)
    if info.attribute:
        names = {"groups": info.groups_are, "attribute": info.attribute}
        widgets.segmented_control(keys.LABELS, "Classes are", names, on_change=_labels_changed)


def _own() -> None:
    if state.get(keys.FOLDER) is None:
        inputs.own_text(keys.TEXT, "One a line: class | sentence", EXAMPLE, height=190)
    else:
        work.model(keys.MODEL, NARROW)
        button("Use typed text instead", state.setter(keys.FOLDER, None), key="cls_typed")
    with st.expander("A file instead", expanded=state.get(keys.FILE_ERROR) is not None):
        label = "A table with a column of texts and one of classes, or lines of class | text"
        collections.upload(keys.FOLDER, keys.FILE_ERROR, label, labelled=True)


def _set_changed() -> None:
    state.put(keys.LABELS, keys.LABELS.default)
    state.put(keys.RUN, None)
    _labels_changed()


def _labels_changed() -> None:
    state.put(keys.WORDS, "")
    for guess in keys.GUESSES.values():
        state.put(guess, None)


def settings() -> None:
    """How to classify."""
    name = widgets.segmented_control(keys.METHOD, "Classifier", METHODS)
    left, right = st.columns(2)
    widgets.number_input(keys.K, "Neighbours (k)", at=left, disabled=name != "knn")
    widgets.number_input(keys.SEED, "Seed of the split", at=right)


def problem() -> Problem | None:
    """What the widgets describe, with its vectors; None while those of a collection are computed. Raises
    InputError for sentences that cannot be used."""
    key = state.get(keys.SET)
    other, other_name = None, None
    if key == inputs.OWN:
        if (uploaded := collections.current(keys.FOLDER)) is not None:
            return _of_collection(uploaded)
        chosen = inputs.own_sentences(state.get(keys.TEXT))
        data, name = classification.labelled(chosen, chosen.groups), "your classes"
    else:
        known = sentence_sets.load_set(key)
        chosen, other_name = known.sentence_set, known.attribute
        data, name = classification.labelled(chosen, chosen.groups), known.groups_are
        if known.attribute:
            other = classification.labelled(chosen, known.attributes)
            if state.get(keys.LABELS) == "attribute":
                data, other, name, other_name = other, data, known.attribute, name
    z = kit.embedded(MODEL, 0, POOLING, tuple(data.texts), busy="Embedding sentences")
    return Problem(chosen, data, name, other, other_name, z, classification.split(data.codes, _seed()))


def _of_collection(found: TextCollection) -> Problem | None:
    collections.told(found)
    data, model = classification.of_collection(found), state.get(keys.MODEL)
    if not work.embedded(found, model):
        return None
    parts, nothing = classification.split(data.codes, _seed()), np.zeros((0, 0), np.float32)
    none = SentenceSet((), found.title)
    return Problem(none, data, "your classes", None, None, nothing, parts, model, found.folder)


def _seed() -> int:
    return state.get(keys.SEED)


def method() -> tuple[str, int]:
    return state.get(keys.METHOD), state.get(keys.K)


def describe(now: Problem) -> None:
    classes, learned, tested = len(now.data.classes), len(now.parts.train), len(now.parts.test)
    st.caption(
        f"{classes} classes; {learned:,} sentences to learn from, {tested:,} others to test on, chosen by "
        f"the seed. The model ({registry.BASE_MODELS[now.model].title}) stays unchanged; only the classifier "
        "on top learns."
    )


def classify_own(now: Problem) -> None:
    """The learner's own sentence, classified at once by both classifiers."""
    text = widgets.text_input(keys.NEW, "A sentence of your own", max_chars=1000)
    if not text.strip():
        return
    vector = kit.embedded(now.model, 0, POOLING, (text,))
    said = now.compute(classification.own, method()[1], vector)
    columns: dict[str, Any] = {"class": list(now.data.classes)}
    columns |= {name: [float(v) for v in values] for name, values in said.items()}
    safe_table(columns, key="cls_new_table", name="own-sentence")
    st.caption(
        "Probability by logistic regression, share of the votes of the nearest neighbours, and cosine to the "
        "mean vector of each class; here all labelled sentences are learned from."
    )


# ---- views -------------------------------------------------------------------------------------------


@st.cache_data(max_entries=64, show_spinner="Fitting classifiers")
def _curve(name: str, z: FloatArray, codes: IntArray, k: int, seed: int) -> tuple[CurvePoint, ...]:
    return classification.curve(z, codes, classification.split(codes, seed), name, k, seed)


def _curve_of(now: Problem, name: str, k: int) -> tuple[CurvePoint, ...]:
    if now.folder:
        return now.compute(classification.curve, name, k, _seed(), busy="Fitting classifiers")
    return _curve(name, now.z, now.data.codes, k, _seed())


def learning_curve(now: Problem) -> None:
    gate = predict(
        keys.GUESSES["curve"],
        "How many labelled sentences per class does the chosen classifier need to be right 9 times in 10?",
        CURVE,
        f"The fewest whose mean over {classification.DRAWS} random choices reaches {GOOD:.0%}.",
    )
    name, k = method()
    curves = {METHODS[m]: _curve_of(now, m, k) for m in METHODS}
    if not curves[METHODS[name]]:
        st.caption("Every class needs at least two sentences to learn from.")
        return
    figure = classifiers.learning_curves(curves, classification.majority_baseline(now.truth))
    chart(figure, "cls_curve", "Accuracy by labelled sentences per class")
    enough = [p.per_class for p in curves[METHODS[name]] if p.mean >= GOOD]
    truth = CURVE[3] if not enough else CURVE[0 if enough[0] <= 2 else 1 if enough[0] <= 8 else 2]
    gate.tell(
        truth,
        "The model has read far more text than these sentences, so what its vectors already part, a "
        "classifier learns from a handful. What they do not part (try sentiment instead of topic) takes many "
        "more labels, or vectors that are fine-tuned.",
    )
    rows = [(m, p) for m, points in curves.items() for p in points]
    columns = {"classifier": [m for m, _ in rows], "labelled per class": [p.per_class for _, p in rows]}
    columns |= {n: [getattr(p, n) for _, p in rows] for n in ("mean", "low", "high")}
    safe_table(columns, key="cls_curve_table", name="learning-curve")
    st.caption(
        f"Mean, lowest and highest of {classification.DRAWS} random choices of the labelled sentences."
    )


def confusion(now: Problem) -> None:
    classes = now.data.classes
    question = "Which class is recognised least often among the test sentences?"
    rule = "The smallest share of its sentences that is told right; of several, yours counts."
    gate = predict(keys.GUESSES["confusion"], question, classes, rule, height=480)
    name, k = method()
    found, shares = now.compute(classification.tested, name, k)
    table = classification.confusion(now.truth, found, len(classes))
    right = classification.accuracy(now.truth, found)
    chance = classification.majority_baseline(now.truth)
    st.markdown(
        f"Right: **{right:.0%}** of {len(found):,} test sentences (always the largest: {chance:.0%})."
    )
    figure = classifiers.confusion(table, classes)
    chart(figure, "cls_confusion", "Confusion matrix")
    recall = table.diagonal() / table.sum(axis=1)
    worst = [c for c, r in zip(classes, recall) if r == recall.min()]
    gate.tell(
        gate.guess if gate.guess in worst else worst[0],
        "Rows are what a sentence is, columns what it is taken for. "
        + (
            "Mistakes often fall between classes whose sentences share words and subjects; the table shows "
            "them one by one."
            if right < 1
            else "There is no mistake among these test sentences: all classes are recognised equally often."
        ),
    )
    order = np.argsort(found == now.truth, kind="stable")[:LISTED]  # mistakes first
    columns = _test_sentences(now, order) | {"taken for": [classes[c] for c in found[order]]}
    columns |= {"share": shares[order].max(axis=1).astype(float)}
    safe_table(columns, key="cls_mistakes", name="test-sentences")


def prototypes(now: Problem) -> None:
    classes = now.data.classes
    means, found, cosines, typical = now.compute(classification.by_prototypes)
    learned = classification.accuracy(now.truth, now.compute(classification.tested, *method())[0])
    st.markdown(
        f"A prototype is the mean vector of a class. Taking the nearest one as the answer is right for "
        f"**{classification.accuracy(now.truth, found):.0%}** of the {len(found):,} test sentences; the "
        f"chosen classifier for **{learned:.0%}**."
    )
    st.markdown("How alike the prototypes are:")
    figure = figures.matrix(means @ means.T, classes, height=160 + 30 * len(classes))
    chart(figure, "cls_prototypes", "Cosines between class prototypes")
    known = {"class": list(classes), "most typical": [now.data.texts[int(i)] for i in typical]}
    safe_table(known, key="cls_typical", name="typical-sentences")
    columns = _test_sentences(now)
    columns |= {f"cosine to {name}": cosines[:LISTED, i].astype(float) for i, name in enumerate(classes)}
    safe_table(columns, key="cls_cosines", name="cosines-to-prototypes")


def zero_shot(now: Problem) -> None:
    question = "With descriptions of the classes but no example, how well does it do?"
    rule = f"About, and as well as: within {SAME:g} of the accuracy."
    gate = predict(keys.GUESSES["zero"], question, ZERO, rule, height=480)
    classes = now.data.classes
    if not state.get(keys.WORDS):
        state.put(keys.WORDS, "\n".join(f"{name} | {name}" for name in classes))
    label = "What each class is about, one a line: class | description"
    words = _descriptions(widgets.text_area(keys.WORDS, label, height=40 + 28 * len(classes)), classes)
    vectors = kit.embedded(now.model, 0, POOLING, words)
    found, cosines = now.compute(classification.described, vectors)
    right, chance = classification.accuracy(now.truth, found), classification.majority_baseline(now.truth)
    trained = classification.accuracy(now.truth, now.compute(classification.tested, *method())[0])
    bars = {"right": [chance, right, trained]}
    names = ["always the largest class", "descriptions only", "classifier with examples"]
    figure = classifiers.pairs_of_bars(names, bars, y_title="accuracy")
    chart(figure, "cls_zero", "Accuracy without and with examples")
    truth = ZERO[2] if right >= trained - SAME else ZERO[0] if right <= chance + SAME else ZERO[1]
    gate.tell(
        truth,
        "Each sentence goes to the class whose description has the highest cosine with it. That works as far "
        "as the model places a description near its sentences. Better words help: describe what such a "
        "sentence would say, and watch the bar.",
    )
    columns = _test_sentences(now) | {"taken for": [classes[c] for c in found[:LISTED]]}
    columns |= {f"cosine to {name}": cosines[:LISTED, i].astype(float) for i, name in enumerate(classes)}
    safe_table(columns, key="cls_zero_table", name="zero-shot")


def draw(now: Problem) -> None:
    """The map of a collection."""
    board.draw(collection.opened(now.folder), now.model)


def _test_sentences(now: Problem, order: IntArray | None = None) -> dict[str, Any]:
    """The columns that begin a table of the test sentences, or of those in `order`: what each says, and what
    it is. Of many the first LISTED."""
    if len(now.parts.test) > LISTED:
        st.caption(f"{LISTED} of the {len(now.parts.test):,} test sentences are listed.")
    rows = (now.parts.test if order is None else now.parts.test[order])[:LISTED]
    texts, classes = now.data.texts, now.data.classes
    return {"sentence": [texts[int(i)] for i in rows], "is": [classes[c] for c in now.data.codes[rows]]}


def _descriptions(text: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """One description a class, in their order. Raises InputError, naming the class, when one is missing."""
    given = {s.group: s.text for s in sentences.parse_sentences(text).sentence_set.sentences if s.group}
    for name in classes:
        if name not in given:
            raise InputError(f"There is no description of {name!r}. Write a line: {name} | what it is about.")
    return tuple(given[name] for name in classes)
