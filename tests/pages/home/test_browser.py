"""Home in a real browser: it paints, looks right in four variants, and one click leads to training."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot
from ui import pages


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_home_is_whole_in_every_variant(open_page, name, width, height, scheme):
    page = open_page("/", width=width, height=height, scheme=scheme)
    expect(page.get_by_role("heading", name="Watch a model learn what belongs together")).to_be_visible()
    shot(page, f"home-{name}")
    no_errors(page)


def test_a_recording_moves_and_three_sentences_lead_to_the_live_page(open_page):
    page = open_page("/", width=1366, height=768)
    board, button = page.get_by_test_id("moving-map"), page.get_by_role("button", name="Train with these")
    for part in (board, button, page.get_by_text("A recording:"), page.get_by_text("Or with a lesson")):
        expect(part).to_be_in_viewport(ratio=1)
    page.wait_for_function("() => window.__movingMap?.recording?.steps[0] >= 2")
    page.get_by_role("button", name="Pause").click()
    page.set_viewport_size({"width": 400, "height": 720})
    expect(button).to_be_in_viewport()
    typed = "sea | Waves broke.\nsea | The tide came in.\ntea | It is hot."
    page.get_by_role("textbox", name="Your first three sentences").fill(typed)
    button.click()
    expect(page).to_have_url(re.compile(r"/train\?.*set=own"))
    settled(page)
    page.get_by_role("button", name="Sentences", exact=True).click()  # so narrow, one thing at a time
    expect(page.get_by_role("textbox", name="Your sentences, one a line")).to_have_value(typed)
    no_errors(page)


def test_every_existing_page_is_in_the_navigation_at_its_own_address(open_page):
    page = open_page("/")
    hrefs = {link.get_attribute("href") for link in page.get_by_test_id("stSidebarNavLink").all()}
    ends = {href.rstrip("/").rsplit("/", 1)[-1] for href in hrefs if href}
    for row in pages.existing():
        if row is not pages.HOME:
            assert row.url_path in ends


def test_fonts_come_from_this_server(open_page, server):
    page = open_page("/")
    page.evaluate("document.fonts.ready")
    fonts = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    assert any("/static/fonts/inter-latin.woff2" in name for name in fonts)
    assert all(name.startswith((server.url, "data:", "blob:")) for name in fonts)
