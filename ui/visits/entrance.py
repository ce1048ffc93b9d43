"""The HTML of the pages as server.py hands it out: with the visitor's cookie, and with history.js in it.

The cookie's key is all that tells who a learner is, so it stands neither in an address, which is shown to a
class on a projector, nor where scripts can read it. A link that names a key, which is the way to another
device and was the address of the study page before, sets the cookie and leads to the address without it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from streamlit import config, file_util
from streamlit.url_util import make_url_path

from core.storage import learners
from ui import learner, pages, visits
from ui.keys import LEARNER, LEARNER_LINK, PLACES

KEPT_SECONDS = 400 * 24 * 3600  # the longest that browsers keep a cookie; every visit renews it


def routes() -> list[Route]:
    """An address a page, below `server.baseUrlPath`, and the one that makes a browser nobody's."""
    found = [Route(_below(page.url_path), _page) for page in pages.existing()]
    return [*found, Route(_below(learner.LEAVE), _leave, methods=["POST"])]


def _below(path: str) -> str:
    return make_url_path(config.get_option("server.baseUrlPath") or "", path)


def _page(request: Request) -> Response:
    given = request.cookies.get(visits.COOKIE, "")
    key = given if visits.is_key(given) else learners.new_key()
    if LEARNER.name not in request.query_params:
        return _with_cookie(HTMLResponse(html(), headers={"Cache-Control": "no-cache"}), request, key)
    linked = request.query_params[LEARNER.name]
    clean = request.url.remove_query_params(LEARNER.name)
    if learners.find(learner.database(), linked) is None:
        clean = clean.include_query_params(**{LEARNER_LINK.name: "unknown"})
    elif (
        key != linked and learners.find(learner.database(), key) is not None
    ):  # whose only way back is the cookie
        clean = clean.include_query_params(**{LEARNER_LINK.name: "other"})
    else:
        key = linked
    # Relative, because a proxy may have another name and a longer path for us.
    address = f"./{clean.path.rsplit('/', 1)[-1]}" + (f"?{clean.query}" if clean.query else "")
    return _with_cookie(RedirectResponse(address, 303, {"Cache-Control": "no-store"}), request, key)


def _leave(request: Request) -> Response:
    # A form on somebody else's page comes without the cookie, because that is SameSite; Origin tells nothing
    # here, because our pages name no referrer.
    if not visits.is_key(request.cookies.get(visits.COOKIE, "")):
        return Response(status_code=403)
    return _with_cookie(RedirectResponse(f"./{learner.STUDY.url_path}", 303), request, learners.new_key())


def _with_cookie(response: Response, request: Request, key: str) -> Response:
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    path = _below("").rstrip("/") or "/"
    cookies = {visits.COOKIE: key}
    if request.url.path.rstrip("/") == _below(pages.CLASS.url_path).rstrip("/"):
        held = request.cookies.get(visits.TEACHER_COOKIE, "")
        cookies[visits.TEACHER_COOKIE] = held if visits.is_key(held) else learners.new_key()
    for name, value in cookies.items():
        response.set_cookie(
            name, value, KEPT_SECONDS, path=path, secure=secure, httponly=True, samesite="lax"
        )
    return response


@cache
def html() -> str:
    """Streamlit's own page. Our script stands first in it, because Streamlit's calls what it replaces."""
    page = (Path(file_util.get_static_dir()) / "index.html").read_text("utf-8")
    script = Path(__file__).with_name("history.js").read_text("utf-8").replace("PLACES", json.dumps(PLACES))
    return page.replace("<head>", f"<head>\n<script>\n{script}</script>", 1)
