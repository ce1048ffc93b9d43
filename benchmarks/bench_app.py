"""What a visitor waits for: cold start, first movement, links, cards, pictures a second in training; memory.

Starts the real app on a fresh data folder and drives it in headless Chromium. "First paint" is the page's
title on the screen, "model ready" the first map, "layout ready" the first UMAP layout, all counted from
starting the server; click to first movement is taken on the warm server, from pressing Train to the first
frame of a later step on the map. A sidebar's link is counted from the click to the new page's title, on the
second round, when its files are loaded; a card from the key to the buttons that follow. Pictures are counted
in a window of 1366 x 768 with map, curve, pairs and card wholly inside it; the browser draws in software, and
shares the cores with the training.

    python -m benchmarks.bench_app [--points 50 200 2000]
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.bench_map import FLAGS, PROBE
from scripts import browser as chromium
from tests.browser.fixtures import Server, start_server, stop_server
from tests.browser.helpers import settled
from ui import pages

PATIENCE = 300_000  # ms
MAP = "window.__movingMap.map"
TRIES = 3
CARDS = 9
SECONDS = 20
GOAL = 30  # browser frames a second
PARTS = (".stage", ".curve", ".pairs", ".card")  # the map's, and the panel's beside it
WHO = [
    "my neighbour",
    "the teacher",
    "a tall man",
    "her sister",
    "our doctor",
    "the captain",
    "a student",
    "the old baker",
]
DID = ["bought", "lost", "repaired", "painted", "sold", "hid", "found", "described", "broke", "borrowed"]
WHAT = [
    "a red bicycle",
    "the wooden boat",
    "two lamps",
    "an old map",
    "the piano",
    "a grey coat",
    "three chairs",
    "the radio",
]
WHERE = [
    "in the market",
    "near the river",
    "last winter",
    "before lunch",
    "at the station",
    "by mistake",
    "for a friend",
]


def sentences(count: int) -> str:
    """`count` different sentences in eight groups, the same ones every time."""
    every = [f"{a} | {a} {d} {w} {p}." for a in WHO for d in DID for w in WHAT for p in WHERE]
    random.Random(7).shuffle(every)
    return "\n".join(every[:count])


def open_page(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    return page


def train_button(page: Page) -> Locator:
    named = page.get_by_role("button", name="Train", exact=True)
    return page.locator("[data-testid^=stBaseButton]").and_(named)


def wait_for_map(page: Page, points: int = 1, step: int = 0) -> None:
    page.wait_for_function(
        f"([n, step]) => window.__movingMap?.map && Object.keys({MAP}.positions).length >= n"
        f" && {MAP}.steps[1] >= step",
        arg=[points, step],
        timeout=PATIENCE,
    )


def cold_start(browser: Browser, home: Path) -> tuple[Server, dict[str, float]]:
    began = time.perf_counter()
    server = start_server(home)
    answers = time.perf_counter() - began
    page = open_page(browser, server.url)
    page.get_by_role("heading", level=1).wait_for()
    painted = time.perf_counter() - began
    page.goto(server.url + "/train")
    wait_for_map(page)
    ready = time.perf_counter() - began
    page.get_by_text(re.compile("PCA for now")).wait_for(state="hidden")
    layout = time.perf_counter() - began
    page.context.close()
    return server, {
        "server answers": answers,
        "first paint": painted,
        "first paint after the server answers": painted - answers,
        "model ready (map of the base model)": ready,
        "layout ready (UMAP compiled)": layout,
    }


def first_movement(browser: Browser, url: str) -> float:
    """Seconds from the click on Train to the first frame of a later step."""
    page = open_page(browser, f"{url}/train")
    wait_for_map(page)
    page.wait_for_timeout(1500)
    began = time.perf_counter()
    train_button(page).click()
    wait_for_map(page, step=1)
    taken = time.perf_counter() - began
    leave(page)
    return taken


def links(browser: Browser, url: str) -> dict[str, float]:
    """Page -> seconds from a click in the sidebar to its title. Train live folds the sidebar: left out."""
    page = open_page(browser, url)
    title = page.get_by_role("heading", level=1)
    title.wait_for()
    taken: dict[str, float] = {}
    for _ in range(2):
        for row in pages.existing():
            if row in (pages.HOME, pages.TRAIN):
                continue
            before = title.inner_text()
            began = time.perf_counter()
            page.get_by_test_id("stSidebarNav").get_by_text(row.title, exact=True).click()
            page.wait_for_function(
                "before => ![undefined, before].includes(document.querySelector('h1')?.innerText)",
                arg=before,
            )
            taken[row.title] = time.perf_counter() - began
            settled(page)
    page.context.close()
    return taken


def study(browser: Browser, url: str) -> list[float]:
    """Seconds from Space to the ratings, and from a rating to the next question: medians."""
    page = open_page(browser, f"{url}/study")
    page.get_by_label("Your name").fill("Benchmark")
    page.keyboard.press("Enter")
    flip, rate = page.get_by_role("button", name="Show the answer"), page.get_by_role("button", name="Again")
    flip.wait_for()
    taken: dict[str, list[float]] = {"Space": [], "2": []}
    for _ in range(CARDS):
        for key, then in (("Space", rate), ("2", flip)):
            settled(page)
            began = time.perf_counter()
            page.keyboard.press(key)
            then.wait_for()
            taken[key].append(time.perf_counter() - began)
    page.context.close()
    return [sorted(times)[CARDS // 2] for times in taken.values()]


def leave(page: Page) -> None:
    """Stop the run before the tab closes, so that the next one need not wait for its worker."""
    page.get_by_role("button", name="Reset", exact=True).click()
    train_button(page).wait_for()
    page.wait_for_timeout(3000)
    page.context.close()


def pictures(browser: Browser, server: Server, points: int) -> tuple[float, float, float, float]:
    """(pictures, browser frames, frames of data) a second and MiB of the largest worker during a run.

    The board paints only while points are on their way, so pictures follow the frames of data.
    """
    page = open_page(browser, f"{server.url}/train?set=own&steps=200")
    area = page.get_by_role("textbox", name="Your sentences, one a line")
    area.fill(sentences(points))
    area.press("Control+Enter")
    wait_for_map(page, points)
    page.wait_for_timeout(1500)
    train_button(page).click()
    wait_for_map(page, points, step=1)
    for part in PARTS:
        box = page.locator(part).first.bounding_box()
        assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 768, f"{part} is cut: {box}"
    seen = page.evaluate(PROBE, SECONDS * 1000)
    heaviest = max(memory(p) for p in psutil.Process(server.process.pid).children(recursive=True))
    leave(page)
    return seen["painted"], seen["frames"], seen["moves"], heaviest


def memory(process: psutil.Process) -> float:
    """MiB of its own (unique set size): what would be freed if it ended."""
    return float(process.memory_full_info().uss) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[50, 200, 2000])
    points = parser.parse_args().points
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        server, waits = cold_start(browser, Path(home))
        try:
            for name, seconds in waits.items():
                print(f"{name:45s} {seconds:7.2f} s")
            clicks = sorted(first_movement(browser, server.url) for _ in range(TRIES))
            print(f"{'click to first movement, median of 3':45s} {clicks[TRIES // 2]:7.2f} s")
            for name, seconds in links(browser, server.url).items():
                print(f"{f'sidebar link: {name}':45s} {seconds:7.2f} s")
            for name, seconds in zip(("a card is flipped", "a card is rated"), study(browser, server.url)):
                print(f"{name:45s} {seconds:7.2f} s")
            parent = psutil.Process(server.process.pid)
            print(f"{'memory of the server process':45s} {memory(parent):7.0f} MiB")
            for child in parent.children(recursive=True):
                lane = child.environ().get("EMBEDDING_LAB_LANE", "?")
                print(f"{f'memory of the {lane} worker':45s} {memory(child):7.0f} MiB")
            names = ("points", "pictures/s", "browser frames/s", "frames of data/s", "largest worker, MiB")
            print("\n" + "  ".join(names))
            for count in points:
                found = pictures(browser, server, count)
                cells = (f"{count}", *(f"{value:.1f}" for value in found))
                print("  ".join(f"{cell:>{len(name)}s}" for cell, name in zip(cells, names)))
                if found[1] < GOAL:
                    print(f"the goal of {GOAL} browser frames a second was MISSED")
        finally:
            browser.close()
            stop_server(server)


if __name__ == "__main__":
    main()
