"""What browser tests say to a page: wait until it is settled, look at it, see that nothing is wrong."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote
from weakref import WeakKeyDictionary

from playwright.sync_api import ConsoleMessage, Download, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / ".artifacts" / "screens"
# name, width, height, colour scheme: every state worth showing is looked at in these four.
VARIANTS = (
    ("wide-light", 1440, 900, "light"),
    ("wide-dark", 1440, 900, "dark"),
    ("phone-light", 400, 860, "light"),
    ("phone-dark", 400, 860, "dark"),
)
WARM_UP = 60_000  # ms for the first page of a cold server on a busy machine

PROBES = re.compile(r"/[\w-]+/_stcore/(health|host-config)$")
_console: WeakKeyDictionary[Page, list[str]] = WeakKeyDictionary()


def listen(page: Page) -> None:
    """Collect what the page complains about, for no_errors()."""
    said = _console.setdefault(page, [])
    page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
    page.on("console", lambda message: said.append(message.text) if _is_complaint(message) else None)


def _is_complaint(message: ConsoleMessage) -> bool:
    """An error, but for Streamlit's own probe: on a page it first asks for its server below that address."""
    return message.type == "error" and not PROBES.search(message.location.get("url", ""))


def packed(text: str) -> str:
    """Sentences as the app itself writes them into a link to Train live: the value of `data`."""
    from ui import state

    return quote(state.pack({state.TEXT.name: text}))


def settled(page: Page, timeout: float = WARM_UP) -> None:
    """Wait until Streamlit has drawn the page and its script rests."""
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=timeout)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=timeout)


def shot(page: Page, name: str, full: bool = True) -> Path:
    """Save .artifacts/screens/<name>.png; `full` shows all that the reader could scroll to."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    path = SCREENS / f"{name}.png"
    size = page.viewport_size
    if full and size:
        # Streamlit scrolls an inner box, so Playwright's own full_page sees only the first screen.
        height = page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0")
        page.set_viewport_size({"width": size["width"], "height": max(int(height), size["height"])})
        page.wait_for_timeout(300)  # the layout follows the new height a few frames later
    page.screenshot(path=path)
    if full and size:
        page.set_viewport_size(size)
    return path


def follow(page: Page, name: str) -> None:
    """Press a page's name in the sidebar, which Train live keeps folded."""
    unfold = page.get_by_test_id("stExpandSidebarButton")
    if unfold.is_visible():
        unfold.click()
    page.get_by_test_id("stSidebarNav").get_by_text(name, exact=True).click()


def open_expander(page: Page, name: str) -> None:
    """Open the section and wait until it has unfolded: a click on what still moves can miss."""
    section = page.get_by_test_id("stExpander").filter(has=page.locator("summary").filter(has_text=name))
    section.locator("summary").click()
    expect(section.locator("details")).to_have_attribute("open", "")
    page.wait_for_function(
        "box => box.getAnimations({subtree: true}).every(one => one.playState === 'finished')",
        arg=section.element_handle(),
    )


def downloaded(page: Page, name: str, patience: int = WARM_UP) -> Download:
    """What the button gives. Clicked once more if nothing came, as a reader would: a page that was drawn
    anew between pressing and releasing swallows a click."""
    button = page.get_by_role("button", name=name)
    try:
        with page.expect_download(timeout=patience) as download:
            button.click()
    except NotInTime:
        no_errors(page)
        with page.expect_download(timeout=patience) as download:
            button.click()
    return download.value


def no_errors(page: Page) -> None:
    """No exception, error or warning box on the screen, no overflow sideways, nothing in the console."""
    found = defaultdict(list)
    for test_id in ("stException", "stAlertContentError", "stAlertContentWarning", "stConnectionStatus"):
        for box in page.locator(f"[data-testid={test_id}]").all():
            if box.is_visible():
                found[test_id].append(box.inner_text()[:400])
    if "Traceback (most recent call last)" in page.locator("body").inner_text():
        found["traceback"].append("on the screen")
    main = page.locator("[data-testid=stMain]")
    if main.count() and main.evaluate("box => box.scrollWidth > box.clientWidth + 1"):
        found["layout"].append("the page scrolls sideways")
    found["console"] = _console.get(page, [])
    problems = {where: what for where, what in found.items() if what}
    assert not problems, problems
