"""Contrast in a real browser: own words, then two live runs on typed sentences with other negatives."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import VARIANTS, WARM_UP, no_errors, settled, shot
from tests.pages.classification.test_app import OWN


def test_own_words_then_random_against_hard_negatives(open_page):
    page = open_page(
        "/contrast?revealed=true&con_p=The+train+was+late.&con_q=The+train+was+punctual.", height=1200
    )
    page.get_by_test_id("stRadio").get_by_text("punctual", exact=True).click()
    expect(page.get_by_text("Your prediction agrees with the measurement.")).to_be_visible(timeout=WARM_UP)
    no_errors(page)

    page = open_page("/contrast?revealed=true&con=Hard+negatives&con_set=own&con_steps=10", height=1200)
    box = page.get_by_label("One a line: group | sentence")
    box.fill(OWN)
    box.press("Control+Enter")
    expect(page.get_by_text("Mined from the untrained model")).to_be_visible(timeout=WARM_UP)
    settled(page)
    page.get_by_role("button", name="Train both").click()
    for name in ("Random negatives", "Hard negatives"):
        expect(page.get_by_text(f"{name}: Finished").first).to_be_visible(timeout=4 * WARM_UP)
    settled(page)
    shot(page, "contrast-hard")
    no_errors(page)


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_whole_in_every_variant(open_page, name, width, height, scheme):
    page = open_page("/contrast?revealed=true&con=Triplets", width=width, height=height, scheme=scheme)
    expect(page.get_by_text("Ordered rightly:")).to_be_visible(timeout=WARM_UP)
    shot(page, f"contrast-{name}")
    no_errors(page)
