"""What people type is shown as written where it becomes a choice or a message: no links, icons or marks."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.helpers import WARM_UP, no_errors
from ui import state

NASTY = ("www.example.org", ":material/home:", "a@b.cd", "https://x.yz", ":red[hot]", "*b*", "$x$", "<b>")
CLASSES = "\n".join(
    f"{name} | {text}"
    for name in NASTY[:4]
    for text in ("It rains.", "The sun is out.", "Soup is hot.", "Bread is baked.")
)


def as_written(place: Locator, *texts: str) -> None:
    shown = place.inner_text().replace("\u2060", "")  # the invisible joiners
    assert [text for text in texts if text not in shown] == []
    assert place.locator("a, strong, em, b, .katex, [data-testid=stIconMaterial]").count() == 0


def test_options_of_a_prediction(open_page):
    packed = state.pack({"cls_text": CLASSES})
    page = open_page(
        "/classification?revealed=true&" + urlencode({"cls": "Confusion", "cls_set": "own", "data": packed})
    )
    options = page.get_by_test_id("stRadio")
    expect(options).to_contain_text("home", timeout=WARM_UP)
    as_written(options, *NASTY[:4])
    no_errors(page)


@pytest.mark.parametrize("word", NASTY[:4])
def test_a_message(open_page, word):
    page = open_page("/word2vec?revealed=true&" + urlencode({"w2v_word": word}))
    message = page.get_by_test_id("stAlert")
    expect(message).to_contain_text("has no vector", timeout=WARM_UP)
    as_written(message.get_by_test_id("stMarkdownContainer"), word)


def test_options_of_a_menu(open_page):
    page = open_page(
        "/similarity?revealed=true&" + urlencode({"sim": "Ranking", "sim_text": "\n".join(NASTY[:4])})
    )
    menu = page.get_by_test_id("stSelectbox").filter(has_text="Compare all with")
    expect(menu).to_be_visible(timeout=WARM_UP)
    assert menu.locator("input").first.input_value() == f"1. {NASTY[0]}" or NASTY[0] in menu.inner_text()
    no_errors(page)
