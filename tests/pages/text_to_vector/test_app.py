"""From text to vector: opens ready, follows what is typed, and says in a sentence what it cannot use."""

from __future__ import annotations

import pytest

from core.concepts import anatomy
from core.models import registry
from pages.text_to_vector import anatomy as views
from tests.pages.workers import in_this_process  # noqa: F401

PAGE = "text_to_vector"
VIEWS = ("Word pieces", "Layers", "Pooling", "The numbers", "Change a word")
pytestmark = pytest.mark.usefixtures("in_this_process")


def metrics(app) -> dict[str, str]:
    return {m.label: m.value for m in app.metric}


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_ready(open_app, view):
    app = open_app(PAGE, ttv=view)
    assert not app.exception and not app.warning and not app.error
    assert app.title[0].value == "From text to vector"
    assert len(app.dataframe) >= 1


def test_pieces_are_those_of_the_typed_text(open_app):
    app = open_app(PAGE, ttv_text="Zwiebelkuchen!")
    found = registry.load("minilm-l6").tokenize(["Zwiebelkuchen!"]).pieces[0]
    assert app.dataframe[0].value["piece"].tolist() == list(found)
    assert metrics(app)["Tokens read"] == str(len(found))
    app.text_area(key="ttv_text").set_value("Hello").run()
    assert app.dataframe[0].value["piece"].tolist() == ["[CLS]", "hello", "[SEP]"]


def test_the_guess_is_compared_with_the_text_at_hand(open_app):
    app = open_app(PAGE, ttv_text="the ferrywoman")
    app.radio(key="ttv_guess_pieces").set_value("2").run()
    assert any("agrees with the measurement" in m.value for m in app.markdown)
    app.text_area(key="ttv_text").set_value("unflappable").run()
    assert any("Measured: 4 or more." in m.value for m in app.markdown)


def test_a_text_that_is_too_long_says_what_is_not_read(open_app):
    app = open_app(PAGE, ttv_text="rain and wind")
    app.button(key="ttv_repeat").click().run()
    assert not app.exception
    assert "do not fit and are not read" in app.warning[0].value
    assert "1.000000" in app.warning[0].value
    assert metrics(app)["Tokens read"] == "256"


def test_pooling_changes_who_carries_the_result(open_app):
    app = open_app(PAGE, ttv="Pooling", ttv_pooling="cls", ttv_text="the cat sat")
    assert app.dataframe[0].value["share"].tolist() == pytest.approx([1, 0, 0, 0, 0], abs=1e-6)
    app.radio(key="ttv_guess_pooling").set_value(views.FIRST).run()
    assert any("agrees with the measurement" in m.value for m in app.markdown)


def test_a_model_with_fewer_layers_takes_a_link_made_for_more(open_app):
    app = open_app(PAGE, ttv="Layers", ttv_layer="6", ttv_model="minilm-l3")
    assert not app.exception
    assert app.slider(key="ttv_layer").value == 3


def test_one_changed_word_moves_all_others(open_app):
    app = open_app(PAGE, ttv="Change a word", ttv_text="a big red dog", ttv_other="a big red cat")
    assert metrics(app)["Unchanged tokens that moved"] == "5 of 5"
    expected = registry.load("minilm-l6").encode(["a big red dog", "a big red cat"])
    assert float(metrics(app)["Cosine of the two vectors"]) == pytest.approx(
        float(expected[0] @ expected[1]), abs=1e-4
    )
    app.button(key="ttv_copy").click().run()
    assert metrics(app)["Cosine of the two vectors"] == "1.0000"
    assert metrics(app)["Unchanged tokens that moved"] == "0 of 6"


@pytest.mark.parametrize("text", ["  ", "x" * (anatomy.LONGEST_TEXT + 1)])
def test_what_cannot_be_read_is_said_and_kept(open_app, text):
    app = open_app(PAGE)
    app.text_area(key="ttv_text").set_value(text).run()
    assert not app.exception
    assert app.warning[0].value.startswith("The text")
    assert app.text_area(key="ttv_text").value == text


def test_who_moved_names_every_case():
    import numpy as np

    def change(first, second, last):
        matched = anatomy.match(first, second)
        moved = np.array([[0.0] * len(matched), last], np.float32)
        return anatomy.Change(first, second, matched, moved, 1.0, np.zeros(4, np.float32))

    same, other = ("a", "b", "c"), ("a", "x", "c")
    assert views.who_moved(change(same, same, [0, 0, 0])) == views.NONE
    assert views.who_moved(change(same, other, [0, 1, 0])) == views.ONLY
    assert views.who_moved(change(same, other, [1, 1, 0])) == views.SOME
    assert views.who_moved(change(same, other, [1, 0, 1])) == views.ALL


def test_a_model_without_layers_is_refused_by_name(open_app):
    app = open_app(PAGE, ttv_model="static")
    assert not app.exception
    said = [m.value for m in (*app.warning, *app.error, *app.info)]
    assert any("Static word vectors: this model has no layers" in text for text in said)
