"""A model broken with one's own sentences: guess, run both trainings, read the damage, reopen the link."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot

PATIENCE = 120_000  # ms; the first answer waits for a worker to load the model
TRAINING = 300_000  # two short trainings, one after the other, on a busy machine
TYPED = "\n".join(
    (
        "baking | The <b>dough</b> rose next to the warm oven.",
        "baking | She dusted the board with *flour*.",
        "baking | The crust came out golden and crisp.",
        "baking | Knead it until it no longer sticks.",
        "sailing | The wind turned and the mainsail flapped.",
        "sailing | They dropped anchor in a quiet bay.",
        "sailing | The skipper shortened sail before the squall.",
        "sailing | Two boats rounded the buoy together.",
    )
)


def test_own_sentences_collapse_and_the_guess_is_checked(open_page):
    page = open_page("/gone-wrong?gw=collapse", wait=False)
    expect(page.get_by_text("Hidden until you have chosen an answer.")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    page.get_by_text("Sentences and seed").click()
    page.get_by_text("My own sentences", exact=True).click()
    box = page.get_by_label("One a line: group | sentence")
    box.fill(TYPED)
    box.press("Control+Enter")
    settled(page, PATIENCE)
    page.get_by_text("Above 0.7", exact=True).click()
    expect(page.get_by_text("Before training", exact=True)).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    page.get_by_role("button", name="Break it").click()
    expect(page.get_by_text("What helps:")).to_be_visible(timeout=TRAINING)
    expect(page.get_by_text("Your prediction agrees with the measurement.")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2, timeout=PATIENCE)
    expect(page.get_by_text("there is no such pair among these sentences")).to_be_visible()
    settled(page, PATIENCE)
    no_errors(page)
    shot(page, "gone-wrong-collapse")

    again = open_page("/" + page.url.split("/", 3)[3], width=400, scheme="dark", wait=False)
    expect(again.get_by_text("Before training", exact=True)).to_be_visible(timeout=PATIENCE)
    again.get_by_text("Sentences and seed").click()
    expect(again.get_by_label("One a line: group | sentence")).to_have_value(TYPED, timeout=PATIENCE)
    no_errors(again)


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), VARIANTS[1:3], ids=[v[0] for v in VARIANTS[1:3]]
)
def test_it_looks_right_on_a_phone_and_in_the_dark(open_page, name, width, height, scheme):
    page = open_page(
        "/gone-wrong?revealed=true&gw=forgetting", width=width, height=height, scheme=scheme, wait=False
    )
    expect(page.get_by_text("Before training", exact=True)).to_be_visible(timeout=PATIENCE)
    no_errors(page)
    shot(page, f"gone-wrong-{name}")
