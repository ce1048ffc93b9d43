"""The page about SBERT's objective without a browser: how it opens, own pairs, a whole comparison."""

from __future__ import annotations

import pytest

from core.concepts import sbert
from core.training.nli import NliTask, examples
from core.types import InputError
from pages.sbert import comparison, keys, views
from tests.pages.workers import in_this_process, runs_in_this_process  # noqa: F401
from ui import state


@pytest.fixture(autouse=True)
def engine(in_this_process, runs_in_this_process):  # noqa: F811
    return runs_in_this_process


def train(app, engine, what: str) -> None:
    """Press Train and look again until all runs are over, as the ticking fragment would."""
    app.button(key="sb_go").click().run()
    for _ in range(60):
        if not engine.runs[app.session_state[keys.RUNS[what].name][-1]].is_active:
            break
        app.run()
    app.run()
    assert not app.exception


def said(app) -> str:
    return " ".join(m.value for m in app.markdown)


def test_it_opens_with_a_pair_already_read(open_app):
    app = open_app("sbert")
    assert not app.exception
    labels = [m.label for m in app.metric]
    assert labels == ["Length of u", "Length of v", f"Sum of {views.PARTS[2]}", "Cosine"]
    app.radio(key="sb_guess_swap").set_value(views.PARTS[2]).run()
    assert "Your prediction agrees with the measurement." in said(app)


def test_an_own_pair_changes_the_numbers(open_app):
    app = open_app("sbert")
    before = app.metric[3].value
    app.text_input(key="sb_b").set_value("<b>Nobody</b> = *owns* a bicycle").run()
    assert not app.exception and app.metric[3].value != before
    app.text_input(key="sb_b").set_value(" ").run()
    assert "The hypothesis is empty" in app.warning[0].value


def test_the_untouched_model_puts_contradictions_above_neutral(open_app):
    app = open_app("sbert", sb="The pairs")
    app.radio(key="sb_guess_data").set_value("Neutral").run()
    assert not app.exception
    assert "Your prediction agrees with the measurement." in said(app)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A dog runs | An animal moves", "Line 1: write premise"),
        ("A dog runs | An animal moves | maybe", "Line 1: “maybe” is none of"),
        ("", "There are no pairs yet"),
    ],
)
def test_own_pairs_that_cannot_be_read_are_refused_in_a_sentence(open_app, text, told):
    app = open_app("sbert", sb="The pairs", sb_pairs="My own pairs", data=state.pack({"sb_text": text}))
    assert not app.exception
    assert told in app.warning[0].value


def test_a_comparison_runs_to_its_end_and_answers(open_app, engine):
    app = open_app("sbert", sb="Pooling", sb_steps="5", sb_layers="1")
    assert any("From the paper, not measured here" in m.value for m in app.markdown)
    app.radio(key="sb_guess_pooling").set_value("largest of each dimension").run()
    train(app, engine, "pooling")
    runs = [engine.task_run(run_id) for run_id in app.session_state[keys.RUNS["pooling"].name]]
    assert {run.task.pooling for run in runs} == {"mean", "cls", "max"}
    assert "Rank correlations after training" in said(app)

    first = runs[0]
    app.segmented_control(key="sb").set_value("Two passes").run()
    assert not app.exception
    app.selectbox(key="sb_asked").set_value(0).run()
    assert not app.exception and not app.warning
    checkpoint = engine.checkpoint_path(first.id, first.step)
    chances, _ = sbert.classify(first.task, checkpoint, "A dog runs.", "An animal moves.")
    assert abs(chances.sum() - 1) < 1e-5


def test_a_classifier_that_is_gone_says_so(tmp_path):
    with pytest.raises(InputError, match="no checkpoint"):
        sbert.classify(NliTask(examples()), str(tmp_path / "gone.safetensors"), "a", "b")


def test_old_trainings_do_not_answer_for_new_settings(open_app, engine):
    app = open_app("sbert", sb="Concatenation", sb_steps="5", sb_layers="1", sb_modes="u,v u*v")
    app.radio(key="sb_guess_concatenation").set_value("u, v").run()
    train(app, engine, "concatenation")
    assert "Rank correlations after training" in said(app)
    app.slider(key="sb_steps").set_value(6).run()
    assert not app.exception and "Rank correlations after training" not in said(app)
    assert any("had other pairs, choices or settings" in c.value for c in app.caption)


def test_what_is_drawn_before_training_has_its_table(open_app):
    app = open_app("sbert", sb="Concatenation")
    assert not app.exception
    table = app.dataframe[0].value
    assert table["concatenation"].tolist() == [comparison.written(n) for n in keys.MODES.default]
    assert table["accuracy on a frozen encoder"].between(0, 1).all()
