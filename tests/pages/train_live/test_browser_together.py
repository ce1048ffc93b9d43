"""Two learners press Train on the same set: one run, until one of them pauses."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.helpers import no_errors, shot
from tests.pages.train_live.test_browser import PATIENCE, button, press, until_map, until_step


def test_two_learners_share_a_run_until_one_pauses(open_page):
    ask = "/train?steps=400&seed=91"
    first = open_page(ask)
    until_map(first)
    press(first, "Train")
    until_step(first, 1)
    second = open_page(ask)
    until_map(second)
    press(second, "Train")
    until_step(second, 2)  # it begins where the run is, not anew
    for page in (first, second):
        expect(page.get_by_text("one run with 1 other")).to_be_visible(timeout=PATIENCE)
    shot(second, "train-shared")
    press(first, "Pause")
    expect(button(first, "Continue")).to_be_visible(timeout=PATIENCE)
    line = first.get_by_text(re.compile(r"^Paused · step \d+"))
    stands = int(re.findall(r"step (\d+)", line.inner_text(timeout=PATIENCE))[0])
    drawn = first.get_by_test_id("moving-map")
    expect(drawn).to_have_attribute("data-step", str(stands), timeout=PATIENCE)  # some were on their way
    until_step(second, stands + 3)
    expect(drawn).to_have_attribute("data-step", str(stands))
    expect(line).to_have_text(re.compile(rf"step {stands}\b"))
    expect(second.get_by_text("one run with")).to_be_hidden()
    shot(first, "train-shared-paused")
    press(second, "Stop")
    expect(button(second, "Continue")).to_be_visible(timeout=PATIENCE)
    for page in (first, second):
        no_errors(page)
