"""Before and after fine-tuning: a quick run, or one of this session, and what it did to the classes."""

from __future__ import annotations

import streamlit as st

from core.concepts import classification
from core.concepts.classification import Labelled, Split
from core.data import sentence_sets
from core.data.pairs import pairs_from_groups
from core.runs.request import RunRequest
from core.types import Run, Sentence, SentenceSet, TrainingConfig
from pages.classification import keys
from pages.classification.views import SAME, Problem, method
from ui import inputs, messages, state, widgets
from ui.charts import chart
from ui.figures import classifiers
from ui.predictions.gate import Gate, predict
from ui.resources import executor, session_is_open
from ui.runs import live_run
from ui.tables import safe_table
from ui.widgets import button

STEPS, PAIRS = 40, 120
CHANGES = ("It gets worse", "It stays about the same", "It gets better")


def before_and_after(now: Problem) -> None:
    """Predict, train or choose a run, and compare the same classifiers on both sets of vectors."""
    asked = now.other_name or now.label_name
    question = f"The model is fine-tuned on {now.label_name}. How does telling {asked} apart change?"
    rule = f"The accuracy of the chosen classifier on test sentences; about the same: within {SAME:g}."
    gate = predict(keys.GUESSES["tuned"], question, CHANGES, rule)
    run = _choose(now)
    if run is None:
        st.caption(
            f"A quick run: {STEPS} steps on pairs made from the {len(now.parts.train)} sentences to learn "
            "from. The test sentences are in none of them."
        )
        return
    if run.is_active:
        _watch(run)
        return
    messages.error(run.error)
    if run.step:
        _compare(now, run, gate)


def _choose(now: Problem) -> Run | None:
    """The run to compare with, with the button for a new one."""
    known = live_run.history()
    fitting = [r for r in known if _same_texts(now, r) and r.step]
    chosen = next((r for r in known if r.id == state.get(keys.RUN)), None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        busy = chosen is not None and chosen.is_active
        button("Fine-tune now", _start, now, key="cls_tune", icon="play_arrow", type="primary", disabled=busy)
        if fitting and not busy:
            names: dict[str | None, str] = {
                r.id: f"{r.config.loss}, {r.step} steps ({r.id})" for r in fitting
            }
            picked = widgets.selectbox(keys.RUN, "Run", names)
            return next(r for r in fitting if r.id == picked)
    return chosen if busy else None


def _same_texts(now: Problem, run: Run) -> bool:
    return {s.id for s in run.sentences.sentences} >= set(now.data.ids)


def _start(now: Problem) -> None:
    data = now.data
    rows = set(now.parts.train.tolist())
    told = tuple(
        Sentence(i, text, data.classes[code]) for i, text, code in zip(data.ids, data.texts, data.codes)
    )
    learned = SentenceSet(tuple(s for n, s in enumerate(told) if n in rows))
    seed = state.get(keys.SEED)
    with messages.kept_in(state.MESSAGE):
        pairs = pairs_from_groups(learned, PAIRS, seed)
        key = state.get(keys.SET)
        own = TrainingConfig(loss="contrastive")
        suggested = own if key == inputs.OWN else sentence_sets.load_set(key).config()
        config = suggested.replace(steps=STEPS, snapshot_every=5, seed=seed)
        request = RunRequest(config, SentenceSet(told, now.sentence_set.title), pairs, layout="pca")
        run_id = executor().start(request, session_is_open())
        state.put(keys.RUN, run_id)
        live_run.remember(run_id)


def _watch(run: Run) -> None:
    live_run.progress(run)
    st.button("Stop", key="cls_stop", icon=":material/stop:", on_click=executor().stop, args=(run.id,))


def _compare(now: Problem, run: Run, gate: Gate) -> None:
    row = run.sentences.row()
    at = [row[i] for i in now.data.ids]
    base, tuned = run.snapshots[0].embeddings[at], run.snapshots[-1].embeddings[at]
    labels: dict[str, Labelled] = {now.label_name: now.data}
    if now.other is not None and now.other_name is not None:
        labels[now.other_name] = now.other
    names, before, after = [], [], []
    for name, data in labels.items():
        parts: Split = classification.split_of_pairs(data.ids, data.codes, run.pairs)
        names.append(f"{name}: classifier")
        before.append(classification.held_out_accuracy(method()[0], base, data.codes, parts, method()[1]))
        after.append(classification.held_out_accuracy(method()[0], tuned, data.codes, parts, method()[1]))
        names.append(f"{name}: prototypes")
        for z, numbers in ((base, before), (tuned, after)):
            means = classification.prototypes(z[parts.train], data.codes[parts.train])
            found, _ = classification.nearest(z[parts.test], means)
            numbers.append(classification.accuracy(data.codes[parts.test], found))
    st.markdown(
        f"Accuracy on the **{len(parts.test)}** sentences that this run never trained on, before and after "
        f"**{run.step}** steps:"
    )
    figure = classifiers.pairs_of_bars(names, {"before": before, "after": after}, y_title="accuracy")
    chart(figure, "cls_tuned", "Accuracy before and after fine-tuning")
    change = after[-2] - before[-2]
    truth = CHANGES[0] if change < -SAME else CHANGES[2] if change > SAME else CHANGES[1]
    gate.tell(
        truth,
        "Contrastive fine-tuning moves sentences of one class together, whatever else they have in common. "
        "The trained label becomes easy to read off; another label has to share the room that is left, and "
        "may become harder to read. With few test sentences one mistake more or less is no finding: try "
        "other seeds.",
    )
    columns = {"label and method": names, "before": before, "after": after}
    safe_table(columns, key="cls_tuned_table", name="before-and-after")
