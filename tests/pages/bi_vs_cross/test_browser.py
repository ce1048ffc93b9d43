"""One journey on typed texts: rank, swap, look at a head, leave words out, measure the cost, train both."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot

PATIENCE = 150_000  # ms; the first answer waits for a worker to load both models
QUERY = "My bicycle has a <b>flat</b> tyre & no *bell*."
CANDIDATES = "The tyre of my bike lost its air.\nMy bicycle has a bell.\nΤο ποδήλατο είναι κόκκινο."


def go_to(page: Page, view: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).first.click()
    settled(page, PATIENCE)


def type_into(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Control+Enter")
    settled(page, PATIENCE)


def test_typed_texts_from_ranking_to_training(open_page):
    page = open_page("/bi-vs-cross?revealed=true", wait=False)
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible(timeout=PATIENCE)
    type_into(page, "Query", QUERY)
    type_into(page, "Candidates, one a line", CANDIDATES)
    page.get_by_text("Yes", exact=True).click()
    expect(page.get_by_text(re.compile("Your prediction agrees|Measured: No"))).to_be_visible(
        timeout=PATIENCE
    )
    chart = page.get_by_test_id("stPlotlyChart")
    expect(chart).to_contain_text("The tyre of my bike lost its air.", timeout=PATIENCE)
    shot(page, "bi-vs-cross-rank")
    no_errors(page)

    go_to(page, "Order")
    type_into(page, "A", QUERY)
    page.get_by_role("button", name="Swap A and B").click()
    expect(page.get_by_label("B", exact=True)).to_have_value(QUERY, timeout=PATIENCE)

    go_to(page, "Attention")
    expect(page.get_by_test_id("stPlotlyChart")).to_contain_text("bicycle", timeout=PATIENCE)
    expect(page.get_by_text("In a bi-encoder both shares are 0")).to_be_visible(timeout=PATIENCE)
    go_to(page, "Words")
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2, timeout=PATIENCE)
    no_errors(page)

    again = open_page("/" + page.url.split("/", 3)[3])  # the link brings the typed texts back
    expect(again.get_by_label("B", exact=True)).to_have_value(QUERY, timeout=PATIENCE)


def test_costs_are_measured_and_both_encoders_learn(open_page):
    page = open_page("/bi-vs-cross?revealed=true&bvc=Cost", wait=False)
    expect(page.get_by_text(re.compile("about 65 hours against 5 seconds"))).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stPlotlyChart")).to_contain_text("cross-encoder, projected", timeout=PATIENCE)
    shot(page, "bi-vs-cross-cost")
    no_errors(page)

    page.goto(page.url.split("?")[0] + "?revealed=true&bvc=Learn&bvc_steps=10&bvc_pairs=20")
    settled(page, PATIENCE)
    page.get_by_role("button", name="Train both", exact=True).click()
    expect(page.get_by_text(re.compile(r"(Training|Finished) · step \d+ of 20"))).to_be_visible(
        timeout=PATIENCE
    )
    stop = page.get_by_role("button", name="Stop", exact=True)
    if stop.is_visible():  # a quick machine may be through already
        stop.click()
        expect(page.get_by_text(re.compile(r"(Stopped|Finished) · "))).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name=re.compile("Go on|Train both again")).click()
    expect(page.get_by_text("Finished · step 20 of 20, both encoders together")).to_be_visible(
        timeout=PATIENCE
    )
    shot(page, "bi-vs-cross-learn")
    no_errors(page)


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), VARIANTS[1:3], ids=[v[0] for v in VARIANTS[1:3]]
)
def test_it_looks_right_on_a_phone_and_in_the_dark(open_page, name, width, height, scheme):
    page = open_page(
        "/bi-vs-cross?revealed=true&bvc=Attention", width=width, height=height, scheme=scheme, wait=False
    )
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    shot(page, f"bi-vs-cross-{name}")
    no_errors(page)
