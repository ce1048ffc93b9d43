"""The main journey, for real: type sentences, make pairs, train, watch, pause, step, rewind, finish."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.helpers import VARIANTS, no_errors, packed, settled, shot

PATIENCE = 240_000  # ms; a loaded machine with two cores trains slowly
MAP = "(window.__movingMap?.map ?? {positions: {}, steps: [], selected: []})"  # there may be no map yet
TYPED = """positive | I loved every minute of the concert.
negative | The concert was a waste of an evening.
positive | What a wonderful dinner that was.
negative | Dinner was cold and the waiter was rude.
positive | This phone is fast and a joy to use.
negative | The phone broke after two days.
positive | Our hotel room was bright and spotless.
negative | The hotel room smelled of smoke.
positive | The film made me laugh from start to end.
negative | I fell asleep in that dull film.
positive | Her new novel is brilliant.
negative | Her new novel is a boring mess.
positive | Best coffee in town, and so friendly.
negative | The coffee tasted burnt and bitter.
positive | يا له من يوم جميل 🌞
negative | <b>Never</b> again, what a *terrible* trip."""


def steps_drawn(page: Page) -> int:
    return int(page.get_by_test_id("moving-map").get_attribute("data-step") or -1)


def positions(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(f"{MAP}.positions")
    return found


def until_step(page: Page, step: int) -> None:
    page.wait_for_function(f"step => {MAP}.steps[0] >= step", arg=step, timeout=PATIENCE)


def until_map(page: Page) -> None:
    expect(page.get_by_test_id("moving-map")).to_be_visible(timeout=PATIENCE)
    page.wait_for_function(f"() => Object.keys({MAP}.positions).length > 0")


def button(page: Page, name: str) -> Locator:
    """One of the page's own buttons; the map has some of its own with the same names."""
    return page.locator("[data-testid^=stBaseButton]").and_(page.get_by_role("button", name=name, exact=True))


def press(page: Page, name: str) -> None:
    button(page, name).click()


def metric(page: Page, name: str) -> tuple[float, float]:
    """(before, now) of a row of the metrics table."""
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_be_visible()
    numbers = re.findall(r"-?\d+(?:\.\d+)?", row.inner_text().replace(name, ""))
    return float(numbers[0]), float(numbers[1])


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_it_opens_with_something_there(open_page, name, width, height, scheme):
    page = open_page("/train", width=width, height=height, scheme=scheme)
    until_map(page)
    settled(page)
    assert len(positions(page)) == 48
    expect(button(page, "Train")).to_be_enabled()
    shot(page, f"train-open-{name}")
    text, board = page.get_by_label("Your sentences, one a line").last, page.get_by_test_id("moving-map")
    if width < 640:  # bar, map, switch; the text is one of its parts
        panel = page.get_by_test_id("live-panel")
        expect(text).to_be_hidden()
        panel.get_by_role("button", name="Sentences", exact=True).click()
        expect(text).to_be_visible()
        tops = [part.bounding_box()["y"] for part in (board, panel, text)]
        assert tops == sorted(tops), tops
        switch = panel.get_by_role("navigation").bounding_box()
        assert switch["y"] + switch["height"] <= height, "the switch is below the first screen"
        stage, first = board.locator(".stage").bounding_box(), button(page, "Train").bounding_box()
        assert first["y"] < stage["y"] and stage["height"] > 300, "Train and the map are above it"
    else:
        expect(text).to_be_visible()
    no_errors(page)


def test_the_whole_journey_on_typed_sentences(open_page):
    page = open_page("/train?steps=40&pair_count=40")
    until_map(page)
    area = page.get_by_role("textbox", name="Your sentences, one a line")
    area.fill(TYPED)
    area.press("Control+Enter")
    page.wait_for_function(f"() => Object.keys({MAP}.positions).length === 16", timeout=PATIENCE)
    settled(page)
    shot(page, "train-typed")
    no_errors(page)

    start = positions(page)
    press(page, "Train")
    until_step(page, 2)
    middle = positions(page)
    assert any(middle[i] != start[i] for i in start), "nothing moved while training"
    seen = {steps_drawn(page)}
    press(page, "Pause")
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    settled(page)
    shot(page, "train-paused")
    no_errors(page)

    paused = steps_drawn(page)
    press(page, "1 step")
    until_step(page, paused + 1)
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    settled(page)
    assert steps_drawn(page) == paused + 1
    seen.add(paused + 1)

    press(page, "Continue")
    expect(button(page, "Train again")).to_be_visible(timeout=PATIENCE)
    until_step(page, 40)
    settled(page)
    assert len(seen) == 2 and steps_drawn(page) == 40
    before, now = metric(page, "Same-group neighbours")
    assert now > before, f"same-group neighbours went from {before} % to {now} %"
    shot(page, "train-finished")
    no_errors(page)

    page.get_by_role("button", name="Rewind").click()
    settled(page)  # it is open on the server's side too, or what closes it changes nothing there
    page.get_by_role("button", name="Go back to this step").click()
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.wait_for_function(f"() => {MAP}.steps[1] < 40", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Go back to this step")).to_be_hidden()  # it would cover the map
    shot(page, "train-rewound")
    no_errors(page)

    for panel in ("Pairs", "Forces", "Cosines", "Biggest movers", "Map as table", "Code"):
        page.get_by_test_id("stButtonGroup").get_by_role("radio", name=panel, exact=True).click()
        settled(page)
        shot(page, f"train-panel-{panel.lower().replace(' ', '-')}")
        no_errors(page)

    again = open_page(page.url[page.url.index("/train") :])
    until_map(again)
    page.wait_for_function(f"() => Object.keys({MAP}.positions).length === 16")
    assert len(positions(again)) == 16, "the link does not carry the typed sentences"


def test_bad_text_gets_a_sentence_and_is_not_lost(open_page):
    page = open_page("/train?set=own")
    settled(page)
    area = page.get_by_role("textbox", name="Your sentences, one a line")
    area.fill("x" * 1200)
    area.press("Control+Enter")
    expect(page.get_by_text(re.compile("at most 1,000 are allowed")).first).to_be_visible(timeout=PATIENCE)
    assert area.input_value() == "x" * 1200
    assert "Traceback" not in page.locator("body").inner_text()

    rows = (
        b"id,review,mood\n1,It dragged on,bad\n2,A warm comedy,good\n3,I left early,bad\n4,Great fun,good\n"
    )
    page.get_by_test_id("stPopoverButton").filter(has_text="File").click()
    chooser = page.get_by_test_id("stFileUploaderDropzoneInput").last
    chooser.set_input_files({"name": "reviews.csv", "mimeType": "text/csv", "buffer": rows})
    dialog = page.get_by_test_id("stDialog")
    expect(dialog.get_by_text("sentence = review, group = mood")).to_be_visible(timeout=PATIENCE)
    assert area.input_value() == "x" * 1200, "nothing is replaced before it has been seen"
    shot(page, "train-file")
    dialog.get_by_role("button", name="Use these 4 sentences").click()
    expect(dialog).to_be_hidden(timeout=PATIENCE)
    expect(area).to_have_value(re.compile(r"^bad \| It dragged on\n"), timeout=PATIENCE)
    expect(page.get_by_text("reviews.csv: Read as")).to_be_visible(timeout=PATIENCE)


# What a person has to see at once while the model learns.
SEEN = {"map": "[data-testid=moving-map] .stage", "curve": ".curve", "pairs": ".pairs", "card": ".card"}
SIZES = [(1366, 768, False), (1440, 900, False), (853, 480, True)]


@pytest.mark.parametrize(("width", "height", "present"), SIZES, ids=["laptop", "desktop", "projector"])
def test_all_of_it_is_on_one_screen_while_it_trains(open_page, width, height, present):
    link = f"/train?set=own&steps=60&pair_count=40&learning_rate=0.0005&seed={width}&data={packed(TYPED)}"
    page = open_page(link + ("&present=true" if present else ""), width=width, height=height)
    until_map(page)
    panel = page.get_by_test_id("live-panel")
    expect(panel.locator(".pairs .numbers").first).not_to_contain_text("…", timeout=PATIENCE)  # both scores
    count = TYPED.count("\n") + 1  # each of few points has its text
    found = page.wait_for_function(f"n => {MAP}.labels?.length === n && {MAP}.labels", arg=count)
    labels = found.json_value()
    for a, b in combinations(labels, 2):
        reach = [abs(a[axis] + a[size] / 2 - b[axis] - b[size] / 2) for axis, size in ("xw", "yh")]
        assert reach[0] > (a["w"] + b["w"]) / 2 - 0.01 or reach[1] > (a["h"] + b["h"]) / 2 - 0.01, (a, b)
    first = read(page)  # a busy browser may be late, and from a loss of zero on the card stays
    press(page, "Train")
    until_step(page, 2)
    for name, box in boxes(page).items():
        assert box is not None, f"{name} is not there"
        assert box["x"] >= 0 and box["x"] + box["width"] <= width + 1, (name, box)
        assert box["y"] >= 0 and box["y"] + box["height"] <= height + 1, (name, box)
        assert box["width"] > 100 and box["height"] > 30, (name, box)
    assert len(panel.locator(".pairs li").all()) == (2 if present else 5)
    shot(page, f"stage-{width}", full=False)
    changed: set[str] = set()
    for _ in range(200):
        now = read(page)
        changed |= {name for name in now if now[name] != first[name]}
        if changed == set(SEEN):
            break
        page.wait_for_timeout(250)
    assert changed == set(SEEN), f"only these changed during the run: {changed}"
    no_errors(page)


def boxes(page: Page) -> dict[str, Any]:
    return {name: page.locator(where).first.bounding_box() for name, where in SEEN.items()}


def read(page: Page) -> dict[str, Any]:
    """The text or the coordinates of each part now; Playwright looks into the components' shadow roots."""
    found: dict[str, Any] = {"map": positions(page)}
    found["curve"] = page.locator(".curve canvas").first.evaluate("canvas => canvas.toDataURL()")
    for name, where in (("pairs", ".pairs"), ("card", ".card .question")):
        found[name] = page.locator(where).first.inner_text()
    return found
