"""Why B got worse than its base model: what changed side, a check-list, and a run that tries a remedy."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.concepts import bi_vs_cross, diagnosis
from core.concepts.diagnosis import Check
from core.runs.request import RunRequest
from core.training import tuned
from core.types import InputError, Run
from pages.compare import keys
from pages.compare.models import RUN, Both, Side
from ui import kit, messages, state
from ui.resources import executor, session_is_open
from ui.runs import live_run
from ui.tables import folded_table, safe_table
from ui.widgets import button, row

MOST_READ = 200  # training pairs that the cross-encoder reads for this
VERDICTS = {True: "found", False: "not found", None: "cannot be measured"}


def why_worse(both: Both) -> None:
    """A diagnosis of B's run, from the base model to its last step."""
    run = both.b.run
    if run is None or len(run.snapshots) < 2:
        st.caption("Choose a run as B: what is diagnosed is a training.")
        return
    if run.is_active:
        st.caption("The run is still training. When it rests, it can be diagnosed.")
        return
    _crossed(run)
    found = _checks(both.b, run)
    st.markdown("**The check-list**")
    columns = {
        "check": [check.title for check in found],
        "measured": [check.what for check in found],
        "value": [check.value for check in found],
        "limit": [check.limit for check in found],
        "verdict": [VERDICTS[check.found] for check in found],
    }
    safe_table(columns, key="cmp_checks", name="check-list", height=440)
    suspects = [check for check in found if check.found]
    if not suspects:
        st.caption("Nothing on the list is above its limit. What is left is chance: try other seeds.")
    for number, check in enumerate(suspects):
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{check.title}.** {check.advice}")
            _remedy(run, check, number)
    messages.left_in(state.MESSAGE)
    _tried(run)


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


def _checks(side: Side, run: Run) -> tuple[Check, ...]:
    probe: tuple[float | None, float | None] = (None, None)
    try:
        last = Side(side.key, side.title, run.config, run, run.step).checkpoint()
    except InputError:
        last = None  # its weights were not kept, so nobody can ask it about other texts
    if last is not None:
        busy = "Reading the probe"
        before, after = (kit.ask(tuned.probe, run.config, file, busy=busy) for file in (None, last))
        probe = before.spearman, after.spearman
    text = {s.id: s.text for s in run.sentences.sentences}
    pairs = [(text[p.left], text[p.right]) for p in run.pairs]
    joint = None
    if 0 < len(pairs) <= MOST_READ:
        busy = "The cross-encoder reads the training pairs"
        joint = kit.ask(bi_vs_cross.mean_scores, tuple(pairs), busy=busy).tolist()
    return diagnosis.checks(run, probe, joint)


def _remedy(run: Run, check: Check, number: int) -> None:
    """What would be changed, and the button that tries it."""
    settings = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in check.change.items())
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
            st.caption(f"The same run {told}:")
            button("Try it", partial(_try, run, check), key=f"cmp_try_{number}", icon="science")


def _try(run: Run, check: Check) -> None:
    """Train once more with the remedy; a callback."""
    with messages.kept_in(state.MESSAGE):
        kept = tuple(pair for pair in run.pairs if pair not in check.without)
        request = RunRequest(
            run.config.replace(**check.change), run.sentences, kept, run.held_out, "equilibrium"
        )
        tried = executor().start(request, session_is_open())
        live_run.remember(tried)
        state.put(keys.TRIED, tried)


def _tried(run: Run) -> None:
    """The run that tries a remedy, and the way to put it beside the one that it mends."""
    found = live_run.own_run(state.get(keys.TRIED))
    if found is None or found.id == run.id:
        return
    if found.is_active:
        button("Stop", executor().stop, found.id, key="cmp_tried_stop", icon="stop")
        live_run.progress(found, "cmp_tried")
    elif found.snapshots:
        button(
            "Compare with what was tried", partial(_compare, run, found), key="cmp_tried_show", type="primary"
        )
    messages.error(found.error)


def _compare(run: Run, tried: Run) -> None:
    for key, moment, found in ((keys.A, keys.A_STEP, run), (keys.B, keys.B_STEP, tried)):
        state.put(key, RUN + found.id)
        state.put(moment, found.step)
