"""The gate in front of every prediction: no figure shows before its question is answered, on any page."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core.storage import learners
from core.storage.learners import Prediction
from tests.pages.workers import in_this_process, runs_in_this_process  # noqa: F401
from ui import learner, pages
from ui.keys import Key

FIGURES = ("plotly_chart", "dataframe", "table", "metric", "image")
PAGE, ASKED = "high_dimensions", "hd_guess_ratio"
pytestmark = pytest.mark.usefixtures("in_this_process", "runs_in_this_process")


def figures(app: AppTest) -> list[str]:
    """What could answer a question: charts, tables, numbers, maps. Losses begins with its points, which a
    question is about."""
    shown = [kind for kind in FIGURES for _ in app.get(kind)]
    return shown + [
        e.proto.component_name
        for e in app.get("bidi_component")
        if e.proto.component_name.endswith("moving-map")
    ]


def asked(app: AppTest) -> list[str]:
    return [one.key for one in app.radio if one.key and "guess" in one.key]


def views(app: AppTest) -> Iterator[AppTest]:
    """The page in each of its views: its first choice that is a view, a situation or an experiment."""
    labels = ("What to look at", "What to do", "View", "Situation", "Experiment")
    choices = [one for one in (*app.get("button_group"), *app.selectbox) if one.proto.label in labels]
    if not choices:
        yield app
        return
    key = choices[0].key
    for value in choices[0].options:
        choice = next(one for one in (*app.get("button_group"), *app.selectbox) if one.key == key)
        yield choice.set_value(value).run()


def guesses(page: pages.Page) -> set[str]:
    """The keys of all predictions that a page has."""
    module = importlib.import_module(f"pages.{page.folder}.keys")
    found = [k for v in vars(module).values() for k in (v.values() if isinstance(v, dict) else (v,))]
    return {key.name for key in found if isinstance(key, Key) and "guess" in key.name}


@pytest.mark.parametrize(
    "page", [page for page in pages.PAGES if guesses(page)], ids=lambda page: page.folder
)
def test_nothing_shows_before_its_prediction(open_app, page):
    app, met = open_app(page.folder, revealed="false"), set()
    for view in views(app):
        assert not view.exception and not view.error
        if asked(view):
            assert not figures(view), (page.title, asked(view))
            assert [b for b in view.button if b.label == "Show anyway"]
        met |= set(asked(view))
    assert met == guesses(page), "a prediction that no view asks was not looked at"


@pytest.fixture
def ada() -> tuple[str, int]:
    key = learners.new_key()
    return key, learners.create(learner.database(), "Ada", key, datetime.now(UTC)).id


def as_learner(app: AppTest, key: str) -> AppTest:
    app.session_state["learner"] = key
    return app.run()


def test_the_first_guess_is_kept_beside_what_came_out(open_app, ada):
    key, who = ada
    app = as_learner(open_app(PAGE, revealed="false"), key)
    app.radio(key=ASKED).set_value("Over 10 times").run()
    assert figures(app) and any("Measured: Under 2 times." in m.value for m in app.markdown)
    app.radio(key=ASKED).set_value("Under 2 times").run()
    assert any("agrees with the measurement" in m.value for m in app.markdown)
    (kept,) = learners.predictions(learner.database(), who).values()
    assert (kept.guess, kept.outcome, kept.is_right) == ("Over 10 times", "Under 2 times", False)
    assert "384 dimensions" in kept.question


def test_a_figure_looked_at_without_a_guess_is_no_prediction(open_app, ada):
    key, who = ada
    app = as_learner(open_app(PAGE, revealed="false"), key)
    app.button(key=f"{ASKED}_shown_button").click().run()
    assert figures(app) and app.query_params[f"{ASKED}_shown"] == "true"
    app.radio(key=ASKED).set_value("Under 2 times").run()
    (kept,) = learners.predictions(learner.database(), who).values()
    assert kept.guess is None and not kept.is_right


def test_a_page_once_predicted_opens_revealed_where_that_is_wanted(open_app, ada):
    key, _ = ada
    as_learner(open_app(PAGE, revealed="false"), key).radio(key=ASKED).set_value("Over 10 times").run()
    assert not figures(as_learner(open_app(PAGE, revealed="false"), key))
    study = as_learner(open_app("study"), key)
    study.toggle(key="study_opens_revealed").set_value(True)
    next(b for b in study.button if b.label == "Save").click().run()
    assert figures(as_learner(open_app(PAGE, revealed="false"), key))
    assert not figures(as_learner(open_app(PAGE, revealed="false", hd="Real sentences"), key)), "never met"


def test_the_record_tells_how_often_the_guesses_were_right(open_app, ada):
    key, who = ada
    at = datetime.now(UTC)
    made = {f"q{i}": Prediction(f"Question {i}?", "Yes", "Yes" if i else "No", at) for i in range(3)}
    learners.add_predictions(learner.database(), who, made | {"seen": Prediction("Seen?", None, None, at)})
    app = as_learner(open_app("study", study="Progress"), key)
    assert {m.label: m.value for m in app.metric}["Predictions that agreed"] == "2 of 3"
    assert len(next(t.value for t in app.dataframe if "question" in t.value)) == 3


def test_what_was_guessed_before_a_name_was_chosen_comes_along(open_app, ada):
    key, who = ada
    app = open_app(PAGE, revealed="false")
    app.radio(key=ASKED).set_value("Over 10 times").run()
    app = as_learner(app, key)
    app.segmented_control(key="hd").set_value("Real sentences").run()
    app.radio(key="hd_guess_real").set_value("Among random directions").run()
    assert len(learners.predictions(learner.database(), who)) == 2
