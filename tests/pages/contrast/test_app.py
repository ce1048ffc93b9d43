"""The contrast page without a browser: words, triplets, mined negatives, and input that cannot be used."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import Forces, Metrics, Run, RunStatus, Snapshot
from pages.contrast.views import NO_WORD
from tests.pages.workers import in_this_process  # noqa: F401 (a fixture)
from ui.runs import watching

FREE = Forces(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))

pytestmark = pytest.mark.usefixtures("in_this_process")


def said(app) -> str:
    return " ".join(m.value for m in app.markdown)


def test_words_wait_for_the_prediction_and_then_show_their_parts(open_app):
    app = open_app("contrast", timeout=120, revealed="false")
    assert not app.exception and not app.get("plotly_chart")
    app.text_input(key="con_p").set_value("The train was late.").run()
    app.text_input(key="con_q").set_value("The train was punctual.").run()
    app.radio(key="con_guess_words").set_value("punctual").run()
    assert not app.exception and app.get("plotly_chart")
    assert "Your prediction agrees" in said(app)
    app.text_input(key="con_q").set_value("One").run()
    assert "Q needs at least two words" in app.warning[0].value


def test_triplets_are_counted_and_a_wrong_line_is_named(open_app):
    app = open_app("contrast", timeout=120, con="Triplets")
    app.text_area(key="con_triplets").set_value("A cat sleeps. | The cat is asleep. | Stocks fell.").run()
    assert "**1 of 1**" in said(app)
    app.text_area(key="con_triplets").set_value("only | two").run()
    assert "Line 1" in app.warning[0].value
    assert app.text_area(key="con_triplets").value == "only | two"


def test_negatives_are_mined_before_anything_is_trained(open_app):
    app = open_app("contrast", timeout=120, con="Hard negatives")
    assert not app.exception and not app.warning
    assert "Mined from the untrained model" in said(app)
    assert not app.button(key="con_train").disabled


def test_when_no_word_keeps_them_apart_none_is_named(open_app):
    app = open_app("contrast", timeout=120, con_p="The train was late.", con_q="The train was late.")
    app.radio(key="con_guess_words").set_value(NO_WORD).run()
    assert not app.exception
    assert "Your prediction agrees" in said(app)


class Finished:
    """An executor whose runs are over as soon as they are started; the second one ends a little better."""

    runs: dict[str, Run] = {}  # noqa: RUF012

    def start(self, request, _alive, _until):
        name = f"r{len(self.runs)}"
        hard = len(self.runs) % 2
        laps = []
        for step, auc in ((0, 0.7), (request.config.steps, 0.75 + 0.1 * hard)):
            metrics = Metrics(held_out_accuracy=0.5, held_out_auc=auc)
            z = np.zeros((len(request.sentences), 2), np.float32)
            laps.append(Snapshot(step, 0.01, z, FREE, metrics))
        self.runs[name] = Run(
            name,
            request.config,
            request.sentences,
            request.pairs,
            request.held_out,
            tuple(laps),
            status=RunStatus.FINISHED,
        )
        return name

    def run(self, name):
        return self.runs[name]

    def renew(self, name, _alive):
        assert name in self.runs


def test_outcomes_of_several_seeds_stay_side_by_side(open_app, monkeypatch):
    monkeypatch.setattr(watching, "executor", Finished)
    app = open_app("contrast", timeout=120, con="Hard negatives", con_steps="10")
    app.radio(key="con_guess_hard").set_value("Hard negatives").run()
    app.button(key="con_train").click().run()
    assert not app.exception
    assert "Your prediction agrees" in said(app) and "AUC 0.750 after random, 0.850 after hard" in said(app)
    assert "hard negatives ahead in 1, random ones in 0" in said(app)
    app.number_input(key="con_seed").set_value(8).run()
    assert any("had other sentences or settings" in c.value for c in app.caption)
    assert "Your prediction agrees" not in said(app), "an old outcome does not answer for new settings"
    app.button(key="con_train").click().run()
    assert "hard negatives ahead in 2, random ones in 0" in said(app)
    assert app.dataframe[-1].value["seed"].tolist() == [7, 8]
    assert app.dataframe[1].value["random negatives"].tolist() == [0.7, 0.75], "the curve has its table"


def test_typed_words_are_shown_as_written(open_app):
    app = open_app("contrast", timeout=120, con_p="a **bold** word", con_q="a :red[hot] $x$")
    app.radio(key="con_guess_words").set_value("hot").run()
    assert not app.exception
    assert {"red", "hot", "x"} <= set(app.radio(key="con_guess_words").options), "words, without their marks"
    assert ":red[" not in said(app)
