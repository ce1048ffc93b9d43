"""Bi-encoder vs cross-encoder: every view opens ready, answers what is typed, and training can be stopped."""

from __future__ import annotations

import numpy as np
import pytest

from core.concepts import bi_vs_cross
from core.models import cross_encoder
from core.models.embedding import embed
from core.training.race import curve
from pages.bi_vs_cross import race, views
from tests.pages.workers import InProcess, in_this_process, runs_in_this_process  # noqa: F401

PAGE = "bi_vs_cross"
VIEWS = ("Rank", "Order", "Attention", "Words", "Cost", "Learn")


@pytest.fixture
def engine(in_this_process, runs_in_this_process, monkeypatch) -> InProcess:  # noqa: F811
    monkeypatch.setattr(
        "core.retrieval.costs.measure_costs.__defaults__", ((2, 4, 8), 0.2, "minilm-l6", "likeness")
    )
    monkeypatch.setattr(InProcess, "steps_a_look", 1)  # a page run looks several times
    return runs_in_this_process


def verdicts(app) -> str:
    return " ".join(m.value for m in app.markdown)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_ready(open_app, engine, view):
    app = open_app(PAGE, bvc=view)
    assert not app.exception and not app.warning and not app.error
    assert app.title[0].value == "Bi-encoder vs cross-encoder"
    assert len(app.dataframe) >= (0 if view == "Learn" else 1)


def test_the_ranking_is_that_of_the_two_models(open_app, engine):
    query = "The kettle is boiling."
    candidates = ("Water boils in the kettle.", "A cat sleeps.", "The kettle is cold.")
    app = open_app(PAGE, bvc_query=query, bvc_candidates="\n".join(candidates))
    table = app.dataframe[0].value.set_index("candidate")
    z = embed("minilm-l6", 0, "mean", [query, *candidates])
    score = cross_encoder.score([(query, c) for c in candidates]).scores
    for row, candidate in enumerate(candidates):
        assert table.loc[candidate, "cosine"] == pytest.approx(z[0] @ z[row + 1], abs=1e-5)
        assert table.loc[candidate, "score"] == pytest.approx(score[row], abs=1e-5)
    assert table["by cross"].tolist() == [1, 2, 3]
    app.radio(key="bvc_guess_rank").set_value("Yes").run()
    assert "Your prediction agrees" in verdicts(app) or "Measured: No" in verdicts(app)


@pytest.mark.parametrize(
    ("query", "candidates", "says"),
    [
        (" ", "a\nb", "The query is empty"),
        ("a", "\n \n", "no candidate yet"),
        ("a", "b\n" + "x" * 301, "Line 2: the candidate has 301 characters"),
    ],
)
def test_unusable_input_is_one_sentence(open_app, engine, query, candidates, says):
    app = open_app(PAGE)
    app.text_input(key="bvc_query").set_value(query)
    app.text_area(key="bvc_candidates").set_value(candidates).run()
    assert not app.exception
    assert says in app.warning[0].value
    assert app.text_area(key="bvc_candidates").value == candidates


def test_swapping_shows_that_order_counts_and_cosine_does_not(open_app, engine):
    app = open_app(PAGE, bvc="Order")
    before = app.dataframe[0].value
    assert before["cosine"][0] == before["cosine"][1]
    assert before["cosine"][2] == pytest.approx(1.0, abs=1e-5)
    assert before["score"][2] < 1.0
    app.button(key="bvc_swap").click().run()
    after = app.dataframe[0].value
    assert after["score"][0] == pytest.approx(before["score"][1], abs=1e-6)
    app.button(key="bvc_same").click().run()
    same = app.dataframe[0].value
    assert same["score"][0] == same["score"][1] == pytest.approx(same["score"][2], abs=1e-6)


def test_attention_of_one_head_and_across_the_texts(open_app, engine):
    app = open_app(PAGE, bvc="Attention", bvc_a="cats purr", bvc_b="a cat purrs", bvc_special="true")
    app.selectbox(key="bvc_layer").set_value("2")
    app.selectbox(key="bvc_head").set_value("5").run()
    assert not app.exception
    shown = app.dataframe[0].value
    found = cross_encoder.attention("cats purr", "a cat purrs")
    left = np.array(found.segments) == 0
    assert shown["weight"].sum() == pytest.approx(found.weights[1, 4][np.ix_(left, ~left)].sum(), abs=1e-4)
    app.toggle(key="bvc_special").set_value(False).run()
    assert not {"[CLS]", "[SEP]"} & set(app.dataframe[0].value["at"])


def test_leaving_a_word_out_is_what_it_says(open_app, engine):
    app = open_app(PAGE, bvc="Words", bvc_a="The red kite", bvc_b="A red bird of prey")
    table = app.dataframe[0].value
    row = table[(table["text"] == "A") & (table["word"] == "kite")].iloc[0]
    z = embed("minilm-l6", 0, "mean", ["The red kite", "The red", "A red bird of prey"])
    assert row["adds to the cosine"] == pytest.approx(z[0] @ z[2] - z[1] @ z[2], abs=1e-5)
    both = [("The red kite", "A red bird of prey"), ("The red", "A red bird of prey")]
    logits = cross_encoder.score(both).logits
    assert row["adds to the logit"] == pytest.approx(logits[0] - logits[1], abs=1e-4)


def test_costs_name_what_is_measured_and_what_is_not(open_app, engine):
    app = open_app(PAGE, bvc="Cost")
    table = app.dataframe[0].value
    assert table["pairs"].tolist()[-1] == "49,995,000"
    assert table["cross"].tolist()[-1] == "projected"
    said = " ".join(c.value for c in app.caption)
    assert "65 hours" in said and "Reimers" in said


def test_both_learn_stop_and_finish(open_app, engine):
    app = open_app(PAGE, bvc="Learn", bvc_steps="10", bvc_pairs="20")
    assert not engine.trainers, "nothing trains before somebody says so"
    app.button(key="race_go").click().run()
    run_id = app.session_state["bvc_race"]
    assert engine.runs[run_id].is_active and app.button(key="race_go").label == "Stop"
    app.button(key="race_go").click().run()
    stopped_at = engine.trainers[run_id].step
    app.run()
    app.run()
    assert engine.trainers[run_id].step == stopped_at, "a stopped race does not go on"
    app.button(key="race_go").click().run()  # Go on
    for _ in range(60):
        app.run()
        if not engine.runs[run_id].is_active:
            break
    assert not app.exception and not app.error
    found = engine.runs[run_id].view().snapshots
    for side in ("bi", "cross"):
        steps = [m.step for m in curve(found, side)]
        assert steps[0] == 0 and steps[-1] == 10
    app.run()
    app.radio(key="bvc_guess_race").set_value(race.ANSWERS[0]).run()
    assert "seconds of training: bi-encoder" in verdicts(app)
    app.button(key="race_reset").click().run()
    assert run_id not in engine.runs and app.button(key="race_go").label == "Train both"


def test_own_sentences_without_groups_are_refused_in_a_sentence(open_app, engine):
    app = open_app(PAGE, bvc="Learn", bvc_set="own", bvc_own="one\ntwo")
    assert "no two groups" in app.warning[0].value
    assert app.button(key="race_go").disabled


def test_places_and_swapped_pairs_agree_with_scipy():
    from scipy.stats import kendalltau

    generator = np.random.default_rng(3)
    a, b = generator.standard_normal((2, 9))
    first, second = bi_vs_cross.ranks(a), bi_vs_cross.ranks(b)
    tau = kendalltau(a, b).statistic
    assert bi_vs_cross.swapped_pairs(first, second) == round((1 - tau) / 2 * 36)
    assert first[a.argmax()] == 1
    assert views.ratio_name(99) == views.RATIOS[0]
