"""Headers that tell browsers what this app never does, on every answer; and what strangers are not shown.

A plain ASGI middleware: it touches neither bodies nor WebSockets.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.visits import entrance

METRICS = "/_stcore/metrics"  # names every session's use of memory
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def policy(frames: str = "") -> str:
    """The Content-Security-Policy: what the app itself needs, and nothing from elsewhere.

    `frames`: addresses of pages that may show the app in a frame, separated by spaces.
    """
    scripts = INLINE.findall(entrance.html())
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    rules = {
        "default-src": "'self'",
        # Components bring their scripts as blobs; the frontend reads tables with WebAssembly.
        "script-src": " ".join(
            ("'self' blob: 'wasm-unsafe-eval'", *(f"'sha256-{digest}'" for digest in digests))
        ),
        "style-src": "'self' 'unsafe-inline'",  # the frontend writes its styles into the page
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "connect-src": "'self' data: blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": f"'self' {frames}".strip(),
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


class Headers:
    """EMBEDDING_LAB_FRAMES names pages that may embed the app, EMBEDDING_LAB_METRICS=1 opens the metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shows_metrics = os.environ.get("EMBEDDING_LAB_METRICS") == "1"
        self._headers = {
            "Content-Security-Policy": policy(os.environ.get("EMBEDDING_LAB_FRAMES", "").replace(";", " ")),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",  # addresses carry what was typed, and links learners' keys
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        hidden = scope["path"].endswith(METRICS) and not self._shows_metrics
        app = PlainTextResponse("Not found", 404) if hidden else self._app
        await app(scope, receive, with_headers)
