"""`export` of the command line: which ending means which format, and how each is made from a run file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..data.files import read_bytes, write_bytes
from ..types import InputError, Run
from . import movie, table_files
from .replay_page import replay_html
from .run_file import RunFile, unpack
from .script import script

Maker = Callable[[RunFile], bytes]


def _last(write: Callable[..., bytes]) -> Maker:
    return lambda kept: write(kept.run.sentences, kept.run.snapshots[-1].embeddings)


FORMATS: dict[str, Maker] = {  # longer endings first
    ".pairs.csv": lambda kept: table_files.pairs_csv(kept.run.sentences, kept.run.pairs, kept.run.held_out),
    ".tsv.zip": _last(table_files.projector_zip),
    ".html": lambda kept: replay_html(drawn(kept.run), kept.title),
    ".gif": lambda kept: movie.gif(drawn(kept.run)),
    ".svg": lambda kept: movie.svg(drawn(kept.run)),
    ".png": lambda kept: movie.png(drawn(kept.run)),
    ".py": lambda kept: script(kept.run).encode(),
    **{ending: _last(partial(table_files.embeddings, ending)) for ending in table_files.EMBEDDINGS},
}


def write(file: Path, out: Path) -> None:
    """Read the run file and write `out` in the format of its ending; without one, the model's folder."""
    kept = unpack(read_bytes(file), file.name)
    make = next((make for ending, make in FORMATS.items() if out.name.lower().endswith(ending)), None)
    if make is not None:
        write_bytes(out, make(kept))
    elif out.suffix:
        raise InputError(f"{out.name}: unknown ending. Known: {', '.join(FORMATS)}, or none for the model.")
    else:
        _model(kept, file, out)


def drawn(run: Run) -> Run:
    """The run with its map; a run from the command line has none yet, and gets a PCA of all its frames."""
    if run.frames:
        return run
    from ..maps.layouts import layout_all

    frames = layout_all("pca", [s.embeddings for s in run.snapshots], steps=[s.step for s in run.snapshots])
    return replace(run, frames=tuple(frames))


def _model(kept: RunFile, file: Path, out: Path) -> None:
    from .model_folder import model_folder
    from .run_file_weights import restore

    if out.exists():
        raise InputError(f"{out} exists already; choose another name or remove it.")
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = str(Path(folder) / "last.safetensors")
        restore(str(file), checkpoint)
        model_folder(kept.run, checkpoint, out, kept.title or out.name)
