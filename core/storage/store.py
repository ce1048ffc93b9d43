"""The one class the rest of the app sees: open it once, share it between threads and sessions."""

from __future__ import annotations

from .transfer import TransferTables


class Store(TransferTables):
    """All that is stored, behind one open database.

    `Store.open()` takes the address from DATABASE_URL or a file in the data folder; `close()` or a
    `with` block lets it go. Every method is one transaction on a connection of its own.
    """
