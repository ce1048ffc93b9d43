"""Where a person's own things are kept: progress, saved runs, tuned models. One folder, found in one way.

And where a process keeps what it needs while it lives: checkpoints, sockets, files on their way to a browser.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from io import TextIOWrapper
from multiprocessing.util import Finalize
from pathlib import Path

from ..types import InputError

try:
    import fcntl
except ImportError:  # Windows, where a folder with an open file in it cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

PREFIX, OWNER = "embedding-lab-", "owner"
DISK = "EMBEDDING_LAB_DISK"  # GB that the checkpoints of all runs together may take
DISK_GB = 2.0
LIVE = "live"  # below the data folder: runs that several page servers tell each other of
HOME = "EMBEDDING_LAB_HOME"  # the folder of everything below
TUNED = "EMBEDDING_LAB_TUNED"  # another folder for tuned models alone


def data_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """EMBEDDING_LAB_HOME, else the folder that this system has for an app's data of one user."""
    if home := environment.get(HOME):
        return Path(home).expanduser()
    from platformdirs import user_data_path

    return user_data_path("embedding-lab", appauthor=False)


def model_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where tuned models are kept, then where 0.1.0 kept them: it did not ask EMBEDDING_LAB_HOME."""
    if tuned := environment.get(TUNED):
        return (Path(tuned).expanduser(),)
    from platformdirs import user_data_path

    return data_folder(environment) / "models", user_data_path("embedding-lab") / "models"


@cache
def own_folder() -> Path:
    """This process's folder among the system's temporary ones; it goes when the process ends.

    Those of processes that were killed are removed first. Raises InputError when there is no room for one.
    """
    place = Path(tempfile.gettempdir())
    remove_orphans(place)
    folder = claim(place)
    # After the sockets in it, which multiprocessing removes itself, one by one.
    global _remove
    _remove = Finalize(None, shutil.rmtree, (folder,), {"ignore_errors": True}, exitpriority=-100)
    return folder


def claim(place: Path) -> Path:
    """A new folder there that is this process's while it lives. Raises InputError when there is no room."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        owner = (folder / f"{OWNER}.part").open("w")
        _lock(owner)
        (folder / f"{OWNER}.part").rename(folder / OWNER)
    except OSError as error:
        raise InputError(no_room(place, error)) from error
    _held.append(owner)
    return folder


def is_claimed(folder: Path) -> bool:
    """Whether the process that claimed it lives."""
    try:
        with (folder / OWNER).open("r+") as file:
            _lock(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def remove_own_folder() -> None:
    """For a server that has ended its work: after a SIGTERM nothing runs when its process ends."""
    if _remove is not None:
        _remove()


def remove_orphans(place: Path) -> None:
    """Remove the folders of processes that live no more: a lock ends with its process, however that ends."""
    for owner in place.glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError), owner.open("r+") as file:
            _lock(file)
            shutil.rmtree(owner.parent, ignore_errors=True)


def _lock(file: TextIOWrapper) -> None:
    """Take the lock of the file. Raises OSError when another process holds it."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def locked(file: TextIOWrapper) -> Iterator[None]:
    """Wait until no other process has the file locked, and keep it so while this is open."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX)
    yield


_held: list[TextIOWrapper] = []  # the lock is kept as long as the file is open
_remove: Finalize[None] | None = None  # it runs once, whoever calls it first


def no_room(place: Path, error: Exception) -> str:
    """What to say when a folder takes nothing more."""
    reason = str(getattr(error, "strerror", None) or error).rstrip(".")
    return f"The folder {place} cannot be written: {reason}. Make room there and try again."


def disk_budget(environment: Mapping[str, str] = os.environ) -> int:
    """Bytes that the checkpoints of all runs together may take. What is no number counts for nothing."""
    with contextlib.suppress(ValueError):
        return int(max(0.1, float(environment.get(DISK, DISK_GB))) * 1e9)
    return int(DISK_GB * 1e9)


def too_many(folders: Sequence[Path], whole: Path, budget: int, to_come: int = 0) -> list[Path]:
    """Which of these folders, the first ones first, have to be emptied so that what lies below `whole` fits,
    with `to_come` more files as large as the largest, for which half the budget at most is left free.

    A file that several folders share counts once, and is free only when all of them are empty.
    """
    holders: dict[tuple[int, int], set[Path]] = {}
    sizes: dict[tuple[int, int], int] = {}
    for file in whole.rglob("*"):
        with contextlib.suppress(OSError):  # dropped by its worker meanwhile
            found = file.stat()
            if file.is_file():
                key = found.st_dev, found.st_ino
                sizes[key] = found.st_size
                holders.setdefault(key, set()).add(file.parent)
    total, chosen = sum(sizes.values()), []
    room = max(budget / 2, budget - to_come * max(sizes.values(), default=0))
    for folder in folders:
        if total <= room:
            break
        chosen.append(folder)
        for key, parents in holders.items():
            if folder in parents:
                parents.discard(folder)
                total -= sizes[key] if not parents else 0
    return chosen
