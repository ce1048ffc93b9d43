"""Uploads reach the server only while the visitor's page shows an uploader, and only so many bytes of them.

Streamlit keeps an uploaded file in memory until its session ends, whether or not any page asked for one.
"""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

ROUTE = "/_stcore/upload_file/"
SESSION_BYTES, SERVER_BYTES = 400_000_000, 1_000_000_000  # held at one time
SLACK = 1_000_000  # bytes of the form around a file
_open: dict[str, int] = {}  # session -> bytes of the largest file that an uploader of its page takes
_drawn: dict[str, int] = {}  # the same of the script run that is going on


def draw(megabytes: int) -> None:
    """The page shows an uploader for files of so many megabytes."""
    if context := get_script_run_ctx():
        session = context.session_id
        most = max(megabytes * 1024 * 1024, _drawn.get(session, 0))
        _drawn[session] = most
        _open[session] = max(most, _open.get(session, 0))


def page_is_drawn() -> None:
    """At the end of a whole script run: what was not drawn in it is closed."""
    if context := get_script_run_ctx():
        session = context.session_id
        if session in _drawn:
            _open[session] = _drawn.pop(session)
        else:
            _open.pop(session, None)


def release(file_id: str) -> None:
    """Let go of a file that this visitor's page has read; its uploader is empty at the next rerun."""
    if (context := get_script_run_ctx()) and Runtime.exists():
        manager = Runtime.instance().uploaded_file_mgr
        assert isinstance(manager, MemoryUploadedFileManager)
        manager.remove_file(context.session_id, file_id)


class Uploads:
    """Refuses an upload that no uploader is open for, or that is one too many."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = ""
        if scope["type"] == "http" and scope["method"] == "PUT" and ROUTE in scope["path"]:
            size = dict(scope["headers"]).get(b"content-length", b"")
            refused = _refusal(scope["path"].partition(ROUTE)[2].partition("/")[0], size)
        app = PlainTextResponse(refused, 413) if refused else self._app
        await app(scope, receive, send)


def _refusal(session: str, content_length: bytes) -> str:
    if not content_length.isdigit() or len(content_length) > 12:
        return "An upload says how long it is."
    size, allowed = int(content_length), _open.get(session)
    if allowed is None:
        return "No uploader is open on this page."
    if size > allowed + SLACK:
        return "The file is too large for this page."
    held = _held()
    if held.get(session, 0) + size > SESSION_BYTES or sum(held.values()) + size > SERVER_BYTES:
        return "Too many files are uploaded at the moment. Reload the page and try again."
    return ""


def _held() -> dict[str, int]:
    """Bytes that Streamlit holds, by session; those of sessions that ended are gone, and so are our notes."""
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    for notes in (_open, _drawn):
        for session in [one for one in notes if not Runtime.instance().is_active_session(one)]:
            notes.pop(session, None)
    return {
        session: sum(len(file.data) for file in list(files.values()))
        for session, files in list(manager.file_storage.items())
    }
