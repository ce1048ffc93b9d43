"""The before-and-after test in the app: answers are kept, the second form follows, statistics name nobody."""

from __future__ import annotations

import pytest

from core.lessons.inventory import RIGHT, inventory
from core.lessons.sittings import TEST, InventoryRecord, Sitting, from_json
from core.storage import learners
from core.storage.database import Database
from ui import learner, state

VIEW = {"lesson_view": "Before and after"}
ITEMS = inventory().items


def page_text(app) -> str:
    shown = (*app.markdown, *app.caption)
    return "\n".join(m.value.replace("\\", "").replace("\u2060", "") for m in shown)


@pytest.fixture
def database(tmp_path, monkeypatch):
    """A database of one's own: the page counts everybody's sittings."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'sittings.sqlite3'}")
    learner.database.cache_clear()
    with Database.open() as opened:
        yield opened
    learner.database().close()
    learner.database.cache_clear()


def sign_in(app, database, name: str = "Ada"):
    key = f"key-of-{name}-0123456789"
    who = learners.create(database, name, key, learner.now())
    app.session_state[state.LEARNER.name] = key
    return who


def answer(app, form: str, right: int) -> None:
    """The first `right` items rightly, the others with a misbelief."""
    for i, item in enumerate(ITEMS):
        given = RIGHT if i < right else item.form(form).wrong[0].belief
        app.radio(key=f"test_{item.key}_{form}").set_value(given)
    app.run()


def test_two_sittings_are_kept_and_the_reasons_come_after_the_second(open_app, database):
    app = open_app("lessons", **VIEW)
    who = sign_in(app, database)
    app.run()
    app.button(key="test_begin").click().run()
    assert not app.exception and app.button(key="test_hand_in").disabled
    first = from_json(learners.lesson_progress(database, who.id)[TEST], inventory()).open
    assert first is not None
    app.radio(key=f"test_{ITEMS[0].key}_{first.form}").set_value(RIGHT).run()
    again = open_app("lessons", **VIEW)  # another tab finds the answer
    again.session_state[state.LEARNER.name] = "key-of-Ada-0123456789"
    assert again.run().radio(key=f"test_{ITEMS[0].key}_{first.form}").value == RIGHT

    answer(app, first.form, 5)
    app.button(key="test_hand_in").click().run()
    assert not app.exception and f"First sitting: 5 of {len(ITEMS)} right" in page_text(app)
    assert ITEMS[-1].a.explanation not in page_text(app), "the second sitting would measure memory"
    assert app.button(key=f"test_to {ITEMS[-1].lesson}")

    app.button(key="test_begin").click().run()
    answer(app, "b" if first.form == "a" else "a", 9)
    app.button(key="test_hand_in").click().run()
    assert not app.exception
    assert f"5 of {len(ITEMS)} right before, 9 of {len(ITEMS)} after" in page_text(app)
    assert ITEMS[-1].form(first.form).explanation in page_text(app)


def test_statistics_appear_with_enough_learners_and_name_nobody(open_app, database):
    def finished(form, right):
        found = Sitting(form, done=True)
        for i, item in enumerate(ITEMS):
            found = found.with_answer(item.key, RIGHT if i < right else item.a.wrong[0].belief)
        return found

    for i in range(5):
        app = open_app("lessons", **VIEW)
        assert not app.dataframe and f"first sitting: {i};" in page_text(app)
        who = sign_in(app, database, f"Learner {i}")
        record = InventoryRecord((finished("a", 3 + i), finished("b", 8 + i)))
        learners.set_lesson_progress(database, who.id, TEST, record.to_json(), learner.now())
    app = open_app("lessons", **VIEW)
    assert not app.exception
    gain, items = (frame.value for frame in app.dataframe)
    assert gain["learners"][0] == 5 and gain["right before"][0] == pytest.approx(5 / len(ITEMS))
    assert len(items) == 2 * len(ITEMS)
    assert "Learner" not in gain.to_csv() + items.to_csv()
