"""From the built-in passages to one's own: three lists, known answers, an upload, stop and go on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot

PATIENCE = 150_000  # ms; the first answer waits for a worker to load both models
OWN = "My <b>ferry</b> leaves at *six*.\nThe bakery on the pier opens at five.\nWhales sing in the dark.\n"
MANY = 400  # passages


def go_to(page: Page, view: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).first.click()
    settled(page, PATIENCE)


def type_into(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Control+Enter")
    settled(page, PATIENCE)


def test_search_from_the_built_in_passages_to_ones_own(open_page):
    page = open_page("/search?revealed=true", wait=False)
    expect(page.get_by_text("Re-ranked", exact=True)).to_be_visible(timeout=PATIENCE)
    answers = page.get_by_text("answer", exact=True)
    expect(answers.nth(1)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0, timeout=PATIENCE)
    page.get_by_text("No", exact=True).click()
    expect(page.get_by_text("embedded before anybody asked")).to_be_visible(timeout=PATIENCE)
    shot(page, "search-built-in")
    no_errors(page)

    go_to(page, "Corpus")
    page.get_by_text("My own", exact=True).click()
    page.get_by_label("Passages, one a line", exact=True).wait_for(timeout=PATIENCE)
    type_into(page, "Passages, one a line", OWN)
    type_into(page, "Questions with known answers (optional)", "When does the boat go? | 1")
    expect(page.get_by_text("3 passages")).to_be_visible(timeout=PATIENCE)
    go_to(page, "Search")
    type_into(page, "Query", "When does the boat go?")
    first = page.get_by_test_id("stExpander").filter(has_text="leaves at")  # markup shows as it was typed
    expect(first).to_have_count(2, timeout=PATIENCE)  # by vector and re-ranked; no shared word for BM25
    expect(page.get_by_text("No passage shares a word with the query.")).to_be_visible(timeout=PATIENCE)
    go_to(page, "Measure")
    expect(page.get_by_test_id("stPlotlyChart")).to_contain_text("recall@5", timeout=PATIENCE)
    no_errors(page)


def test_an_uploaded_file_is_read_embedded_and_searched_while_its_page_is_left(open_page):
    page = open_page("/search?revealed=true&search=Corpus&search_corpus=My+own", wait=False)
    text = "\n".join(f"Note {i}: the lamp in room {i} was repaired on day {i % 30}." for i in range(MANY))
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(
        {"name": "my notes <b>.txt", "mimeType": "text/plain", "buffer": text.encode()}
    )
    expect(page.get_by_text(f"{MANY} passages")).to_be_visible(timeout=PATIENCE)
    go_to(page, "Search")
    go_to(page, "Corpus")
    expect(page.get_by_role("button", name="Use typed text instead")).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.get_by_text(f"{MANY} passages")).to_be_visible(timeout=PATIENCE)
    go_to(page, "Search")
    expect(page.get_by_text("ms to compare")).to_be_visible(timeout=PATIENCE)
    no_errors(page)


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), VARIANTS[1:3], ids=[v[0] for v in VARIANTS[1:3]]
)
def test_it_looks_right_on_a_phone_and_in_the_dark(open_page, name, width, height, scheme):
    page = open_page("/search?revealed=true", width=width, height=height, scheme=scheme, wait=False)
    expect(page.get_by_text("ms to compare")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    shot(page, f"search-{name}")
    no_errors(page)
