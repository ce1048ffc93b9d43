"""The study page without a browser: names, answers on disk, undo, modes, browse, decks, the side panel."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.cards import built_in, schedule
from core.cards.quiz import Scores, short_answer
from core.cards.typed_answer import TypedScore, score
from core.cards.types import Rating, StudyMode
from core.storage import learners, schema
from core.storage import study as stored
from pages.study import typed_answer
from ui import learner
from ui.messages import as_written

NASTY = "<b>bold</b> *stars* $x^2$ :smile: [link](http://x.y) `code` www.z.org"
OWN_DECK = f"# Mine\n\n#### First\n:p {NASTY}\n??x\n{NASTY}\nx??\n"


@pytest.fixture
def who():
    """A learner of this test's own, with the key of their link."""
    key = learners.new_key()
    found = learners.create(learner.database(), "Ada", key, learner.now())
    return found, key


@pytest.fixture
def study(open_app, who):
    """`study(mode="choice")`: the study page of that learner with these URL parameters."""

    def open_(**query: str) -> AppTest:
        app = open_app("study")
        app.query_params["learner"] = who[1]
        for name, value in query.items():
            app.query_params[name] = value
        return quiet(app.run())

    return open_


def quiet(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    return quiet(next(b for b in app.button if b.label == label).click().run())


def labels(app: AppTest) -> list[str]:
    return [b.label for b in app.button]


def question(app: AppTest) -> str:
    return next(m.value for m in app.markdown if m.value.startswith("### "))


def test_a_name_is_all_it_takes(open_app):
    app = quiet(open_app("study"))
    assert any("which only this tab knows" in caption.value for caption in app.caption), "no cookie"
    app.text_input[0].input("Grace")
    press(app, "Begin")
    assert "learner" not in app.query_params, "a projector would show it"
    key = app.session_state["learner"]
    assert learners.find(learner.database(), key).name == "Grace"
    assert "Show the answer" in labels(app)


def test_an_empty_name_gets_a_sentence(open_app):
    app = quiet(open_app("study"))
    press(app, "Begin")
    assert "name is empty" in app.warning[0].value


def _learners():
    with learner.database().read() as connection:
        return connection.execute(schema.learners.select()).all()


def test_an_unknown_key_is_told_and_nothing_is_made(open_app):
    before = _learners()
    app = open_app("study")
    app.query_params["learner"] = "nobody-has-this-key-at-all"
    quiet(app.run())
    assert "No progress is stored here" in app.info[0].value
    assert _learners() == before


def test_an_answer_is_stored_before_the_next_card_shows(study, who):
    app = study()
    first = question(app)
    assert "Got it" not in labels(app)
    press(app, "Show the answer")
    press(app, "Got it")
    log = stored.log(learner.database(), who[0].id)
    assert [entry.rating for entry in log] == [Rating.GOOD]
    assert log[0].mode is StudyMode.FLIP and log[0].seconds is not None
    assert question(app) != first


def test_a_second_click_for_the_same_card_does_nothing(study, who):
    app = study()
    press(app, "Show the answer")
    again = next(b for b in app.button if b.label == "Again")
    again.click().run()
    again.click().run()
    assert len(stored.log(learner.database(), who[0].id)) == 1


def test_undo_brings_the_card_back(study, who):
    app = study()
    press(app, "Show the answer")
    press(app, "Got it")
    press(app, "Show the answer")
    second = question(app)
    press(app, "Got it")
    press(app, "Undo")
    assert question(app) == second
    assert len(stored.log(learner.database(), who[0].id)) == 1


def test_more_new_cards_come_also_after_a_reload(study, who):
    """Those asked for before it count as today's, so one press brought nothing."""
    moment, database = learner.now(), learner.database()
    for card in built_in.all_cards()[: learners.study_settings(database, who[0].id).new_per_day + 20]:
        after, review = schedule.review(schedule.new_state(card.id, moment), Rating.EASY, moment)
        stored.record(database, who[0].id, review, after)
    app = study()
    assert "Show the answer" not in labels(app)
    press(app, "Learn 10 more new cards")
    assert "Show the answer" in labels(app)


def test_suspended_cards_stay_away(study, who):
    app = study()
    first = question(app)
    press(app, "Suspend")
    assert question(app) != first
    assert len(stored.suspended(learner.database(), who[0].id)) == 1


def test_a_confident_error_comes_first(study, who):
    app = study(study_sure="true")
    press(app, "Certain")
    wrong = question(app)
    press(app, "Again")
    assert stored.log(learner.database(), who[0].id)[0].is_confident_error
    badges = " ".join(m.value for m in app.markdown)
    assert question(app) != wrong  # it is due in a minute, not at once
    assert "1 in learning" in badges


def test_multiple_choice_suggests_and_leaves_the_verdict(study, who):
    app = study(study_mode="choice")
    right = as_written(short_answer(built_in.all_cards()[0]))
    assert right in labels(app)
    press(app, right)
    assert any("That is the right option" in m.value for m in app.markdown)
    press(app, "Again")
    entry = stored.log(learner.database(), who[0].id)[0]
    assert (entry.mode, entry.rating) == (StudyMode.CHOICE, Rating.AGAIN)


def test_typed_answers_show_both_scores(study, who, monkeypatch):
    asked = []

    def fake(target, *args, **_):
        asked.append((target, args))
        return TypedScore(Scores(0.81, 0.77), Scores(0.2, 0.1))

    monkeypatch.setattr(typed_answer.kit, "ask", fake)
    app = study(study_mode="typed")
    app.text_input[0].input(NASTY)
    press(app, "Check")
    assert asked[0][0] is score and asked[0][1][0] == NASTY
    assert NASTY in [t.value for t in app.text]
    assert "0.81" in str(app.table[0].value) and "0.77" in str(app.table[0].value)
    assert "closer to the card's" in " ".join(c.value for c in app.caption)


def test_a_changed_card_keeps_its_schedule_and_its_text(study, who):
    app = study()
    card = built_in.all_cards()[0]
    press(app, "Show the answer")
    press(app, "Got it")
    app.query_params["study"] = "Browse"
    quiet(app.run())
    app = study(study="Browse")
    next(a for a in app.text_area if a.label == "Answer").input(NASTY)
    press(app, "Save")
    assert stored.edits(learner.database(), who[0].id)[card.id].answer == NASTY
    assert card.id in stored.states(learner.database(), who[0].id)
    assert NASTY in [t.value for t in app.text]  # as text, not as Markdown
    press(app, "Back to the original")
    assert not stored.edits(learner.database(), who[0].id)


def test_search_finds_and_says_when_it_does_not(study):
    app = study(study="Browse", study_search="margin")
    assert 0 < len(app.dataframe[0].value) < len(built_in.all_cards())
    app = study(study="Browse", study_search="no such word anywhere")
    assert "No card holds all" in app.info[0].value


def test_a_bad_deck_is_refused_with_its_line_and_kept_in_the_field(study):
    app = study(study="Decks")
    bad = "# D\n\n#### A\n:p q\nno answer\n"
    app.text_area[0].input(bad).run()
    assert "Line 4" in app.warning[0].value
    assert app.text_area[0].value == bad


def test_of_a_deck_in_part_what_can_be_read_is_kept_and_the_rest_listed(study, who):
    app = study(study="Decks")
    app.text_area[0].input(
        "# D\n\n#### A\n:p q\n??x\nanswer\nx??\n*stray*\n#### B\n:p r\n??x\nno end\n"
    ).run()
    assert any("line 8: this belongs to no card" in caption.value for caption in app.caption)
    assert any("line 11: the answer opened here is not closed" in caption.value for caption in app.caption)
    press(app, "Keep this deck")
    assert [len(deck) for deck in stored.own_decks(learner.database(), who[0].id)] == [2]


def test_an_own_deck_is_kept_and_studied_first(study, who):
    app = study(study="Decks")
    app.text_area[0].input(OWN_DECK).run()
    press(app, "Keep this deck")
    decks = stored.own_decks(learner.database(), who[0].id)
    assert [(d.title, len(d)) for d in decks] == [("Mine", 1)]
    app = study()
    assert as_written(NASTY) in question(app)
    press(app, "Show the answer")
    assert NASTY in [t.value for t in app.text]


def test_progress_draws_with_a_table_beside_each_chart(study):
    app = study()
    press(app, "Show the answer")
    press(app, "Got it")
    app = study(study="Progress")
    assert len(app.get("plotly_chart")) == 2  # forecast and forgetting; retention needs reviews
    assert len(app.dataframe) == 2


@pytest.mark.parametrize("page", ["train", "losses", "similarity"])
def test_the_panel_shows_cards_of_its_page(page, monkeypatch):
    monkeypatch.setattr(learner, "study_link", lambda label: None)  # links need the whole app

    def body(path: str) -> None:
        from ui.cards import side_panel

        side_panel.of_page(path)

    app = quiet(AppTest.from_function(body, args=(page,), default_timeout=30).run())
    assert 2 <= len(app.expander) <= 3
    expected = {card.answer for card in built_in.cards_for_page(page)}
    assert expected & {t.value for t in app.text}
