"""What stands under the maps of the Compare page: one view at a time, each measured in all dimensions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.metrics import comparison
from core.metrics.probe import graded_pairs, probe_source
from core.metrics.table import METRICS
from core.training import tuned
from core.training.controls import layers_that_learn
from core.types import Run
from pages.compare import keys, plots
from pages.compare.changed import what_changed
from pages.compare.models import NEAR, RUN, Both, given_titles, known_runs, run_title
from ui import figures, kit, state, widgets
from ui.charts import chart
from ui.runs import diagnosis
from ui.tables import safe_table

LARGEST_MATRIX = 200
TWO_LINES = 900  # pixels of all views side by side, which wrap
MOST_PAIRS = 100
RATE = "learning rate"
CAMERA = {"displaylogo": False, "toImageButtonOptions": {"format": "svg"}}  # it saves a picture
STAYED = ("Most stay", "About half stay", "Most change")
MOST = 0.6  # of the neighbours
RULE = (
    f"Of each sentence's {NEAR} nearest neighbours, in all dimensions. Most: above {MOST:.0%} on average; "
    f"about half: {1 - MOST:.0%} to {MOST:.0%}."
)


def overlap(both: Both) -> float:
    """Mean share of the nearest neighbours that are the same under both, [0, 1]."""
    changes = comparison.neighbour_changes(both.before, both.after, NEAR)
    return float(np.mean([c.overlap for c in changes]))


def stayed(both: Both) -> tuple[str, str]:
    """How many neighbours stayed, as one of STAYED, and what that tells."""
    share = overlap(both)
    truth = STAYED[0] if share > MOST else STAYED[1] if share >= 1 - MOST else STAYED[2]
    return (
        truth,
        f"On average {share:.0%} of a sentence's {NEAR} nearest neighbours are the same under A and B. "
        "Neighbours are counted in all dimensions, so the map cannot mislead here. A model that was tuned a "
        "little keeps most of them; one that was tuned hard has built a new neighbourhood.",
    )


def similarities(both: Both) -> None:
    """Cosine under B minus cosine under A."""
    change = comparison.similarity_change(both.before, both.after)
    texts, groups = both.sentences.texts, both.sentences.groups
    order = sorted(range(len(texts)), key=lambda i: (groups[i] or "", i))
    if len(order) <= LARGEST_MATRIX:
        size = min(900, 220 + 14 * len(order))
        sorted_texts, values = [texts[i] for i in order], change[np.ix_(order, order)]
        figure = figures.matrix(values, sorted_texts, title="change", height=size)
        chart(figure, "cmp_matrix", "Heat map: the change of every two sentences' cosine", config=CAMERA)
    else:
        st.caption(f"The matrix is drawn for up to {LARGEST_MATRIX} sentences; the table has the extremes.")
    left, right = np.triu_indices(len(texts), k=1)
    strongest = np.argsort(-np.abs(change[left, right]), kind="stable")[:MOST_PAIRS]
    rows = [(int(left[i]), int(right[i])) for i in strongest]
    columns = {
        "left": [texts[a] for a, _ in rows],
        "right": [texts[b] for _, b in rows],
        "cosine A": [float(both.before[a] @ both.before[b]) for a, b in rows],
        "cosine B": [float(both.after[a] @ both.after[b]) for a, b in rows],
        "change": [float(change[a, b]) for a, b in rows],
    }
    safe_table(columns, key="cmp_pairs_changed", name="similarity-changes")


def movers(both: Both) -> None:
    """How far each sentence turned, farthest first."""
    moved = comparison.movement(both.before, both.after, both.aligned)
    if not both.aligned:
        st.caption(
            "A and B do not share their axes, so each sentence is described by its cosines to all "
            "sentences, and the movement is that of this description."
        )
    order = np.argsort(-moved, kind="stable")
    texts = both.sentences.texts
    columns: dict[str, object] = {
        "sentence": [texts[i] for i in order],
        "group": [both.sentences.groups[i] or "" for i in order],
        "moved (1 − cosine)": moved[order],
    }
    safe_table(columns, key="cmp_movers", name="movers")


def groups(both: Both) -> None:
    """Where the groups drifted, and whether they drew together."""
    drift = comparison.group_drift(both.before, both.after, both.sentences.groups, both.aligned)
    if not drift:
        st.caption("These sentences have no groups, so no group can drift.")
        return
    columns = {
        "group": [d.group for d in drift],
        "sentences": [d.count for d in drift],
        "moved (1 − cosine)": [d.moved for d in drift],
        "tight A": [d.tight_before for d in drift],
        "tight B": [d.tight_after for d in drift],
        "nearest group A": [d.nearest_before or "" for d in drift],
        "gap A": [d.gap_before for d in drift],
        "nearest group B": [d.nearest_after or "" for d in drift],
        "gap B": [d.gap_after for d in drift],
    }
    safe_table(columns, key="cmp_drift", name="group-drift")
    st.caption(
        "Tight: mean cosine of the sentences to their group's mean direction. Gap: 1 − cosine to the mean "
        "direction of the nearest other group."
    )


def held_out(both: Both) -> None:
    """Accuracy, AUC and margins of pairs that were not trained on."""
    if not both.held_out:
        st.caption("No pairs were held out, so nothing can be measured on new pairs.")
        return
    a = comparison.pair_scores(both.before, both.sentences, both.held_out, both.train)
    b = comparison.pair_scores(both.after, both.sentences, both.held_out, both.train)
    accuracy, area = METRICS["held_out_accuracy"], METRICS["held_out_auc"]
    safe_table(
        {
            "measure": [accuracy.title, area.title, "Threshold (cosine)"],
            "A": [accuracy.text(a.accuracy), area.text(a.auc), _decimal(a.threshold)],
            "B": [accuracy.text(b.accuracy), area.text(b.auc), _decimal(b.threshold)],
        },
        key="cmp_held_scores",
        name="held-out-scores",
    )
    figure = plots.margins(a.margins, b.margins)
    chart(figure, "cmp_margins", "Histograms: margins of the held-out pairs under A and B", config=CAMERA)
    text = {s.id: s.text for s in both.sentences.sentences}
    columns: dict[str, object] = {
        "left": [text[p.left] for p in both.held_out],
        "right": [text[p.right] for p in both.held_out],
        "label": [p.label for p in both.held_out],
        "cosine A": a.cosines,
        "cosine B": b.cosines,
    }
    if a.margins is not None and b.margins is not None:
        columns |= {"margin A": a.margins, "margin B": b.margins}
    safe_table(columns, key="cmp_held_pairs", name="held-out-pairs", formats={"label": "%g"})


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def forgetting(both: Both) -> None:
    """Do both models still rank everyday pairs as people do?"""
    scores = [
        kit.ask(tuned.probe, s.config, s.checkpoint(), busy="Reading the probe") for s in (both.a, both.b)
    ]
    for place, name, side, score in zip(st.columns(2), "AB", (both.a, both.b), scores):
        before = kit.ask(tuned.probe, side.config, None, busy="Reading the probe")
        value = f"{_decimal(score.spearman)} ({_decimal(before.spearman)} before)"
        place.metric(f"Rank correlation with the grades, {name}", value)
    st.caption(f"{len(graded_pairs())} pairs. {probe_source()}. Spearman's correlation: 1 is the same order.")
    columns: dict[str, object] = {
        "left": [p.left for p in graded_pairs()],
        "right": [p.right for p in graded_pairs()],
        "grade (0 to 5)": [p.grade for p in graded_pairs()],
        "cosine A": scores[0].cosines,
        "cosine B": scores[1].cosines,
    }
    safe_table(columns, key="cmp_probe", name="forgetting-probe")


def runs(both: Both) -> None:
    """Every run of this session: settings, seed, time and scores."""
    found = known_runs()
    if not found:
        st.caption("No run yet. Train one on Train live, or open a run file below.")
        return
    given = given_titles()
    names = {run.id: run_title(run, given.get(run.id)) for run in found}
    pinned = st.multiselect(
        "Pin to the top", list(names), format_func=names.__getitem__, **state.bound(keys.PINNED)
    )
    found.sort(key=lambda run: run.id not in pinned)
    columns: dict[str, object] = {
        "run": [("pinned · " if run.id in pinned else "") + names[run.id] for run in found],
    }
    for row in METRICS.values():
        values = [getattr(run.snapshots[-1].metrics, row.key) for run in found]
        if any(v is not None for v in values):
            columns[row.title] = [np.nan if v is None else float(v) for v in values]
    columns |= {
        "seconds": [run.snapshots[-1].seconds for run in found],
        "steps": [run.step for run in found],
        "loss": [run.config.loss for run in found],
        RATE: [run.config.learning_rate for run in found],
        "layers": [layers_that_learn(run.config) for run in found],
        "batch": [run.config.batch_size for run in found],
        "seed": [run.config.seed for run in found],
        "base model": [run.config.base_model for run in found],
    }
    safe_table(columns, key="cmp_runs", name="runs", formats={RATE: "%g"})
    st.caption("Click a column's name to sort by it.")


def why_worse(both: Both) -> None:
    """What made B's run worse than its base model."""
    run = both.b.run
    if run is None or len(run.snapshots) < 2:
        st.caption("Choose a run as B: what is diagnosed is a training.")
    else:
        diagnosis.why_worse(run, _beside)


def _beside(run: Run, tried: Run) -> None:
    """Both stand on the maps as soon as the remedy is tried, and after a look elsewhere at a press."""
    sides = RUN + run.id, run.step, RUN + tried.id, tried.step
    if state.get(state.TRYING) == tried.id:
        state.put(state.TRYING, "")
        state.put(keys.NEXT, sides)
        st.rerun()
    now = state.get(keys.A), state.get(keys.A_STEP), state.get(keys.B), state.get(keys.B_STEP)
    if now != sides:
        show = state.setter(keys.NEXT, sides)
        widgets.button("Compare on the maps", show, key="cmp_tried_show", type="primary")


VIEWS: dict[str, Callable[[Both], None]] = {
    "What changed?": what_changed,
    "Similarities": similarities,
    "Movers": movers,
    "Groups": groups,
    "Held-out pairs": held_out,
    "Forgetting": forgetting,
    "Why worse?": why_worse,
    "Runs": runs,
}


def in_all_dimensions(both: Both) -> None:
    VIEWS[widgets.view(keys.VIEW, "In all dimensions", VIEWS, room=TWO_LINES)](both)
