"""Classification in a real browser, on typed sentences: classify, fine-tune, compare, reopen the link."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import VARIANTS, WARM_UP, no_errors, settled, shot
from tests.pages.classification.test_app import OWN


def test_own_sentences_fine_tuned_and_compared(open_page):
    page = open_page("/classification?revealed=true&cls_set=own&cls=Before+and+after", height=1200)
    box = page.get_by_label("One a line: class | sentence")
    box.fill(OWN)
    box.press("Control+Enter")
    settled(page)
    page.get_by_label("A sentence of your own").fill("The kitten purrs.")
    page.keyboard.press("Enter")
    settled(page)
    page.get_by_test_id("stRadio").get_by_text("It stays about the same").click()
    settled(page)
    page.get_by_role("button", name="Fine-tune now").click()
    expect(page.get_by_text("that this run never trained on")).to_be_visible(timeout=4 * WARM_UP)
    settled(page)
    expect(page.get_by_text("Your prediction agrees with the measurement.")).to_be_visible(timeout=WARM_UP)
    shot(page, "classification-tuned")
    no_errors(page)
    again = open_page("/classification" + page.url.partition("/classification")[2])
    expect(again.get_by_label("One a line: class | sentence")).to_have_value(OWN, timeout=WARM_UP)


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_whole_in_every_variant(open_page, name, width, height, scheme):
    page = open_page(
        "/classification?revealed=true&cls=Confusion&cls_set=bank_intents",
        width=width,
        height=height,
        scheme=scheme,
    )
    expect(page.get_by_text("taken for").first).to_be_visible(timeout=WARM_UP)
    shot(page, f"classification-{name}")
    no_errors(page)
