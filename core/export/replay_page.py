"""A run as one HTML file that replays it in any browser, offline: the page is assets/export/replay.html.

Nothing is fetched (its own security policy forbids it) and texts reach the page as JSON that is set as text,
so nothing typed can become markup or code.
"""

from __future__ import annotations

import base64
import html
import json
import math

import numpy as np

from ..data.assets import ASSETS
from ..data.split import held_out_rows
from ..training.checkpoints import thin
from ..types import Forces, Frame, InputError, Run

TEMPLATE = ASSETS / "export" / "replay.html"
# How the app's map draws points. The page draws them by the same file, which the browser reads as a module.
DRAWING = ASSETS.parent / "ui" / "boards" / "moving_map" / "frontend" / "points.js"
MOST_FRAMES = 240  # a longer run is thinned evenly
MOST_FORCES = 40  # lines a frame; the strongest ones


def replay_html(run: Run, title: str) -> bytes:
    """The file, UTF-8. Needs a map: raises InputError for a run without frames."""
    frames = drawn_frames(run)
    snapshot_at = {s.step: s for s in run.snapshots}
    names = [g for g in dict.fromkeys(run.sentences.groups) if g is not None]
    number = {name: i for i, name in enumerate(names)}
    losses = [snapshot_at[f.step].loss if f.step in snapshot_at else math.nan for f in frames]
    data = {
        "title": title,
        "about": f"{len(run.sentences)} sentences, {len(run.pairs)} pairs, base model "
        f"{run.config.base_model}, loss {run.config.loss}, seed {run.config.seed}. Map: {frames[-1].method}, "
        "drawn from the model's own embeddings at every step shown.",
        "texts": run.sentences.texts,
        "group": [-1 if g is None else number[g] for g in run.sentences.groups],
        "groups": names,
        "held_out": held_out_rows(run.sentences, run.held_out),
        "steps": [f.step for f in frames],
        "losses": [round(loss, 5) if math.isfinite(loss) else None for loss in losses],
        "xy": base64.b64encode(np.stack([f.xy[:, :2] for f in frames]).astype("<f4").tobytes()).decode(),
        "forces": [_strongest(snapshot_at[f.step].forces) if f.step in snapshot_at else [] for f in frames],
    }
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    drawing = DRAWING.read_text(encoding="utf-8").replace("export ", "")
    page = TEMPLATE.read_text(encoding="utf-8").replace("__DRAWING__", drawing, 1)
    return page.replace("__TITLE__", html.escape(title), 1).replace("__DATA__", text, 1).encode("utf-8")


def drawn_frames(run: Run, most: int = MOST_FRAMES) -> list[Frame]:
    """The frames of one layout, thinned to `most`. Raises InputError when nothing was drawn yet."""
    if not run.frames:
        raise InputError("This run has no map yet. Open it on Train live once, and try again.")
    last = run.frames[-1]
    same = [f for f in run.frames if f.method == last.method and f.xy.shape == last.xy.shape]
    stay = set(thin([f.step for f in same], most))
    return [f for f in same if f.step in stay]


def _strongest(forces: Forces) -> list[list[float]]:
    """[row, row, force between -1 and 1] of the strongest pairs, relative to the strongest of the frame."""
    if not len(forces.values):
        return []
    order = np.argsort(-np.abs(forces.values), kind="stable")[:MOST_FORCES]
    top = float(np.abs(forces.values[order[0]])) or 1.0
    return [
        [int(forces.rows[i, 0]), int(forces.rows[i, 1]), round(float(forces.values[i]) / top, 3)]
        for i in order
    ]
