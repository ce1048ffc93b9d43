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


def test_the_first_screen_holds_the_one_button_that_matters(open_page):
    page = open_page("/", width=400, height=720)
    button = page.get_by_role("button", name="Train a model now")
    expect(button).to_be_in_viewport()
    button.click()
    expect(page).to_have_url(re.compile(r"/train(\?.*)?$"))
    settled(page)
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
