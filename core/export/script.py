"""The run as one self-contained Python script on sentence-transformers that repeats it.

The script is assets/export/repeat_run.py, an ordinary file that can be read, linted and run; only the block
of data in it is filled in here. Every text becomes a Python literal, so nothing typed can become code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ..data.assets import ASSETS
from ..models.registry import BASE_MODELS, layer_count
from ..training.controls import pooling_meant
from ..types import InputError, Pair, Run

TEMPLATE = ASSETS / "export" / "repeat_run.py"
HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"  # what the packaged model is
STATIC_FOLDER = "assets/static"  # in a checkout; no hub has it
BEGIN, END = "# <data>\n", "# </data>\n"


def script(run: Run) -> str:
    """Python source that trains what `run` trained, up to the step it reached, and compares the scores."""
    template = TEMPLATE.read_text(encoding="utf-8")
    before, rest = template.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    row = run.sentences.row()
    known = BASE_MODELS.get(run.config.base_model)
    layers = known.layers if known is not None and known.key == "minilm-l3" else None
    settings = dataclasses.asdict(run.config) | {"pooling": pooling_meant(run.config)}
    settings["last_step"] = run.snapshots[-1].step
    last = run.snapshots[-1].metrics
    expected = {
        "step": run.snapshots[-1].step,
        "held_out_accuracy": last.held_out_accuracy,
        "held_out_auc": last.held_out_auc,
    }
    base = run.config.base_model
    if known is not None:
        base = HUB_ID if known.layers else STATIC_FOLDER
    data = [
        f"BASE = {base!r}",
        f"STATIC = {_is_static(run.config.base_model)!r}  # static word vectors, without layers",
        f"LAYERS = {layers!r}  # keep only so many layers of the base model",
        *_table("SETTINGS", [f"{k!r}: {v!r}," for k, v in settings.items()], "{}"),
        *_table("SENTENCES", [f"({s.text!r}, {s.group!r})," for s in run.sentences.sentences], "[]"),
        *_table("TRAIN", _pairs(run.pairs, row), "[]"),
        *_table("HELD_OUT", _pairs(run.held_out, row), "[]"),
        f"EXPECTED = {expected!r}  # what the app measured at the end",
    ]
    return before + "\n".join(data) + "\n" + after


def _is_static(base_model: str) -> bool:
    try:
        return layer_count(base_model) == 0
    except InputError:  # a model that this machine lacks
        return False


def _table(name: str, lines: Sequence[str], brackets: str) -> list[str]:
    return [f"{name} = {brackets[0]}", *(f"    {line}" for line in lines), brackets[1]]


def _pairs(pairs: Sequence[Pair], row: dict[str, int]) -> list[str]:
    return [f"({row[p.left]}, {row[p.right]}, {p.label!r})," for p in pairs]
