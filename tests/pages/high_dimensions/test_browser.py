"""Points drawn at random, then own sentences on three flat maps, with another seed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot

PATIENCE = 150_000  # ms; the first UMAP of a cold server compiles its kernels
TYPED = "\n".join(
    [f"cooking | Step {i}: stir the <b>soup</b> for {i} minutes." for i in range(1, 8)]
    + [f"trains | Train {i} to Łódź leaves from platform {i}." for i in range(1, 8)]
)


def go_to(page: Page, view: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).click()
    settled(page, PATIENCE)


def test_from_random_points_to_maps_of_own_sentences(open_page):
    page = open_page("/high-dimensions", wait=False)
    expect(page.get_by_text("Hidden until you have chosen an answer.")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    place = page.get_by_test_id("stRadio").bounding_box()
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(0)
    page.get_by_text("Under 2 times", exact=True).click()
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2, timeout=PATIENCE)
    assert page.get_by_test_id("stRadio").bounding_box() == place, "nothing jumps when the figure comes"
    expect(page.get_by_text("Your prediction agrees with the measurement.")).to_be_visible(timeout=PATIENCE)
    shot(page, "high-dimensions-distances")

    page.goto(page.url.split("?")[0] + "?revealed=true&hd=Flat+maps&hd_set=own")
    settled(page, PATIENCE)
    box = page.get_by_label(re.compile("Your sentences, one a line"))
    box.fill(TYPED)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(3, timeout=PATIENCE)
    expect(page.get_by_text("These two look close and are not")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    seed = page.get_by_label("Seed of the maps")
    seed.fill("8")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"hd_map_seed=8"), timeout=PATIENCE)
    settled(page, PATIENCE)
    go_to(page, "Trust")
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(3, timeout=PATIENCE)
    no_errors(page)
    shot(page, "high-dimensions-maps")


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), VARIANTS[1:3], ids=[v[0] for v in VARIANTS[1:3]]
)
def test_it_looks_right_on_a_phone_and_in_the_dark(open_page, name, width, height, scheme):
    page = open_page("/high-dimensions?revealed=true", width=width, height=height, scheme=scheme)
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2, timeout=PATIENCE)
    no_errors(page)
    shot(page, f"high-dimensions-{name}")
