"""What stands before the app: headers, closed metrics, the class password, uploads nobody asked for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.runtime import media_file_manager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from ui.guard import downloads, outside, uploads
from ui.guard.headers import Headers
from ui.guard.password import Password
from ui.guard.uploads import Uploads


async def page(request: object) -> PlainTextResponse:
    return PlainTextResponse("the page")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., TestClient]:
    def visit(**settings: str) -> TestClient:
        for name, value in settings.items():
            monkeypatch.setenv(f"EMBEDDING_LAB_{name}", value)
        routes = [WebSocketRoute("/ws", stream), Route("/{path:path}", page, methods=["GET", "PUT", "POST"])]
        guards = [Middleware(guard) for guard in (Headers, Password, Uploads)]
        return TestClient(Starlette(routes=routes, middleware=guards), follow_redirects=False)

    return visit


def test_every_answer_says_what_the_page_never_does(visit) -> None:
    headers = visit(FRAMES="https://course.example; script-src *").get("/train").headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "'unsafe-eval'" not in policy and "object-src 'none'" in policy
    script = next(rule for rule in policy.split("; ") if rule.startswith("script-src"))
    assert "'sha256-" in script and "'unsafe-inline'" not in script
    assert policy.endswith(
        "frame-ancestors 'self' https://course.example  script-src *"
    )  # no rule of its own
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"


def test_metrics_are_closed_unless_asked_for(visit) -> None:
    assert visit().get("/_stcore/metrics").status_code == 404
    assert visit(METRICS="1").get("/_stcore/metrics").text == "the page"


def test_without_the_class_password_there_is_a_form_and_nothing_else(visit, monkeypatch) -> None:
    monkeypatch.setattr("ui.guard.password.WAIT", 0)
    client = visit(PASSWORD="open <sesame>")
    form = client.get("/study?learner=key")
    assert form.status_code == 401 and "Class password" in form.text and "the page" not in form.text
    assert "content-security-policy" in form.headers
    framed = {"sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"}  # where no cookie is kept
    assert "window of its own" in client.get("/study", headers=framed).text
    assert "window of its own" not in form.text
    assert client.get("/_stcore/health").text == "the page"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws"):
        pass
    assert client.post("/", data={"password": "guess"}).status_code == 401
    assert client.post("/", content=b"x" * 5_000).status_code == 413
    assert client.get("/", cookies={"embedding_lab_class": "open <sesame>"}).status_code == 401


def test_with_the_class_password_every_page_opens_and_stays_open(visit) -> None:
    client = visit(PASSWORD="open <sesame>")
    answer = client.post("/study?learner=key", data={"password": "open <sesame>"})
    assert answer.status_code == 303 and answer.headers["location"] == "/study?learner=key"
    assert "HttpOnly" in answer.headers["set-cookie"] and "sesame" not in answer.headers["set-cookie"]
    assert client.get("/study").text == "the page"
    with client.websocket_connect("/ws"):
        pass
    elsewhere = client.post("//evil.example/", data={"password": "open <sesame>"})
    assert elsewhere.text == "the page"  # the cookie is there already
    client.cookies.clear()
    location = client.post("http://testserver//evil.example/", data={"password": "open <sesame>"}).headers[
        "location"
    ]
    assert location == "/evil.example/"
    client.cookies.clear()
    assert client.get("/study").status_code == 401


@pytest.fixture
def streamlit(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, object]]:
    """Streamlit's uploaded files, and one session that is open."""
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

    manager = MemoryUploadedFileManager("/_stcore/upload_file")
    runtime = SimpleNamespace(uploaded_file_mgr=manager, is_active_session=lambda session: session == "s")
    monkeypatch.setattr(uploads.Runtime, "instance", lambda: runtime)
    monkeypatch.setattr(uploads, "_open", {})
    monkeypatch.setattr(uploads, "_drawn", {})
    monkeypatch.setattr(uploads, "get_script_run_ctx", lambda: SimpleNamespace(session_id="s"))
    return manager.file_storage


def put(client: TestClient, size: int) -> str:
    return client.put("/_stcore/upload_file/s/f", content=b"", headers={"content-length": str(size)}).text


def test_an_upload_needs_an_open_uploader(visit, streamlit) -> None:
    """Four of 190 MB, sent to a page without one, were kept: 726 MB."""
    client = visit()
    assert put(client, 10) == "No uploader is open on this page."
    uploads.draw(5)
    assert put(client, 5_000_000) == "the page"  # while the script still runs
    uploads.page_is_drawn()
    assert put(client, 5_000_000) == "the page"
    assert put(client, 9_000_000) == "The file is too large for this page."
    assert put(client, 10**13) == "An upload says how long it is."
    uploads.page_is_drawn()  # another page, without one
    assert put(client, 10) == "No uploader is open on this page."


def test_uploads_of_a_session_and_of_all_have_a_sum(visit, streamlit) -> None:
    client = visit()
    uploads.draw(200)
    streamlit["s"]["f"] = SimpleNamespace(data=bytes(300))
    assert put(client, 100) == "the page"
    uploads.draw(2_000)
    assert put(client, uploads.SESSION_BYTES - 300) == "the page"
    assert "Too many files" in put(client, uploads.SESSION_BYTES - 299)
    streamlit["other"]["f"] = SimpleNamespace(data=bytearray(uploads.SERVER_BYTES))
    assert "Too many files" in put(client, 10)
    uploads._open["gone"] = 5
    put(client, 10)
    assert "gone" not in uploads._open


@pytest.mark.parametrize(
    ("address", "password", "says"),
    [
        ("localhost", "", ""),
        ("127.0.0.1", "", ""),
        ("0.0.0.0", "", "Without a password, everybody"),
        ("192.0.2.7", "", "http://192.0.2.7:8501"),
        ("0.0.0.0", "x", "Whoever gives the class password"),
    ],
)
def test_an_open_address_says_in_two_lines_who_can_reach_it(monkeypatch, address, password, says) -> None:
    options = {"server.address": address, "server.port": 8501}
    monkeypatch.setattr(outside.config, "get_option", options.get)
    monkeypatch.setenv("EMBEDDING_LAB_PASSWORD", password)
    told = outside.who_can_reach()
    assert says in told and bool(told) == bool(says) and len(told.splitlines()) in (0, 2)


def test_a_download_stays_while_other_pages_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was gone, 404, once other visitors' pages had been drawn twice; and it does not stay for ever."""
    monkeypatch.setattr(media_file_manager, "MediaFileMetadata", media_file_manager.MediaFileMetadata)
    downloads.stay()
    storage = MemoryMediaFileStorage("/media")
    files = media_file_manager.MediaFileManager(storage)
    made = files.add_deferred(lambda: b"a run", None, "1", "run.bin")
    name = files.execute_deferred(made).rpartition("/")[2]
    for _ in range(5):
        files.remove_orphaned_files()
    assert storage.get_file(name).content == b"a run"
    later = downloads.time.monotonic() + downloads.STAYS + 1
    monkeypatch.setattr(downloads.time, "monotonic", lambda: later)
    files.remove_orphaned_files()
    with pytest.raises(media_file_manager.MediaFileStorageError):
        storage.get_file(name)
