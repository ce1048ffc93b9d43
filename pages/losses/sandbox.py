"""The sandbox in the session: where its points are, what the loss is told, and how it moves them."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from core.concepts import sandbox as physics
from core.concepts.sandbox import Floats, Objective, Observation
from core.concepts.sandbox.presets import PRESETS, Preset, told_groups
from core.types import InputError
from pages.losses import keys
from ui import resources, state, widgets
from ui.boards import circle

SETTLED = 40  # steps after which the outcome is measured at the earliest

# Which preset field each key takes.
_FIELDS: dict[str, state.Key[Any]] = {
    "loss": keys.LOSS,
    "told": keys.TOLD,
    "margin": keys.MARGIN,
    "temperature": keys.TEMPERATURE,
    "rate": keys.RATE,
    "points": keys.POINTS,
    "group_count": keys.GROUPS,
    "space": keys.SPACE,
}


class Start(NamedTuple):
    """What the points were scattered from."""

    points: int
    groups: int
    space: str
    seed: int


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The sandbox now. `history` is (step, loss) since the loss or its settings last changed, `reference`
    the largest gradient in that time."""

    start: Start
    objective: Objective
    z: Floats
    seen: Observation
    step: int
    history: tuple[tuple[int, float], ...]
    reference: float
    serial: int = 0  # of the last drag taken in
    born: int = field(default_factory=lambda: time.time_ns() // 1000)  # the later one is shown

    @property
    def true(self) -> tuple[int, ...]:
        return physics.groups(len(self.z), self.start.groups)

    @property
    def at_rest(self) -> bool:
        return physics.largest_gradient(self.seen.gradient) < physics.AT_REST

    @property
    def settled(self) -> bool:
        enough = len(self.history) > SETTLED
        return enough and (self.at_rest or self.history[-1][0] - self.history[0][0] >= preset().patience)

    @property
    def picture(self) -> dict[str, Any]:
        """What the board draws."""
        names = ("z", "seen", "reference", "step", "serial", "born")
        return {name: getattr(self, name) for name in names}

    def replace(self, **changes: Any) -> Sandbox:
        """dataclasses.replace, with a birth of its own."""
        return dataclasses.replace(self, born=time.time_ns() // 1000, **changes)


def preset() -> Preset:
    return PRESETS[state.get(keys.PRESET)]


def open_link() -> None:
    """First run of a session: a link that names a situation brings its settings, except those it names."""
    state.open_link(keys.POSITIONS)
    widgets.mend(keys.PRESET, PRESETS)
    if state.once("losses"):
        use_preset(keep_linked=True)


def use_preset(keep_linked: bool = False) -> None:
    chosen = preset()
    for name, key in _FIELDS.items():
        if not (keep_linked and state.in_link(key)):
            state.put(key, getattr(chosen, name))
    state.put(keys.RUNNING, False)
    if not keep_linked:
        state.put(keys.SANDBOX, None)
        state.put(keys.POSITIONS, "")


def again(new_seed: bool = False) -> None:
    """The points back to where they were scattered, or scattered anew."""
    state.put(keys.RUNNING, False)
    state.put(keys.SANDBOX, None)
    state.put(keys.POSITIONS, "")
    if new_seed:
        state.put(keys.SEED, state.get(keys.SEED) + 1)


def objective() -> Objective:
    """What the loss is told by the settings on the page."""
    true = physics.groups(state.get(keys.POINTS), state.get(keys.GROUPS))
    told = told_groups(true, state.get(keys.TOLD))
    margin, temperature = state.get(keys.MARGIN), state.get(keys.TEMPERATURE)
    return physics.objective_of(state.get(keys.LOSS), told, state.get(keys.NEGATIVES), margin, temperature)


def current() -> Sandbox:
    """The points as the settings want them. Raises InputError when the loss has no pair to look at."""
    number, groups, seed = state.get(keys.POINTS), state.get(keys.GROUPS), state.get(keys.SEED)
    start, wanted = Start(number, groups, state.get(keys.SPACE), seed), objective()
    old: Sandbox | None = state.get(keys.SANDBOX)
    if old is not None and (old.start, old.objective) == (start, wanted):
        return old
    if old is not None and old.start == start:
        new = _begun(start, wanted, old.z, old.step, old.serial)
    else:
        z = positions(state.get(keys.POSITIONS), start.points, physics.SPACES[start.space])
        z = physics.random_points(start.points, start.space, start.seed) if z is None else z
        new = _begun(start, wanted, z, 0, 0 if old is None else old.serial)
    state.put(keys.SANDBOX, new)
    return new


def _begun(start: Start, wanted: Objective, z: Floats, step: int, serial: int) -> Sandbox:
    """The sandbox with its points at z and the record of the loss begun again."""
    seen = resources.anew(physics.observe, wanted, z)  # every place of a drag is asked for once only
    reference = physics.largest_gradient(seen.gradient)
    return Sandbox(start, wanted, z, seen, step, ((step, seen.loss),), reference, serial)


def take_drag(old: Sandbox, drag: circle.Drag | None) -> Sandbox:
    """The points after one was put elsewhere; the loss is asked again."""
    if drag is None or drag.serial <= old.serial:
        return old
    z = old.z.copy()
    z[drag.row] = drag.at
    moved = _begun(old.start, old.objective, physics.on_surface(z), old.step, drag.serial)
    state.put(keys.SANDBOX, moved)
    state.put(keys.POSITIONS, positions_to_text(moved.z))
    return moved


def advance(steps: int) -> None:
    """Let the loss move the points; a callback, and what the running picture does at each tick."""
    try:
        old = current()
        led = resources.anew(physics.descend, old.objective, old.z, state.get(keys.RATE), steps)
    except InputError:
        return  # the page says why
    path = tuple((old.step + i + 1, loss) for i, loss in enumerate(led.losses))
    reference, history = (
        max(old.reference, physics.largest_gradient(led.seen.gradient)),
        (*old.history, *path),
    )
    new = old.replace(z=led.z, seen=led.seen, step=old.step + steps, history=history, reference=reference)
    state.put(keys.SANDBOX, new)


def positions_to_text(z: Floats) -> str:
    """Points (n, d) as a short text for the link."""
    return ";".join(",".join(f"{v:.3f}" for v in row) for row in z)


def positions(text: str, n: int, d: int) -> Floats | None:
    """The reverse; None for a text that is no such list, since links come from outside."""
    try:
        z = np.array([[float(v) for v in row.split(",")] for row in text.split(";")])
    except ValueError:
        return None
    usable = z.shape == (n, d) and np.isfinite(z).all() and (np.linalg.norm(z, axis=1) > 0.1).all()
    return physics.on_surface(z) if usable else None
