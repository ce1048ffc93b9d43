"""Leave a page through the sidebar and come back: what was typed and set is still there, on screen and in
the address."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.helpers import WARM_UP, follow, no_errors, settled

PATIENCE = 2 * WARM_UP


def go(page: Page, name: str) -> None:
    follow(page, name)
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)


def set_number(page: Page, label: str, value: str) -> None:
    box = page.get_by_role("spinbutton", name=label, exact=True)
    box.fill(value)
    box.press("Enter")
    settled(page, PATIENCE)


def test_numbers_choices_and_texts_outlive_the_page(open_page):
    page = open_page("/contrast?con=Hard+negatives")
    set_number(page, "Seed", "11")
    page.wait_for_url(re.compile("con_seed=11"), timeout=PATIENCE)

    go(page, "Classification")
    page.get_by_test_id("stButtonGroup").get_by_text("Nearest neighbours", exact=True).click()
    settled(page, PATIENCE)
    set_number(page, "Neighbours (k)", "3")
    set_number(page, "Seed of the split", "12")

    go(page, "Similarity")
    box = page.get_by_role("textbox", name="Your sentences, one a line")
    box.fill("The <b>cat</b> sleeps.\nالقطة نائمة\nA dog 🐕 barks.\n")
    box.press("Control+Enter")
    page.wait_for_url(re.compile("sim_text="), timeout=PATIENCE)
    settled(page, PATIENCE)

    go(page, "Contrast")
    expect(page.get_by_role("spinbutton", name="Seed", exact=True)).to_have_value("11", timeout=PATIENCE)
    page.wait_for_url(re.compile("con_seed=11"), timeout=PATIENCE)
    go(page, "Classification")
    expect(page.get_by_role("spinbutton", name="Neighbours (k)")).to_have_value("3", timeout=PATIENCE)
    expect(page.get_by_role("spinbutton", name="Seed of the split")).to_have_value("12")
    go(page, "Similarity")
    expect(box).to_have_value("The <b>cat</b> sleeps.\nالقطة نائمة\nA dog 🐕 barks.\n", timeout=PATIENCE)
    no_errors(page)


def test_an_address_beyond_all_bounds_opens_the_page_all_the_same(open_page):
    page = open_page("/contrast?con=Hard+negatives&con_seed=-5&con_count=1e9&con_steps=nan&con_set=%3Cb%3E")
    expect(page.get_by_role("spinbutton", name="Seed", exact=True)).to_have_value("7", timeout=PATIENCE)
    expect(page.get_by_text("Mined from the untrained model")).to_be_visible(timeout=PATIENCE)
    no_errors(page)
