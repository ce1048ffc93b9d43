"""A run as ONE file: a zip of JSON, plain arrays and the tuned weights as a difference to the base model.

Written by `pack`, read by `unpack`, which trusts nothing: members, sizes, shapes and values are checked
before they are used, and every refusal is one sentence. No pickle anywhere. Weights: run_file_weights.py.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..data.schema import from_json
from ..data.text import shown
from ..training.checkpoints import thin
from ..training.controls import BY_FIELD, CHECKS
from ..types import InputError, Run, TrainingConfig
from ..untrusted import check_packing, door, json_value
from . import npy
from .run_file_json import ABOUT, MAX_NOTE, MAX_TITLE, WeightsText, as_json, run_from_json

FORMAT, VERSION = "embedding-lab-run", 1
RUN, ARRAYS, WEIGHTS = "run.json", "arrays.npz", "weights.safetensors"
MEMBERS = {RUN: 64_000_000, ARRAYS: 200_000_000, WEIGHTS: 600_000_000}  # bytes each may unpack to
MAX_FILE = 200_000_000  # bytes of the file itself; a usual run has 10 to 20 million
KEPT_EMBEDDINGS = 96_000_000  # bytes of embeddings kept; a longer run keeps evenly spread snapshots


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What training changed. `differences` name -> int32: the bits of each tuned float32 minus the bits of
    the base model's, which is exact, and small where little changed. `base` is a digest of the weights
    they count from; `words` the token ids of the rows of "embeddings.word", if those were trained."""

    step: int
    base: str
    differences: Mapping[str, np.ndarray]
    words: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RunFile:
    """A kept run with what its owner wrote about it. `created` is ISO 8601."""

    run: Run
    title: str
    note: str = ""
    created: str = ""
    weights: Weights | None = None


def pack(kept: RunFile) -> bytes:
    """The bytes of the file. A run too long for KEPT_EMBEDDINGS keeps evenly spread snapshots."""
    run = thinned(kept.run)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "title": kept.title[:MAX_TITLE],
        "note": kept.note[:MAX_NOTE],
        "created": kept.created,
        "weights": None if kept.weights is None else {"step": kept.weights.step, "base": kept.weights.base},
        **as_json(run),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr(RUN, json.dumps(about, ensure_ascii=False, allow_nan=False))
        archive.writestr(ARRAYS, npy.pack(_arrays(run)))
        if kept.weights is not None:
            archive.writestr(WEIGHTS, _weight_bytes(kept.weights))
    return out.getvalue()


def unpack(data: bytes, name: str = "This file", with_weights: bool = True) -> RunFile:
    """Read what pack wrote. Raises InputError, one sentence, for anything else.

    Without weights the largest part is left packed: a worker reads it (run_file_weights.restore).
    """
    name = shown(name)
    if len(data) > MAX_FILE:
        raise InputError(
            f"{name} has {len(data) / 1e6:,.0f} MB; a run file has at most {MAX_FILE / 1e6:.0f} MB."
        )
    with (
        door(f"{name} is damaged, cut off or not a run file; save or download it again."),
        zipfile.ZipFile(io.BytesIO(data)) as archive,
    ):
        _check_members(archive, name)
        text = _text(_read(archive, RUN, name), name)
        arrays = npy.unpack(_read(archive, ARRAYS, name), MEMBERS[ARRAYS])
        weights = _read(archive, WEIGHTS, name) if with_weights and WEIGHTS in archive.namelist() else None
    try:
        with door(f"{name} does not describe its run as this app does, so it is refused."):
            about = from_json(ABOUT, text)
            run = run_from_json(about, arrays)
            check_settings(run.config)
            kept = None if weights is None else _weights(about.weights, weights)
            return RunFile(run, about.title, about.note, about.created, kept)
    except InputError as error:
        told = str(error)
        raise InputError(told if told.startswith(name) else f"{name} cannot be opened: {told}") from error


def thinned(run: Run) -> Run:
    """The run with as many snapshots as KEPT_EMBEDDINGS has room for, the first and the last among them."""
    if not run.snapshots:
        raise InputError("This run has no snapshot yet; let it make one step before saving it.")
    room = max(2, KEPT_EMBEDDINGS // max(1, run.snapshots[0].embeddings.nbytes))
    if len(run.snapshots) <= room:
        return run
    stay = set(thin([s.step for s in run.snapshots], room))
    return replace(
        run,
        snapshots=tuple(s for s in run.snapshots if s.step in stay),
        frames=tuple(f for f in run.frames if f.step in stay),
    )


def check_settings(config: TrainingConfig) -> None:
    """As controls.check, but a base model that this machine lacks is no reason to refuse a file."""
    for field in dataclasses.fields(TrainingConfig):
        value = getattr(config, field.name)
        if field.name == "base_model":
            problem = "" if isinstance(value, str) and 0 < len(value) <= 300 else f"{value!r} is no name"
        else:
            problem = CHECKS[BY_FIELD[field.name].kind](BY_FIELD[field.name], value)
        if problem:
            raise InputError(f"the setting {field.name} does not fit: {problem}.")


def _arrays(run: Run) -> dict[str, np.ndarray]:
    frames = [f for f in run.frames if f.xy.shape == run.frames[-1].xy.shape]
    counts = [len(s.forces.values) for s in run.snapshots]
    arrays: dict[str, np.ndarray] = {
        "embeddings": np.stack([s.embeddings for s in run.snapshots]).astype(np.float32),  # (T, n, d)
        "force_counts": np.array(counts, np.int64),  # (T,)
        "force_rows": np.concatenate([s.forces.rows.reshape(-1, 2) for s in run.snapshots]).astype(np.int64),
        "force_values": np.concatenate([s.forces.values for s in run.snapshots]).astype(np.float32),
    }
    if frames:
        arrays["xy"] = np.stack([f.xy for f in frames]).astype(np.float32)  # (F, n, 2 or 3)
        arrays["trust"] = np.stack([f.trust for f in frames]).astype(np.float32)  # (F, n)
    return arrays


def _weight_bytes(weights: Weights) -> bytes:
    from safetensors.numpy import save

    tensors = {f"difference/{name}": value for name, value in weights.differences.items()}
    if weights.words is not None:
        tensors["words"] = weights.words.astype(np.int64)
    return save(tensors)


def _weights(about: WeightsText | None, data: bytes) -> Weights:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
    except SafetensorError as error:
        raise InputError("its weights are damaged.") from error
    words = tensors.pop("words", None)
    differences = {name.removeprefix("difference/"): value for name, value in tensors.items()}
    if any(value.dtype != np.int32 for value in differences.values()) or not differences:
        raise InputError("its weights are not differences to a base model.")
    if about is None:
        raise InputError("its weights do not say which base model they belong to.")
    return Weights(about.step, about.base, differences, words)


def _check_members(archive: zipfile.ZipFile, name: str) -> None:
    """Only the three known members, each once, unencrypted and of a possible size."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    for one in names:
        if one.startswith(("/", "\\")) or ".." in one.replace("\\", "/").split("/") or ":" in one:
            raise InputError(f"{name} is refused: it holds a path that leads outside of it ({one[:60]!r}).")
    if RUN not in names or ARRAYS not in names:
        raise InputError(f"{name} is a zip file, but not a run saved by this app.")
    if set(names) - set(MEMBERS) or len(set(names)) != len(names):
        extra = next((one for one in names if one not in MEMBERS), names[-1])
        raise InputError(f"{name} is refused: a run file has no member {extra[:60]!r}, or not twice.")
    check_packing(archive, name)
    for info in infos:
        if info.file_size > MEMBERS[info.filename]:
            raise InputError(
                f"{name} is refused: its part {info.filename} would unpack to {info.file_size / 1e6:,.0f} "
                f"MB; at most {MEMBERS[info.filename] / 1e6:.0f} MB are allowed."
            )


def _read(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    """The bytes of a member, however large it claims to be: reading stops at the limit."""
    with archive.open(member) as stream:
        data = stream.read(MEMBERS[member] + 1)
    if len(data) > MEMBERS[member]:
        raise InputError(f"{name} is refused: its part {member} unpacks to more than it says.")
    return data


def _text(data: bytes, name: str) -> str:
    """run.json as text, once it says that it is of this format and version."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is damaged: its {RUN} cannot be read.") from error
    about = json_value(text, f"{name}: its {RUN}")
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise InputError(f"{name} is a zip file, but not a run saved by this app.")
    version = about.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(f"{name} does not say which version of the format it has, so it is refused.")
    if version > VERSION:
        raise InputError(
            f"{name} was saved by a newer version of this app (format {version}; this one reads up to "
            f"{VERSION}): update the app to open it."
        )
    return text
