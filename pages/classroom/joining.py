"""How learners get in: the link and its QR code, with an address that their phones can reach."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st
from streamlit import config

from core.classroom.rooms import Room
from pages.classroom import keys
from ui import pages
from ui.guard import outside

ONLY_HERE = (
    "This server listens on this computer only, so phones cannot reach it. Stop it and start it again with "
    "`make app ADDRESS=0.0.0.0` (or `embedding-lab --address 0.0.0.0`), then open this page again: the room "
    "will still be here."
)
OTHER_NAMES = (
    "If phones cannot open it, they are in another network than this computer, or the network keeps devices "
    "apart, as guest networks do. A proxy has to pass WebSockets on; open this page by the proxy's address, "
    "and the link names that."
)


def page_address() -> str:
    """This page as the browser here names it, without parameters: behind a proxy that is the proxy's name."""
    return str(st.context.url or pages.CLASS.url_path).split("?")[0]


def is_only_here() -> bool:
    """Whether the server takes connections from this computer alone, and this browser is on it."""
    host = urlsplit(page_address()).hostname
    return (host is None or host in outside.LOCAL) and config.get_option("server.address") in outside.LOCAL


def link(room: Room) -> str:
    """What learners open. "localhost" would be their own phone, so it becomes an address of this machine."""
    page = urlsplit(page_address())
    if page.hostname in outside.LOCAL and not is_only_here():
        port = "" if page.port is None else f":{page.port}"
        page = page._replace(netloc=f"{outside.own_addresses()[0]}{port}")
    return f"{page.geturl()}?{urlencode({keys.ROOM.name: room.code})}"


@lru_cache(maxsize=64)
def qr_code(text: str) -> str:
    """An SVG, dark on white in both themes because cameras want it so."""
    image = BytesIO()
    segno.make(text, error="m", micro=False).save(
        image, kind="svg", scale=10, border=2, dark="#000", light="#fff", xmldecl=False, svgns=True
    )
    return image.getvalue().decode()


def told(room: Room) -> None:
    """Link, QR code and what to do where phones cannot get here, for the teacher."""
    if is_only_here():
        st.warning(ONLY_HERE, icon=":material/wifi_off:")
    left, right = st.columns([0.35, 0.65], gap="medium", vertical_alignment="center")
    with left:
        st.image(qr_code(link(room)), width=180)
    with right:
        st.markdown(f"Code: **{room.code}**")
        st.code(link(room), language=None, wrap_lines=True)
        if not is_only_here():
            st.caption(OTHER_NAMES)
