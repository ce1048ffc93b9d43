"""What stands under the map: one panel at a time, each a function of the data and the run.

A panel reads the run's snapshots and shows numbers; it changes nothing. Adding one is a row in PANELS.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from core.data.text import plural
from core.losses import LOSSES
from core.metrics import measures
from core.metrics.table import METRICS
from core.runs.messages import moved
from core.training.controls import layers_that_learn
from core.types import FloatArray, Metrics, Run, SentenceSet, Snapshot
from core.vectors import nearest_neighbours
from pages.train_live import cards, keys
from ui import batches, figures, kit, pages, widgets
from ui.boards import moving_map
from ui.charts import chart
from ui.runs import diagnosis, live_run
from ui.tables import safe_table
from ui.training_data import TrainingData

ROOT = Path(__file__).resolve().parents[2]
NEIGHBOURS = 5
RATE = "learning rate"
LARGEST_MATRIX = 400  # sentences; beyond that single cells are thinner than a pixel
WIDE = 1150  # pixels across this page, which has no cards beside it
ARROWS = "one map with arrows"
TRAIN_FIRST = "Press Train, or 1 step, and this fills with what the model does."


def progress(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """Loss and held-out curves, and every metric with its one-line meaning."""
    if run is None or not run.snapshots:
        st.caption(TRAIN_FIRST)
        measured = measures.measure(base, data.sentences, data.held_out, data.train)
        _metric_rows(measured, None, len(data.held_out))
        return
    steps = [s.step for s in run.snapshots]
    last = max(run.config.steps, run.step)

    def series(field: str) -> list[float | None]:
        return [getattr(s.metrics, field) for s in run.snapshots]

    charts: dict[str, dict[str, list[float | None]]] = {
        "Loss of the batch": {"loss": [s.loss for s in run.snapshots]},
        "Held-out pairs": {"accuracy": series("held_out_accuracy"), "AUC": series("held_out_auc")},
        "Collapse": {"mean cosine of all pairs": series("mean_random_cosine")},
        "Same-group neighbours": {"neighbour purity": series("neighbour_purity")},
    }
    shares = ("Held-out pairs", "Same-group neighbours", "Collapse")  # drawn on their whole range
    columns = st.columns(2)
    shown = [(t, lines) for t, lines in charts.items() if any(v is not None for v in _values(lines))]
    for place, (title, lines) in enumerate(shown):
        with columns[place % 2]:
            st.markdown(f"**{title}**")
            figure = figures.curve(
                steps, lines, y_range=(-0.02, 1.02) if title in shares else None, last_step=last
            )
            chart(figure, f"curve {title}", f"Curve: {title} by step")
    _metric_rows(run.snapshots[-1].metrics, run.snapshots[0].metrics, len(run.held_out))


def _values(lines: dict[str, list[float | None]]) -> list[float | None]:
    return [v for values in lines.values() for v in values]


def _metric_rows(now: Metrics, before: Metrics | None, held_out: int) -> None:
    """The metrics as a table: before, now, and what each one means; with the number of held-out pairs."""
    rows = []
    for row in METRICS.values():
        value = getattr(now, row.key)
        if value is None:
            continue
        first = getattr(before, row.key) if before is not None else value
        of = f", {held_out} {plural(held_out, 'pair')}" if row.key.startswith("held_out") else ""
        rows.append((row.title + of, row.text(first), row.text(value), row.meaning))
    if not rows:
        st.caption("With one sentence there is nothing to measure yet.")
        return
    st.table(
        {
            "metric": [r[0] for r in rows],
            "base model": [r[1] for r in rows],
            "now": [r[2] for r in rows],
            "what it tells": [r[3] for r in rows],
        },
        border="horizontal",
        hide_index=True,
    )


def pair_table(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """Every pair with its cosine before and now, and what the cross-encoder for likeness says of it."""
    sentences, pairs = data.sentences, (*data.train, *data.held_out)
    if run is not None and run.snapshots:
        sentences, pairs = run.sentences, (*run.pairs, *run.held_out)
    if not pairs:
        st.caption("There are no pairs yet. Make some under Pairs, or mark points on the map.")
        return
    text, rows = sentences.texts, sentences.rows_of(pairs)
    before, now = _before_and_now(run, base)
    held = len(pairs) - (len(run.held_out) if run and run.snapshots else len(data.held_out))
    cosine_before = (before[rows[:, 0]] * before[rows[:, 1]]).sum(axis=1)
    cosine_now = (now[rows[:, 0]] * now[rows[:, 1]]).sum(axis=1)
    texts = {"left": [text[a] for a, _ in rows], "right": [text[b] for _, b in rows]}
    columns = {
        "used to": ["train" if i < held else "measure" for i in range(len(pairs))],
        "label": [p.label for p in pairs],
        "cosine before": cosine_before,
        "cosine now": cosine_now,
        "change": cosine_now - cosine_before,
    }
    asked = list(zip(texts["left"], texts["right"]))

    def draw() -> None:
        with kit.sentences_not_tracebacks():
            batches.pair_scores().advance(asked)
        progress = batches.pair_scores().progress(asked)
        scores: Sequence[object] = batches.pair_scores().known(asked)
        if progress.done < progress.total:
            scores = ["…" if score is None else f"{score:.3f}" for score in scores]
        safe_table(
            columns | {"cross-encoder": scores} | texts,
            key="pair_rows",
            name="pairs",
            formats={"label": "%g"},
            room=WIDE,
        )
        if progress.done < progress.total:
            st.caption(f"The cross-encoder has read {progress.done:,} of {progress.total:,} pairs.")
        elif pending and not active:
            st.rerun()
        st.caption(
            "Cross-encoder: the packaged one for likeness, untouched by this run; both orders averaged."
        )

    active = run is not None and run.is_active
    pending = batches.pair_scores().progress(asked).done < len(set(asked))
    st.fragment(draw, run_every=1.0 if pending and not active else None)()


def cosine_matrix(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """All cosines, sentences sorted by group."""
    sentences = _shown(data, run)
    if len(sentences) > LARGEST_MATRIX:
        st.info(f"The matrix is drawn for up to {LARGEST_MATRIX} sentences; this set has {len(sentences)}.")
        return
    before, now = _before_and_now(run, base)
    which = widgets.segmented_control(keys.MATRIX, "Cosines", ("now", "before", "change"))
    order = sorted(range(len(sentences)), key=lambda i: (sentences.groups[i] or "", i))
    now, before = now[order], before[order]
    values = {"now": now @ now.T, "before": before @ before.T, "change": now @ now.T - before @ before.T}
    figure = figures.matrix(
        values[which], [sentences.texts[i] for i in order], height=min(900, 220 + 14 * len(order))
    )
    chart(figure, "matrix", "Heat map: the cosine of every two sentences")


def forces(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """Which pairs of the last batch pull and which push, strongest first."""
    last = run.snapshots[-1] if run is not None and run.snapshots else None
    if last is None or not len(last.forces.values):
        st.caption(TRAIN_FIRST)
        return
    st.write(
        "The derivative of the loss with respect to each pair's cosine similarity, in the last batch. "
        "Negative pulls the two together, positive pushes them apart, and near zero means the loss has "
        "nothing more to ask of this pair."
    )
    assert run is not None
    strongest = np.argsort(-np.abs(last.forces.values))[:16]
    text = run.sentences.texts
    pairs = [(text[a], text[b]) for a, b in last.forces.rows[strongest]]
    figure = figures.bars(
        [f"{a}  ·  {b}" for a, b in pairs],
        last.forces.values[strongest].tolist(),
        x_title="d loss / d cosine",
        ticks=[f"{figures.short(a, 24)} · {figures.short(b, 24)}" for a, b in pairs],
    )
    chart(figure, "force_bars", "Bars: the pairs of the last batch that pull or push most")
    columns = {
        "force": last.forces.values,
        "acts": ["pulls" if v < 0 else "pushes" if v > 0 else "rests" for v in last.forces.values],
        "left": [text[a] for a, _ in last.forces.rows],
        "right": [text[b] for _, b in last.forces.rows],
    }
    safe_table(columns, key="force_rows", name="forces", room=WIDE)


def before_and_after(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """Two maps on one layout: what moved, moved. Then one map with an arrow for every sentence."""
    if run is None or len(run.frames) < 2 or run.is_active:
        st.caption("Two maps appear here, on one shared layout, when a run is paused or finished.")
        return
    first, last = run.frames[0], run.frames[-1]
    space = f"{run.id} {first.method}"
    board = partial(moving_map.board, sentence_set=run.sentences, space=space, labels=False, can_mark=False)
    if widgets.view(keys.BEFORE_AFTER, "View", (keys.BEFORE_AFTER.default, ARROWS)) == ARROWS:
        board(key="arrows", xy=last.xy, step=last.step, ghost=first.xy, height=460)
        return
    for column, frame, name in zip(st.columns(2), (first, last), ("before", "after"), strict=True):
        column.markdown(f"**{name.capitalize()}**, step {frame.step}")
        with column:
            board(key=name, xy=frame.xy, step=frame.step, height=380)


def history(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """This session's runs, newest first; any of them can be shown again without training."""
    runs = [r for r in live_run.history() if r.snapshots]
    if not runs:
        st.caption(TRAIN_FIRST)
        return
    last = [r.snapshots[-1].metrics for r in runs]
    columns = {
        "run": [r.id for r in runs],
        "from": [
            "base model" if r.forked_from is None else "{}, step {}".format(*r.forked_from) for r in runs
        ],
        "status": [str(r.status) for r in runs],
        "steps": [r.step for r in runs],
        "loss": [LOSSES[r.config.loss].title for r in runs],
        RATE: [r.config.learning_rate for r in runs],
        "layers": [layers_that_learn(r.config) for r in runs],
        "held-out AUC": [m.held_out_auc for m in last],
        "same-group neighbours": [m.neighbour_purity for m in last],
        "seconds": [r.snapshots[-1].seconds for r in runs],
    }
    safe_table(columns, key="history_rows", name="runs", formats={RATE: "%g"}, room=WIDE)
    others = [r.id for r in runs if run is None or r.id != run.id]
    if others and (run is None or not run.is_active):
        left, right = st.columns([0.4, 0.6], vertical_alignment="bottom")
        chosen = left.selectbox("Show a run again", others, key="history_pick")
        right.button("Show", key="history_show", on_click=live_run.show_again, args=(chosen,))


def movers(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """The sentences that moved most in the original dimensions, with their neighbours before and now."""
    if run is None or len(run.snapshots) < 2:
        st.caption(TRAIN_FIRST)
        return
    first, last = run.snapshots[0], run.snapshots[-1]
    distance = np.asarray(moved(run))
    order = np.argsort(-distance)[:50]
    columns = {
        "sentence": [run.sentences.texts[i] for i in order],
        "group": [run.sentences.groups[i] or "" for i in order],
        "moved (1 − cosine)": distance[order],
        "nearest before": _nearest_texts(first, run.sentences, order),
        "nearest now": _nearest_texts(last, run.sentences, order),
    }
    safe_table(columns, key="mover_rows", name="movers", room=WIDE)


def _nearest_texts(snapshot: Snapshot, sentences: SentenceSet, order: np.ndarray) -> list[str]:
    if len(sentences) < 2:
        return ["" for _ in order]
    nearest = nearest_neighbours(snapshot.embeddings, 1)
    return [sentences.texts[int(nearest[i][0])] for i in order]


def map_table(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """The map as a table: place, trust and true neighbours of every sentence."""
    sentences = _shown(data, run)
    _, now = _before_and_now(run, base)
    k = min(NEIGHBOURS, len(sentences) - 1)
    nearest = nearest_neighbours(now, k) if k > 0 else np.zeros((len(sentences), 0), int)
    columns: dict[str, object] = {"sentence": list(sentences.texts)}
    if sentences.has_groups:
        columns["group"] = [g or "" for g in sentences.groups]
    if run is not None and run.frames:
        frame = run.frames[-1]
        columns |= {"x": frame.xy[:, 0], "y": frame.xy[:, 1], "trust": frame.trust}
        columns["moved (1 − cosine)"] = np.asarray(moved(run))
    columns["true nearest neighbours"] = [" / ".join(sentences.texts[j] for j in row) for row in nearest]
    safe_table(columns, key="map_rows", name="map", room=WIDE)


def code(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """The lines that train, read from the file that runs."""
    st.write("These are the lines that ran: a step, as it stands in core/training/gradient.py,")
    st.code(source_of("core/training/gradient.py", "advance"), language="python")
    st.write("and the loss of its batch, from core/training/bi_trainer.py.")
    st.code(source_of("core/training/bi_trainer.py", "loss_of"), language="python")
    config = run.config if run is not None else None
    if config is not None:
        st.write("With these settings:")
        st.code(config.to_json(), language="json", wrap_lines=True)


def source_of(file: str, function: str) -> str:
    """The source text of a function or method, without importing its module."""
    text = (ROOT / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return ast.get_source_segment(text, node, padded=True) or ""
    return ""


def _shown(data: TrainingData, run: Run | None) -> SentenceSet:
    """The sentences that the numbers are about: the run's own, which may differ from those typed since."""
    return data.sentences if run is None or not run.snapshots else run.sentences


def _before_and_now(run: Run | None, base: FloatArray) -> tuple[FloatArray, FloatArray]:
    if run is None or not run.snapshots:
        return base, base
    return run.snapshots[0].embeddings, run.snapshots[-1].embeddings


def why_worse(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """What made the run worse than the base model, if it did, and a fork that tries a remedy."""
    if run is None or len(run.snapshots) < 2:
        st.caption(TRAIN_FIRST)
    else:
        diagnosis.why_worse(run, _on_one_map)


def _on_one_map(run: Run, tried: Run) -> None:
    a, b = {"cmp_a": f"run:{run.id}"}, {"cmp_b": f"run:{tried.id}"}
    steps = {"cmp_a_step": str(run.step), "cmp_b_step": str(tried.step)}
    pages.link(pages.COMPARE, "Compare on one map", a | b | steps)


Panel = Callable[[TrainingData, Run | None, FloatArray], None]

PANELS: dict[str, Panel] = {
    "Progress": progress,
    "Pairs": pair_table,
    "Forces": forces,
    "Cosines": cosine_matrix,
    "Before and after": before_and_after,
    "Biggest movers": movers,
    "Why worse?": why_worse,
    "Map as table": map_table,
    "Runs": history,
    "Cards": cards.of_run,
    "Code": code,
}
