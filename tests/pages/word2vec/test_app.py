"""The Word2Vec page without a browser: it opens ready, trains, answers, and explains what cannot be done."""

from __future__ import annotations

import pytest

from core.training.word2vec.text import read
from core.types import RunStatus, TaskRun
from tests.pages.workers import InProcess, runs_in_this_process  # noqa: F401

OWN = " ".join(
    f"The {a} {b} in the {c}."
    for a, c in (("sparrow", "hedge"), ("robin", "garden"), ("heron", "reeds"))
    for b in ("sings", "nests", "rests", "feeds", "hides")
)


@pytest.fixture
def engine(runs_in_this_process, monkeypatch):  # noqa: F811
    monkeypatch.setattr(InProcess, "steps_a_look", 60)
    return runs_in_this_process


@pytest.fixture
def page(open_app, engine):
    def open_(**query):
        app = open_app("word2vec", timeout=200, **query)
        assert not app.exception, app.exception
        for _ in range(60):
            if not run_of(app, engine).is_active:
                return app.run()
            app.run()
        return app

    return open_


def run_of(app, engine):
    """The run on the page, without looking at it as the page does; one at rest when there is none."""
    known = "w2v_run" in app.session_state and app.session_state["w2v_run"]
    return engine.runs[known].view() if known else TaskRun("", None, status=RunStatus.PAUSED)


def trained(app, engine):
    """Press Train and look again until the run is over, as the ticking fragment would."""
    app.button(key="w2v_go").click().run()
    for _ in range(60):
        if run_of(app, engine).status is RunStatus.FINISHED:
            return app.run()
        app.run()
    raise AssertionError("the run does not end")


def said(app):
    return " ".join(m.value for m in app.markdown)


def test_a_run_answers_the_prediction_and_finds_analogies(page, engine):
    app = page(w2v_epochs="6")
    assert not app.warning and not app.error
    app.radio(key="w2v_guess_neighbour").set_value("No, another word").run()
    app = trained(app, engine)
    assert not app.exception and not app.warning and not app.error
    assert "Nearest to “king” is" in said(app)
    app.segmented_control(key="w2v").set_value("Analogies").run()
    assert "Found now: **" in said(app)
    run = run_of(app, engine)
    assert run.step == run.steps and len(run.snapshots) > 20
    assert app.query_params["w2v_at"] == str(run.steps)


def test_a_link_reopens_a_run_where_it_stood(page, engine):
    app = page(w2v_at="900", w2v="Pairs of a step")
    run = run_of(app, engine)
    assert run.step == 900 and run.frames[-1].step == 900
    assert " ".join(run.snapshots[-1].skip_grams.sentence) in [t.value for t in app.text]


def test_own_text_is_learned_and_a_text_too_short_is_explained_and_kept(page, engine):
    app = page(w2v_from="own", w2v_epochs="3")
    assert "Paste a text" in app.warning[0].value
    app.text_area(key="w2v_text").set_value("Too short.").run()
    assert "paste a longer text" in app.warning[0].value
    assert app.text_area(key="w2v_text").value == "Too short."
    app.text_area(key="w2v_text").set_value(OWN).run()
    assert not app.exception and not app.warning
    assert "robin" in read(run_of(app, engine).task.text).vocabulary


def test_an_unknown_word_and_a_bad_analogy_are_named(page, engine):
    app = page(w2v_word="zeppelin")
    assert "'zeppelin' occurs fewer than two times" in app.warning[0].value
    app = page(w2v="Analogies", w2v_analogy="king queen")
    assert "Type three different words" in app.warning[0].value


def test_without_negatives_the_words_line_up(page, engine):
    app = trained(page(w2v="Without negatives", w2v_negatives="0", w2v_epochs="8"), engine)
    app.radio(key="w2v_guess_collapse").set_value("It comes close to 1: all words point the same way").run()
    assert "Your prediction agrees" in said(app)


def test_a_link_with_nonsense_falls_back(page, engine):
    app = page(w2v_from="?", w2v_subsample="7", w2v="?", w2v_at="-3", w2v_rate="nan")
    assert not app.warning and not app.error
    assert run_of(app, engine).step == 0
