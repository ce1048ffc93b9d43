"""Similarity: every view opens ready, the numbers are the model's, and bad input is one sentence."""

from __future__ import annotations

import pytest

from core.concepts import triplets
from core.models import registry
from tests.pages.workers import in_this_process  # noqa: F401

PAGE = "similarity"
VIEWS = ("Matrix", "Ranking", "Where it is wrong")
TYPED = "A red apple\nA green apple\nThe minister resigned"
pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_ready(open_app, view):
    app = open_app(PAGE, sim=view)
    assert not app.exception and not app.warning and not app.error
    assert app.title[0].value == "Similarity"
    assert len(app.get("plotly_chart")) >= 1 and len(app.dataframe) >= 1


def test_the_table_holds_the_models_cosines(open_app):
    app = open_app(PAGE, sim_text=TYPED)
    table = app.dataframe[0].value
    z = registry.load("minilm-l6").encode(TYPED.splitlines())
    assert table["2"].tolist() == pytest.approx((z @ z[1]).tolist(), abs=1e-4)


def test_clusters_put_like_beside_like(open_app):
    typed = "A red apple\nThe minister resigned\nA green apple\nThe chancellor stepped down"
    app = open_app(PAGE, sim_text=typed, sim_order="clusters", sim_clusters="2")
    table = app.dataframe[0].value
    assert table["cluster"].tolist() == [1, 1, 2, 2]
    assert {s[3:] for s in table["sentence"][:2]} in (
        {"A red apple", "A green apple"},
        {"The minister resigned", "The chancellor stepped down"},
    )


def test_stretching_breaks_the_agreement_of_the_measures(open_app):
    app = open_app(PAGE, sim="Ranking", sim_text=TYPED, sim_stretched="2")
    app.radio(key="sim_guess_order").set_value("Yes").run()
    assert any("agrees with the measurement" in m.value for m in app.markdown)
    app.slider(key="sim_factor").set_value(5.0).run()
    assert any("Measured: No." in m.value for m in app.markdown)


def test_fewer_sentences_than_the_link_chose_from(open_app):
    app = open_app(PAGE, sim="Ranking", sim_text=TYPED, sim_anchor="9", sim_stretched="8")
    assert not app.exception
    app = open_app(PAGE, sim="Matrix", sim_text=TYPED, sim_clusters="7", sim_order="clusters")
    assert not app.exception


def test_own_triplets_are_judged(open_app):
    app = open_app(PAGE, sim="Where it is wrong")
    line = "The cat sleeps. | A cat is asleep. | The minister resigned."
    app.text_area(key="sim_own").set_value(line).run()
    told = {m.label: m.value for m in app.metric}
    assert told == {"Wrong on your own": "0 of 1", "Wrong when read together": "0 of 1"}
    app.text_area(key="sim_own").set_value("only one text").run()
    assert "Line 1 has 1 of the three texts" in app.warning[0].value
    assert app.text_area(key="sim_own").value == "only one text"


def test_the_verdict_on_kinds_is_what_was_counted(open_app):
    app = open_app(PAGE, sim="Where it is wrong")
    judged = triplets.measure(tuple(t for p in triplets.challenge_sets() for t in p.triplets))
    shares = {kind: bad / n for kind, (bad, n) in judged.share_wrong().items()}
    top, least = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
    app.radio(key="sim_guess_kind").set_value(least).run()
    assert any(f"Measured: {top}." in m.value for m in app.markdown)


def test_too_few_sentences_is_said(open_app):
    app = open_app(PAGE)
    app.text_area(key="sim_text").set_value("one\ntwo").run()
    assert not app.exception
    assert "Sentences so far: 2. Give at least 3" in app.warning[0].value


def test_static_word_vectors_find_two_orders_of_the_same_words_equal(open_app):
    text = "The dog bites the man\nThe man bites the dog\nThe soup is salty"
    app = open_app(PAGE, sim_text=text, sim_model="static")
    assert not app.exception and not app.error
    values = app.dataframe[0].value["2"].tolist()
    assert values[:2] == pytest.approx([1.0, 1.0], abs=1e-6) and values[2] < 0.9
