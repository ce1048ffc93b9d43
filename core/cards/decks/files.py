"""A deck from a file of any kind, told by what is in it more than by its name."""

from __future__ import annotations

from pathlib import Path

from ...data.tables import check_size, decode
from ...types import InputError, Notice
from .. import export, parse
from ..types import Deck
from . import anki, apkg

ENDINGS = ("md", "txt", "csv", "tsv", "apkg")


def read_file(data: bytes, filename: str, key: str) -> tuple[Deck, tuple[Notice, ...]]:
    """What can be read of a file in the deck format, of a table, of Anki's packages and text export or of a
    list of terms; the notices say what could not, by line. Raises InputError naming the file when nothing
    can."""
    check_size(data, filename)
    if apkg.is_package(data):
        return apkg.read(data, filename, key)
    text, path = decode(data, filename), Path(filename)
    if anki.is_export(text) or (path.suffix.casefold() == ".txt" and anki.is_list(text)):
        return anki.read(text, path.stem, key)
    if path.suffix.casefold() in (".csv", ".tsv"):
        return export.from_csv(data, filename, key)
    try:
        return parse.read(text, key)
    except InputError as error:
        raise InputError(f"{filename}: {error}") from error
