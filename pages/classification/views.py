"""The classification page's widgets: the labelled sentences, the classifier, and the five views of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.concepts import classification
from core.concepts.classification import METHODS, CurvePoint, Labelled, Split
from core.data import sentence_sets, sentences
from core.models import embedding
from core.types import FloatArray, InputError, IntArray, SentenceSet
from pages.classification import keys
from ui import figures, kit, state, tables
from ui.figures import classifiers

OWN = "own"
EXAMPLE = (
    "weather | It will rain all day.\nweather | The sun is out at last.\nweather | A storm is coming.\n"
    "weather | Fog hid the valley this morning.\nfood | This soup is too salty.\n"
    "food | Bake the bread for an hour.\nfood | I would like another slice of cake.\n"
    "food | The noodles were cold."
)
MODEL, POOLING = "minilm-l6", "mean"
SAME = 0.05  # accuracies closer than this count as equal
GOOD = 0.9
CURVE = ("2", "4 or 8", "16 or more", "More than there are here")
ZERO = ("About chance", "Better than chance, worse than the classifier", "As well as the classifier")
PLAIN = {"displayModeBar": False}


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

    @property
    def truth(self) -> IntArray:
        return self.data.codes[self.parts.test]


def choose() -> None:
    """The sentences and what their classes are."""
    titles = {info.key: info.title for info in sentence_sets.list_sets()} | {OWN: "My own sentences"}
    if state.get(keys.SET) not in titles:
        state.put(keys.SET, keys.SET.default)
    options = list(titles)
    st.selectbox(
        "Sentences", options, index=options.index(keys.SET.default), format_func=titles.__getitem__,
        on_change=_set_changed, **state.bound(keys.SET),
    )  # fmt: skip
    key = state.get(keys.SET)
    if key == OWN:
        if not state.get(keys.TEXT) and state.once("cls_text"):  # emptied by hand it stays empty
            state.put(keys.TEXT, EXAMPLE)
        st.text_area("One a line: class | sentence", height=190, **state.bound(keys.TEXT))
        return
    info = sentence_sets.load_set(key).info
    if state.get(keys.LABELS) not in ("groups", "attribute"):
        state.put(keys.LABELS, "groups")
    if info.attribute:
        names = {"groups": info.groups_are, "attribute": info.attribute}
        st.segmented_control(
            "Classes are", ["groups", "attribute"], required=True, default="groups",
            on_change=_labels_changed, format_func=names.__getitem__, **state.bound(keys.LABELS),
        )  # fmt: skip


def _set_changed() -> None:
    state.put(keys.LABELS, keys.LABELS.default)
    state.put(keys.RUN, None)
    _labels_changed()


def _labels_changed() -> None:
    for key in (keys.WORDS, *keys.GUESSES.values()):
        state.put(key, key.default)


def settings() -> None:
    """How to classify."""
    if state.get(keys.METHOD) not in METHODS:
        state.put(keys.METHOD, keys.METHOD.default)
    st.segmented_control(
        "Classifier", list(METHODS), required=True, default="logistic", format_func=METHODS.__getitem__,
        **state.bound(keys.METHOD),
    )  # fmt: skip
    left, right = st.columns(2)
    left.number_input("Neighbours (k)", *keys.K.bounds, value=5, **state.bound(keys.K),
                      disabled=state.get(keys.METHOD) != "knn")  # fmt: skip
    right.number_input("Seed of the split", *keys.SEED.bounds, value=7, **state.bound(keys.SEED))


def problem() -> Problem:
    """What the widgets describe, with its vectors. Raises InputError for sentences that cannot be used."""
    key = state.get(keys.SET)
    if key == OWN:
        chosen = sentences.parse_sentences(state.get(keys.TEXT)).sentence_set
        data, name, other, other_name = (
            classification.labelled(chosen, chosen.groups),
            "your classes",
            None,
            None,
        )
    else:
        known = sentence_sets.load_set(key)
        chosen, info = known.sentence_set, known.info
        data, name = classification.labelled(chosen, chosen.groups), info.groups_are
        other, other_name = None, info.attribute
        if info.attribute:
            other = classification.labelled(chosen, known.attributes)
            if state.get(keys.LABELS) == "attribute":
                data, other, name, other_name = other, data, info.attribute, name
    z = kit.ask(embedding.embed, MODEL, 0, POOLING, data.texts, busy="Embedding sentences")
    return Problem(chosen, data, name, other, other_name, z, classification.split(data.codes, _seed()))


def _seed() -> int:
    return int(state.get(keys.SEED))


def method() -> tuple[str, int]:
    return state.get(keys.METHOD), int(state.get(keys.K))


def describe(now: Problem) -> None:
    classes, learned, tested = len(now.data.classes), len(now.parts.train), len(now.parts.test)
    st.caption(
        f"{classes} classes; {learned} sentences to learn from, {tested} others to test on, chosen by the "
        f"seed. The model is all-MiniLM-L6-v2, unchanged; only the classifier on top learns."
    )


def classify_own(now: Problem) -> None:
    """The learner's own sentence, classified at once by both classifiers."""
    default = keys.NEW.default
    text = st.text_input("A sentence of your own", default, max_chars=1000, **state.bound(keys.NEW))
    if not (text or "").strip():
        return
    vector = kit.ask(embedding.embed, MODEL, 0, POOLING, (text,))
    columns: dict[str, list[object]] = {"class": list(now.data.classes)}
    for key, name in METHODS.items():
        _, shares = classification.predict(key, now.z, now.data.codes, vector, method()[1])
        columns[name] = [float(v) for v in shares[0]]
    columns["Cosine to prototype"] = [
        float(v)
        for v in classification.nearest(vector, classification.prototypes(now.z, now.data.codes))[1][0]
    ]
    tables.safe_table(columns, key="cls_new_table", name="own-sentence")
    st.caption(
        "Probability by logistic regression, share of the votes of the nearest neighbours, and cosine to the "
        "mean vector of each class; here all labelled sentences are learned from."
    )


# ---- views -------------------------------------------------------------------------------------------


@st.cache_data(max_entries=64, show_spinner="Fitting classifiers")
def _curve(name: str, z: FloatArray, codes: IntArray, k: int, seed: int) -> tuple[CurvePoint, ...]:
    return classification.learning_curve(name, z, codes, classification.split(codes, seed), k, seed)


def learning_curve(now: Problem) -> None:
    guess = kit.predict(
        keys.GUESSES["curve"],
        "How many labelled sentences per class does the chosen classifier need to be right 9 times in 10?",
        CURVE,
    )
    name, k = method()
    curves = {METHODS[m]: _curve(m, now.z, now.data.codes, k, _seed()) for m in METHODS}
    if not curves[METHODS[name]]:
        st.caption("Every class needs at least two sentences to learn from.")
        return
    figure = classifiers.learning_curves(curves, classification.chance(now.truth))
    st.plotly_chart(figure, key="cls_curve", alt="Accuracy by labelled sentences per class", config=PLAIN)
    enough = [p.per_class for p in curves[METHODS[name]] if p.mean >= GOOD]
    truth = CURVE[3] if not enough else CURVE[0 if enough[0] <= 2 else 1 if enough[0] <= 8 else 2]
    kit.verdict(
        guess,
        truth,
        "The model has read far more text than these sentences, so what its vectors already part, a "
        "classifier learns from a handful. What they do not part (try sentiment instead of topic) takes many "
        "more labels, or vectors that are fine-tuned.",
    )
    rows = [(m, p) for m, points in curves.items() for p in points]
    columns = {"classifier": [m for m, _ in rows], "labelled per class": [p.per_class for _, p in rows]}
    columns |= {n: [getattr(p, n) for _, p in rows] for n in ("mean", "low", "high")}
    tables.safe_table(columns, key="cls_curve_table", name="learning-curve")
    st.caption(
        f"Mean, lowest and highest of {classification.DRAWS} random choices of the labelled sentences."
    )


def confusion(now: Problem) -> None:
    classes = now.data.classes
    question = "Which class is recognised least often among the test sentences?"
    guess = kit.predict(keys.GUESSES["confusion"], question, classes)
    name, k = method()
    z, codes, parts = now.z, now.data.codes, now.parts
    found, shares = classification.predict(name, z[parts.train], codes[parts.train], z[parts.test], k)
    table = classification.confusion(now.truth, found, len(classes))
    right = classification.accuracy(now.truth, found)
    chance = classification.chance(now.truth)
    st.markdown(f"Right: **{right:.0%}** of {len(found)} test sentences (always the largest: {chance:.0%}).")
    figure = classifiers.confusion(table, classes)
    st.plotly_chart(figure, key="cls_confusion", alt="Confusion matrix", config=PLAIN)
    recall = table.diagonal() / table.sum(axis=1)
    worst = [c for c, r in zip(classes, recall) if r == recall.min()]
    kit.verdict(
        guess if guess in classes else None,
        guess if guess in worst else worst[0],
        "Rows are what a sentence is, columns what it is taken for. "
        + (
            "Mistakes often fall between classes whose sentences share words and subjects; the table shows "
            "them one by one."
            if right < 1
            else "There is no mistake among these test sentences: all classes are recognised equally often."
        ),
    )
    columns = {
        "sentence": [now.data.texts[i] for i in parts.test],
        "is": [classes[c] for c in now.truth],
        "taken for": [classes[c] for c in found],
        "share": shares.max(axis=1).astype(float),
    }
    order = np.argsort(found == now.truth, kind="stable")  # mistakes first
    tables.safe_table(
        {n: [v[i] for i in order] for n, v in columns.items()}, key="cls_mistakes", name="test-sentences"
    )


def prototypes(now: Problem) -> None:
    z, codes, parts, classes = now.z, now.data.codes, now.parts, now.data.classes
    means = classification.prototypes(z[parts.train], codes[parts.train])
    found, cosines = classification.nearest(z[parts.test], means)
    st.markdown(
        f"A prototype is the mean vector of a class. Taking the nearest one as the answer is right for "
        f"**{classification.accuracy(now.truth, found):.0%}** of the {len(found)} test sentences; the chosen "
        f"classifier for **{classification.measured(method()[0], z, codes, parts, method()[1]):.0%}**."
    )
    st.markdown("How alike the prototypes are:")
    figure = figures.matrix(means @ means.T, classes, height=160 + 30 * len(classes))
    st.plotly_chart(figure, key="cls_prototypes", alt="Cosines between class prototypes", config=PLAIN)
    nearest = np.argmax(means @ z[parts.train].T, axis=1)
    typical = {"class": list(classes), "most typical": [now.data.texts[parts.train[i]] for i in nearest]}
    tables.safe_table(typical, key="cls_typical", name="typical-sentences")
    columns = {"sentence": [now.data.texts[i] for i in parts.test], "is": [classes[c] for c in now.truth]}
    columns |= {f"cosine to {name}": cosines[:, i].astype(float) for i, name in enumerate(classes)}
    tables.safe_table(columns, key="cls_cosines", name="cosines-to-prototypes")


def zero_shot(now: Problem) -> None:
    guess = kit.predict(
        keys.GUESSES["zero"],
        "With descriptions of the classes but no example, how well does it do?",
        ZERO,
    )
    classes = now.data.classes
    if not state.get(keys.WORDS):
        state.put(keys.WORDS, "\n".join(f"{name} | {name}" for name in classes))
    st.text_area(
        "What each class is about, one a line: class | description", height=40 + 28 * len(classes),
        **state.bound(keys.WORDS),
    )  # fmt: skip
    words = _descriptions(state.get(keys.WORDS), classes)
    vectors = kit.ask(embedding.embed, MODEL, 0, POOLING, words)
    found, cosines = classification.nearest(now.z[now.parts.test], vectors)
    right, chance = classification.accuracy(now.truth, found), classification.chance(now.truth)
    trained = classification.measured(method()[0], now.z, now.data.codes, now.parts, method()[1])
    bars = {"right": [chance, right, trained]}
    figure = classifiers.pairs_of_bars(
        ["always the largest class", "descriptions only", "classifier with examples"],
        bars,
        y_title="accuracy",
    )
    st.plotly_chart(figure, key="cls_zero", alt="Accuracy without and with examples", config=PLAIN)
    truth = ZERO[2] if right >= trained - SAME else ZERO[0] if right <= chance + SAME else ZERO[1]
    kit.verdict(
        guess,
        truth,
        "Each sentence goes to the class whose description has the highest cosine with it. That works as far "
        "as the model places a description near its sentences. Better words help: describe what such a "
        "sentence would say, and watch the bar.",
    )
    columns = {"sentence": [now.data.texts[i] for i in now.parts.test], "is": [classes[c] for c in now.truth]}
    columns["taken for"] = [classes[c] for c in found]
    columns |= {f"cosine to {name}": cosines[:, i].astype(float) for i, name in enumerate(classes)}
    tables.safe_table(columns, key="cls_zero_table", name="zero-shot")


def _descriptions(text: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """One description a class, in their order. Raises InputError, naming the class, when one is missing."""
    given = {s.group: s.text for s in sentences.parse_sentences(text).sentence_set.sentences if s.group}
    for name in classes:
        if name not in given:
            raise InputError(f"There is no description of {name!r}. Write a line: {name} | what it is about.")
    return tuple(given[name] for name in classes)
