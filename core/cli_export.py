"""`export` of the command line: which ending means which format, and how each is made from a run file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core import movie, takehome_data
from core.replay_html import replay_html
from core.runfile import RunFile, unpack
from core.takehome_script import script
from core.types import InputError, Run

Maker = Callable[[RunFile], bytes]


def _last(write: Callable[..., bytes]) -> Maker:
    return lambda kept: write(kept.run.sentences, kept.run.snapshots[-1].embeddings)


FORMATS: dict[str, Maker] = {  # longer endings first
    ".pairs.csv": lambda kept: takehome_data.pairs_csv(kept.run.sentences, kept.run.pairs, kept.run.held_out),
    ".tsv.zip": _last(takehome_data.projector_zip),
    ".html": lambda kept: replay_html(drawn(kept.run), kept.title),
    ".gif": lambda kept: movie.gif(drawn(kept.run)),
    ".svg": lambda kept: movie.svg(drawn(kept.run)),
    ".png": lambda kept: movie.png(drawn(kept.run)),
    ".py": lambda kept: script(kept.run).encode(),
    ".csv": _last(takehome_data.embeddings_csv),
    ".parquet": _last(takehome_data.embeddings_parquet),
    ".npz": _last(takehome_data.embeddings_npz),
}


def write(file: Path, out: Path) -> None:
    """Read the run file and write `out` in the format of its ending; without one, the model's folder."""
    from core.cli import read_bytes, write_bytes

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
    from core.projection import layout_all

    frames = layout_all("pca", [s.embeddings for s in run.snapshots], steps=[s.step for s in run.snapshots])
    return replace(run, frames=tuple(frames))


def _model(kept: RunFile, file: Path, out: Path) -> None:
    from core.runfile_weights import restore
    from core.takehome import model_folder

    if out.exists():
        raise InputError(f"{out} exists already; choose another name or remove it.")
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = str(Path(folder) / "last.safetensors")
        restore(str(file), checkpoint)
        model_folder(kept.run, checkpoint, out, kept.title or out.name)
