"""The moving map in a real browser, in a small app of its own whose points really move.

Reads what is drawn from window.__movingMap, a read-only view of the board's own numbers.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.helpers import ROOT, VARIANTS, shot

DEMO = "tests/browser/apps/moving_map_demo.py"
MAP = "window.__movingMap.map"


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.headless=true", "--server.fileWatcherType=none", "--browser.gatherUsageStats=false"]
    command = [sys.executable, "-m", "streamlit", "run", DEMO, f"--server.port={port}", *options]
    log = tmp_path_factory.mktemp("map") / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://localhost:{port}"
    deadline = time.monotonic() + 60
    while not healthy(url):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    yield url
    process.terminate()
    process.wait(timeout=10)


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


Open = Callable[..., Page]


@pytest.fixture
def open_map(demo_url: str, browser: Browser) -> Iterator[Open]:
    """`open_map("n=40", width=400)`: the demo with those options, its first picture drawn."""
    contexts = []
    complaints: list[str] = []

    def open_(
        query: str = "", width: int = 1200, height: int = 800, scheme: str = "light", **more: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{demo_url}/?{query}")
        expect(board(page)).to_have_attribute("data-step", re.compile(r"\d+"), timeout=60_000)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints, complaints


STILL = "still=1&tick=0"


def board(page: Page) -> Locator:
    return page.get_by_test_id("moving-map")


def canvas(page: Page) -> Locator:
    return board(page).locator("canvas.points")


def drawn(page: Page, what: str) -> Any:
    """One of the board's own numbers: positions, screen, labels, selected, steps, zoom, moves, dark."""
    return page.evaluate(f"{MAP}.{what}")


def until(page: Page, condition: str) -> None:
    """Wait for a condition on the board, written with `map` for it."""
    page.wait_for_function(f"() => {{ const map = {MAP}; return {condition}; }}", timeout=20_000)


def place(page: Page, sentence: str) -> tuple[float, float]:
    """Where a sentence is drawn, in page coordinates."""
    box = canvas(page).bounding_box()
    assert box
    x, y = drawn(page, "screen")[sentence]
    return box["x"] + x, box["y"] + y


def select(page: Page, *sentences: str) -> None:
    for number, sentence in enumerate(sentences):
        if number:
            page.keyboard.down("Shift")
        page.mouse.click(*place(page, sentence))
        page.keyboard.up("Shift")
        until(page, f"map.selected.length === {number + 1}")


# ---- motion ---------------------------------------------------------------------------------------------


def test_points_glide_between_frames_and_the_step_is_told(open_map: Open) -> None:
    page = open_map("tick=0.4&n=30")
    until(page, "map.moves >= 4")
    # Pictures of one glide: positions sampled at every animation frame for about two ticks.
    pictures = page.evaluate(
        f"""() => new Promise((done) => {{
            const seen = [];
            const look = () => {{
                seen.push([{MAP}.steps[0], {MAP}.steps[1], ...{MAP}.positions.s5.slice(0, 2)]);
                seen.length < 60 ? requestAnimationFrame(look) : done(seen);
            }};
            look();
        }})"""
    )
    places = {(round(x, 4), round(y, 4)) for _, _, x, y in pictures}
    steps = {(a, b) for a, b, _, _ in pictures}
    assert len(places) > 3 * len(steps), "a glide has many pictures between two frames, a jump has none"
    # Within one glide all pictures lie on one straight line, in order.
    glide = max(steps, key=lambda pair: sum((a, b) == pair for a, b, _, _ in pictures))
    line = [(x, y) for a, b, x, y in pictures if (a, b) == glide]
    (x0, y0), (x1, y1) = line[0], line[-1]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    along = [((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length for x, y in line]
    aside = [((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length for x, y in line]
    assert along == sorted(along)
    assert max(map(abs, aside)) < 1e-3 * max(1.0, length)
    expect(board(page).locator(".hud")).to_have_text(re.compile(r"^step \d+( → \d+)?$"))
    before = int(board(page).get_attribute("data-step") or 0)
    page.wait_for_timeout(900)
    assert int(board(page).get_attribute("data-step") or 0) > before


def test_nothing_moves_without_a_new_frame(open_map: Open) -> None:
    page = open_map("still=1&tick=0.1")
    page.wait_for_timeout(500)
    before, paints = drawn(page, "positions"), drawn(page, "paints")
    page.wait_for_timeout(800)
    assert drawn(page, "positions") == before
    assert drawn(page, "moves") == 1, "the same frame again is no movement"
    assert drawn(page, "paints") - paints < 30, "an idle map must not be painted sixty times a second"


def test_reduced_motion_jumps(open_map: Open) -> None:
    page = open_map("tick=0.3&n=20", reduced_motion="reduce")
    until(page, "map.moves >= 5")
    assert not drawn(page, "moving")
    steps = drawn(page, "steps")
    assert steps[0] == steps[1]


def test_zoom_survives_ticks_and_reruns(open_map: Open) -> None:
    page = open_map("tick=0.2")
    canvas(page).hover(position={"x": 400, "y": 250})
    page.mouse.wheel(0, -600)
    until(page, "map.zoom > 1.5")
    zoom, moves = drawn(page, "zoom"), drawn(page, "moves")
    until(page, f"map.moves > {moves + 4}")
    page.get_by_role("button", name="Rerun").click()
    until(page, f"map.moves > {moves + 10}")
    assert drawn(page, "zoom") == zoom
    board(page).get_by_role("button", name="Fit all points").click()
    until(page, "map.zoom === 1")


def test_another_sentence_set_is_matched_by_id(open_map: Open) -> None:
    page = open_map(STILL)
    before = drawn(page, "positions")
    page.get_by_text("Other sentences").click()
    until(page, "'s0x' in map.positions")
    after = drawn(page, "positions")
    assert "s0" not in after
    assert {k: v for k, v in after.items() if k in before} == {k: v for k, v in before.items() if k in after}


def test_replay_plays_and_is_dragged(open_map: Open) -> None:
    page = open_map("replay=1&n=20")
    slider = board(page).get_by_role("slider", name="Frame")
    expect(slider).to_have_value("59")
    slider.fill("10")
    until(page, "map.steps[0] === 10")
    first = drawn(page, "positions")
    board(page).get_by_role("button", name="Play").click()
    until(page, "map.steps[0] >= 12")
    board(page).get_by_role("button", name="Pause").click()
    assert drawn(page, "steps")[0] == drawn(page, "steps")[1], "it rests on a real frame"
    assert drawn(page, "positions") != first


def test_a_replay_takes_no_frame_that_was_waiting(open_map: Open) -> None:
    page = open_map(STILL)
    page.get_by_text("Replay half of them").click()
    expect(board(page).get_by_role("slider", name="Frame")).to_have_value("59")
    until(page, "Object.keys(map.positions).length === 20")
    expect(page.get_by_text("BidiComponent Error")).to_have_count(0)


# ---- what is shown --------------------------------------------------------------------------------------


def test_text_is_shown_as_typed_in_the_tooltip(open_map: Open) -> None:
    page = open_map(STILL)
    page.mouse.move(*place(page, "s0"))
    tooltip = board(page).get_by_role("tooltip")
    expect(tooltip.locator(".text")).to_have_text("<b>bold?</b> & <img src=x onerror=alert(1)>")
    assert tooltip.locator("b, img").count() == 0
    expect(tooltip).to_contain_text("Nearest in the full space")
    expect(tooltip.locator("li")).to_have_count(5)
    page.mouse.move(*place(page, "s1"))
    expect(tooltip.locator(".text")).to_have_text("איבדתי את הכרטיס שלי אתמול")
    assert tooltip.locator(".text").evaluate("node => getComputedStyle(node).direction") == "rtl"


def test_labels_never_overlap_and_more_come_with_zoom(open_map: Open) -> None:
    page = open_map(f"{STILL}&n=200")
    until(page, "map.labels.length > 3")
    boxes = drawn(page, "labels")
    for at, a in enumerate(boxes):
        for b in boxes[at + 1 :]:
            apart_x = a["x"] + a["w"] <= b["x"] + 0.01 or b["x"] + b["w"] <= a["x"] + 0.01
            apart_y = a["y"] + a["h"] <= b["y"] + 0.01 or b["y"] + b["h"] <= a["y"] + 0.01
            assert apart_x or apart_y, (a, b)
    shown = {box["id"] for box in boxes}
    canvas(page).hover(position={"x": 550, "y": 260})
    page.mouse.wheel(0, -900)
    until(page, "map.zoom > 2")
    assert {box["id"] for box in drawn(page, "labels")} - shown, "zooming in shows labels that had no room"


def test_search_counts_and_centres(open_map: Open) -> None:
    page = open_map(STILL)
    box = board(page).get_by_role("searchbox", name="Find a sentence on the map")
    box.fill("KARTE")
    expect(board(page).locator(".found")).to_have_text("none")
    box.fill("<B>BOLD")
    expect(board(page).locator(".found")).to_have_text("1")
    size = canvas(page).bounding_box()
    assert size
    until(page, f"Math.abs(map.screen.s0[0] - {size['width'] / 2}) < 1")
    box.press("Enter")
    expect(board(page).get_by_role("tooltip")).to_contain_text("<b>bold?</b>")


def test_theme_switches_live_and_nothing_is_lost(open_map: Open) -> None:
    page = open_map(STILL)
    canvas(page).hover(position={"x": 400, "y": 250})
    page.mouse.wheel(0, -400)
    until(page, "map.zoom > 1 && map.dark === false")
    zoom = drawn(page, "zoom")
    page.emulate_media(color_scheme="dark")
    until(page, "map.dark === true")
    assert drawn(page, "zoom") == zoom
    pixel = canvas(page).evaluate(
        "node => getComputedStyle(node.closest('.stage')).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert max(pixel[:3]) < 60


# ---- what a person does ---------------------------------------------------------------------------------


def test_selection_and_marking_reach_python(open_map: Open) -> None:
    page = open_map(STILL)
    select(page, "s6", "s8")
    expect(page.get_by_text("selected: s6 s8")).to_be_visible()
    board(page).get_by_role("button", name="Mark as similar").click()
    expect(page.get_by_text("marked: similar: s6, s8")).to_be_visible()
    board(page).get_by_role("button", name="Mark as dissimilar").click()
    expect(page.get_by_text("marked: dissimilar: s6, s8")).to_be_visible()
    canvas(page).press("Escape")
    expect(page.get_by_text("selected: nothing")).to_be_visible()
    expect(board(page).get_by_role("button", name="Mark as similar")).to_be_hidden()


def test_selection_works_while_points_move(open_map: Open) -> None:
    page = open_map("tick=0.2&n=12")
    until(page, "map.moves > 2")
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until(page, "map.selected.length === 1")
    chosen = drawn(page, "selected")[0]
    expect(page.get_by_text(f"selected: {chosen}")).to_be_visible()


@pytest.mark.parametrize("tool", ["Select with a box", "Select with a lasso"])
def test_a_region_selects_what_lies_in_it(open_map: Open, tool: str) -> None:
    page = open_map(STILL)
    board(page).get_by_role("button", name=tool).click()
    box = canvas(page).bounding_box()
    assert box
    middle = box["width"] / 2
    left, right = box["x"] + 2, box["x"] + middle
    top, bottom = box["y"] + 50, box["y"] + box["height"] - 5
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in [(right, top), (right, bottom), (left, bottom)] if "lasso" in tool else [(right, bottom)]:
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    until(page, "map.selected.length > 0")
    screen = drawn(page, "screen")
    assert set(drawn(page, "selected")) == {key for key, (x, _) in screen.items() if x < middle}


def test_the_keyboard_is_enough(open_map: Open) -> None:
    page = open_map(STILL)
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    said = board(page).locator(".unseen")
    expect(said).to_have_text(re.compile(r"\d+ of 40"))
    first = said.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(said).not_to_have_text(first)
    page.keyboard.press("Enter")
    until(page, "map.selected.length === 1")
    expect(board(page).locator(".selection")).to_contain_text("add more with Shift")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Enter")
    until(page, "map.selected.length === 2")
    expect(board(page).get_by_role("button", name="Mark as similar")).to_be_visible()
    page.keyboard.press("+")
    until(page, "map.zoom > 1.2")
    page.keyboard.press("0")
    until(page, "map.zoom === 1")
    page.keyboard.press("Escape")
    until(page, "map.selected.length === 0")


def test_a_tap_selects_on_a_phone(open_map: Open) -> None:
    page = open_map(f"{STILL}&n=12", width=400, height=800, has_touch=True)
    page.touchscreen.tap(*place(page, "s4"))
    until(page, "map.selected.length === 1")
    expect(page.get_by_text("selected: s4")).to_be_visible()


def test_three_dimensions_turn(open_map: Open) -> None:
    page = open_map(f"{STILL}&dims=3&n=30")
    before = drawn(page, "screen")
    positions = drawn(page, "positions")
    box = canvas(page).bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 400)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 420, steps=5)
    page.mouse.up()
    after = drawn(page, "screen")
    assert any(abs(after[key][0] - before[key][0]) > 20 for key in before)
    assert drawn(page, "positions") == positions, "turning changes the view, not the data"


def test_an_empty_map_and_a_single_point(open_map: Open) -> None:
    page = open_map(f"{STILL}&n=0")
    expect(board(page).get_by_text("No sentences to show yet.")).to_be_visible()
    page = open_map(f"{STILL}&n=1")
    size = canvas(page).bounding_box()
    assert size
    x, _ = drawn(page, "screen")["s0"]
    assert abs(x - size["width"] / 2) < 1


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_it_fits_every_screen(open_map: Open, name: str, width: int, height: int, scheme: str) -> None:
    page = open_map(f"{STILL}&forces=1", width=min(width, 1440), height=height, scheme=scheme)
    page.mouse.move(*place(page, "s4"))
    shot(page, f"moving-map-{name}", full=False)
    stage = board(page).locator(".stage").bounding_box()
    assert stage and stage["x"] >= 0 and stage["x"] + stage["width"] <= width
    for control in board(page).locator(".top button, .top input").all():
        box = control.bounding_box()
        assert box and stage["x"] <= box["x"] and box["x"] + box["width"] <= stage["x"] + stage["width"]
