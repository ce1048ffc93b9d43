"""Frames are pushed: the map and the progress line move while Streamlit's own socket is silent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.browser.fixtures import start_server, stop_server
from tests.browser.helpers import WARM_UP, listen, no_errors, settled
from tests.pages.train_live.test_browser import MAP, PATIENCE, button, positions, press, until_map, until_step

SHORT = "/train?steps=15"
LONG = "/train?steps=400"
LOST = "No connection to the server"


def progress(page: Page) -> str:
    return page.get_by_test_id("run-progress").inner_text()


class Sockets:
    """What the page sends and receives on Streamlit's socket and on the channel."""

    def __init__(self, page: Page) -> None:
        self.reruns = self.asked = self.frames = self.channels = 0  # asked: reruns without those of ticks
        page.on("websocket", self.watch)

    def watch(self, socket) -> None:
        if "/_stcore/stream" in socket.url:
            socket.on("framesent", self.sent)
        elif "/_live/" in socket.url:
            self.channels += 1
            socket.on("framereceived", self.received)

    def sent(self, message) -> None:
        self.reruns += 1
        self.asked += not BackMsg.FromString(message).rerun_script.is_auto_rerun

    def received(self, _) -> None:
        self.frames += 1


def ready(page: Page) -> None:
    until_map(page)
    page.get_by_text(re.compile("PCA for now")).wait_for(state="hidden", timeout=PATIENCE)
    settled(page)


def test_the_map_moves_without_a_single_rerun(open_page):
    page = open_page(SHORT)
    sockets = Sockets(page)
    page.reload()
    ready(page)
    start = positions(page)
    press(page, "Train")
    until_step(page, 1)
    before, asked, line = sockets.reruns, sockets.asked, progress(page)
    until_step(page, 8)
    assert sockets.reruns == before, "Streamlit ran the script while the model trained"
    assert sockets.channels == 1, "one connection for map and progress line together"
    assert positions(page) != start
    assert progress(page) != line and re.search(r"Training · step \d+ of 15 · loss \d", progress(page))
    expect(button(page, "Train again")).to_be_visible(timeout=PATIENCE)
    settled(page)
    assert sockets.asked - asked <= 2, "one new page when the run ends, two where its map lags behind"
    assert "Finished · step 15 of 15" in progress(page)
    page.wait_for_timeout(2500)
    heard = sockets.frames
    page.wait_for_timeout(2000)
    assert sockets.frames == heard, "a run that rests needs no connection"
    no_errors(page)


def test_it_reconnects_when_the_connection_is_cut_and_says_so(open_page):
    page = open_page(LONG)
    routes: list[WebSocketRoute] = []
    cut = False

    def connect(route: WebSocketRoute) -> None:
        if cut:
            route.close()
            return
        route.connect_to_server()
        routes.append(route)

    page.route_web_socket(re.compile("/_live/"), connect)
    page.reload()
    ready(page)
    press(page, "Train")
    until_step(page, 1)
    cut = True
    routes[-1].close()
    expect(page.get_by_text(LOST)).to_be_visible(timeout=20_000)
    stood = int(page.evaluate(f"{MAP}.steps[1]"))
    cut = False
    expect(page.get_by_text(LOST)).to_be_hidden(timeout=20_000)
    assert len(routes) == 2
    until_step(page, stood + 1)
    assert len(page.evaluate("[...__embeddingLabChannels.values()][0].rows")) >= stood, "a gap in the curve"
    press(page, "Stop")
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)
    no_errors(page)


def test_a_second_tab_hears_the_same_run_and_a_late_component_the_newest_state(open_page):
    page = open_page(LONG)
    ready(page)
    press(page, "Train")
    until_step(page, 2)
    heard = page.evaluate(
        """async () => {
          const [channel] = __embeddingLabChannels.values();
          const { subscribe, allFrames } = await import(
            performance.getEntriesByType("resource").find((e) => e.name.endsWith("/channel.js")).name);
          let first = null;
          const leave = subscribe({ topic: channel.topic, pushed: true }, { take: (m) => (first ??= m) });
          const { steps, frames } = await allFrames({ topic: channel.topic });
          leave();
          return { step: first.header.step, curve: [...first.curve.step], steps, shape: frames.shape,
                   cosines: first.arrays.cosines.data.length, channels: __embeddingLabChannels.size };
        }"""
    )
    assert heard["channels"] == 1 and heard["cosines"] == 24
    assert heard["curve"] == list(range(heard["step"] + 1))
    assert heard["shape"] == [len(heard["steps"]), 48, 2] and heard["steps"][0] == 0
    press(page, "Stop")
    expect(button(page, "Continue")).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("script", "base", "connections"),
    [("server.py", "/class/lab", 1), ("app.py", "", 0)],
    ids=["base_path", "slow_tick"],
)
def test_other_ways_to_start_it(tmp_path, browser: Browser, script, base, connections):
    server = start_server(tmp_path, script, base)
    context = browser.new_context()
    try:
        page = context.new_page()
        page.set_default_timeout(WARM_UP)
        listen(page)
        sockets = Sockets(page)
        page.goto(server.url)  # app.py by itself knows its pages only after the first visit (see server.py)
        settled(page)
        page.goto(server.url + SHORT)
        ready(page)
        start = positions(page)
        press(page, "Train")
        until_step(page, 2)
        assert positions(page) != start and "Training · step" in progress(page)
        assert sockets.channels == connections
        expect(button(page, "Train again")).to_be_visible(timeout=PATIENCE)
        until_step(page, 15)
        no_errors(page)
    finally:
        context.close()
        stop_server(server)
