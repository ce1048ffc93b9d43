"""Lessons without a browser: nothing runs before a prediction, answers are kept, files are checked."""

from __future__ import annotations

import pytest

from core.lessons.reader import load_lessons
from core.models import registry
from core.storage import learners
from core.storage.database import Database
from pages.lessons import keys
from pages.lessons.teacher import TEMPLATE
from tests.pages.workers import in_this_process  # noqa: F401
from ui import learner, state

PAGE = "lessons"
pytestmark = pytest.mark.usefixtures("in_this_process")


def page_text(app) -> str:
    return "\n".join(m.value.replace("\\", "").replace("\u2060", "") for m in (*app.markdown, *app.caption))


def at_step(open_app, lesson: str, number: int, **query):
    """The lesson at a step (from 1), reached as a learner reaches it who has been there."""
    from core.lessons.progress import LessonProgress

    app = open_app(PAGE, lesson=lesson, **query)
    app.session_state[keys.KEPT.name] = ((lesson, LessonProgress().at(number - 1)),)
    return app.run()


def test_the_catalogue_shows_every_lesson_and_opens_one(open_app):
    app = open_app(PAGE)
    assert not app.exception and not app.warning
    assert sum(b.label == "Begin" for b in app.button) == len(load_lessons()[0])
    app.button(key="open what_is_an_embedding").click().run()
    assert not app.exception
    assert app.query_params["lesson"] == "what_is_an_embedding"
    app.button(key="lesson_next").click().run()
    assert "384 numbers" in page_text(app)
    assert app.button(key="goto 5").disabled, "a step that was not reached can be opened"


def test_numbers_are_those_of_the_typed_sentence(open_app):
    app = at_step(open_app, "what_is_an_embedding", 2)
    app.text_input(key="look_what_is_an_embedding_2").set_value("Frogs sing at night.").run()
    vector = registry.load("minilm-l6").encode(["Frogs sing at night."])[0]
    assert f"They begin with {vector[0]:.2f}, {vector[1]:.2f}" in page_text(app)


def test_a_prediction_comes_before_the_measurement_and_is_locked_after_it(open_app):
    app = at_step(open_app, "words_or_meaning", 2)
    assert app.button(key="lesson_run").disabled and app.button(key="lesson_next").disabled
    assert "Measured: " not in page_text(app)
    app.text_input(key="text_words_or_meaning_2_2").set_value("Bananas are yellow 😀").run()
    app.radio[0].set_value("high").run()
    app.button(key="lesson_run").click().run()
    assert not app.exception
    z = registry.load("minilm-l6").encode(["The medicine is safe for children.", "Bananas are yellow 😀"])
    cosine = float(z[0] @ z[1])
    assert cosine < 0.3
    assert "Measured: Below 0.3" in page_text(app) and f"{cosine:.2f}" in page_text(app)
    assert "1 of 2 texts holds what this model does not know" in page_text(app)
    assert app.radio[0].disabled and not app.button(key="lesson_next").disabled
    app.button(key="lesson_again").click().run()
    assert not app.radio[0].disabled and app.radio[0].value is None
    assert app.button(key="lesson_next").disabled


def test_what_was_asked_makes_room_for_the_explanation_beside_a_map(open_app):
    from core.lessons.progress import Answer, LessonProgress

    app = open_app(PAGE, lesson="first_training")
    answered = LessonProgress().at(2).with_answer(2, Answer("rises", "rises", "AUC: 0.6, then 0.8."))
    app.session_state[keys.KEPT.name] = (("first_training", answered),)
    app.run()
    assert not app.exception and not app.radio
    told = page_text(app)
    assert "**Your prediction agrees with the measurement.** You said: It goes up: the idea" in told
    assert told.index("All sentences pass through") < told.index("A quarter of the sentences")
    assert [e.label for e in app.expander][-1] == "What was asked"


def test_own_words_and_answers_are_stored_for_a_learner(open_app):
    learner.database.cache_clear()
    app = at_step(open_app, "words_or_meaning", 5)
    database = Database.open()
    key = "lesson-learner-key-0123456789"
    who = learners.create(database, "Ada", key, learner.now())
    app.session_state[state.LEARNER.name] = key
    app.run()
    app.text_area(key="lesson_words_words_or_meaning_5").set_value("Denials look alike.").run()
    assert not app.exception
    assert "Compare it with this" in page_text(app)
    kept = learners.lesson_progress(database, who.id)["words_or_meaning"]
    assert kept["explanations"] == {"4": "Denials look alike."}


def test_the_last_step_finishes_the_lesson(open_app):
    app = at_step(open_app, "words_or_meaning", 6)
    assert app.button(key="lesson_next").label == "Finish the lesson"
    app.button(key="lesson_next").click().run()
    assert not app.exception
    assert app.title[0].value == "Lessons"
    assert app.button(key="open words_or_meaning").label == "Open again"


def test_a_teacher_sees_errors_a_preview_and_plays_the_lesson(open_app):
    app = open_app(PAGE, lesson_view="For teachers")
    assert not app.exception and not app.warning
    assert app.button(key="lesson_try").label == "Try it as a learner"
    broken = TEMPLATE.replace("held_out_auc_change", "nonsense").replace("minutes = 10", "minutes = -1")
    app.text_area(key="lesson_text").set_value(broken).run()
    told = [w.value.replace("\\", "") for w in app.warning]
    assert len(told) == 2 and "line 3, minutes" in told[0] and "line 21" in told[1]
    assert app.text_area(key="lesson_text").value == broken
    app.text_area(key="lesson_text").set_value(TEMPLATE.replace("My first", "Another")).run()
    app.button(key="lesson_try").click().run()
    assert not app.exception
    assert "Another lesson" in page_text(app)


def test_an_uploaded_lesson_gives_the_typed_one_back(open_app):
    app = open_app(PAGE, lesson_view="For teachers")
    typed, uploaded = (TEMPLATE.replace("My first", word) for word in ("Typed", "Uploaded"))
    app.text_area(key="lesson_text").set_value(typed).run()
    app.file_uploader(key="lesson_file").set_value(("lesson.toml", uploaded.encode(), "text/plain")).run()
    assert app.text_area(key="lesson_text").value == uploaded
    app.button(key="lesson_undo").click().run()
    assert app.text_area(key="lesson_text").value == typed
    app.button(key="lesson_undo").click().run()
    assert app.text_area(key="lesson_text").value == uploaded
    assert not app.exception


def test_a_link_to_an_unknown_lesson_says_so(open_app):
    app = open_app(PAGE, lesson="nope")
    assert not app.exception
    assert "not here" in app.info[0].value


def test_the_address_carries_the_step_that_was_reached(open_app):
    app = open_app(PAGE, lesson="what_is_an_embedding")
    app.button(key="lesson_next").click().run()
    assert "2" in app.query_params["lesson_step"]
    again = open_app(PAGE, lesson="what_is_an_embedding", lesson_step="3")
    assert not again.exception
    assert not again.button(key="goto 2").disabled and again.button(key="goto 3").disabled
    again.button(key="lesson_back").click().run()
    assert "2" in again.query_params["lesson_step"], "the address follows, and does not hold the learner back"
    again.button(key="lesson_close").click().run()
    assert "lesson_step" not in again.query_params


@pytest.mark.parametrize("step", ["0", "999", "-1", "two", "²", "9" * 400])
def test_a_step_that_does_not_exist_opens_the_first(open_app, step):
    app = open_app(PAGE, lesson="what_is_an_embedding", lesson_step=step)
    assert not app.exception
    assert app.button(key="lesson_back").disabled
    assert "lesson_step" not in app.query_params


def test_the_cards_wait_for_the_last_step_and_a_guess_outlives_a_reload(open_app):
    app = at_step(open_app, "words_or_meaning", 2)
    assert not [e for e in app.expander if e.label == "Show the answer"], "a card would answer the question"
    app.radio[0].set_value("high").run()
    linked = {name: app.query_params[name] for name in app.query_params}
    assert linked["lesson_guess_words_or_meaning_2"] == "high"
    again = open_app(PAGE, **linked)
    assert again.radio[0].value == "high" and not again.button(key="lesson_run").disabled
    last = at_step(open_app, "words_or_meaning", 6)
    assert sum(e.label == "Show the answer" for e in last.expander) >= 2


def test_the_picture_of_the_first_sentence_stays_beside_the_changed_one(open_app):
    app = at_step(open_app, "what_is_an_embedding", 2)
    assert len(app.get("plotly_chart")) == 1
    app.text_input(key="look_what_is_an_embedding_2").set_value("The dog is asleep on the sofa.").run()
    z = registry.load("minilm-l6").encode(
        ["The cat is asleep on the sofa.", "The dog is asleep on the sofa."]
    )
    changed = int((abs(z[1] - z[0]) > 0.02).sum())
    assert len(app.get("plotly_chart")) == 2 and f"**{changed} of the 384 cells**" in page_text(app)


def test_a_lesson_prediction_is_one_of_the_learners_own_record(open_app):
    key = "lesson-predictions-key-012345"
    who = learners.create(learner.database(), "Bob", key, learner.now())
    app = at_step(open_app, "words_or_meaning", 2)
    app.session_state[state.LEARNER.name] = key
    app.run()
    app.radio[0].set_value("low").run()
    app.button(key="lesson_run").click().run()
    (kept,) = learners.predictions(learner.database(), who.id).values()
    assert kept.question == "How high will the cosine of a sentence and its denial be?"
    assert kept.guess == "Below 0.3: they say opposite things" and kept.outcome.startswith("Above 0.7")


def test_a_plan_opens_its_step_for_the_class(open_app):
    app = open_app(PAGE, lesson_view="Lesson plans", lesson_plan="collapse")
    assert not app.exception
    assert "What usually surprises" in page_text(app) and "Minutes 0 to 5" in page_text(app)
    app.button(key="plan_to 3").click().run()
    assert not app.exception
    assert app.query_params["lesson"] == "collapse" and "2" in app.query_params["lesson_step"]
    assert app.button(key="lesson_run").disabled, "the class answers first"


def test_another_seed_measures_what_stands_on_the_page_anew(open_app):
    app = at_step(open_app, "four_of_four", 2)
    app.radio[0].set_value("low").run()
    app.button(key="lesson_run").click().run()
    first = page_text(app)
    assert "Of 5,000 samples of 4 pairs" in first
    app.session_state[keys.SEED.name] = 11
    told = [line for line in page_text(app.run()).splitlines() if "5,000 samples" in line]
    assert not app.exception and told and told[0] not in first, "the maps and the words are of two seeds"
