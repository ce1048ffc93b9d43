"""The sandbox's widgets: the situation, the loss and its settings, the picture, the curve and the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.concepts import sandbox as physics
from core.concepts.sandbox.presets import PRESETS, TOLD
from core.losses import LOSSES
from pages.losses import keys, sandbox
from pages.losses.sandbox import Sandbox
from ui import figures, state, widgets
from ui.boards import circle
from ui.charts import chart
from ui.predictions.gate import Gate
from ui.tables import safe_table
from ui.widgets import button, row

BOARD = "losses_board"
QUICK, SLOW = 0.15, 1.0  # seconds between two steps drawn, and between two pictures of the curve
STEPS_A_TICK = 2
LONGEST_RUN = 600  # steps
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
GROUP_NAMES = "ABCDE"
OTHER = (
    "The settings are no longer those of this situation, so the outcome can differ: see which pairs still "
    "pull or push in the table below."
)


def choose_preset() -> None:
    widgets.segmented_control(keys.PRESET, "Situation", PRESETS, on_change=sandbox.use_preset)
    st.markdown(sandbox.preset().about)


def run_buttons(ready: bool) -> None:
    running = state.get(keys.RUNNING)
    label, icon = ("Pause", "pause") if running else ("Run", "play_arrow")
    flip, waits = state.setter(keys.RUNNING, not running), running or not ready
    with row():
        button(label, flip, key="ls_go", icon=icon, type="primary", disabled=not ready)
        button("1 step", sandbox.advance, 1, key="ls_one", disabled=waits)
        button("+10", sandbox.advance, 10, key="ls_ten", disabled=waits)
        says = "The points back to where they were scattered."
        button("Reset", sandbox.again, key="ls_again", type="tertiary", help=says)
        says = "Other random starting points: the seed goes up by one."
        button("Scatter", sandbox.again, True, key="ls_scatter", type="tertiary", help=says)


def settings() -> None:
    """The loss and what it reads; what seldom changes is folded."""
    loss = LOSSES[widgets.selectbox(keys.LOSS, "Loss", {k: LOSSES[k] for k in physics.LOSS_KEYS})]
    st.caption(f"{loss.summary} Source: {loss.source}.")
    if "margin" in loss.uses:
        widgets.slider(keys.MARGIN, "Margin", step=0.05)
    if "temperature" in loss.uses:
        widgets.slider(keys.TEMPERATURE, "Temperature", step=0.01)
    told = widgets.selectbox(keys.TOLD, "The loss is told", {key: title for key, (title, _) in TOLD.items()})
    st.caption(TOLD[told][1])
    if loss.needs == "labelled":
        widgets.toggle(keys.NEGATIVES, "Give it dissimilar pairs too")
    widgets.select_slider(keys.RATE, "Step size", RATES)
    with st.expander("Points"):
        widgets.segmented_control(keys.SPACE, "Surface", {key: key.capitalize() for key in physics.SPACES})
        widgets.slider(keys.POINTS, "Number of points")
        widgets.slider(keys.GROUPS, "Colours (true groups)")
        widgets.number_input(keys.SEED, "Seed")


def picture(now: Sandbox) -> Sandbox:
    """The board, and the fragment that feeds it while the sandbox runs. The sandbox after a drag."""
    now = sandbox.take_drag(now, circle.board(key=BOARD, groups=now.true, **now.picture))

    def look() -> None:
        if state.get(keys.RUNNING):
            sandbox.advance(STEPS_A_TICK)
        newest = _newest(now)
        st.markdown(_numbers(newest))
        circle.feed(key="losses_feed", board_key=BOARD, **newest.picture)
        if state.get(keys.RUNNING) and (newest.at_rest or newest.step >= LONGEST_RUN):
            state.put(keys.RUNNING, False)
            st.rerun()

    st.fragment(look, run_every=QUICK if state.get(keys.RUNNING) else None)()
    return _newest(now)


def _newest(now: Sandbox) -> Sandbox:
    found: Sandbox | None = state.get(keys.SANDBOX)
    return found or now


def _numbers(now: Sandbox) -> str:
    longest = physics.largest_gradient(now.seen.gradient)
    rest = " · at rest" if now.at_rest else ""
    return f"Step **{now.step}** · loss **{now.seen.loss:.4f}** · longest gradient **{longest:.4f}**{rest}"


def curve() -> None:
    """Loss by step, drawn again every second while the sandbox runs."""

    def look() -> None:
        now: Sandbox | None = state.get(keys.SANDBOX)
        if now is not None and len(now.history) > 1:
            steps, losses = zip(*now.history)
            figure = figures.curve(steps, {"loss": losses}, height=190)
            figure.update_xaxes(rangemode="normal")
            chart(figure, "ls_curve", "Loss by step")
        else:
            st.caption("The loss by step appears here. Press Run, or take single steps.")

    st.fragment(look, run_every=SLOW if state.get(keys.RUNNING) else None)()


def answer(now: Sandbox, gate: Gate) -> None:
    """Compare the prediction with what the points did, once they have come to rest."""
    if not now.settled:
        st.caption("When the points have come to rest, the outcome is measured and compared here.")
        return
    chosen = sandbox.preset()
    truth = chosen.truth(now.z, now.seen.loss)
    as_given = now.objective == chosen.objective() and truth == chosen.expected
    gate.tell(truth, chosen.why if as_given else OTHER)


def numbers(now: Sandbox) -> None:
    """The picture and the curve as tables."""
    z, seen, told = now.z, now.seen, now.objective.told
    points: dict[str, Any] = {
        "point": [str(i + 1) for i in range(len(z))],
        "colour": [GROUP_NAMES[g] for g in now.true],
        "told group": [str(g + 1) for g in told],
    }
    points |= {name: z[:, axis] for axis, name in zip(range(z.shape[1]), "xyz")}
    points["gradient"] = np.linalg.norm(seen.gradient, axis=1)
    points["place"] = [str(p + 1) for p in physics.clusters_of(z)]
    pairs = {
        "pair": [f"{i + 1} and {j + 1}" for i, j in seen.pairs],
        "told": ["similar" if told[i] == told[j] else "dissimilar" for i, j in seen.pairs],
        "cosine": seen.cosines,
        "force": seen.forces,
        "does": ["pulls" if f < 0 else "pushes" if f > 0 else "nothing" for f in seen.forces],
    }
    left, right = st.columns(2, gap="medium")
    with left:
        safe_table(points, key="ls_points_table", name="points", height=320)
    with right:
        safe_table(pairs, key="ls_pairs_table", name="pairs", height=320)
    by_step = {"step": [step for step, _ in now.history], "loss": [loss for _, loss in now.history]}
    safe_table(by_step, key="ls_curve_table", name="loss-by-step", height=220)
