"""Finds the Chromium that the browser tests drive and, asked with --install, gets one.

`python scripts/browser.py` prints its path or exits 1. Used by the Makefile and by tests/browser/fixtures.py,
so that both mean the same browser.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ENV = "EMBEDDING_LAB_CHROMIUM"  # names a browser of one's own choice
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
APPLICATIONS = (  # where macOS and Windows keep theirs; none of these folders is on PATH
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)


def find() -> Path | None:
    """The first browser there is: the one EMBEDDING_LAB_CHROMIUM names, the system's, Playwright's."""
    named = os.environ.get(ENV)
    if named:
        return Path(named) if Path(named).is_file() else None
    return next((path for path in _candidates() if path.is_file()), None)


def _candidates() -> Iterator[Path]:
    for name in NAMES:
        place = shutil.which(name)
        if place:
            yield Path(place)
    yield from map(Path, APPLICATIONS)
    own = _playwright_chromium()
    if own:
        yield own


def _playwright_chromium() -> Path | None:
    """Where `playwright install chromium` puts its browser, whether or not it is there."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def starts(path: Path) -> bool:
    """True if the file really is a browser (Ubuntu's `chromium` package can be a stub that only advises)."""
    try:
        # Windows browsers open a window instead of printing their version.
        return (
            os.name == "nt"
            or subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> Path | None:
    """Get a Chromium: Debian's package where apt-get may be used, else Playwright's own download."""
    for attempt in (_from_apt, _from_playwright):
        attempt()
        path = find()
        if path and starts(path):
            return path
    return None


def _from_apt() -> None:
    if not shutil.which("apt-get"):
        return
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and (not shutil.which("sudo") or subprocess.run([*root, "true"], capture_output=True).returncode):
        return
    environment = [*root, "env", "DEBIAN_FRONTEND=noninteractive"]
    subprocess.run([*environment, "apt-get", "update", "-qq"], stdin=subprocess.DEVNULL)
    subprocess.run(
        [*environment, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
        stdin=subprocess.DEVNULL,
    )


def _from_playwright() -> None:
    command = [sys.executable, "-m", "playwright", "install"]
    if sys.platform == "linux" and os.geteuid() == 0:
        command.append("--with-deps")  # the system libraries too: that needs root
    subprocess.run([*command, "chromium"], stdin=subprocess.DEVNULL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="get a browser if there is none")
    wanted = parser.parse_args()
    path = find()
    if path and not starts(path):
        path = None
    if path is None and wanted.install and not os.environ.get(ENV):
        print("No Chromium found for the browser tests: installing one.", file=sys.stderr)
        path = install()
    if path is None:
        print(
            "No Chromium for the browser tests. Install Chromium or Chrome, or name one: "
            f"{ENV}=/path/to/chromium",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
