"""One class on two page servers, of which one is killed in the middle, and a worker too: what is lost?

    python scripts/cluster_journey.py      prints a table; ends with 1 when anything is lost

Four browsers: a teacher and three learners, who land on different servers, join one room, vote, and see one
run; one of them trains a run of her own. Then the teacher's server and a worker get SIGKILL.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.classroom import rooms, stage
from core.classroom.activities import PredictActivity, RunActivity
from core.storage.database import Database
from scripts import browser as chromium
from scripts.cluster import Cluster, answers
from tests.browser.fixtures import FLAGS
from tests.browser.helpers import settled
from tests.pages.classroom.test_browser import join, press, sees, vote

QUESTION = PredictActivity(title="Will the two groups part?", options=("Yes", "No"))
STEPS = 80
RUN = RunActivity(title="Watch it learn", source="set", set="sentiment", steps=STEPS, seed=4711)
PATIENCE = 240_000  # ms
TRIES = 30  # browsers until both servers have one


def lands(browser: Browser, url: str, elsewhere: str = "") -> tuple[Page, str]:
    """A new browser, and the server that it came to: another one than `elsewhere`."""
    for _ in range(TRIES):
        page = browser.new_context(viewport={"width": 1000, "height": 760}).new_page()
        page.set_default_timeout(PATIENCE)
        answer = page.goto(url)
        assert answer is not None
        server = answer.headers["x-page-server"]
        if server != elsewhere:
            return page, server
        page.context.close()
    raise SystemExit(f"{TRIES} browsers came to the same server.")


def walk(cluster: Cluster, browser: Browser, database: Database) -> list[tuple[str, bool]]:
    teacher, killed = lands(browser, f"{cluster.url}/class")
    press(teacher, "Open a room", exact=True)
    sees(teacher, "Nobody sees an activity yet")
    code = teacher.url.split("room=")[1].split("&")[0]
    stage.add(database, rooms.find(database, code).id, [QUESTION, RUN])
    room = f"{cluster.url}/class?room={code}"
    ada, there = lands(browser, room, elsewhere=killed)
    bo, _ = lands(browser, room, elsewhere=there)
    cy, _ = lands(browser, f"{cluster.url}/train?steps=60&seed=815", elsewhere=there)
    print(f"teacher, Bo and Cy at {killed}, Ada at {there}", flush=True)
    settled(cy)
    cy.locator(".st-key-go button").click()
    for page, name in ((ada, "Ada"), (bo, "Bo")):
        join(page, name)
    teacher.reload()
    press(teacher, "1. Will the two groups part?")
    vote(ada, "Yes")
    vote(bo, "No")
    press(teacher, "2. Watch it learn")
    sees(ada, "Your teacher starts the training.")
    press(teacher, "Start the run for everybody")
    for page in (teacher, ada, bo, cy):
        expect(page.get_by_text(f"of {60 if page is cy else STEPS}").first).to_be_visible(timeout=PATIENCE)
    time.sleep(4)
    own = cy.url.split("run_id=")[1].split("&")[0]

    number = [str(port) for port in cluster.pages].index(killed.rsplit(":", 1)[1])
    os.killpg(cluster.processes[f"page-{number + 1}"].pid, signal.SIGKILL)
    worker = trains(cluster)
    os.kill(worker, signal.SIGKILL)
    began = time.monotonic()
    print(f"killed: page server {number + 1} and worker process {worker}", flush=True)

    found: list[tuple[str, bool]] = []

    def keeps(what: str, look: Callable[[], object]) -> None:
        try:
            look()
            found.append((what, True))
        except AssertionError as error:
            found.append((f"{what}: {str(error).splitlines()[0]}", False))
        print(f"{time.monotonic() - began:6.1f} s  {found[-1]}", flush=True)

    keeps("Ada's page shows the run to its end", lambda: ends(ada, STEPS))
    for page in (teacher, bo, cy):
        page.reload()
    keeps("Bo is still in the room, and sees the run's end", lambda: ends(bo, STEPS))
    keeps("the teacher still leads the room", lambda: press(teacher, "1. Will the two groups part?"))
    press(teacher, "Reveal")
    for page, name, answer in ((ada, "Ada", "Yes"), (bo, "Bo", "No")):
        bars = page.get_by_test_id("class-bars")
        keeps(f"{name}'s vote {answer}", lambda: expect(bars).to_contain_text("yours", timeout=PATIENCE))  # noqa: B023
    keeps("Cy's own run goes on under its address", lambda: ends(cy, 60))
    if own not in cy.url:
        found.append(("the address of Cy's run", False))
    cluster.start_page(number)
    answers(f"http://{killed}/_lab/ready")
    keeps("the server that comes again takes visitors", lambda: lands(browser, room, elsewhere=there))
    return found


def ends(page: Page, steps: int) -> None:
    expect(page.get_by_text(f"step {steps} of {steps}").first).to_be_visible(timeout=PATIENCE)


def trains(cluster: Cluster) -> int:
    """The worker process that computes most."""
    busy = {}
    for part in cluster.processes.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(part.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "ray::" in " ".join(child.cmdline()):
                        busy[child.pid] = sum(child.cpu_times()[:2])
    if not busy:
        raise SystemExit("No worker of the cluster trains.")
    return max(busy, key=lambda pid: busy[pid])


def main() -> None:
    with Cluster() as cluster, sync_playwright() as playwright, Database.open(cluster.database) as database:
        browser = playwright.chromium.launch(executable_path=str(chromium.find()), args=list(FLAGS))
        found = walk(cluster, browser, database)
        browser.close()
    lost = [what for what, kept in found if not kept]
    print("\n".join(f"{'kept' if kept else 'LOST'}  {what}" for what, kept in found))
    print("Nothing was lost." if not lost else f"{len(lost)} lost.")
    raise SystemExit(bool(lost))


if __name__ == "__main__":
    main()
