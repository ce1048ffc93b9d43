"""The glossary in a real browser: search in own words, walk the map with a click, follow a link, reopen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from core.concepts.glossary import load
from tests.browser.helpers import VARIANTS, WARM_UP, no_errors, open_expander, settled, shot

PATIENCE = 2 * WARM_UP


def points(page: Page):
    return page.get_by_test_id("stPlotlyChart").locator(".scatterlayer .points path.point")


def click_point(page: Page, name: str) -> None:
    """Click the point of the map that carries this name. Plotly listens on a layer above the points."""
    terms = page.evaluate(
        "() => document.querySelector('.js-plotly-plot').data.find(t => t.customdata).hovertext.length"
    )
    expect(points(page)).to_have_count(terms, timeout=PATIENCE)
    place = page.evaluate(
        """key => {
            const plot = document.querySelector('.js-plotly-plot');
            const trace = plot.data.find(t => t.customdata);
            const i = Array.from(trace.customdata).indexOf(key);
            const box = plot.querySelectorAll('.scatterlayer .points path.point')[i].getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }""",
        name,
    )
    page.mouse.move(*place)
    expect(page.locator(".hoverlayer .hovertext")).to_have_count(1, timeout=PATIENCE)
    page.mouse.click(*place)


def test_search_walk_the_map_and_reopen(open_page):
    page = open_page("/glossary", height=1400)
    expect(page.get_by_text("Cards about: Embedding")).to_be_visible(timeout=PATIENCE)
    box = page.get_by_role("textbox", name="Search")
    box.fill("<b>temperature</b> 🙂")
    box.press("Enter")
    expect(page.get_by_text("No term has all of these words.")).to_be_visible(timeout=PATIENCE)
    box.fill("rank correlation")
    box.press("Enter")
    found = len(load().search("rank correlation"))
    expect(page.get_by_text(f"{found} of {len(load().terms)} terms")).to_be_visible(timeout=PATIENCE)
    settled(page)
    no_errors(page)

    click_point(page, "cosine")
    expect(page.get_by_text("Cards about: Cosine similarity")).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.get_by_test_id("stMain").get_by_role("button", name="Dot product", exact=True).press("Enter")
    expect(page.get_by_text("Cards about: Dot product")).to_be_visible(timeout=PATIENCE)
    page.wait_for_url(re.compile("term=dot"), timeout=PATIENCE)
    settled(page)
    open_expander(page, "The same as a table")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=PATIENCE)
    shot(page, "glossary-walked")
    no_errors(page)

    again = open_page(page.url[page.url.index("/glossary") :], width=400, scheme="dark")
    expect(again.get_by_text("Cards about: Dot product")).to_be_visible(timeout=PATIENCE)
    expect(again.get_by_role("textbox", name="Search")).to_have_value("rank correlation")
    again.get_by_role("link", name="See it:").first.click()
    expect(again.get_by_test_id("stHeading").first).not_to_have_text("Glossary", timeout=PATIENCE)
    settled(again, PATIENCE)
    no_errors(again)


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_whole_in_every_variant(open_page, name, width, height, scheme):
    page = open_page("/glossary?glossary_map=All+terms", width=width, height=height, scheme=scheme)
    expect(points(page)).to_have_count(len(load().terms), timeout=PATIENCE)
    expect(page.locator(".katex").first).to_be_visible(timeout=PATIENCE)
    wide = "[...document.querySelectorAll('.katex-display')].filter(e => e.scrollWidth > e.clientWidth + 2)"
    assert page.evaluate(f"() => {wide}.map(e => e.textContent)") == [], "a formula does not fit"
    shot(page, f"glossary-{name}", full=False)
    no_errors(page)
