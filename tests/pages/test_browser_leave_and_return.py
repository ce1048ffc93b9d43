"""Leave a page and come back, through the sidebar, by Back and Forward, by loading it again: what was typed,
set and trained is still there, on screen and in the address; and a browser knows its learner again."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.helpers import WARM_UP, follow, no_errors, packed, settled, shot
from tests.pages.train_live.test_browser import MAP, TYPED, button, press, until_map, until_step

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
    page = open_page("/contrast?revealed=true&con=Hard+negatives")
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
    page = open_page(
        "/contrast?revealed=true&con=Hard+negatives&con_seed=-5&con_count=1e9&con_steps=nan&con_set=%3Cb%3E"
    )
    expect(page.get_by_role("spinbutton", name="Seed", exact=True)).to_have_value("7", timeout=PATIENCE)
    expect(page.get_by_text("Mined from the untrained model")).to_be_visible(timeout=PATIENCE)
    no_errors(page)


def chosen(page: Page, name: str) -> None:
    """The menu of sentence sets shows this one."""
    expect(page.get_by_role("combobox").first).to_have_value(name, timeout=PATIENCE)
    settled(page, PATIENCE)


def back(page: Page) -> None:
    page.go_back()
    settled(page, PATIENCE)


def forward(page: Page) -> None:
    page.go_forward()
    settled(page, PATIENCE)


def test_back_and_forward_step_through_sets_and_runs(open_page):
    page = open_page("/")
    go_train(page)
    opened = page.evaluate("history.length")
    chosen(page, "Sentiment against topic")
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name="Paraphrase against negation").click()
    page.wait_for_url(re.compile("set=negation"), timeout=PATIENCE)
    chosen(page, "Paraphrase against negation")
    press(page, "1 step")
    page.wait_for_url(re.compile("run_id="), timeout=PATIENCE)
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    until_step(page, 1)
    settled(page, PATIENCE)
    assert page.evaluate("history.length") == opened + 2, "one entry for the set, one for the run"

    back(page)
    expect(button(page, "Train")).to_be_visible(timeout=PATIENCE)
    chosen(page, "Paraphrase against negation")
    back(page)
    chosen(page, "Sentiment against topic")
    assert "learning_rate=5e-05" in page.url, "and the settings that belong to it"
    back(page)
    expect(page.get_by_role("heading", level=1).first).to_be_visible(timeout=PATIENCE)
    assert "/train" not in page.url
    forward(page)
    chosen(page, "Sentiment against topic")
    forward(page)
    chosen(page, "Paraphrase against negation")
    forward(page)
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    until_step(page, 1)
    assert page.evaluate("history.length") == opened + 2
    no_errors(page)


def go_train(page: Page) -> None:
    follow(page, "Train live")
    until_map(page)
    settled(page, PATIENCE)


def slider(page: Page):
    return page.get_by_test_id("moving-map").get_by_role("slider", name="Frame")


def shown_step(page: Page, step: int) -> None:
    """Map and panel both stand there."""
    page.wait_for_function(f"step => {MAP}.steps[0] === step && {MAP}.steps[1] === step", arg=step)
    expect(page.get_by_test_id("live-panel")).to_have_attribute("data-step", str(step))


def test_a_reload_keeps_the_run_its_history_and_the_place_in_it(open_page):
    page = open_page(f"/train?set=own&steps=400&pair_count=24&data={packed(TYPED)}")
    until_map(page)
    press(page, "Train")
    until_step(page, 2)
    page.reload()
    until_map(page)
    expect(button(page, "Pause")).to_be_visible(timeout=PATIENCE)
    until_step(page, int(page.evaluate(f"{MAP}.steps[1]")) + 1)  # it goes on, here
    press(page, "Pause")
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    slider(page).fill("1")
    shown_step(page, 1)

    page.reload()
    until_map(page)
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    assert len(page.evaluate(f"{MAP}.positions")) == 16
    shown_step(page, 1)
    page.get_by_test_id("stButtonGroup").get_by_role("radio", name="Runs", exact=True).click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    shot(page, "train-loaded-again", full=False)

    go(page, "Glossary")
    follow(page, "Train live")
    until_map(page)
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    shown_step(page, 1)
    address = page.url[page.url.index("/train") :]
    no_errors(page)

    other = open_page(address)  # the same address in somebody else's browser
    until_map(other)
    expect(button(other, "Train")).to_be_visible(timeout=PATIENCE)
    expect(button(other, "Continue")).to_be_hidden()
    other.wait_for_function("() => !location.search.includes('run_id')")


def test_a_browser_knows_its_learner_and_the_address_does_not(open_page):
    page = open_page("/study")
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Studying as Ada")).to_be_visible(timeout=PATIENCE)
    assert "learner" not in page.url and page.evaluate("document.cookie").count("embedding_lab") == 0
    page.reload()
    expect(page.get_by_text("Studying as Ada")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    page.get_by_role("button", name="My link for another device").click()
    link = page.get_by_test_id("stCode").filter(has_text="learner=")
    expect(link).to_be_visible(timeout=PATIENCE)
    shot(page, "study-own-link", full=False)
    address = link.inner_text().strip()
    assert "/study?learner=" in address
    page.keyboard.press("Escape")

    phone = open_page(address[address.index("/study") :])
    expect(phone.get_by_text("Studying as Ada")).to_be_visible(timeout=PATIENCE)
    assert phone.url.endswith("/study")
    settled(phone, PATIENCE)
    phone.get_by_role("button", name="Switch learner").click()
    expect(phone.get_by_label("Your name")).to_be_visible(timeout=PATIENCE)
    assert phone.url.endswith("/study")
    page.reload()
    expect(page.get_by_text("Studying as Ada")).to_be_visible(timeout=PATIENCE)
    no_errors(page)
    no_errors(phone)
