"""Word2Vec in a real browser: an own text is typed, learned, looked at and reopened by its link."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import VARIANTS, WARM_UP, no_errors, settled, shot

BOARD = "window.__movingMap?.w2v_board"
PLACES = (("violin", "hall"), ("cello", "hall"), ("spanner", "workshop"), ("hammer", "workshop"))
DOES = {"hall": ("sounds warm", "plays a slow melody", "is tuned with care", "rests in its velvet case")}
DOES["workshop"] = ("hangs on a nail", "tightens a loose bolt", "is wiped with oil", "lies on the bench")
TEXT = " ".join(f"The {word} {act} in the {place}." for word, place in PLACES for act in DOES[place]) + (
    " The musician loves the violin and the cello. The mechanic needs the spanner and the hammer."
)


def ready(page):
    page.wait_for_function(f"() => {BOARD}?.points?.length > 0 || {BOARD}?.paints > 0", timeout=2 * WARM_UP)
    # The training loop is compiled the first time, so the first answer may take a while.
    expect(page.get_by_text(re.compile(r"^(Untrained|Stopped|Finished) · "))).to_be_visible(
        timeout=3 * WARM_UP
    )
    settled(page)


def test_own_text_predict_train_and_reopen(open_page):
    page = open_page("/word2vec?revealed=true&w2v_from=own&w2v_epochs=60&w2v_word=violin", height=1300)
    box = page.get_by_role("textbox", name="Your text")
    box.fill(TEXT)
    box.press("Control+Enter")
    ready(page)
    page.get_by_test_id("stRadio").get_by_text("No, another word").click()
    settled(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(re.compile(r"^Finished · "))).to_be_visible(timeout=4 * WARM_UP)
    expect(page.get_by_text("Nearest to “violin” is")).to_be_visible(timeout=WARM_UP)
    settled(page)

    page.get_by_text("Pairs of a step", exact=True).click()
    expect(page.get_by_text("The last sentence:")).to_be_visible(timeout=WARM_UP)
    page.get_by_text("Analogies", exact=True).click()
    line = page.get_by_role("textbox", name=re.compile("Three words"))
    line.fill("violin cello spanner")
    line.press("Enter")
    expect(page.get_by_text("The words nearest to b − a + c")).to_be_visible(timeout=WARM_UP)
    page.wait_for_url(re.compile(r"data=.*"), timeout=WARM_UP)
    page.wait_for_url(re.compile(r"w2v_at=\d+"), timeout=WARM_UP)
    settled(page)
    shot(page, "word2vec-trained")
    no_errors(page)

    link, said = page.url, page.get_by_text(re.compile(r"^Finished · ")).inner_text()
    again = open_page(link.removeprefix(link.split("/word2vec")[0]), height=1300)
    expect(again.get_by_text(re.compile(r"^Finished · sentence"))).to_be_visible(timeout=3 * WARM_UP)
    settled(again)
    assert again.get_by_role("textbox", name="Your text").input_value() == TEXT
    # All but the loss, which is the mean since the snapshot before, and the link leads to the end at once.
    reopened = again.get_by_text(re.compile(r"^Finished · ")).inner_text()
    assert reopened.split(" · loss")[0] == said.split(" · loss")[0]
    no_errors(again)


@pytest.mark.parametrize(("name", "width", "height", "scheme"), VARIANTS, ids=[v[0] for v in VARIANTS])
def test_whole_in_every_variant(open_page, name, width, height, scheme):
    page = open_page(
        "/word2vec?revealed=true&w2v_at=20000&w2v=Pairs+of+a+step&w2v_forces=true",
        width=width,
        height=height,
        scheme=scheme,
    )
    ready(page)
    expect(page.get_by_text(re.compile("sentence 20,000 of"))).to_be_visible(timeout=3 * WARM_UP)
    settled(page)
    shot(page, f"word2vec-{name}")
    no_errors(page)
