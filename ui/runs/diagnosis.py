"""Why a run got worse than its base model: what changed side, a check-list, a fork that tries a remedy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core.concepts import bi_vs_cross, diagnosis
from core.concepts.diagnosis import Check
from core.metrics.table import METRICS
from core.runs.request import RunRequest, unforkable
from core.training import tuned
from core.types import Run
from ui import kit, messages, state
from ui.resources import executor, session_is_open
from ui.runs import live_run
from ui.tables import folded_table, safe_table
from ui.widgets import button, row

MOST_READ = 200  # training pairs that the cross-encoder reads for this
VERDICTS = {True: "found", False: "not found", None: "not measured"}


def why_worse(run: Run, beside: Callable[[Run, Run], None]) -> None:
    """A diagnosis of the run, from base model to last step. `beside` offers to put it and the run that
    tries a remedy on one map."""
    if run.is_active:
        st.caption("The run is still training. When it rests, it can be diagnosed.")
        return
    _crossed(run)
    found = _checks(run)
    st.markdown("**The check-list**")
    columns = {
        "check": [check.title for check in found],
        "measured": [check.what for check in found],
        "value": [check.value for check in found],
        "limit": [check.limit for check in found],
        "verdict": [VERDICTS[check.found] for check in found],
    }
    safe_table(columns, key="cmp_checks", name="check-list", height=440, first=("check", "verdict"))
    suspects = [check for check in found if check.found]
    if not suspects:
        st.caption("Nothing on the list is above its limit. What is left is chance: try other seeds.")
    for number, check in enumerate(suspects):
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{check.title}.** {check.advice}")
            _remedy(run, check, number)
    messages.left_in(state.MESSAGE)
    _tried(run, beside)


def _crossed(run: Run) -> None:
    """Held-out pairs that changed side, and the training pairs that bear on them."""
    found = diagnosis.crossed(run)
    st.markdown(
        f"**{len(found)} of {len(run.held_out)} held-out pairs** were right before and are wrong now."
    )
    if not found:
        return
    text = {s.id: s.text for s in run.sentences.sentences}
    label = {True: "similar", False: "dissimilar"}
    because = [
        "".join(f"{text[p.left]} · {text[p.right]} ({label[p.is_similar]})" for p, _ in one.because[:1])
        for one in found
    ]
    columns = {
        "left": [text[one.pair.left] for one in found],
        "right": [text[one.pair.right] for one in found],
        "is": [label[one.pair.is_similar] for one in found],
        "cosine before": [one.before for one in found],
        "cosine now": [one.after for one in found],
        "trained pair behind it": because,
    }
    safe_table(columns, key="cmp_crossed", name="changed-side")
    st.caption(
        "The trained pair behind it: the one with the most force in that direction over all kept steps, "
        "times how near its sentences are to these."
    )


def _checks(run: Run) -> tuple[Check, ...]:
    probe: tuple[float | None, float | None] = (None, None)
    last = executor().checkpoint_path(run.id, run.step)
    if last is not None:  # else its weights were not kept, and nobody can ask it about other texts
        busy = "Reading the probe"
        before, after = (kit.ask(tuned.probe, run.config, file, busy=busy) for file in (None, last))
        probe = before.spearman, after.spearman
    text = {s.id: s.text for s in run.sentences.sentences}
    pairs = [(text[p.left], text[p.right]) for p in run.pairs]
    joint = None
    if 0 < len(pairs) <= MOST_READ:
        busy = "The cross-encoder reads the training pairs"
        joint = kit.ask(bi_vs_cross.likeness, tuple(pairs), busy=busy).tolist()
    return diagnosis.checks(run, probe, joint)


def _remedy(run: Run, check: Check, number: int) -> None:
    """What would be changed, and the button that tries it."""
    settings = ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in check.change.items())
    if check.without:
        text = {s.id: s.text for s in run.sentences.sentences}
        columns = {
            "left": [text[p.left] for p in check.without],
            "right": [text[p.right] for p in check.without],
            "label": [p.label for p in check.without],
        }
        folded_table(
            columns, title="These pairs", key="cmp_noise", name="contradicted", formats={"label": "%g"}
        )
    if settings or check.without:
        with row():
            told = f"with {settings}" if settings else f"without {len(check.without)} pairs"
            step = _grows_from(run, check)
            how = (
                "as a new run, since no fork can change that"
                if step is None
                else f"as a fork from step {step}"
            )
            st.caption(f"The same {told}, {how}:")
            button("Try it", partial(_try, run, check), key=f"cmp_try_{number}", icon="science")


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _grows_from(run: Run, check: Check) -> int | None:
    """The kept step from which a fork tries the remedy: the last that it leaves as it is. None where a fork
    cannot: it keeps the layers and the pairs, and needs weights to grow from."""
    if check.without or unforkable(run.config, run.config.replace(**check.change)):
        return None
    same = check.change.get("steps", 0)
    return max((step for step in run.checkpoints if step <= same), default=None)


def _try(run: Run, check: Check) -> None:
    """Train once more with the remedy; a callback."""
    with messages.kept_in(state.MESSAGE):
        engine, config, step = executor(), run.config.replace(**check.change), _grows_from(run, check)
        if step is None:
            kept = tuple(pair for pair in run.pairs if pair not in check.without)
            tried = engine.start(RunRequest(config, run.sentences, kept, run.held_out), session_is_open())
        else:
            tried = engine.fork(run.id, step, config)
            engine.resume(tried)
        live_run.remember(tried)
        state.put(state.TRIED, (run.id, tried))
        state.put(state.TRYING, tried)


def _tried(run: Run, beside: Callable[[Run, Run], None]) -> None:
    """The run that tries a remedy measured beside the one that it mends, whichever of them is looked at."""
    asked = state.get(state.TRIED)
    if run.id not in asked:
        return
    mended, found = (run if run.id == known else live_run.own_run(known) for known in asked)
    if found is None or mended is None:
        return
    if found.is_active:
        button("Stop", executor().stop, found.id, key="cmp_tried_stop", icon="stop")
        live_run.progress(found, "cmp_tried")
    elif found.snapshots:
        st.markdown("**What was tried, measured on the same held-out pairs**")
        ends = mended.snapshots[0], mended.snapshots[-1], found.snapshots[-1]
        rows = [
            (row.title, *(row.text(getattr(end.metrics, row.key)) for end in ends))
            for row in METRICS.values()
        ]
        columns = zip(("measure", "base model", "before", "tried"), zip(*rows))
        st.table(dict(columns), border="horizontal", hide_index=True)
        beside(mended, found)
    messages.error(found.error)
