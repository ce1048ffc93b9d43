"""An optional class password before any page: one for all, set by EMBEDDING_LAB_PASSWORD.

It keeps strangers out of a class's server; it tells nobody apart. A cookie remembers who gave it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import html
import os
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

COOKIE = "embedding_lab_class"
DAYS = 120  # a term
LONGEST = 4_000  # bytes of the form
WAIT = 1.0  # seconds after a wrong password
OPEN = ("/_stcore/health", "/_lab/live", "/_lab/ready")  # they tell of nobody
FRAMED = (
    "In a page of another site the browser keeps no password. Open the app in a window of its own, or ask "
    "whoever runs the server."
)
FORM = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Embedding Lab</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 15vh auto; width: 20rem }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; margin-top: .5rem }}
</style></head><body><h1>Embedding Lab</h1><form method="post">
<label>Class password<input type="password" name="password" autofocus autocomplete="current-password"></label>
<button>Open</button></form><p role="status">{said}</p></body></html>"""


class Password:
    """Answers with a form, and closes WebSockets, until the cookie is right."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._password = os.environ.get("EMBEDDING_LAB_PASSWORD", "")
        # The cookie is no password, and ends to be valid when that changes.
        self._token = hashlib.scrypt(self._password.encode(), salt=COOKIE.encode(), n=2**14, r=8, p=1).hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._password or scope["type"] == "lifespan" or scope["path"].endswith(OPEN):
            await self._app(scope, receive, send)
            return
        given = HTTPConnection(scope).cookies.get(COOKIE, "")
        if hmac.compare_digest(given.encode(), self._token.encode()):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(4401)(scope, receive, send)
        else:
            answer = await self._answer(Request(scope, receive))
            await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            sent = request.headers.get
            framed = (sent("sec-fetch-dest"), sent("sec-fetch-site")) == ("iframe", "cross-site")
            return HTMLResponse(FORM.format(said=FRAMED if framed else ""), 401)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                return HTMLResponse(FORM.format(said=html.escape("That is too long for a password.")), 413)
        given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]
        if not hmac.compare_digest(given.encode(), self._password.encode()):
            await asyncio.sleep(WAIT)
            return HTMLResponse(FORM.format(said="This is not the password."), 401)
        # One slash in front: //name would lead to another server.
        query = f"?{request.url.query}" if request.url.query else ""
        answer = RedirectResponse(f"/{request.url.path.lstrip('/')}{query}", 303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, self._token, DAYS * 86_400, httponly=True, samesite="lax", secure=is_secure)
        return answer
