"""One typed pair through both passes, a comparison trained to its end, and the trained classifier asked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot

PATIENCE = 120_000  # ms; the first answer waits for a worker to load the model
TRAINING = 300_000  # three short trainings on a busy machine
PREMISE, HYPOTHESIS = (
    "The <b>ferry</b> leaves at *noon* from pier 7.",
    "A boat departs in the middle of the day.",
)


def type_into(page: Page, label: str, text: str) -> None:
    box = page.get_by_label(label, exact=True)
    box.fill(text)
    box.press("Enter")
    settled(page, PATIENCE)


def go_to(page: Page, view: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).click()
    settled(page, PATIENCE)


def test_a_typed_pair_from_two_passes_to_a_trained_answer(open_page):
    page = open_page("/sbert?revealed=true&sb_steps=6&sb_layers=1", wait=False)
    expect(page.get_by_text("Length of u")).to_be_visible(timeout=PATIENCE)
    type_into(page, "Premise", PREMISE)
    type_into(page, "Hypothesis", HYPOTHESIS)
    page.get_by_test_id("stRadio").get_by_text("|u").click()
    expect(page.get_by_text("Your prediction agrees with the measurement.")).to_be_visible(timeout=PATIENCE)
    no_errors(page)
    shot(page, "sbert-two-passes")

    go_to(page, "The pairs")
    page.get_by_test_id("stRadio").get_by_text("Neutral", exact=True).click()
    expect(page.get_by_text("Mean cosines: entailment")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    shot(page, "sbert-pairs")

    go_to(page, "Pooling")
    expect(page.get_by_text("From the paper, not measured here")).to_be_visible(timeout=PATIENCE)
    page.get_by_test_id("stRadio").get_by_text("mean of all tokens", exact=True).click()
    page.get_by_role("button", name="Train and compare").click()
    expect(page.get_by_text("3 of 3 trainings done")).to_be_visible(timeout=TRAINING)
    expect(page.get_by_text("Rank correlations after training")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    no_errors(page)
    shot(page, "sbert-pooling")

    go_to(page, "Two passes")
    expect(page.get_by_text("Cosine under the trained encoder")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_label("Premise", exact=True)).to_have_value(PREMISE)

    again = open_page("/" + page.url.split("/", 3)[3], width=400, scheme="dark", wait=False)
    expect(again.get_by_label("Hypothesis", exact=True)).to_have_value(HYPOTHESIS, timeout=PATIENCE)
    expect(again.get_by_text("Length of u")).to_be_visible(timeout=PATIENCE)
    no_errors(again)


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), VARIANTS[1:3], ids=[v[0] for v in VARIANTS[1:3]]
)
def test_it_looks_right_on_a_phone_and_in_the_dark(open_page, name, width, height, scheme):
    page = open_page(
        "/sbert?revealed=true&sb=Concatenation", width=width, height=height, scheme=scheme, wait=False
    )
    expect(page.get_by_text("From the paper, not measured here")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2, timeout=PATIENCE)
    no_errors(page)
    shot(page, f"sbert-{name}")
