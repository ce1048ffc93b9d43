"""Lesson one from its first word to its end, and a teacher's mistake told, mended and previewed."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from pages.lessons.teacher import TEMPLATE
from tests.browser.helpers import no_errors, settled, shot

PATIENCE = 240_000  # ms; a loaded machine with two cores trains slowly
MEASURED = re.compile("^Measured: |^Your prediction agrees")
OWN = "My grandmother's clock stopped at midnight."


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    settled(page)


def step(page: Page, number: int) -> None:
    expect(page.get_by_text(f"Step {number} of 9", exact=True)).to_be_visible(timeout=PATIENCE)
    settled(page)


def choose(page: Page, option: str) -> None:
    page.get_by_text(option, exact=True).first.click()
    settled(page)


def test_lesson_one_to_its_end(open_page):
    page = open_page("/lessons")
    press(page, "Begin")
    step(page, 1)
    press(page, "Next")

    step(page, 2)
    box = page.get_by_role("textbox", name="Your sentence")
    expect(page.get_by_text("384 numbers.")).to_be_visible(timeout=PATIENCE)
    before = page.get_by_text("They begin with").inner_text()
    box.fill(OWN)
    box.press("Enter")
    expect(page.get_by_text("They begin with")).not_to_have_text(before, timeout=PATIENCE)
    assert "look_what_is_an_embedding_2=" in page.url
    shot(page, "lessons-numbers")
    press(page, "Next")

    step(page, 3)
    page.go_back()
    step(page, 2)
    expect(box).to_have_value(OWN)
    page.go_back()
    step(page, 1)
    page.go_back()
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_visible(timeout=PATIENCE)
    for number in (1, 2, 3):
        page.go_forward()
        step(page, number)
    page.reload()
    step(page, 3)
    area = page.get_by_role("textbox", name=re.compile("One sentence a line"))
    area.fill(f"{OWN}\nThe old clock of my grandma has stopped.\nPenguins cannot fly.")
    area.press("Control+Enter")
    expect(page.get_by_test_id("stText").filter(has_text="The old clock of my grandma")).to_be_visible(
        timeout=PATIENCE
    )
    settled(page)
    no_errors(page)
    press(page, "Next")

    step(page, 4)
    expect(page.get_by_role("button", name="Measure", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Next", exact=True)).to_be_disabled()
    expect(page.get_by_role("heading", name="Which one is closer?")).to_be_focused()
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == 0, "a step opens at its top"
    choose(page, "The one with other words for the same thing")
    page.wait_for_url("**lesson_guess_what_is_an_embedding_4=first**", timeout=PATIENCE)
    page.reload()
    step(page, 4)
    press(page, "Measure")
    expect(page.get_by_text(MEASURED)).to_be_visible(timeout=PATIENCE)
    shot(page, "lessons-measured")
    press(page, "Next")

    step(page, 5)
    expect(page.get_by_test_id("moving-map")).to_be_visible(timeout=PATIENCE)
    press(page, "Next")

    step(page, 6)
    choose(page, "More than three quarters")
    press(page, "Measure")
    expect(page.get_by_text(MEASURED)).to_be_visible(timeout=PATIENCE)
    press(page, "Next")

    step(page, 7)
    expect(page.get_by_test_id("moving-map")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    choose(page, "More than before: sentences on one subject come together")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(MEASURED)).to_be_visible(timeout=PATIENCE)
    page.wait_for_function("() => window.__movingMap?.map?.steps[0] >= 40", timeout=PATIENCE)
    settled(page)
    told = page.locator("body").inner_text().replace("\u2060", "")  # invisible joiners of plain text
    assert re.search(r"Same-group neighbours: \d+% before, \d+% after", told)
    shot(page, "lessons-trained")
    no_errors(page)
    page.set_viewport_size({"width": 1366, "height": 768})  # the end of the explanation beside the map
    expect(page.get_by_text("You have just watched fine-tuning")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Next", exact=True)).to_be_in_viewport(ratio=1)
    press(page, "Next")

    step(page, 8)
    words = page.get_by_role("textbox", name="Your explanation")
    words.fill("A list of numbers that a model makes of a text.")
    press(page, "Keep it")
    expect(page.get_by_text("Compare it with this")).to_be_visible(timeout=PATIENCE)
    press(page, "Next")

    step(page, 9)
    page.get_by_text("Show the answer").first.click()
    expect(page.get_by_text("one dot product")).to_be_visible()
    shot(page, "lessons-cards")
    no_errors(page)
    press(page, "Finish the lesson")
    expect(page.get_by_text(re.compile("Lesson finished. \\d of 3 predictions"))).to_be_visible()
    expect(page.get_by_text("Finished", exact=False).last).to_be_visible()
    no_errors(page)
    the_test_keeps_its_answers(page)
    a_plan_opens_its_step(page)


def view(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_role("radio", name=name, exact=True).click()
    settled(page)


def the_test_keeps_its_answers(page: Page) -> None:
    view(page, "Before and after")
    press(page, "Begin the first sitting")
    expect(page.get_by_role("button", name="Hand in")).to_be_disabled(timeout=PATIENCE)
    before = page.get_by_text(re.compile("questions are left"))
    told = before.inner_text()
    page.get_by_test_id("stRadioOption").first.click()
    expect(before).not_to_have_text(told, timeout=PATIENCE)
    page.reload()
    expect(before).to_be_visible(timeout=PATIENCE)
    expect(before).not_to_have_text(told)
    no_errors(page)


def a_plan_opens_its_step(page: Page) -> None:
    view(page, "Lesson plans")
    expect(page.get_by_text("What usually surprises.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name=re.compile("^Open step 2")).click()
    expect(page.get_by_text("Step 2 of 9", exact=True)).to_be_visible(timeout=PATIENCE)
    no_errors(page)


def test_a_teacher_sees_what_is_wrong_mends_it_and_tries_it(open_page):
    page = open_page("/lessons?lesson_view=For+teachers", width=400)
    area = page.get_by_role("textbox", name="The lesson")
    expect(page.get_by_text("Preview", exact=True)).to_be_visible()
    good = area.input_value().replace("My first lesson", "Opinions *for* $beginners$")
    area.fill(good.replace("held_out_auc_change", "held_out_magic"))
    area.press("Control+Enter")
    told = page.get_by_text(re.compile("line 21, step 2 .predict., measure: there is no measurement"))
    expect(told).to_be_visible(timeout=PATIENCE)
    assert "held_out_magic" in area.input_value()
    settled(page)
    shot(page, "lessons-teacher-error")
    area.fill(good)
    area.press("Control+Enter")
    expect(page.get_by_text("Opinions *for* $beginners$").last).to_be_visible(timeout=PATIENCE)
    settled(page)
    shot(page, "lessons-teacher-preview")
    no_errors(page)
    page.get_by_role("button", name="Try it as a learner", exact=True).click()
    expect(page.get_by_role("heading", name="Opinions *for* $beginners$")).to_be_visible(timeout=PATIENCE)
    settled(page)
    again = open_page(page.url[page.url.index("/lessons") :])
    expect(again.get_by_text("Step 1 of 3", exact=True)).to_be_visible(timeout=PATIENCE)
    no_errors(again)


def test_a_lesson_file_is_uploaded_played_and_its_map_answers(open_page, tmp_path):
    page = open_page("/lessons?lesson_view=For+teachers")
    expect(page.get_by_text("Preview", exact=True)).to_be_visible(timeout=PATIENCE)
    uploader = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    wrong = tmp_path / "lesson.toml"
    wrong.write_bytes('title = "Käse"'.encode("latin-1"))
    uploader.set_input_files(wrong)
    expect(page.get_by_text("is not a text in")).to_be_visible(timeout=PATIENCE)
    assert page.get_by_role("textbox", name="The lesson").input_value() == TEMPLATE, "the text is lost"

    good = tmp_path / "mine.toml"
    good.write_text(TEMPLATE.replace("My first lesson", "Opinions *from* a $file$"), encoding="utf-8")
    uploader.set_input_files(good)
    expect(page.get_by_text("Opinions *from* a $file$").last).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("is not a text in")).to_have_count(0)
    settled(page)
    no_errors(page)
    press(page, "Try it as a learner")
    expect(page.get_by_role("heading", name="Opinions *from* a $file$")).to_be_visible(timeout=PATIENCE)
    press(page, "Next")
    page.wait_for_url(re.compile("lesson_step=2"), timeout=PATIENCE)

    again = open_page(page.url[page.url.index("/lessons") :])
    expect(again.get_by_text("Step 2 of 3", exact=True)).to_be_visible(timeout=PATIENCE)
    board = again.get_by_test_id("moving-map")
    expect(board).to_be_visible(timeout=PATIENCE)
    settled(again)
    again.wait_for_function(
        "() => Object.keys(window.__movingMap?.map?.screen ?? {}).length > 0", timeout=PATIENCE
    )
    click_a_point(again)
    expect(board.get_by_role("tooltip")).to_be_visible(timeout=PATIENCE)
    again.wait_for_function("() => window.__movingMap?.map?.selected.length === 1", timeout=PATIENCE)
    settled(again)
    no_errors(again)


def click_a_point(page: Page) -> None:
    """Click where the map draws its first point now."""
    canvas = page.get_by_test_id("moving-map").locator("canvas.points")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = page.evaluate("() => Object.values(window.__movingMap.map.screen)[0]")
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.click(box["x"] + x, box["y"] + y)
