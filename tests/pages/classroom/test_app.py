"""The page Class without a browser: its doors, who may teach, a vote on one phone and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core.classroom import activities, rooms, stage
from core.classroom.rooms import Room
from ui.learner import database

KEY = "the-teachers-own-key"


@pytest.fixture
def room() -> Room:
    return rooms.open_room(database(), "<b>Monday</b>", KEY, 2, datetime.now(UTC))


def said(app: AppTest) -> str:
    elements = (*app.markdown, *app.warning, *app.caption, *app.subheader, *app.info, *app.text)
    return "\n".join(element.value for element in elements)


def test_a_room_is_opened_at_the_first_door(open_app):
    app = open_app("classroom")
    app.text_input(key="class_title").set_value("Tuesday")
    next(b for b in app.button if b.label == "Open a room").click().run()
    assert not app.exception and app.query_params["as"] == "teacher"
    assert "code **" in said(app) and "Tuesday" in said(app)


@pytest.mark.parametrize("code", ["QQQQQ", "", "<script>", "A" * 20])
def test_a_wrong_code_is_told_in_a_sentence(open_app, code):
    app = open_app("classroom")
    app.text_input(key="class_code").set_value(code)
    next(b for b in app.button if b.label == "Join").click().run()
    assert not app.exception and "There is no room" in said(app)
    assert [b for b in app.button if b.label == "Open a room"], "the doors are still there"


def test_a_link_to_a_room_that_is_not_there_leads_to_the_doors(open_app):
    app = open_app("classroom", room="QQQQQ")
    assert "There is no room QQQQQ" in said(app)
    app.button(key="class_doors").click().run()
    assert [b for b in app.button if b.label == "Open a room"]


def test_only_the_teachers_key_opens_the_panel(open_app, room):
    app = open_app("classroom", room=room.code, **{"as": "teacher"})
    assert "does not have the teacher's key" in said(app) and not app.button
    app.session_state["class_teacher"] = KEY
    app.run()
    assert "code **" in said(app) and "\\<b\\>Monday" in said(app)


def test_a_learner_joins_and_votes_where_the_room_stands(open_app, room):
    question = activities.PredictActivity(title="Closer?", options=("Yes", "No"), note="Usually: No")
    stage.add(database(), room.id, [question])
    app = open_app("classroom", room=room.code)
    app.text_input(key="class_nickname").set_value("**Ada**")
    next(b for b in app.button if b.label == "Join").click().run()
    assert "You are in" in said(app) and "\\*\\*Ada\\*\\*" in said(app)
    stage.move_to(database(), room.id, 1, datetime.now(UTC))
    app.run()
    shown = [e.proto.component_name for e in app.get("bidi_component")]
    assert "embedding-lab.class-choices" in shown and "embedding-lab.class-bars" not in shown
    stage.vote(database(), room.id, 1, 1, 1.0, datetime.now(UTC))  # as a tap does
    app.run()
    assert "Your answer is in: No" in said(app) and "Usually" not in said(app)


def test_the_presenter_view_shows_no_vote_before_it_is_revealed(open_app, room):
    question = activities.PredictActivity(title="Closer?", options=("Yes", "No"), note="Usually: No")
    stage.add(database(), room.id, [question])
    stage.move_to(database(), room.id, 1, datetime.now(UTC))
    stage.vote(database(), room.id, 1, 1, 0.0, datetime.now(UTC))

    def parts() -> list[str]:
        app = open_app("classroom", room=room.code, **{"as": "screen"})
        assert not app.exception and not app.button and "Usually" not in said(app)
        return [e.proto.component_name for e in app.get("bidi_component")]

    assert "embedding-lab.class-bars" not in parts()
    stage.set_phase(database(), room.id, 1, stage.Phase.REVEALED)
    assert "embedding-lab.class-bars" in parts()


@pytest.mark.parametrize("which", ["lesson", "plan"])
def test_a_list_comes_from_a_lesson_or_its_plan(open_app, room, which):
    app = open_app("classroom", room=room.code, **{"as": "teacher"})
    app.session_state["class_teacher"] = KEY
    app.run()
    app.button(key=f"class_add_{which}").click().run()
    listed = stage.activities(database(), room.id)
    assert not app.exception and {"predict", "run"} <= {one.content.kind for one in listed}
    assert any(one.content.note for one in listed) == (which == "plan")
    for one in listed:  # the panel, the phone and the screen draw whatever comes, before it has begun
        app.button(key=f"class_to {one.number}").click().run()
        assert not app.exception and not app.error
