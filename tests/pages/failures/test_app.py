"""The page of broken trainings without a browser: guess first, two runs, the measured answer, own text."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from core.concepts.failure_modes import FAILURE_MODES
from core.types import InputError, Run, RunStatus
from tests.pages.workers import in_this_process
from tests.tiny import tiny_encoder
from ui import state
from ui.runs import watching

__all__ = ["in_this_process"]


class TinyExecutor:
    """Runs a request at once with a tiny encoder, so that the page sees real snapshots."""

    runs: dict[str, Run] = {}  # noqa: RUF012 (one for the whole test session)
    numbers = itertools.count()

    def start(self, request, alive, until):
        from core.training.bi_trainer import train

        run_id = f"tiny{next(self.numbers)}"
        config = request.config.replace(steps=10, learning_rate=3e-3, trained_layers=2)
        found = train(tiny_encoder(), request.sentences, request.pairs, config, request.held_out)
        snapshots = tuple(found)
        last = replace(snapshots[-1], step=request.config.steps)  # as long as the plan says
        self.runs[run_id] = Run(
            run_id,
            request.config,
            request.sentences,
            request.pairs,
            request.held_out,
            (*snapshots[:-1], last),
            status=RunStatus.FINISHED,
        )
        return run_id

    def run(self, run_id):
        if run_id not in self.runs:
            raise InputError("forgotten")
        return self.runs[run_id]

    def renew(self, run_id, alive):
        assert run_id in self.runs

    def forget(self, run_id):
        self.runs.pop(run_id)


@pytest.fixture(autouse=True)
def workers(in_this_process, monkeypatch):
    monkeypatch.setattr(watching, "executor", TinyExecutor)


def said(app) -> str:
    return " ".join(m.value for m in app.markdown)


def test_it_opens_with_the_untouched_model_measured_and_asks_first(open_app):
    app = open_app("failures", revealed="false")
    assert not app.exception and not app.metric
    app.radio(key="gw_guess_collapse").set_value("Above 0.7").run()
    assert len(app.metric) >= 2 and app.button(key="gw_go")


def test_two_runs_are_measured_and_compared_with_the_guess(open_app):
    app = open_app("failures", gw="collapse")
    app.radio(key="gw_guess_collapse").set_value("Below 0.3").run()
    app.button(key="gw_go").click().run()
    app.run()
    assert not app.exception
    text = said(app)
    assert "Mean cosine of different groups at the end: similar pairs only" in text
    assert "**What helps:**" in text
    assert len(app.get("plotly_chart")) == 3
    # Another seed is another plan: what was measured does not stand for it.
    app.number_input(key="gw_seed").set_value(8).run()
    assert "What helps" not in said(app) and app.button(key="gw_go").label == "Break it"


OWN = "\n".join(
    [f"sea | The boat number {i} crossed the bay." for i in range(6)]
    + [f"bread | Loaf number {i} came out of the oven." for i in range(6)]
)


@pytest.mark.parametrize("key", FAILURE_MODES)
def test_every_experiment_takes_own_sentences(open_app, key):
    link = state.pack({"gw_text": OWN})
    app = open_app("failures", gw=key, gw_text_from="My own sentences", data=link)
    assert not app.exception and not app.warning
    app.radio(key=f"gw_guess_{key}").set_value(FAILURE_MODES[key].options[0]).run()
    app.button(key="gw_go").click().run()
    assert not app.exception
    assert FAILURE_MODES[key].number in said(app)


@pytest.mark.parametrize(
    ("text", "told"), [("", ""), ("one line only", "name no two groups"), ("a | x\nb | y", "")]
)
def test_sentences_that_cannot_be_used_are_refused_in_a_sentence(open_app, text, told):
    link = state.pack({"gw_text": text})
    app = open_app("failures", gw_text_from="My own sentences", data=link)
    assert not app.exception
    assert len(app.warning) == 1 and told in app.warning[0].value
