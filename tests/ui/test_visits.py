"""What outlives a reload: a browser's runs, answers and long texts; and what an address opens for whom."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from core.lessons.progress import Answer, LessonProgress
from core.lessons.sittings import InventoryRecord, Sitting
from core.storage import learners
from core.storage.database import Database
from core.storage.learners import Prediction
from core.types import InputError
from pages.contrast import keys as contrast_keys
from pages.lessons import keys as lesson_keys
from ui import state, visits
from ui.predictions import record as predicted
from ui.runs import live_run, watching

NUMBER = random.Random(7)
LONG = "\n".join(f"a | {NUMBER.random()} {NUMBER.random()} {NUMBER.random()}" for _ in range(300))


@pytest.fixture
def browser(monkeypatch):
    """`browser("ada")`: from here on the page is asked for by that browser."""
    cookies: dict[str, str] = {}
    monkeypatch.setattr(
        visits.st, "context", SimpleNamespace(cookies=cookies, timezone=None, timezone_offset=0, url=None)
    )
    monkeypatch.setattr(visits, "_visits", type(visits._visits)())

    def from_(name: str) -> str:
        cookies[visits.COOKIE] = name.ljust(22, "-")
        return cookies[visits.COOKIE]

    return from_


class Engine:
    """The executor, as far as the page asks it about one run."""

    def __init__(self) -> None:
        self.renewed = 0
        self.gone = False

    def run(self, run_id: str) -> str:
        if self.gone:
            raise InputError("forgotten")
        return f"the run {run_id}"

    def start(self, task: str, alive: object, until: int | None) -> str:
        return "new"

    def task_run(self, run_id: str) -> SimpleNamespace:
        return SimpleNamespace(id=run_id, task="a task")

    def forget(self, run_id: str) -> None:
        self.gone = True

    def renew(self, run_id: str, alive: object) -> None:
        self.renewed += 1


@pytest.fixture
def engine(monkeypatch):
    made = Engine()
    for module in (live_run, watching):
        monkeypatch.setattr(module, "executor", lambda: made)
    monkeypatch.setattr(state.st, "session_state", {})
    return made


def a_new_session(monkeypatch, run_id):
    monkeypatch.setattr(state.st, "session_state", {})
    monkeypatch.setattr(state.st, "query_params", {"run_id": run_id})


def test_a_reload_finds_its_run_and_keeps_it_going(browser, engine, monkeypatch):
    browser("ada")
    live_run.remember("one")
    a_new_session(monkeypatch, "one")
    assert live_run.current_run() == "the run one" == live_run.current_run()
    assert live_run.history() == ["the run one"]
    assert engine.renewed == 1, "once a session: each look would lengthen a list"
    state.write_address(state.RUN_ID)
    assert state.st.query_params == {"run_id": "one"}
    engine.gone = True
    assert live_run.current_run() is None and live_run.history() == []
    state.write_address(state.RUN_ID)
    assert state.st.query_params == {}


def test_the_address_of_a_run_is_no_key_to_it(browser, engine, monkeypatch):
    browser("ada")
    live_run.remember("one")
    browser("grace")
    a_new_session(monkeypatch, "one")
    assert live_run.current_run() is None and live_run.history() == [] and engine.renewed == 0


def test_runs_of_other_pages_are_found_again_by_whoever_began_them(browser, engine, monkeypatch):
    browser("ada")
    run_id = watching.begin("a task")
    a_new_session(monkeypatch, None)
    assert [run.id for run in watching.task_runs([run_id, "another"])] == [run_id]
    assert watching.task_runs([run_id]) and engine.renewed == 1
    assert watching.task_runs([run_id], int) == [], "the address may name a run of another page"
    browser("grace")
    watching.forget([run_id])
    assert watching.task_runs([run_id]) == [] and engine.renewed == 1 and not engine.gone


def test_without_a_cookie_a_visit_is_a_session(browser, engine, monkeypatch):
    live_run.remember("one")
    assert visits.remembered() is None and live_run.history() == ["the run one"]
    monkeypatch.setattr(state.st, "session_state", {})
    assert live_run.history() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (state.RUN_IDS, ("1a", "2b")),
        (predicted.VISIT, (("q 1", Prediction("What?", "Yes", None, datetime(2026, 3, 2, tzinfo=UTC))),)),
        (lesson_keys.KEPT, (("l", LessonProgress(1, 2, ((0, Answer("a", "b")),), ((1, "mine"),))),)),
        (lesson_keys.RUNS, ((("l", 2), "3c"),)),
        (lesson_keys.TEST, InventoryRecord((Sitting("a", (("item", "right"),), True),))),
        (contrast_keys.OUTCOMES, (contrast_keys.Outcome("s", 4, 5, 7, 8, 0.5, 0.6, 0.7),)),
    ],
)
def test_another_server_knows_what_a_browser_did(tmp_path, monkeypatch, key, value):
    monkeypatch.setattr(visits, "FRESH", 0.0)
    with Database.open(f"sqlite:///{tmp_path / 'lab.sqlite3'}") as database:
        monkeypatch.setattr(visits, "_database", database)
        here, there, stranger = visits.Visit("ada"), visits.Visit("ada"), visits.Visit("grace")
        assert there.get(key.name, key.default, key.kind) == key.default
        here.put(key.name, value, key.kind)
        assert there.get(key.name, key.default, key.kind) == value
        assert stranger.get(key.name, key.default, key.kind) == key.default
        there.put(key.name, key.default, key.kind | None)
        assert here.get(key.name, value, key.kind | None) == key.default, "the newest counts"


def test_the_longest_ago_is_forgotten_first(browser, monkeypatch):
    monkeypatch.setattr(visits, "KEPT_VISITS", 2)
    for name in ("ada", "grace", "ada", "lin"):
        browser(name)
        visits.remembered().put("who", name, str)
    browser("ada")
    assert visits.remembered().get("who", None, str) == "ada"
    browser("grace")
    assert visits.remembered().get("who", None, str) is None


def test_a_text_too_long_for_a_link_is_found_by_its_own_browser_only(browser, open_app, monkeypatch):
    monkeypatch.setattr("pages.train_live.map.read", lambda *_: None)
    monkeypatch.setattr("pages.train_live.map.draw", lambda *_: None)
    browser("ada")
    first = open_app("train_live", set="own")
    first.text_area(key="text").set_value(LONG).run()
    word = first.query_params["data"]
    word = word[0] if isinstance(word, list) else word
    assert word.startswith(state.MARK) and len(word) < 30
    assert any("too long to travel" in caption.value for caption in first.caption)
    again = open_app("train_live", set="own", data=word)
    assert not again.exception and again.text_area(key="text").value == LONG
    browser("grace")
    other = open_app("train_live", set="own", data=word)
    assert not other.exception and other.text_area(key="text").value != LONG


def test_answers_of_a_lesson_are_there_after_a_reload(browser, open_app):
    from pages.lessons import keys, record

    browser("ada")
    app = open_app("lessons", lesson="what_is_an_embedding")
    app.button(key="lesson_next").click().run()
    again = open_app("lessons")
    labels = {button.key: button.label for button in again.button}
    assert labels["open what_is_an_embedding"] == "Go on"
    assert keys.KEPT.visit and record.OWN not in labels
    assert any("remembered for this visit only" in caption.value for caption in again.caption)
    browser("grace")
    labels = {button.key: button.label for button in open_app("lessons").button}
    assert labels["open what_is_an_embedding"] == "Begin"


def test_a_name_is_stored_under_the_browsers_key(browser, open_app):
    from ui import learner

    key = browser("lovelace" + learners.new_key())
    app = open_app("study")
    app.text_input[0].input("Ada")
    next(b for b in app.button if b.label == "Begin").click().run()
    assert not app.exception and learners.find(learner.database(), key).name == "Ada"
    assert "learner" not in app.query_params
    again = open_app("study")
    assert any("Studying as Ada" in caption.value.replace("\u2060", "") for caption in again.caption)
