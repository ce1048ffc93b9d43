"""The replay page in a browser: its points have the colours they have on the map in the app."""

from __future__ import annotations

import math

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from core.export import replay_page
from core.types import Forces, Frame, Metrics, Pair, Run, Sentence, SentenceSet, Snapshot, TrainingConfig

COLOURS = {  # trained in the first group; in no group: the text's colour mixed into the ground
    "light": ((0x00, 0x72, 0xB2), (122, 127, 132)),
    "dark": ((0x00, 0x72, 0xB2), (132, 136, 142)),
}


def run() -> Run:
    """Three points in a row: of a group, of none, and held out."""
    groups = ("weather", None, "weather", "weather")
    sentences = SentenceSet(tuple(Sentence(str(i), f"text {i}", group) for i, group in enumerate(groups)))
    xy = np.array([[0, 0], [1, 0], [2, 0], [3, 0]], np.float32)
    frames = tuple(Frame(step, xy, np.ones(4, np.float32), None, "pca") for step in (0, 1))
    unit = np.eye(4, dtype=np.float32)
    snapshots = tuple(Snapshot(step, math.nan, unit, Forces.none(), Metrics()) for step in (0, 1))
    held_out = (Pair("2", "3", 1.0),)
    return Run("r", TrainingConfig(), sentences, (Pair("0", "1", 1.0),), held_out, snapshots, frames)


def colour_at(page: Page, row: int) -> tuple[int, ...]:
    """The colour in the middle of a point."""
    script = """(i) => { const [x, y] = place(i), r = devicePixelRatio;
        return [...ctx.getImageData(Math.round(x * r), Math.round(y * r), 1, 1).data].slice(0, 3); }"""
    return tuple(page.evaluate(script, row))


@pytest.mark.parametrize("scheme", COLOURS)
def test_points_have_the_colours_of_the_app(browser: Browser, scheme, tmp_path):
    file = tmp_path / "replay.html"
    file.write_bytes(replay_page.replay_html(run(), "Three points"))
    page = browser.new_page(color_scheme=scheme)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    ground = (255, 255, 255) if scheme == "light" else (11, 15, 20)
    found = [colour_at(page, row) for row in range(3)]
    for colour, wanted in zip(found, (*COLOURS[scheme], ground), strict=True):
        assert np.abs(np.subtract(colour, wanted)).max() <= 1, (found, wanted)
    assert page.locator("#legend span").all_inner_texts() == ["weather", "no group", "held out"]
    assert not errors
    page.close()
