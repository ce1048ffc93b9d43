"""Every setting of a run in ONE table: its name on screen, default, bounds and help. Torch stays out.

The defaults are TrainingConfig's; the page, the URL and `check` read the rest from here. Adding a
setting is adding a field there and a row here.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from ..losses import LOSSES
from ..losses.softmax import CONCATENATIONS
from ..models.registry import available, layer_count, own_pooling
from ..models.settings import OWN, POOLINGS
from ..types import InputError, TrainingConfig

Kind = Literal["integer", "number", "choice", "switch"]
ALL_LAYERS = 24  # more than any model of the table has; a number beyond a model's layers means all of them


@dataclass(frozen=True, slots=True)
class Control:
    """One row. `low` and `high` bound a number, `choices` lists the values of a choice.

    `scale` is how a slider should move: "log" where each doubling matters alike. `expert` controls are
    folded away. `losses` names the losses that read the setting; None: all of them. `needs_layers`: static
    word vectors have nothing that it could change.
    """

    field: str
    label: str
    kind: Kind
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    expert: bool = False
    scale: Literal["linear", "log"] = "linear"
    losses: tuple[str, ...] | None = None
    needs_layers: bool = False
    format: str = "%g"

    @property
    def least(self) -> Any:
        """`low` as a value of this setting: a whole number for an integer."""
        return self._value(self.low)

    @property
    def most(self) -> Any:
        return self._value(self.high)

    @property
    def interval(self) -> Any:
        return self._value(self.step)

    def _value(self, number: float | None) -> Any:
        return number if self.kind != "integer" or number is None else int(number)

    def matters(self, loss: str, layers: int) -> bool:
        """Whether a run with this loss, of a model with so many layers, reads the setting."""
        return (self.losses is None or loss in self.losses) and (layers > 0 or not self.needs_layers)


def _losses_using(setting: str) -> tuple[str, ...]:
    return tuple(key for key, loss in LOSSES.items() if setting in loss.uses)


_D = TrainingConfig()

CONTROLS: tuple[Control, ...] = (
    Control(
        "base_model",
        "Base model",
        "choice",
        _D.base_model,
        "The model that training starts from. Fewer layers are faster; the blank slate "
        "knows no language yet; static word vectors are the fastest and ignore the order of the words.",
    ),
    Control(
        "loss",
        "Loss",
        "choice",
        _D.loss,
        "What training makes small. It decides which pairs pull, which push, and how hard.",
        choices=tuple(LOSSES),
    ),
    Control(
        "steps",
        "Steps",
        "integer",
        _D.steps,
        "How often the model looks at a batch and is corrected.",
        low=1,
        high=2000,
        step=10,
    ),
    Control(
        "learning_rate",
        "Learning rate",
        "number",
        _D.learning_rate,
        "How far each step changes the weights. Too low and nothing moves; too high and the model forgets "
        "what it knew.",
        low=1e-6,
        high=1e-2,
        step=1e-6,
        scale="log",
        format="%.0e",
    ),
    Control(
        "temperature",
        "Temperature",
        "number",
        _D.temperature,
        "Divides the cosines before they compete. Low: only the hardest pairs count. High: all count alike.",
        low=0.005,
        high=1.0,
        step=0.005,
        losses=_losses_using("temperature"),
    ),
    Control(
        "margin",
        "Margin",
        "number",
        _D.margin,
        "How far apart, in cosine distance, dissimilar sentences must be before they are left in peace.",
        low=0.05,
        high=2.0,
        step=0.05,
        losses=_losses_using("margin"),
    ),
    Control(
        "trained_layers",
        "Trained layers",
        "integer",
        _D.trained_layers,
        "How many layers learn, counted from the top. The others stay as they are and are computed only "
        "once, so fewer is faster. More than the model has means all.",
        low=0,
        high=ALL_LAYERS,
        step=1,
        needs_layers=True,
    ),
    Control(
        "batch_size",
        "Batch size",
        "integer",
        _D.batch_size,
        "Pairs looked at in one step. With in-batch negatives a larger batch also means more negatives.",
        low=2,
        high=256,
        step=1,
        expert=True,
    ),
    Control(
        "train_word_embeddings",
        "Train the word embeddings",
        "switch",
        _D.train_word_embeddings,
        "Also change what enters the first layer. Slower: nothing can be computed in advance.",
        expert=True,
        needs_layers=True,
    ),
    Control(
        "pooling",
        "Pooling",
        "choice",
        _D.pooling,
        "How the vectors of all tokens become one: as the model was made for, or by their mean, the first "
        "token's, or each dimension's maximum. MiniLM was made for the mean.",
        choices=(OWN, *POOLINGS),
        expert=True,
        needs_layers=True,
    ),
    Control(
        "concatenation",
        "Classifier input",
        "choice",
        _D.concatenation,
        "What the softmax loss's classifier sees of the two embeddings u and v.",
        choices=CONCATENATIONS,
        expert=True,
        losses=_losses_using("concatenation"),
    ),
    Control(
        "dropout",
        "Dropout",
        "number",
        _D.dropout,
        "Share of values set to zero at random in the trained layers. SimCSE always uses at least 0.1: it is "
        "all that tells its two readings of a sentence apart.",
        low=0.0,
        high=0.5,
        step=0.05,
        expert=True,
    ),
    Control(
        "warmup",
        "Warm-up",
        "number",
        _D.warmup,
        "Share of the steps during which the learning rate rises from zero.",
        low=0.0,
        high=0.9,
        step=0.05,
        expert=True,
    ),
    Control(
        "weight_decay",
        "Weight decay",
        "number",
        _D.weight_decay,
        "Pulls the trained weights towards zero a little at every step.",
        low=0.0,
        high=1.0,
        step=0.01,
        expert=True,
    ),
    Control(
        "seed",
        "Seed",
        "integer",
        _D.seed,
        "Decides everything random: the order of the pairs, dropout, a blank slate's weights. The same seed "
        "gives the same run.",
        low=0,
        high=2**31 - 1,
        step=1,
        expert=True,
    ),
    Control(
        "snapshot_every",
        "Snapshot every",
        "integer",
        _D.snapshot_every,
        "Steps between two frames of the map. Larger is faster and less smooth.",
        low=1,
        high=100,
        step=1,
        expert=True,
    ),
)
BY_FIELD: dict[str, Control] = {control.field: control for control in CONTROLS}


def choices(control: Control) -> tuple[str, ...]:
    """The values of a choice now; which base models there are depends on the server's settings."""
    return tuple(available()) if control.field == "base_model" else control.choices


def visible(loss: str, layers: int, expert: bool) -> tuple[Control, ...]:
    """The rows to show for a loss and a model with so many layers: the plain ones or the expert ones,
    without those that change nothing."""
    return tuple(c for c in CONTROLS if c.expert == expert and c.matters(loss, layers))


def suggested_rate(base_model: str) -> float:
    """The learning rate to begin with: the usual one, or the one that suits this model."""
    row = available().get(base_model)
    return _D.learning_rate if row is None or row.rate is None else row.rate


def layers_that_learn(config: TrainingConfig) -> int:
    """As many as asked for and as the model has. Of a model that this machine lacks: as many as asked for."""
    try:
        return min(config.trained_layers, layer_count(config.base_model))
    except InputError:
        return config.trained_layers


def pooling_meant(config: TrainingConfig) -> str:
    """The pooling by its name also where it is the model's own. Of a model that this machine lacks: mean."""
    try:
        return own_pooling(config.base_model) if config.pooling == OWN else config.pooling
    except InputError:
        return "mean"


def own_pooling_title(base_model: str) -> str:
    """What a menu calls the model's own pooling; with its name, where the model can be looked up."""
    try:
        return f"The model's own: {own_pooling(base_model)}"
    except InputError:
        return "The model's own"


def check(config: TrainingConfig) -> None:
    """Raises InputError naming the setting, the value and what is allowed."""
    for control in CONTROLS:
        problem = CHECKS[control.kind](control, getattr(config, control.field))
        if problem:
            raise InputError(f"{control.label} ({control.field}): {problem}.")


def _check_number(control: Control, value: Any) -> str:
    whole = control.kind == "integer"
    fits = isinstance(value, int) or (not whole and isinstance(value, float))
    if isinstance(value, bool) or not fits or not math.isfinite(value):
        return f"{value!r:.60} is not a {'whole ' if whole else ''}number"
    assert control.low is not None and control.high is not None
    if not control.low <= value <= control.high:
        return f"{value:g} is outside {control.low:g} to {control.high:.12g}"
    return ""


def _check_choice(control: Control, value: Any) -> str:
    known = choices(control)
    return "" if value in known else f"{value!r:.60} is none of {', '.join(known)}"


def _check_switch(control: Control, value: Any) -> str:
    return "" if isinstance(value, bool) else f"{value!r:.60} is neither true nor false"


CHECKS = {"integer": _check_number, "number": _check_number, "choice": _check_choice, "switch": _check_switch}

assert set(BY_FIELD) == {f.name for f in dataclasses.fields(TrainingConfig)}, "a setting has no control"
