"""Nobody outside this machine is asked or told anything: at the start, in a visit, by a foreign origin."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser.fixtures import start_server, stop_server
from tests.browser.helpers import settled

# Python runs this first in the server and in every worker: it writes down each name looked up and each
# address that is not this machine's own.
RECORDER = """
import os, sys
def record(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "127."
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else str(host or "::")
    if not host.startswith(("127.", "::", "localhost", "0.0.0.0")):
        with open(os.environ["LAB_RECORD"], "a") as out:
            out.write(f"{event} {host}\\n")
sys.addaudithook(record)
"""


def test_no_name_is_looked_up_and_no_socket_opened_beyond_the_machine(tmp_path: Path, browser) -> None:
    """With an open address and for every WebSocket with a foreign origin Streamlit asks a service on the
    internet for this machine's address."""
    (tmp_path / "sitecustomize.py").write_text(RECORDER, encoding="utf-8")
    record = tmp_path / "record.txt"
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    temporary = Path(tempfile.mkdtemp())  # sockets lie in it, and a socket's path is short
    settings = {"PYTHONPATH": path, "LAB_RECORD": str(record), "TMPDIR": str(temporary)}
    server = start_server(tmp_path / "home", address="0.0.0.0", **settings)
    try:
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/train")
        settled(page)
        page.context.close()
        stream = f"{server.url.replace('http', 'ws')}/_stcore/stream"
        with pytest.raises(InvalidStatus), connect(stream, origin="http://evil.example"):
            pass
        assert "can open the app" in server.said()
        server.process.terminate()  # as a system that ends its services does: nothing temporary is left
        server.process.wait(60)
        assert [file.name for file in temporary.rglob("*")] == []
    finally:
        stop_server(server)
        shutil.rmtree(temporary)
    assert not record.exists(), record.read_text(encoding="utf-8")
    own = ("data:", "blob:", server.url, server.url.replace("http", "ws"))
    assert not [url for url in asked if not url.startswith(own)]
