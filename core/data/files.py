"""Files on one's own disk, read and written whole; what goes wrong is one sentence that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..types import InputError


def read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error


def write_bytes(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}.") from error


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """A refusal inside names the file."""
    try:
        yield
    except InputError as error:
        said = str(error)
        raise InputError(said if said.startswith(file.name) else f"{file.name}: {said}") from error
