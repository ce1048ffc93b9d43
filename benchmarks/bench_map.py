"""How smoothly the map moves: pictures a second in headless Chromium while a feed ticks ten times a second.

Runs the demo of the browser tests at 50, 200 and 2,000 points, each with the views a page would show, and
prints one row a case: pictures the board painted and frames the browser reached (requestAnimationFrame),
the longest gap between two pictures, the browser's processor time for each, frames of data received, and
bytes on the wire for each of them, Streamlit's own messages included. Chromium draws in software here, so
a machine with a graphics card does better.

    python benchmarks/bench_map.py [--seconds 6] [--points 50 200 2000]
"""

from __future__ import annotations

import argparse
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts import browser as chromium  # noqa: E402

DEMO = "tests/browser/apps/moving_map_demo.py"
GOAL = 30  # pictures a second at 2,000 points
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# Counts the browser's own frames beside the board's pictures, and the longest wait between two pictures.
PROBE = """(milliseconds) => new Promise((done) => {
    const map = window.__movingMap.map;
    const start = performance.now();
    const [paints, moves] = [map.paints, map.moves];
    let frames = 0, longest = 0, last = start, seen = paints;
    const look = (now) => {
        frames += 1;
        if (map.paints !== seen) {
            longest = Math.max(longest, now - last);
            last = now;
            seen = map.paints;
        }
        if (now - start < milliseconds) requestAnimationFrame(look);
        else {
            const seconds = (now - start) / 1000;
            done({
                painted: (map.paints - paints) / seconds, frames: frames / seconds,
                moves: (map.moves - moves) / seconds, longest,
            });
        }
    };
    requestAnimationFrame(look);
})"""


@dataclass(frozen=True, slots=True)
class Row:
    points: int
    painted: float
    frames: float
    moves: float
    longest: float
    cpu: float  # browser processor milliseconds a picture: hardly depends on what else the machine does
    bytes_a_tick: float


@contextmanager
def serve() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", DEMO, f"--server.port={port}"]
    command += ["--server.headless=true", "--server.fileWatcherType=none", "--browser.gatherUsageStats=false"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://localhost:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def measure(browser: Browser, url: str, points: int, options: str, seconds: float) -> Row:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    received: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    page.goto(f"{url}/?n={points}&tick=0.1&{options}")
    page.wait_for_function("() => window.__movingMap?.map?.moves > 3", timeout=60_000)
    page.wait_for_timeout(1000)
    received.clear()
    before = browser_seconds()
    seen = page.evaluate(PROBE, seconds * 1000)
    cpu = (browser_seconds() - before) * 1000 / max(1.0, seen["painted"] * seconds)
    ticks = max(1.0, seen["moves"] * seconds)
    context.close()
    wire = sum(received) / ticks
    return Row(points, seen["painted"], seen["frames"], seen["moves"], seen["longest"], cpu, wire)


def browser_seconds() -> float:
    """Processor time that the browser's processes have used so far."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name().lower():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--points", type=int, nargs="+", default=[50, 200, 2000])
    arguments = parser.parse_args()
    cases = {"points and labels": "", "with trails": "trails=1", "by movement": "color_by=movement"}
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print("| view | points | pictures/s | frames/s | longest gap ms | CPU ms/picture | data/s | bytes/tick |")
    print("|---|---|---|---|---|---|---|---|")
    slowest = float("inf")
    with serve() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        for points in arguments.points:
            for name, options in cases.items():
                row = measure(browser, url, points, options, arguments.seconds)
                print(
                    f"| {name} | {row.points} | {row.painted:.0f} | {row.frames:.0f} | {row.longest:.0f} "
                    f"| {row.cpu:.1f} | {row.moves:.1f} | {row.bytes_a_tick:.0f} |",
                    flush=True,
                )
                if points >= 2000:
                    slowest = min(slowest, row.painted)
        browser.close()
    if slowest < float("inf"):
        print(
            f"Goal of {GOAL} pictures a second at 2,000 points: {'reached' if slowest >= GOAL else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
