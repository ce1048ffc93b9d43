"""One text of one's own, followed from its pieces to the effect of a single changed word."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot

PATIENCE = 120_000  # ms; the first answer waits for a worker to load the model
TYPED = "My grandmother's <b>quizzaciously</b> long letters = *gold*, καλημέρα."


def type_into(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Control+Enter")
    settled(page, PATIENCE)


def go_to(page: Page, view: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).click()
    settled(page, PATIENCE)


def test_a_typed_text_from_pieces_to_a_changed_word(open_page):
    page = open_page("/text-to-vector?revealed=true", wait=False)
    expect(page.get_by_text("Tokens read")).to_be_visible(timeout=PATIENCE)
    type_into(page, "Your text", TYPED)
    row = page.get_by_test_id("stCode").first
    expect(row).to_contain_text("##cious", timeout=PATIENCE)
    expect(row).to_contain_text("< b >")  # markup is text like any other
    page.get_by_text("4 or more", exact=True).click()
    expect(page.get_by_text("Your prediction agrees with the measurement.")).to_be_visible(timeout=PATIENCE)
    shot(page, "text-to-vector-pieces")

    go_to(page, "Layers")
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2, timeout=PATIENCE)
    page.get_by_test_id("stSlider").get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"ttv_layer=5"), timeout=PATIENCE)
    settled(page, PATIENCE)

    go_to(page, "Change a word")
    type_into(page, "The same text with something changed", TYPED.replace("letters", "emails"))
    expect(page.get_by_text("Unchanged tokens that moved")).to_be_visible(timeout=PATIENCE)
    no_errors(page)
    shot(page, "text-to-vector-change")

    again = open_page("/" + page.url.split("/", 3)[3], width=400, scheme="dark")
    expect(again.get_by_label("Your text", exact=True)).to_have_value(TYPED, timeout=PATIENCE)
    expect(again.get_by_text("Unchanged tokens that moved")).to_be_visible(timeout=PATIENCE)
    no_errors(again)


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), VARIANTS[1:3], ids=[v[0] for v in VARIANTS[1:3]]
)
def test_it_looks_right_on_a_phone_and_in_the_dark(open_page, name, width, height, scheme):
    page = open_page(
        "/text-to-vector?revealed=true&ttv=The+numbers", width=width, height=height, scheme=scheme
    )
    expect(page.get_by_text("Length as pooled")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible(timeout=PATIENCE)
    no_errors(page)
    shot(page, f"text-to-vector-{name}")
