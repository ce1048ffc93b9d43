"""A learner's own texts by the hundred thousand, for Search and Classification: upload, work, map.

The server keeps only where they lie (core/retrieval/collection.py); workers read, embed and index them. Who
brings the same texts shares the files, and the run that embeds them.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
from functools import cache, partial
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data.folders import own_folder
from core.retrieval import collection
from core.retrieval.collection import Capacity, TextCollection
from core.runs import machine
from core.types import InputError
from ui import messages, state, widgets
from ui.guard import uploads
from ui.resources import executor
from ui.state import Key

ENDINGS = ("txt", "csv", "tsv", "jsonl", "ndjson", "json", "parquet")
# Lanes: building takes its time, classifying some seconds, and nobody's question waits for either.
BUILD, CLASSIFY, ASK = "index", "classify", "search"
SMALLEST_MB, LARGEST_MB = 20, 200  # of an upload, which is in the server's memory until it is read
SHARE = 100  # an upload may take so small a part of the memory
READING = 600.0  # seconds a file may take to be read
KEPT = 8  # collections on the disk, all learners together; those that were used longest ago go first
_UNFIT = re.compile(r"[^\w. -]")  # for the name of a file


@cache
def space() -> Capacity:
    """What one collection may take of this machine, beside server and training processes."""
    others = machine.SERVER_BYTES + machine.most_workers() * machine.WORKER_BYTES
    return collection.capacity(machine.memory() - others, own_folder())


def megabytes() -> int:
    """Of one uploaded file."""
    return max(SMALLEST_MB, min(LARGEST_MB, machine.memory() // SHARE // 2**20))


def upload(key: Key[str | None], error: Key[str | None], label: str, labelled: bool) -> None:
    """The uploader; `key` gets the folder of the collection, `error` what was wrong with the file."""
    name = f"{key.name}_file {Path(state.get(key) or '').name}"  # empty again when its file was read
    act = partial(_read, key, error, name, labelled)
    widgets.upload(label, ENDINGS, key=name, megabytes=megabytes(), act=act)
    room = space()
    st.caption(
        f"Up to about {room.texts:,} texts of {collection.USUAL_CHARACTERS} characters: that many fit in "
        f"half of the {room.is_short_of} that is free on this machine beside the app."
    )
    messages.warning(state.get(error))


def told(found: TextCollection) -> None:
    """What is doubtful; and how the file was read, what was left out or changed, folded: it may be long."""
    messages.notices(notice for notice in found.notices if notice.text.endswith("?"))
    if found.notices:
        label = f"{found.count:,} texts from {found.title}: how they were read, what was left out or changed"
        with st.expander(messages.as_written(label)):
            messages.notices(found.notices)


def _read(key: Key[str | None], error: Key[str | None], name: str, labelled: bool) -> None:
    """Hand the file to a worker, and let go of it: the uploader would keep it in the server's memory."""
    state.put(error, None)
    file = state.widget_value(name)
    if not isinstance(file, UploadedFile):  # none any more: taken away, or let go of below
        return
    home = own_folder() / "collections"
    copy = own_folder() / f"upload-{secrets.token_hex(4)}" / _file_name(file.name)
    title = Path(file.name).stem
    with messages.kept_in(error):
        try:
            copy.parent.mkdir()
            with copy.open("wb") as out:
                shutil.copyfileobj(file, out)
            uploads.release(file.file_id)
            args = (str(copy), title, str(home), space(), labelled)
            found = executor().call(collection.read, *args, lane=BUILD).result(timeout=READING)
        finally:
            shutil.rmtree(copy.parent, ignore_errors=True)
        state.put(key, found.folder)
        _make_room(home, Path(found.folder))


def _file_name(name: str) -> str:
    """The name that messages say and whose ending says what the file is; none that leads elsewhere."""
    plain = _UNFIT.sub("_", name)[-60:]
    return f"_{plain}" if plain.startswith(".") else plain


def _make_room(home: Path, newest: Path) -> None:
    newest.touch()
    for folder in sorted(home.iterdir(), key=lambda f: f.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def current(key: Key[str | None]) -> TextCollection | None:
    """The learner's collection, or None where there is none; one that is gone is told."""
    folder = state.get(key)
    if folder is None:
        return None
    try:
        found = collection.opened(folder)
    except InputError:
        state.put(key, None)
        raise
    with contextlib.suppress(OSError):
        Path(folder).touch()
    return found
