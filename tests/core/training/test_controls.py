"""The table of settings: complete, bounded, and in agreement with TrainingConfig."""

from __future__ import annotations

import dataclasses

import pytest

from core.losses import LOSSES
from core.models import registry
from core.models.settings import OWN, POOLINGS
from core.training import controls
from core.types import InputError, TrainingConfig


def test_one_row_a_setting_with_the_same_default() -> None:
    fields = {f.name: f.default for f in dataclasses.fields(TrainingConfig)}
    assert {c.field: c.default for c in controls.CONTROLS} == fields
    assert len(controls.BY_FIELD) == len(controls.CONTROLS)
    controls.check(TrainingConfig())


def test_rows_are_complete() -> None:
    for control in controls.CONTROLS:
        assert control.label and control.help.endswith(".") and "!" not in control.help
        if control.kind in ("integer", "number"):
            assert control.low is not None and control.high is not None and control.step
            assert control.low <= control.default <= control.high
        elif control.kind == "choice":
            assert control.default in controls.choices(control)
        else:
            assert isinstance(control.default, bool)
    assert controls.BY_FIELD["pooling"].choices == (OWN, *POOLINGS)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_what_is_visible_depends_on_the_loss(loss: str) -> None:
    shown = {c.field for c in controls.visible(loss, 6, expert=False)}
    assert {"base_model", "loss", "steps", "learning_rate", "trained_layers"} <= shown
    assert ("temperature" in shown) == ("temperature" in LOSSES[loss].uses)
    assert ("margin" in shown) == ("margin" in LOSSES[loss].uses)
    folded = {c.field for c in controls.visible(loss, 6, expert=True)}
    assert not shown & folded and "seed" in folded
    static = {c.field for expert in (False, True) for c in controls.visible(loss, 0, expert)}
    assert (shown | folded) - static == {"trained_layers", "train_word_embeddings", "pooling"}


def test_what_a_model_suggests_is_within_the_bounds() -> None:
    for key in registry.BASE_MODELS:
        controls.check(TrainingConfig(base_model=key, learning_rate=controls.suggested_rate(key)))
    usual = TrainingConfig().learning_rate
    assert controls.suggested_rate("minilm-l6") == controls.suggested_rate("gone") == usual
    assert controls.suggested_rate("static") > usual


def test_as_many_layers_learn_as_there_are() -> None:
    asked = {"minilm-l6": 5, "minilm-l3": 3, "static": 0, "gone": 5}
    for key, count in asked.items():
        assert controls.layers_that_learn(TrainingConfig(base_model=key, trained_layers=5)) == count


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"steps": 0}, r"steps\): 0 is outside 1 to 2000"),
        ({"steps": 1.5}, "not a whole number"),
        ({"steps": True}, "not a whole number"),
        ({"learning_rate": 1.0}, r"learning_rate\): 1 is outside 1e-06 to 0.01"),
        ({"learning_rate": float("nan")}, "nan is not a number"),
        ({"temperature": "warm"}, "'warm' is not a number"),
        ({"loss": "hinge"}, "'hinge' is none of"),
        ({"base_model": "gpt"}, "'gpt' is none of minilm-l6"),
        ({"pooling": None}, "None is none of"),
        ({"train_word_embeddings": 1}, "neither true nor false"),
        ({"seed": -1}, "outside 0 to 2147483647"),
    ],
)
def test_a_bad_setting_is_named(changes: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        controls.check(TrainingConfig().replace(**changes))
