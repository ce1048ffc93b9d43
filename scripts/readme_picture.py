"""Take the README's picture of the live page anew: docs/train-live.png.

    python scripts/readme_picture.py

Starts the app with an empty data folder, trains the first set and looks in the middle of the run. Takes a
minute or two.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import browser as chromium
from tests.browser.fixtures import FLAGS, start_server, stop_server
from tests.browser.helpers import ROOT

FILE = ROOT / "docs" / "train-live.png"
PATIENCE = 300_000  # ms
COLOURS = 128  # enough for flat areas and few hues, and a third of the bytes
STEPS, STEP = 40, 28  # of the run, and where it is looked at


def look(page: Page, url: str) -> bytes:
    page.goto(f"{url}/train?steps={STEPS}")
    page.get_by_text("The cross-encoder goes against the label").wait_for()  # so its scores are there
    page.get_by_text("PCA for now").wait_for(state="hidden")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(f"() => window.__movingMap.map.steps[0] >= {STEP}")
    return page.screenshot()


def main() -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        engine = playwright.chromium.launch(executable_path=chromium.find(), args=list(FLAGS))
        server = start_server(Path(home))
        try:
            page = engine.new_page(viewport={"width": 1366, "height": 768})
            page.set_default_timeout(PATIENCE)
            picture = Image.open(io.BytesIO(look(page, server.url))).convert("RGB")
        finally:
            engine.close()
            stop_server(server)
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(FILE, optimize=True)
    print(f"{FILE}: {FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
