"""The sandbox's widgets and its place in the session: what the points are, what the loss is told, running."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from core.concepts import sandbox as physics
from core.concepts.sandbox import Floats, LossTask, Observation
from core.concepts.sandbox_presets import PRESETS, TOLD, Preset, told_groups
from core.losses import LOSSES
from core.types import InputError
from pages.losses import keys as losses_keys
from ui import figures, kit, resources, state, tables
from ui.boards import circle

BOARD = "losses_board"
QUICK, SLOW = 0.15, 1.0  # seconds between two steps drawn, and between two pictures of the curve
STEPS_A_TICK = 2
LONGEST_RUN = 600  # steps
SETTLED = 40  # steps after which the outcome is measured at the earliest
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
GROUP_NAMES = "ABCDE"
_CHOICES = {
    losses_keys.PRESET: tuple(PRESETS),
    losses_keys.LOSS: physics.LOSS_KEYS,
    losses_keys.TOLD: tuple(TOLD),
    losses_keys.SPACE: tuple(physics.SPACES),
    losses_keys.RATE: RATES,
}

# Which preset field each key takes.
_FIELDS = {
    "loss": losses_keys.LOSS,
    "told": losses_keys.TOLD,
    "margin": losses_keys.MARGIN,
    "temperature": losses_keys.TEMPERATURE,
    "rate": losses_keys.RATE,
    "points": losses_keys.POINTS,
    "group_count": losses_keys.GROUPS,
    "space": losses_keys.SPACE,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The sandbox now. `made` is what the points were scattered from; `history` (step, loss) since the
    loss or its settings last changed; `reference` the largest gradient in that time."""

    made: tuple[Any, ...]
    task: LossTask
    z: Floats
    seen: Observation
    step: int
    history: tuple[tuple[int, float], ...]
    reference: float
    serial: int = 0  # of the last drag taken in
    born: int = field(default_factory=lambda: time.time_ns() // 1000)  # the later one is shown

    @property
    def true(self) -> tuple[int, ...]:
        return physics.groups(len(self.z), self.made[1])

    @property
    def at_rest(self) -> bool:
        return physics.largest_gradient(self.seen.gradient) < physics.AT_REST

    @property
    def settled(self) -> bool:
        enough = len(self.history) > SETTLED
        return enough and (self.at_rest or self.history[-1][0] - self.history[0][0] >= preset().patience)


# ---- what the page says ------------------------------------------------------------------------------


def preset() -> Preset:
    return PRESETS[state.get(losses_keys.PRESET)]


def open_link() -> None:
    """First run of a session: a link that names a situation brings its settings, except those it names."""
    state.open_link(losses_keys.PLACES)
    for choice, known in _CHOICES.items():
        if state.get(choice) not in known:
            state.put(choice, choice.default)
    if state.once("losses"):
        _use_preset(keep_linked=True)


def _use_preset(keep_linked: bool = False) -> None:
    chosen = preset()
    for name, key in _FIELDS.items():
        if not (keep_linked and state.in_link(key)):
            state.put(key, getattr(chosen, name))
    state.put(losses_keys.RUNNING, False)
    if not keep_linked:
        state.put(losses_keys.STANDING, None)
        state.put(losses_keys.PLACES, "")


def _made() -> tuple[Any, ...]:
    keys = (losses_keys.POINTS, losses_keys.GROUPS, losses_keys.SPACE, losses_keys.SEED)
    return tuple(state.get(key) for key in keys)


def _task() -> LossTask:
    true = physics.groups(state.get(losses_keys.POINTS), state.get(losses_keys.GROUPS))
    loss = state.get(losses_keys.LOSS)
    return physics.task_of(
        loss if loss in physics.LOSS_KEYS else losses_keys.LOSS.default,
        told_groups(true, state.get(losses_keys.TOLD)),
        state.get(losses_keys.NEGATIVES),
        state.get(losses_keys.MARGIN),
        state.get(losses_keys.TEMPERATURE),
    )


def replace(standing: Standing, **changes: Any) -> Standing:
    """dataclasses.replace, with a birth of its own."""
    return dataclasses.replace(standing, born=time.time_ns() // 1000, **changes)


# ---- the points --------------------------------------------------------------------------------------


def current() -> Standing:
    """The points as the settings want them. Raises InputError when the loss has no pair to look at."""
    made, task = _made(), _task()
    old: Standing | None = state.get(losses_keys.STANDING)
    if old is not None and old.made == made and old.task == task:
        return old
    if old is not None and old.made == made:
        new = _watched(replace(old, task=task), old.z)
    else:
        n, _, space, seed = made
        z = places_from(state.get(losses_keys.PLACES), n, physics.SPACES[space])
        z = physics.random_points(n, space, seed) if z is None else z
        serial = 0 if old is None else old.serial
        new = _watched(Standing(made, task, z, None, 0, (), 0.0, serial), z)  # type: ignore[arg-type]
    state.put(losses_keys.STANDING, new)
    return new


def _watched(standing: Standing, z: Floats) -> Standing:
    """The standing with its points at z and the record of the loss begun again."""
    seen = resources.anew(physics.observe, standing.task, z)  # every place of a drag is asked for once only
    start = ((standing.step, seen.loss),)
    return replace(standing, z=z, seen=seen, history=start, reference=physics.largest_gradient(seen.gradient))


def take_drag(standing: Standing, drag: circle.Drag | None) -> Standing:
    """The points after one was put elsewhere; the loss is asked again."""
    if drag is None or drag.serial <= standing.serial:
        return standing
    z = standing.z.copy()
    z[drag.row] = drag.at
    moved = replace(_watched(standing, physics.on_surface(z)), serial=drag.serial)
    state.put(losses_keys.STANDING, moved)
    state.put(losses_keys.PLACES, places_to(moved.z))
    return moved


def advance(steps: int) -> None:
    """Let the loss move the points; a callback, and what the running picture does at each tick."""
    try:
        old = current()
        led = resources.anew(physics.descend, old.task, old.z, state.get(losses_keys.RATE), steps)
    except InputError:
        return  # the page says why
    path = tuple((old.step + i + 1, loss) for i, loss in enumerate(led.losses))
    reference = max(old.reference, physics.largest_gradient(led.seen.gradient))
    history = (*old.history, *path)
    new = replace(old, z=led.z, seen=led.seen, step=old.step + steps, history=history, reference=reference)
    state.put(losses_keys.STANDING, new)


def places_to(z: Floats) -> str:
    """Points (n, d) as a short text for the link."""
    return ";".join(",".join(f"{v:.3f}" for v in row) for row in z)


def places_from(text: str, n: int, d: int) -> Floats | None:
    """The reverse; None for a text that is no such list, since links come from outside."""
    try:
        z = np.array([[float(v) for v in row.split(",")] for row in text.split(";")])
    except ValueError:
        return None
    usable = z.shape == (n, d) and np.isfinite(z).all() and (np.linalg.norm(z, axis=1) > 0.1).all()
    return physics.on_surface(z) if usable else None


def _again(new_seed: bool = False) -> None:
    state.put(losses_keys.RUNNING, False)
    state.put(losses_keys.STANDING, None)
    state.put(losses_keys.PLACES, "")
    if new_seed:
        state.put(losses_keys.SEED, state.get(losses_keys.SEED) + 1)


# ---- widgets -----------------------------------------------------------------------------------------


def choose_preset() -> None:
    st.segmented_control(
        "Situation",
        list(PRESETS),
        format_func=lambda key: PRESETS[key].title,
        required=True,
        default=losses_keys.PRESET.default,
        on_change=_use_preset,
        **state.bound(losses_keys.PRESET),
    )
    st.markdown(preset().about)


def run_buttons(ready: bool) -> None:
    running = state.get(losses_keys.RUNNING)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        label, icon = ("Pause", ":material/pause:") if running else ("Run", ":material/play_arrow:")
        flip = state.setter(losses_keys.RUNNING, not running)
        st.button(label, icon=icon, type="primary", key="ls_go", on_click=flip, disabled=not ready)
        still = ready and not running
        st.button("1 step", key="ls_one", on_click=advance, args=(1,), disabled=not still)
        st.button("+10", key="ls_ten", on_click=advance, args=(10,), disabled=not still)
        st.button("Reset", key="ls_again", on_click=_again, type="tertiary",
                  help="The points back to where they were scattered.")  # fmt: skip
        st.button("Scatter", key="ls_scatter", on_click=_again, args=(True,), type="tertiary",
                  help="Other random starting points: the seed goes up by one.")  # fmt: skip


def settings() -> None:
    """The loss and what it reads; what seldom changes is folded."""
    keys = list(physics.LOSS_KEYS)
    st.selectbox("Loss", keys, format_func=lambda k: LOSSES[k].title, **state.bound(losses_keys.LOSS))
    loss = LOSSES[_task().loss]
    st.caption(f"{loss.summary} Source: {loss.source}.")
    if "margin" in loss.uses:
        st.slider("Margin", *losses_keys.MARGIN.bounds, step=0.05, **state.bound(losses_keys.MARGIN))
    if "temperature" in loss.uses:
        st.slider(
            "Temperature", *losses_keys.TEMPERATURE.bounds, step=0.01, **state.bound(losses_keys.TEMPERATURE)
        )
    told = st.selectbox(
        "The loss is told", list(TOLD), format_func=lambda k: TOLD[k][0], **state.bound(losses_keys.TOLD)
    )
    st.caption(TOLD[told][1])
    if loss.needs == "labelled":
        st.toggle("Give it dissimilar pairs too", value=True, **state.bound(losses_keys.NEGATIVES))
    st.select_slider("Step size", RATES, format_func=lambda v: f"{v:g}", **state.bound(losses_keys.RATE))
    with st.expander("Points"):
        st.segmented_control(
            "Surface", list(physics.SPACES), required=True, default=losses_keys.SPACE.default,
            format_func=str.capitalize, **state.bound(losses_keys.SPACE),
        )  # fmt: skip
        st.slider("Number of points", *losses_keys.POINTS.bounds, **state.bound(losses_keys.POINTS))
        st.slider("Colours (true groups)", *losses_keys.GROUPS.bounds, **state.bound(losses_keys.GROUPS))
        st.number_input("Seed", *losses_keys.SEED.bounds, step=1, **state.bound(losses_keys.SEED))


def picture(standing: Standing) -> Standing:
    """The board, and the fragment that feeds it while the sandbox runs. The standing after a drag."""
    drag = circle.board(
        key=BOARD, z=standing.z, seen=standing.seen, reference=standing.reference, groups=standing.true,
        step=standing.step, serial=standing.serial, born=standing.born,
    )  # fmt: skip
    standing = take_drag(standing, drag)

    def look() -> None:
        if state.get(losses_keys.RUNNING):
            advance(STEPS_A_TICK)
        now: Standing = state.get(losses_keys.STANDING) or standing
        st.markdown(_numbers(now))
        circle.feed(
            key="losses_feed", board_key=BOARD, z=now.z, seen=now.seen, reference=now.reference,
            step=now.step, serial=now.serial, born=now.born,
        )  # fmt: skip
        if state.get(losses_keys.RUNNING) and (now.at_rest or now.step >= LONGEST_RUN):
            state.put(losses_keys.RUNNING, False)
            st.rerun()

    st.fragment(look, run_every=QUICK if state.get(losses_keys.RUNNING) else None)()
    return state.get(losses_keys.STANDING) or standing


def _numbers(now: Standing) -> str:
    longest = physics.largest_gradient(now.seen.gradient)
    rest = " · at rest" if now.at_rest else ""
    return f"Step **{now.step}** · loss **{now.seen.loss:.4f}** · longest gradient **{longest:.4f}**{rest}"


def curve() -> None:
    """Loss by step, drawn again every second while the sandbox runs."""

    def look() -> None:
        now: Standing | None = state.get(losses_keys.STANDING)
        if now is not None and len(now.history) > 1:
            steps, losses = zip(*now.history)
            figure = figures.curve(steps, {"loss": losses}, height=190)
            figure.update_xaxes(rangemode="normal")
            st.plotly_chart(figure, key="ls_curve", alt="Loss by step", config={"displayModeBar": False})
        else:
            st.caption("The loss by step appears here. Press Run, or take single steps.")

    st.fragment(look, run_every=SLOW if state.get(losses_keys.RUNNING) else None)()


def answer(standing: Standing) -> None:
    """Compare the prediction with what the points did, once they have come to rest."""
    chosen, guess = preset(), state.get(losses_keys.GUESSES[state.get(losses_keys.PRESET)])
    if not standing.settled:
        st.caption("When the points have come to rest, the outcome is measured and compared here.")
        return
    truth = chosen.truth(standing.z, standing.seen.loss)
    as_given = standing.task == chosen.task() and truth == chosen.expected
    other = "The settings are no longer those of this situation, so the outcome can differ: see which pairs "
    other += "still pull or push in the table below."
    kit.verdict(guess, truth, chosen.why if as_given else other)


def numbers(standing: Standing) -> None:
    """The table twin of the picture."""
    z, seen, places = standing.z, standing.seen, physics.clusters_of(standing.z)
    told = standing.task.told
    points: dict[str, Any] = {"point": [str(i + 1) for i in range(len(z))]}
    points["colour"] = [GROUP_NAMES[g] for g in standing.true]
    points["told group"] = [str(g + 1) for g in told]
    points |= {name: z[:, axis] for axis, name in zip(range(z.shape[1]), "xyz")}
    points["gradient"] = np.linalg.norm(seen.gradient, axis=1)
    points["place"] = [str(p + 1) for p in places]
    pairs = {
        "pair": [f"{i + 1} and {j + 1}" for i, j in seen.pairs],
        "told": ["similar" if told[i] == told[j] else "dissimilar" for i, j in seen.pairs],
        "cosine": seen.cosines,
        "force": seen.forces,
        "does": ["pulls" if f < 0 else "pushes" if f > 0 else "nothing" for f in seen.forces],
    }
    left, right = st.columns(2, gap="medium")
    with left:
        tables.safe_table(points, key="ls_points_table", name="points", height=320)
    with right:
        tables.safe_table(pairs, key="ls_pairs_table", name="pairs", height=320)
    steps, losses = zip(*standing.history)
    by_step = {"step": list(steps), "loss": [float(loss) for loss in losses]}
    tables.safe_table(by_step, key="ls_curve_table", name="loss-by-step", height=220)
