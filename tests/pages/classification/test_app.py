"""The classification page without a browser: every view, own sentences, mistakes explained, a quick run."""

from __future__ import annotations

import pytest

from core.retrieval import collection
from pages.classification import views
from tests.pages.workers import in_this_process, runs_in_this_process  # noqa: F401 (fixtures)

OWN = "\n".join(
    [f"pets | The {animal} sleeps on the sofa." for animal in ("cat", "dog", "hamster", "rabbit", "parrot")]
    + [f"space | The probe flew past {planet}." for planet in ("Mars", "Venus", "Jupiter", "Saturn", "Pluto")]
)

pytestmark = pytest.mark.usefixtures("in_this_process")


def page(open_app, **query):
    app = open_app("classification", timeout=120, **query)
    assert not app.exception
    return app


@pytest.mark.parametrize(
    "view", ["Learning curve", "Confusion", "Prototypes", "Zero-shot", "Before and after"]
)
def test_every_view_opens_ready(open_app, view):
    app = page(open_app, cls=view, cls_set="bank_intents")
    assert not app.warning and not app.error
    assert app.text_input(key="cls_new").value


def test_own_sentences_are_told_apart(open_app):
    app = page(open_app, cls_set="own", cls="Confusion")
    app.text_area(key="cls_text").set_value(OWN).run()
    assert not app.exception and not app.warning
    said = " ".join(m.value for m in app.markdown)
    assert "Right: **100%**" in said
    app.radio(key="cls_guess_confusion").set_value("pets").run()
    assert "Your prediction agrees" in " ".join(m.value for m in app.markdown)


def test_sentences_that_cannot_be_classified_are_explained_and_kept(open_app):
    app = page(open_app, cls_set="own")
    app.text_area(key="cls_text").set_value("a | one\na | two\nb | three").run()
    assert not app.exception
    assert "The class 'a' has 2 sentences; 3 are needed" in app.warning[0].value or "class 'b'" in (
        app.warning[0].value
    )
    assert app.text_area(key="cls_text").value == "a | one\na | two\nb | three"


def test_a_missing_description_is_named(open_app):
    app = page(open_app, cls="Zero-shot")
    app.text_area(key="cls_words").set_value("positive | This is praise.").run()
    assert "There is no description of 'negative'" in app.warning[0].value


def test_a_set_without_a_second_label_has_no_choice_of_labels_and_bad_links_fall_back(open_app):
    app = page(open_app, cls_set="no such set", cls="no such view", cls_method="?", cls_labels="?")
    assert app.session_state["cls_set"] == "sentiment"
    assert not app.warning


def test_an_emptied_text_stays_empty(open_app):
    app = open_app("classification", timeout=120, cls_set="own")
    assert app.text_area(key="cls_text").value.startswith("weather")
    app.text_area(key="cls_text").set_value("").run()
    assert not app.exception
    assert app.text_area(key="cls_text").value == ""
    assert "There is no sentence yet" in app.warning[0].value


@pytest.mark.parametrize("view", ["Learning curve", "Confusion", "Prototypes", "Zero-shot", "Map"])
def test_a_collection_is_classified(open_app, runs_in_this_process, tmp_path, monkeypatch, view):  # noqa: F811
    monkeypatch.setattr(views, "LISTED", 4)
    file = tmp_path / "own.csv"
    rows = [f"weather,Rain fell on day {i}." for i in range(12)]
    rows += [f"food,Soup number {i} was <b>hot</b>." for i in range(12)]
    file.write_text("class,text\n" + "\n".join(rows))
    room = collection.Capacity(10**9, 10**9)
    found = collection.read(str(file), "own", str(tmp_path / "home"), room, labelled=True)
    app = open_app("classification", timeout=120, cls_set="own", cls_model="static", cls=view)
    app.session_state["cls_folder"] = found.folder
    for _ in range(4):
        app.run()
    assert not app.exception and not app.warning and not app.error
    assert any("16 sentences to learn from, 8 others" in c.value for c in app.caption)
    offered = app.button_group(key="cls").options
    assert "Map" in offered and "Before and after" not in offered
    if view == "Confusion":
        assert any("Right: **100%**" in m.value for m in app.markdown)
        assert any("4 of the 8 test sentences" in c.value for c in app.caption)
        assert app.dataframe[0].value["taken for"].isin(["weather", "food"]).all()
