"""Losses and forces in a real browser: drag a point, see the answer, run to the end, reopen the link."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import VARIANTS, WARM_UP, no_errors, settled, shot

BOARD = "window.__sandbox.losses_board"


def ready(page: Page) -> None:
    page.wait_for_function("() => window.__sandbox?.losses_board?.points.length > 0", timeout=WARM_UP)


def test_drag_predict_run_and_reopen(open_page):
    page = open_page("/losses", height=1200)
    ready(page)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    page.get_by_test_id("stRadio").get_by_text("Each colour ends in a place of its own").click()
    settled(page)
    points = page.evaluate(f"{BOARD}.points")
    (x, y), canvas = page.evaluate(f"{BOARD}.pixels[0]"), page.locator(".sandbox canvas").bounding_box()
    page.mouse.move(x, y)
    page.mouse.down()
    middle = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
    for share in (0.3, 0.6, 1.0):  # towards the mirror image of where it was
        page.mouse.move(x + share * 2 * (middle[0] - x), y + share * 2 * (middle[1] - y) + 3)
    page.mouse.up()
    page.wait_for_function(f"() => {BOARD}.answered > 0 && {BOARD}.settled", timeout=WARM_UP)
    settled(page)
    after = page.evaluate(f"{BOARD}.points")
    assert after[0][0] * points[0][0] + after[0][1] * points[0][1] < -0.9, "the point is where it was put"
    assert all(abs(a - b) < 1e-6 for a, b in zip(after[1], points[1])), "the others stayed"
    page.wait_for_url("**data=**", timeout=WARM_UP)

    link = page.url
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_function(f"() => {BOARD}.step >= 20", timeout=WARM_UP)
    expect(page.get_by_text("Your prediction agrees with the measurement.")).to_be_visible(
        timeout=3 * WARM_UP
    )
    settled(page)
    shot(page, "losses-at-rest")
    no_errors(page)

    again = open_page(link.removeprefix(link.split("/losses")[0]), height=1200)
    ready(again)
    reopened = again.evaluate(f"{BOARD}.points")
    assert all(abs(a - b) < 2e-3 for p, q in zip(reopened, after) for a, b in zip(p, q))


def test_the_keyboard_moves_a_point(open_page):
    page = open_page("/losses?revealed=true&ls_space=sphere", height=1200)
    ready(page)
    before = page.evaluate(f"{BOARD}.points")
    page.locator(".sandbox canvas").focus()
    page.keyboard.press("n")
    page.keyboard.press("ArrowUp")
    page.wait_for_function(f"() => {BOARD}.answered > 0 && {BOARD}.settled", timeout=WARM_UP)
    after = page.evaluate(f"{BOARD}.points")
    assert after[0] != before[0] and after[1] == before[1]
    assert "Point 1" in page.locator(".sandbox [aria-live]").inner_text()


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_whole_in_every_variant(open_page, name, width, height, scheme):
    page = open_page("/losses?revealed=true&ls=false", width=width, height=height, scheme=scheme)
    ready(page)
    shot(page, f"losses-{name}")
    no_errors(page)
