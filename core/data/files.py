"""Files on one's own disk, read and written; what goes wrong is one sentence that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..types import InputError


def read_bytes(file: Path) -> bytes:
    with reading(file):
        return file.read_bytes()


def write_bytes(file: Path, data: bytes) -> None:
    with replacing(file) as out:
        out.write(data)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """What the system refuses inside becomes a sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error


@contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """A stream that becomes the file at the end; until then, and after an error, what was there stays."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(file)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """A refusal inside names the file."""
    try:
        yield
    except InputError as error:
        said = str(error)
        raise InputError(said if said.startswith(file.name) else f"{file.name}: {said}") from error
