"""The losses page without a browser: presets, steps, outcome, links, and input the loss cannot use."""

from __future__ import annotations

import pytest

from core.concepts.sandbox.presets import PRESETS, REACHES


def numbers(app) -> str:
    return next(m.value for m in app.markdown if m.value.startswith("Step **"))


def test_opens_ready_and_steps(open_app):
    app = open_app("losses")
    assert not app.exception
    assert numbers(app).startswith("Step **0**")
    before = app.session_state["ls_sandbox"].seen.loss
    app.button(key="ls_ten").click().run()
    assert numbers(app).startswith("Step **10**")
    assert app.session_state["ls_sandbox"].seen.loss < before


def test_a_prediction_is_compared_with_the_measured_outcome(open_app):
    app = open_app("losses", ls="margin")
    assert app.session_state["ls_margin"] == 2.0, "a link that names a situation brings its settings"
    app.radio(key="ls_guess_margin").set_value(REACHES[1]).run()
    for _ in range(12):
        app.button(key="ls_ten").click().run()
    assert not app.exception
    said = " ".join(m.value for m in app.markdown)
    assert "Your prediction agrees with the measurement." in said
    assert PRESETS["margin"].why in said


def test_a_drag_moves_its_point_and_the_link_keeps_it(open_app):
    from pages.losses import sandbox
    from ui import state
    from ui.boards import circle

    app = open_app("losses")
    z = app.session_state["ls_sandbox"].z
    text = sandbox.positions_to_text(z)
    again = sandbox.positions(text, *z.shape)
    assert again is not None and abs(again - z).max() < 2e-3
    assert sandbox.positions("1,2;nan,3", 2, 2) is None
    assert sandbox.positions("<b>", 2, 2) is None
    drag = circle.read_drag({"row": 1, "at": [0.0, 1.0], "serial": 3}, z.shape)
    assert drag is not None and drag.row == 1
    nan = float("nan")
    unusable = [{"row": 99, "at": [0, 1]}, {"row": 0, "at": [0, nan]}, {"row": 0, "at": [0]}]
    unusable += [{"row": 0, "at": [0, 0]}, {"row": "0", "at": [0, 1]}, {}]
    for bad in (None, *({"serial": 1, **u} for u in unusable)):
        assert circle.read_drag(bad, z.shape) is None
    packed = state.pack({"ls_places": sandbox.positions_to_text(z[::-1])})
    other = open_app("losses", data=packed)
    assert abs(other.session_state["ls_sandbox"].z - z[::-1]).max() < 2e-3


def test_the_sphere_and_every_loss_work(open_app):
    app = open_app("losses", ls_space="sphere")
    assert app.session_state["ls_sandbox"].z.shape == (12, 3)
    for loss in ("triplet", "mnrl", "cosent", "cosine"):
        app.selectbox(key="ls_loss").set_value(loss).run()
        assert not app.exception
        assert app.session_state["ls_sandbox"].objective.loss == loss


@pytest.mark.parametrize("loss", ["triplet"])
def test_a_loss_without_anything_to_look_at_says_so(open_app, loss):
    app = open_app("losses", ls_loss=loss, ls_told="one")
    assert not app.exception
    assert "There are no triplets" in app.warning[0].value
    assert app.button(key="ls_go").disabled


def test_the_curve_has_its_table(open_app):
    app = open_app("losses")
    app.button(key="ls_ten").click().run()
    assert not app.exception
    history = app.session_state["ls_sandbox"].history
    table = app.dataframe[-1].value
    assert table["step"].tolist() == [step for step, _ in history] and table["step"].iloc[-1] == 10
