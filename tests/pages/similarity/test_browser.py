"""Own sentences compared, one vector stretched, and an own triple that the model gets wrong."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot

PATIENCE = 120_000  # ms; the first answer waits for a worker to load the model
TYPED = "Das Wetter ist schön.\nThe weather is lovely.\n<i>Rain</i> is *coming*.\n=SUM(A1)\nPassengers wait."
TRIPLE = "The shop will open at nine. | At 9 a.m. customers can come in. | The shop will open at five."


def go_to(page: Page, view: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).click()
    settled(page, PATIENCE)


def type_into(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Control+Enter")
    settled(page, PATIENCE)


def test_own_sentences_and_an_own_triple(open_page):
    page = open_page("/similarity?revealed=true", wait=False)
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible(timeout=PATIENCE)
    type_into(page, "Your sentences, one a line", TYPED)
    go_to(page, "Clustered")
    expect(page.get_by_test_id("stPlotlyChart")).to_contain_text("<i>Rain</i> is *coming*.", timeout=PATIENCE)
    shot(page, "similarity-matrix")

    go_to(page, "Ranking")
    page.get_by_text("Yes", exact=True).click()
    expect(page.get_by_text("Your prediction agrees with the measurement.")).to_be_visible(timeout=PATIENCE)
    page.get_by_test_id("stSlider").get_by_role("slider").focus()
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile(r"sim_factor=5"), timeout=PATIENCE)
    expect(page.get_by_text("Measured: No.")).to_be_visible(timeout=PATIENCE)

    go_to(page, "Where it is wrong")
    type_into(page, "One a line: sentence | means the same | only looks alike", TRIPLE)
    expect(page.get_by_text("1 of 1", exact=True).first).to_be_visible(timeout=PATIENCE)
    no_errors(page)
    shot(page, "similarity-wrong")


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), VARIANTS[1:3], ids=[v[0] for v in VARIANTS[1:3]]
)
def test_it_looks_right_on_a_phone_and_in_the_dark(open_page, name, width, height, scheme):
    page = open_page(
        "/similarity?revealed=true&sim_order=clusters", width=width, height=height, scheme=scheme
    )
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible(timeout=PATIENCE)
    cards, main = page.get_by_text("Cards of this page"), page.get_by_test_id("stPlotlyChart")
    page.set_viewport_size({"width": 980, "height": 800})  # with the sidebar too little for two columns
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=stHorizontalBlock]')]"
        ".some(row => row.style.flexDirection === 'column')"
    )
    assert cards.bounding_box()["y"] > main.bounding_box()["y"] + main.bounding_box()["height"]
    no_errors(page)
    shot(page, f"similarity-{name}")
