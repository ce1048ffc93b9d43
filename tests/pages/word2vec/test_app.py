"""The Word2Vec page without a browser: it opens ready, trains, answers, and explains what cannot be done."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from pages.word2vec import live
from tests.pages.workers import answered

OWN = " ".join(
    f"The {a} {b} in the {c}."
    for a, c in (("sparrow", "hedge"), ("robin", "garden"), ("heron", "reeds"))
    for b in ("sings", "nests", "rests", "feeds", "hides")
)


class Here:
    """An executor that answers at once, in this process; the neighbour map is never ready."""

    layout_ready = threading.Event()

    call = staticmethod(answered)


@pytest.fixture
def page(open_app, monkeypatch):
    monkeypatch.setattr(live, "executor", Here)

    def open_(**query):
        app = open_app("word2vec", timeout=200, **query)
        assert not app.exception, app.exception
        return app

    return open_


def trained(app):
    """Press Train and look again until the run is over, as the ticking fragment would."""
    app.button(key="w2v_go").click().run()
    for _ in range(60):
        if app.session_state["w2v_run"].done:
            return app.run()
        app.run()
    raise AssertionError("the run does not end")


class SlowMaps(Here):
    """The neighbour map is ready but every picture is late; PCA stands in for it, to be quick."""

    layout_ready = threading.Event()
    layout_ready.set()
    late: list = []  # noqa: RUF012

    def call(self, function, *args, lane="encode"):
        if lane != "layout":
            return answered(function, *args)
        future: Future = Future()
        given = ["pca" if a is args[0] and isinstance(a, str) else a for a in args]
        self.late.append((future, function, given))
        return future


def test_a_picture_that_comes_late_is_followed_by_the_newest(page, monkeypatch):
    monkeypatch.setattr(live, "executor", SlowMaps)
    app = page(w2v_at="900")
    assert app.session_state["w2v_run"].state.done == 900 and app.session_state["w2v_run"].busy
    run = app.session_state["w2v_run"]
    for step in (0, 900):
        future, function, given = SlowMaps.late.pop(0)
        future.set_result(function(*given))
        run = live.move(run)
        assert run.frames[-1].step == step
        assert run.busy == (step == 0), "it goes on looking until the map is up to date"


def said(app):
    return " ".join(m.value for m in app.markdown)


def test_a_run_answers_the_prediction_and_finds_analogies(page):
    app = page(w2v_epochs="6", w2v="Analogies")
    assert not app.warning and not app.error
    app.radio(key="w2v_guess_neighbour").set_value("No, another word").run()
    app = trained(app)
    assert not app.exception and not app.warning and not app.error
    assert "Nearest to “king” is" in said(app) and "Found now: **" in said(app)
    run = app.session_state["w2v_run"]
    assert run.state.done == run.total and len(run.history) > 20
    assert app.query_params["w2v_at"] == str(run.total)


def test_a_link_reopens_a_run_where_it_stood(page):
    app = page(w2v_at="900", w2v="Pairs of a step")
    run = app.session_state["w2v_run"]
    assert run.state.done == 900 and run.frames[-1].step == 900
    assert " ".join(run.step.sentence) in [t.value for t in app.text]


def test_own_text_is_learned_and_a_text_too_short_is_explained_and_kept(page):
    app = page(w2v_from="own", w2v_epochs="3")
    assert "Paste a text" in app.warning[0].value
    app.text_area(key="w2v_text").set_value("Too short.").run()
    assert "paste a longer text" in app.warning[0].value
    assert app.text_area(key="w2v_text").value == "Too short."
    app.text_area(key="w2v_text").set_value(OWN).run()
    assert not app.exception and not app.warning
    assert "robin" in app.session_state["w2v_run"].corpus.vocabulary


def test_an_unknown_word_and_a_bad_analogy_are_named(page):
    app = page(w2v_word="zeppelin")
    assert "'zeppelin' occurs fewer than two times" in app.warning[0].value
    app = page(w2v="Analogies", w2v_analogy="king queen")
    assert "Type three different words" in app.warning[0].value


def test_without_negatives_the_words_line_up(page):
    app = trained(page(w2v="Without negatives", w2v_negatives="0", w2v_epochs="8"))
    app.radio(key="w2v_guess_collapse").set_value("It comes close to 1: all words point the same way").run()
    assert "Your prediction agrees" in said(app)


def test_a_link_with_nonsense_falls_back(page):
    app = page(w2v_from="?", w2v_subsample="7", w2v="?", w2v_at="-3", w2v_rate="nan")
    assert not app.warning and not app.error
    assert app.session_state["w2v_run"].state.done == 0
