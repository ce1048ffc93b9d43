"""Take the README's pictures anew: docs/train-live.png, losses.png and compare.png.

    python scripts/readme_picture.py            all three
    python scripts/readme_picture.py losses     only that one

Starts the app with an empty data folder; trains the first set and looks in the middle of the run, then at the
run beside its base model. Takes a minute or two.
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
from tests.browser.helpers import ROOT, follow, settled

PATIENCE = 300_000  # ms
COLOURS = 128  # enough for flat areas and few hues, and a third of the bytes
STEPS, STEP = 40, 28  # of the run, and where it is looked at


def train_live(page: Page, url: str) -> None:
    page.goto(f"{url}/train?steps={STEPS}")
    page.get_by_text("The cross-encoder goes against the label").wait_for()  # so its scores are there
    page.get_by_text("PCA for now").wait_for(state="hidden")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(f"() => window.__movingMap.map.steps[0] >= {STEP}")


def losses(page: Page, url: str) -> None:
    page.goto(f"{url}/losses")
    page.get_by_test_id("sandbox").wait_for()
    page.get_by_role("radio", name="False negatives").click()
    page.get_by_text("Half of each colour is not known").wait_for()
    settled(page)


def compare(page: Page, url: str) -> None:
    page.goto(f"{url}/train?steps={STEPS // 2}")
    page.get_by_text("PCA for now").wait_for(state="hidden")
    settled(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Train again").wait_for()
    follow(page, "Compare runs")
    page.get_by_text("Most change", exact=True).click()  # the maps are hidden until one has predicted
    page.wait_for_function(
        "() => Object.keys(window.__movingMap ?? {}).filter((key) => key.startsWith('cmp')).length === 2"
    )
    settled(page)


PICTURES = {
    "train-live": (train_live, {"width": 1366, "height": 768}),
    "losses": (losses, {"width": 1200, "height": 1240}),
    "compare": (compare, {"width": 1200, "height": 1240}),
}


def main(names: list[str]) -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        engine = playwright.chromium.launch(executable_path=chromium.find(), args=list(FLAGS))
        server = start_server(Path(home))
        try:
            for name in names or PICTURES:
                look, size = PICTURES[name]
                page = engine.new_page(viewport=size)
                page.set_default_timeout(PATIENCE)
                look(page, server.url)
                picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                page.close()
                few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
                file = ROOT / "docs" / f"{name}.png"
                few.save(file, optimize=True)
                print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
        finally:
            engine.close()
            stop_server(server)


if __name__ == "__main__":
    main(sys.argv[1:])
