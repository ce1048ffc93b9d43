"""The app tells nobody outside that it runs, and tells whoever starts it who can reach it."""

from __future__ import annotations

import os
import socket
from typing import Final

import psutil
from streamlit import config, net_util

EVERYWHERE: Final = ("", "0.0.0.0", "::")
LOCAL: Final = ("localhost", "127.0.0.1", "::1")


def ask_nobody() -> None:
    """Streamlit asks a service on the internet for this machine's address, up to two seconds long, whenever a
    page of another origin opens a WebSocket; such an origin is refused without asking."""
    net_util.get_external_ip = _unknown
    net_util.get_internal_ip = _unknown  # opens a socket to 8.8.8.8


def _unknown() -> None:
    return None


def who_can_reach() -> str:
    """For the terminal: two lines when others than this computer can open the app, else ""."""
    address = config.get_option("server.address") or ""
    if address in LOCAL:
        return ""
    port = config.get_option("server.port")
    hosts = own_addresses() if address in EVERYWHERE else [address]
    urls = ", ".join(f"http://{host}:{port}" for host in hosts)
    locked = bool(os.environ.get("EMBEDDING_LAB_PASSWORD"))
    who = "Whoever gives the class password" if locked else "Without a password, everybody there"
    more = "" if locked else " EMBEDDING_LAB_PASSWORD=... asks for one first."
    return (
        f"  Every computer that reaches this one can open the app: {urls}\n"
        f"  {who} can train, save and keep models here; what is sent is not encrypted (README).{more}"
    )


def own_addresses() -> list[str]:
    """The IPv4 addresses of this machine's interfaces, read from the system without asking anybody."""
    found = (entry for entries in psutil.net_if_addrs().values() for entry in entries)
    ours = [one.address for one in found if one.family == socket.AF_INET]
    return [address for address in ours if not address.startswith("127.")] or ["localhost"]
