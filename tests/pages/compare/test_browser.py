"""Compare, for real: train on typed sentences, compare, save, reload, reopen, compare; replay offline."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.helpers import (
    VARIANTS,
    downloaded,
    follow,
    no_errors,
    open_expander,
    packed,
    settled,
    shot,
)

PATIENCE = 150_000  # ms; a loaded machine with two cores trains slowly
A, B = "window.__movingMap.cmp_a_board", "window.__movingMap.cmp_b_board"
TYPED = """fruit | She ate a ripe pear for lunch.
fruit | These cherries are very sweet.
fruit | He peeled an orange at his desk.
fruit | The <b>grapes</b> were *sour* this year.
fruit | A bowl of apples stood on the table.
tools | Hand me the hammer, please.
tools | The saw is too blunt for this plank.
tools | He tightened the screw with a spanner.
tools | =SUM(A1) is no name for a drill.
tools | A box of nails fell off the bench."""


def typed_link() -> str:
    """A link to Train live that carries the sentences above."""
    return f"/train?set=own&steps=8&pair_count=20&held_out=0.4&data={packed(TYPED)}"


def train(page: Page) -> None:
    button = page.get_by_role("button", name="Train", exact=True)
    expect(button).to_be_enabled(timeout=PATIENCE)
    button.click()
    expect(page.get_by_role("button", name="Train again")).to_be_visible(timeout=PATIENCE)
    settled(page)


def maps(page: Page, count: int) -> None:
    expect(page.get_by_test_id("moving-map")).to_have_count(count, timeout=PATIENCE)
    settled(page)


def view(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_role("radio", name=name, exact=True).click()
    settled(page)


def test_train_compare_save_reload_reopen(open_page, tmp_path: Path):
    page = open_page(typed_link())
    train(page)
    follow(page, "Compare runs")
    expect(page.get_by_text("Hidden until you have chosen an answer.")).to_be_visible(timeout=PATIENCE)
    settled(page, PATIENCE)
    expect(page).to_have_url(re.compile("cmp_b=run"))
    page.get_by_text("Most stay", exact=True).click()
    maps(page, 2)
    expect(page.get_by_text(re.compile("nearest neighbours are the same under A and B"))).to_be_visible()
    shot(page, "compare-run")
    no_errors(page)

    maps_are_linked(page)
    own = page.get_by_label("A sentence of your own, placed on both maps")
    own.fill("A basket of plums & <i>peaches</i>")
    own.press("Enter")
    expect(page.get_by_text(re.compile("Nearest under B, cosine"))).to_be_visible(timeout=PATIENCE)
    settled(page)
    for name in (
        "Similarities",
        "Movers",
        "Groups",
        "Held-out pairs",
        "Forgetting",
        "Why worse?",
        "Runs",
        "Arrows",
        "Blend",
    ):
        view(page, name)
        shot(page, f"compare-{name.lower().replace(' ', '-')}")
        no_errors(page)
    view(page, "Side by side")
    maps(page, 2)

    open_expander(page, "Save this run")
    file = tmp_path / "run.zip"
    for note in ("typed last", "and typed again"):  # and not left before the click
        page.get_by_label("Note").fill(note)
        downloaded(page, "Download the run").save_as(file)
        with zipfile.ZipFile(file) as kept:
            assert set(kept.namelist()) == {"run.json", "arrays.npz", "weights.safetensors"}
            assert json.loads(kept.read("run.json"))["note"] == note

    open_expander(page, "My gallery")
    field = page.get_by_label("Your name")
    field.fill("Ada")
    field.press("Enter")  # the expander may still be opening, and a click on its button could miss
    expect(page.get_by_text("Nothing is saved yet.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Save in my gallery").click()
    expect(page.get_by_text(re.compile("Saved in your gallery"))).to_be_visible(timeout=PATIENCE)
    settled(page)
    shot(page, "compare-gallery")

    page.reload()
    settled(page)
    open_expander(page, "My gallery")
    page.get_by_role("button", name="Open this run").click()
    expect(page.get_by_text(re.compile("nothing had to be trained again"))).to_be_visible(timeout=PATIENCE)
    maps(page, 2)
    view(page, "Forgetting")  # needs the restored weights
    expect(page.get_by_text("Rank correlation with the grades, B")).to_be_visible(timeout=PATIENCE)
    no_errors(page)

    stranger = open_page("/compare?revealed=true")  # another person, another browser: from the file alone
    maps(stranger, 2)
    open_expander(stranger, "Open a run file")
    stranger.locator("input[type=file]").set_input_files(file)
    expect(stranger.get_by_text(re.compile("nothing had to be trained again"))).to_be_visible(
        timeout=PATIENCE
    )
    settled(stranger)
    view(stranger, "Held-out pairs")
    shot(stranger, "compare-opened")
    no_errors(stranger)

    stranger.locator("input[type=file]").set_input_files(
        {"name": "letter.zip", "mimeType": "application/zip", "buffer": b"PK nothing"}
    )
    expect(stranger.get_by_text(re.compile("not a run file"))).to_be_visible(timeout=PATIENCE)
    assert "Traceback" not in stranger.locator("body").inner_text()

    open_expander(page, "Take home")
    replay = tmp_path / "replay.html"
    downloaded(page, "Replay, HTML").save_as(replay)
    plays_offline(page.context.browser, replay)


def maps_are_linked(page: Page) -> None:
    """Zooming one map zooms the other, and what is selected on one is selected on the other."""
    page.get_by_role("button", name="Zoom in").first.click()
    page.wait_for_function(f"() => {A}.zoom > 1 && {A}.zoom === {B}.zoom")
    page.get_by_role("button", name="Fit all points").first.click()
    page.wait_for_function(f"() => {A}.zoom === 1 && {B}.zoom === 1 && !{A}.moving")
    for here, there in ((A, B), (B, A)):
        number = 0 if here == A else 1
        painted(page)
        x, y = page.evaluate(f"() => Object.values({here}.screen)[{number + 2}]")
        board = page.get_by_test_id("moving-map").nth(number)
        board.locator("canvas[aria-label]").click(position={"x": x, "y": y})
        page.wait_for_function(f"() => {here}.selected.length === 1", timeout=PATIENCE)
        page.wait_for_function(f"() => {there}.selected.join() === {here}.selected.join()", timeout=PATIENCE)
        settled(page)


def painted(page: Page) -> None:
    """Places on the screen are those of the last picture, so let a new one be drawn first."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def plays_offline(browser: Browser | None, file: Path) -> None:
    """The page opens with the network off, moves when played, and names the sentence under the pointer."""
    assert browser is not None
    context = browser.new_context(offline=True, viewport={"width": 900, "height": 800})
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(file.as_uri())
    assert page.locator("body").get_attribute("data-at") == "0.000"
    picture = "document.getElementById('map').toDataURL()"
    first = page.evaluate(picture)
    page.get_by_label("Forces").check()
    page.get_by_role("button", name="Play").click()
    expect(page.locator("body")).to_have_attribute("data-at", "8.000", timeout=60_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert page.evaluate(picture) != first
    expect(page.locator("#now")).to_contain_text("step 8")
    x, y = page.evaluate(
        "(() => { const b = document.getElementById('map').getBoundingClientRect();"
        " const [x, y] = place(3); return [b.left + x, b.top + y]; })()"
    )
    page.mouse.move(x, y)
    expect(page.locator("#tip")).to_contain_text(re.compile("[a-z]{3,}"))
    shown = page.locator("#tip").inner_text()
    assert any(line.split(" | ")[1] in shown for line in TYPED.splitlines())
    assert asked == [file.as_uri()] and not wrong
    context.close()


def test_it_opens_with_something_there(open_page):
    for name, width, height, scheme in VARIANTS:
        page = open_page("/compare?revealed=true", width=width, height=height, scheme=scheme)
        maps(page, 2)
        shot(page, f"compare-open-{name}")
        no_errors(page)
