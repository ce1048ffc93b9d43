"""Cards from a run, for real: train on typed sentences, be asked about it, keep the cards, take them away."""

from __future__ import annotations

import re
import sqlite3
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.helpers import downloaded, no_errors, packed, settled, shot

PATIENCE = 150_000  # ms; a loaded machine with two cores trains slowly
MAP = "(window.__movingMap?.map ?? {positions: {}, steps: [], selected: []})"  # there may be no map yet
TYPED = """sea | The <b>ferry</b> crossed the strait.
sea | A trawler came back full of herring.
sea | The tide uncovered the *mudflats*.
sea | Sailors watched the lighthouse.
field | The farmer ploughed the lower field.
field | Barley ripens in late July.
field | =A tractor pulled the harvester.
field | Sheep graze behind the hedge."""


def question(page: Page) -> str:
    return page.get_by_role("heading", level=3).first.inner_text()


def test_cards_from_a_run_on_typed_sentences(open_page, tmp_path: Path):
    page = open_page(f"/train?set=own&steps=12&pair_count=12&data={packed(TYPED)}")
    train = page.locator("[data-testid^=stBaseButton]").and_(
        page.get_by_role("button", name="Train", exact=True)
    )
    expect(train).to_be_enabled(timeout=PATIENCE)
    train.click()
    expect(page.get_by_role("button", name="Train again")).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.get_by_test_id("stButtonGroup").get_by_role("radio", name="Cards", exact=True).click()
    expect(page.get_by_text("Which sentence moved most?")).to_be_visible(timeout=PATIENCE)
    page.locator(".st-key-run_card_flip").get_by_role("button").click()
    expect(page.get_by_text(re.compile("The cosine with its own beginning fell to"))).to_be_visible()
    settled(page)
    shot(page, "run-card")
    no_errors(page)
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_text(re.compile(r"^2 of \d+ · "))).to_be_visible()

    field = page.get_by_label("Your name")
    field.fill("Run <i>keeper</i>")
    field.press("Enter")
    keep = page.get_by_role("button", name="Make cards from this run")
    expect(keep).to_be_visible(timeout=PATIENCE)
    settled(page)
    keep.click()
    expect(page.get_by_text("These cards are in your deck")).to_be_visible(timeout=PATIENCE)
    settled(page)
    shot(page, "run-cards-kept")
    no_errors(page)

    page.get_by_role("link", name="Study your cards").click()
    expect(page.get_by_text("Studying as Run")).to_be_visible(timeout=PATIENCE)
    assert "learner" not in page.url
    study = page.context.new_page()  # as from a bookmark of this browser
    study.goto(page.url.split("?")[0] + "?study_deck=my-runs")
    show = study.get_by_role("button", name=re.compile("^Show the answer"))
    expect(show).to_be_visible(timeout=PATIENCE)
    settled(study)
    show.click()
    repeat = study.get_by_role("link", name="See it live").first
    expect(repeat).to_be_visible(timeout=PATIENCE)
    shot(study, "run-card-studied")
    address = repeat.get_attribute("href") or ""
    study.get_by_role("radio", name="Decks", exact=True).click()
    expect(study.get_by_text("Take decks along", exact=True)).to_be_visible(timeout=PATIENCE)
    settled(study)
    study.get_by_test_id("stSelectbox").filter(has_text="Deck to export").click()
    study.get_by_role("option", name="From my runs").click()
    settled(study)
    file = tmp_path / "deck.apkg"
    downloaded(study, "Anki package").save_as(file)
    fields = anki_fields(file, tmp_path)
    assert len(fields) >= 4
    assert any("which sentence ended furthest" in text for text in fields)
    assert not any("<b>ferry" in text for text in fields)

    again = open_page("/" + address.lstrip("/"))
    again.wait_for_function(f"() => Object.keys({MAP}.positions).length === 8", timeout=PATIENCE)
    assert "steps=12" in again.url and "set=own" in again.url
    no_errors(again)


def anki_fields(file: Path, folder: Path) -> list[str]:
    """The notes of an Anki package, read with zipfile and sqlite3."""
    with zipfile.ZipFile(file) as package:
        package.extract("collection.anki2", folder)
    with sqlite3.connect(folder / "collection.anki2") as db:
        return [row[0] for row in db.execute("SELECT flds FROM notes")]
