"""The pages' HTML: who gets which cookie, what a link with a key comes to, and what a form may change."""

from __future__ import annotations

import importlib
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit import config

from core.storage import learners
from ui import keys, learner, visits
from ui.visits import entrance


def client(address: str = "http://testserver", key: str = "") -> TestClient:
    cookies = {visits.COOKIE: key} if key else {}
    return TestClient(
        Starlette(routes=entrance.routes()), base_url=address, follow_redirects=False, cookies=cookies
    )


def cookie(answer: Any) -> Morsel[str]:
    return SimpleCookie(answer.headers["set-cookie"])[visits.COOKIE]


def named(name: str) -> str:
    """The key of a new learner."""
    key = learners.new_key()
    learners.create(learner.database(), name, key, learner.now())
    return key


def test_a_new_browser_gets_a_key_that_no_script_can_read():
    answer = client().get("/train?set=negation")
    given = cookie(answer)
    assert answer.status_code == 200 and visits.is_key(given.value)
    assert given["httponly"] and given["samesite"] == "lax" and given["path"] == "/" and not given["secure"]
    assert int(given["max-age"]) > 300 * 24 * 3600
    assert cookie(client().get("/train")).value != given.value


def test_a_known_browser_keeps_its_key_and_nonsense_is_replaced():
    key = learners.new_key()
    assert cookie(client(key=key).get("/")).value == key
    assert visits.is_key(cookie(client(key="short").get("/")).value)


@pytest.mark.parametrize(
    ("address", "headers"),
    [("https://testserver", {}), ("http://testserver", {"x-forwarded-proto": "https"})],
)
def test_over_https_the_cookie_is_secure(address, headers):
    assert cookie(client(address).get("/study", headers=headers))["secure"]


def test_an_old_link_sets_the_cookie_and_leads_to_the_clean_address():
    key = named("Ada")
    answer = client(key=learners.new_key()).get(f"/study?study_mode=typed&learner={key}")
    assert answer.status_code == 303 and answer.headers["location"] == "./study?study_mode=typed"
    assert cookie(answer).value == key
    assert client(key=key).get(f"/study?learner={key}").headers["location"] == "./study"


def test_a_link_does_not_take_a_learner_their_browser():
    ada, grace = named("Ada"), named("Grace")
    answer = client(key=ada).get(f"/study?learner={grace}")
    assert answer.headers["location"] == "./study?learner_link=other" and cookie(answer).value == ada


def test_a_link_with_an_unknown_key_changes_nothing():
    key = learners.new_key()
    answer = client(key=key).get(f"/compare?learner={learners.new_key()}")
    assert answer.headers["location"] == "./compare?learner_link=unknown" and cookie(answer).value == key


def test_only_a_page_of_the_app_makes_the_browser_nobodys():
    key = named("Ada")
    leave = f"/{learner.LEAVE}"
    answer = client(key=key).post(leave)
    assert answer.status_code == 303 and answer.headers["location"] == "./study"
    assert cookie(answer).value != key and visits.is_key(cookie(answer).value)
    assert client().post(leave).status_code == 403, "a page elsewhere cannot send the cookie"
    assert client(key=key).get(leave).status_code == 405


def test_below_a_base_path():
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "/class/lab")
    try:
        inside = client()
        assert inside.get("/train").status_code == 404
        given = cookie(inside.get("/class/lab/train"))
        assert given["path"] == "/class/lab"
        assert inside.get("/class/lab/").status_code == 200
        assert inside.get(f"/class/lab/study?learner={named('Ada')}").headers["location"] == "./study"
    finally:
        config.set_option("server.baseUrlPath", before)


def test_our_script_stands_before_streamlits():
    page = client().get("/").text
    assert 0 < page.index("history.pushState") < page.index('type="module"')
    assert '["set", "run_id", "lesson", "lesson_step"]' in page and "PLACES" not in page
    own = [vars(importlib.import_module(f"pages.{p}.keys")).values() for p in ("lessons", "train_live")]
    names = {
        key.name for values in (vars(keys).values(), *own) for key in values if isinstance(key, keys.Key)
    }
    assert set(keys.PLACES) <= names
