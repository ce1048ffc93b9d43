"""The contrast page without a browser: words, triplets, mined negatives, and input that cannot be used."""

from __future__ import annotations

import pytest

from tests.app.workers import in_this_process  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("in_this_process")


def said(app) -> str:
    return " ".join(m.value for m in app.markdown)


def test_words_wait_for_the_prediction_and_then_show_their_parts(open_app):
    app = open_app("contrast.py", timeout=120)
    assert not app.exception and not app.get("plotly_chart")
    app.text_input(key="con_p").set_value("The train was late.").run()
    app.text_input(key="con_q").set_value("The train was punctual.").run()
    app.radio(key="con_guess_words").set_value("punctual.").run()
    assert not app.exception and app.get("plotly_chart")
    assert "Your prediction agrees" in said(app)
    app.text_input(key="con_q").set_value("One").run()
    assert "Q needs at least two words" in app.warning[0].value


def test_triplets_are_counted_and_a_wrong_line_is_named(open_app):
    app = open_app("contrast.py", timeout=120, con="Triplets")
    app.text_area(key="con_triplets").set_value("A cat sleeps. | The cat is asleep. | Stocks fell.").run()
    assert "**1 of 1**" in said(app)
    app.text_area(key="con_triplets").set_value("only | two").run()
    assert "Line 1" in app.warning[0].value
    assert app.text_area(key="con_triplets").value == "only | two"


def test_negatives_are_mined_before_anything_is_trained(open_app):
    app = open_app("contrast.py", timeout=120, con="Hard negatives")
    assert not app.exception and not app.warning
    assert "Mined from the untrained model" in said(app)
    assert not app.button(key="con_train").disabled
