"""Study for real: a deck of one's own, ten cards by keyboard, close, reopen, and the schedule is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import VARIANTS, no_errors, settled, shot

PATIENCE = 60_000  # ms
NASTY = "<b>Bold</b> *stars* :smile: $x$ www.example.org -> [link](http://x.y)"
ROWS = "\n".join(f"Typed question {i} about pooling?,Typed answer {i}." for i in range(1, 11))
SIGNS = {"Study": "Today", "Progress": "Your progress as a file", "Decks": "Take decks along"}
JOINER = "\u2060"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def view(page: Page, name: str) -> None:
    """Change the view and wait until it is drawn: the script may not have started when the click returns."""
    page.get_by_role("radio", name=name, exact=True).click()
    expect(page.get_by_text(SIGNS[name], exact=True)).to_be_visible(timeout=PATIENCE)
    settled(page)


def begin(page: Page, name: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Show the answer")).to_be_visible(timeout=PATIENCE)
    settled(page)


def question(page: Page) -> str:
    return page.get_by_role("heading", level=3).first.inner_text().replace(JOINER, "")


def key(page: Page, name: str, then: str) -> None:
    """Press a key and wait for the button that must appear."""
    page.keyboard.press(name)
    expect(page.get_by_role("button", name=re.compile(f"^{then}"))).to_be_visible(timeout=PATIENCE)
    settled(page)


def exported(page: Page) -> dict[str, object]:
    view(page, "Progress")
    with page.expect_download() as download:
        press(page, "Export all progress")
    return json.loads(Path(download.value.path()).read_text("utf-8"))


def keep_deck(page: Page, file: Path, title: str) -> None:
    view(page, "Decks")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(page.get_by_text(f"{title}: ")).to_be_visible(timeout=PATIENCE)
    press(page, "Keep this deck")
    expect(page.get_by_text("The deck is yours")).to_be_visible(timeout=PATIENCE)
    settled(page)


def test_ten_cards_by_keyboard_survive_closing_the_browser(open_page, tmp_path):
    deck = tmp_path / "pooling.csv"
    deck.write_text(f"question,answer\n{ROWS}\n", "utf-8")
    page = open_page("/study")
    begin(page, "Typed name")
    keep_deck(page, deck, "pooling")
    view(page, "Study")
    seen = []
    for _ in range(10):
        seen.append(question(page))
        key(page, "Space", "Again")
        key(page, "2", "Show the answer")
    assert sorted(seen) == sorted(f"Typed question {i} about pooling?" for i in range(1, 11))
    shot(page, "study-ten-cards")
    no_errors(page)

    key(page, "u", "Show the answer")
    expect(page.get_by_text("The last answer is undone.")).to_be_visible()
    expect(page.get_by_role("heading", level=3).first).to_have_text(seen[-1], timeout=PATIENCE)
    settled(page)
    key(page, "Space", "Again")
    key(page, "1", "Show the answer")

    again = page.context.new_page()
    page.close()
    again.goto(page.url)
    expect(again.get_by_text("10 in learning")).to_be_visible(timeout=PATIENCE)
    kept = exported(again)
    assert len(kept["reviews"]) == 10 and len(kept["states"]) == 10
    assert [entry["rating"] for entry in kept["reviews"]] == [3] * 9 + [1]
    expect(again.get_by_test_id("stMetric").filter(has_text="Answers today")).to_contain_text("10")
    shot(again, "study-progress")
    no_errors(again)

    other = open_page("/study")
    begin(other, "Somebody else")
    view(other, "Progress")
    file = tmp_path / "progress.json"
    file.write_text(json.dumps(kept), "utf-8")
    other.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(other.get_by_text("Typed name: 10 cards with a schedule")).to_be_visible(timeout=PATIENCE)
    press(other, "Replace my progress by this file")
    expect(other.get_by_text("is yours now")).to_be_visible(timeout=PATIENCE)
    settled(other)
    assert exported(other)["reviews"] == kept["reviews"]


def test_user_text_is_shown_as_typed_in_every_mode(open_page, tmp_path):
    deck = tmp_path / "nasty.md"
    cards = [f"#### {NASTY}\n:p {i} {NASTY}\n??x\n{i} {NASTY}\nx??\n:choice {NASTY}\n" for i in (1, 2)]
    deck.write_text("# Nasty\n\n" + "\n---\n".join(cards), "utf-8")
    page = open_page("/study?study_mode=choice")
    page.get_by_label("Your name").fill("<i>Eve</i> *b*")
    page.keyboard.press("Enter")
    greeting = page.get_by_text("Studying as")
    expect(greeting).to_be_visible(timeout=PATIENCE)
    settled(page)
    assert "Studying as <i>Eve</i> *b*." in greeting.inner_text().replace(JOINER, "")
    keep_deck(page, deck, "Nasty")
    view(page, "Study")
    assert question(page) == f"1 {NASTY}"
    options = page.locator("[class*='st-key-option']").all_inner_texts()
    assert any(NASTY in option.replace(JOINER, "") for option in options), options
    key(page, "1", "Again")
    expect(page.get_by_test_id("stText").filter(has_text=f"1 {NASTY}").first).to_be_visible()
    main = page.get_by_test_id("stMain")
    assert main.locator("b, em, .katex, a[href*='x.y'], a[href*='example.org']").count() == 0
    shot(page, "study-user-text")
    no_errors(page)


def test_a_typed_answer_gets_scores_and_a_live_link_opens_its_experiment(open_page):
    page = open_page("/study?study_mode=typed&study_deck=18-losses")
    page.get_by_label("Your name").fill("Typist")
    page.keyboard.press("Enter")
    field = page.get_by_label("Your answer")
    expect(field).to_be_visible(timeout=PATIENCE)
    field.fill("None, since it is already further away than the margin asks")
    field.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Got it"))).to_be_visible(timeout=2 * PATIENCE)
    settled(page)
    row = page.get_by_role("row").filter(has_text="the card's answer")
    cosine, cross = (float(n) for n in re.findall(r"-?\d\.\d\d", row.inner_text()))
    assert cosine > 0.2 and 0 <= cross <= 1
    shot(page, "study-typed")
    no_errors(page)
    link = page.get_by_role("link", name="See it live")
    assert "loss=contrastive" in (link.get_attribute("href") or "")
    with page.context.expect_page() as opened:
        link.click()
    train = opened.value
    train.get_by_role("button", name="Settings").click(timeout=PATIENCE)
    expect(train.get_by_role("combobox", name="Loss")).to_have_value("Contrastive", timeout=PATIENCE)
    train.close()


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_it_looks_right_everywhere(open_page, name, width, height, scheme):
    page = open_page("/study", width=width, height=height, scheme=scheme)
    begin(page, "Viewer")
    if width > 1000:
        page.set_viewport_size({"width": 1366, "height": 768})
    page.locator("label").filter(has_text="Ask how sure I am").click()
    expect(page.get_by_role("button", name=re.compile("^Certain"))).to_be_visible(timeout=PATIENCE)
    settled(page)
    key(page, "Space", "Again")  # though the switch was pressed last
    if width > 1000:
        for part in (page.get_by_role("heading", level=3), page.get_by_role("button", name="Got it")):
            expect(part).to_be_in_viewport(ratio=1)
    shot(page, f"study-{name}")
    no_errors(page)
