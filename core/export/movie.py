"""The movement of a run as an animated GIF, and one frame of it as PNG or SVG. Drawn with Pillow.

GIF and not MP4: every viewer plays it, and no video encoder has to be installed for it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..types import Run
from . import lettering
from .replay_page import drawn_frames

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#262D36")
NEUTRAL = "#7A7F84"  # of a sentence without a group; both as the map in the app draws them on white
GROUND, TEXT, EDGE = "#FFFFFF", "#1F2933", "#FFFFFF"
MOST_KEYS = 60  # frames of the run that a movie shows
BETWEEN = 3  # pictures from one of them to the next
SECONDS_AT_END = 1.5
MARGIN, FOOT, RADIUS = 36, 34, 6


def gif(run: Run, width: int = 640, height: int = 480, frames_a_second: int = 15) -> bytes:
    """The run as an endless GIF; it glides straight from frame to frame, and rests at the end.

    Raises InputError for a run without a map.
    """
    keys = drawn_frames(run, MOST_KEYS)
    xys = [f.xy[:, :2].astype(np.float64) for f in keys]
    losses = {s.step: s.loss for s in run.snapshots}
    to_pixels = _scaler(xys, width, height)
    colours = _colours(run)
    pictures = []
    for i, (key, xy) in enumerate(zip(keys, xys)):
        label = _label(key.step, losses.get(key.step))
        following = xys[i + 1] if i + 1 < len(xys) else None
        for j in range(BETWEEN if following is not None else 1):
            mixed = xy if following is None else xy + (following - xy) * (j / BETWEEN)
            pictures.append(_picture(to_pixels(mixed), colours, label, width, height, run))
    durations = [round(1000 / frames_a_second)] * len(pictures)
    durations[-1] = round(1000 * SECONDS_AT_END)
    out = io.BytesIO()
    reduced = _one_palette(pictures)
    reduced[0].save(
        out, "GIF", save_all=True, append_images=reduced[1:], duration=durations, loop=0, disposal=1
    )
    return out.getvalue()


def png(run: Run, frame: int = -1, width: int = 1200, height: int = 900) -> bytes:
    """One frame of the map as PNG."""
    keys = drawn_frames(run)
    to_pixels = _scaler([keys[frame].xy[:, :2].astype(np.float64)], width, height)
    label = _label(keys[frame].step, None)
    points = to_pixels(keys[frame].xy[:, :2].astype(np.float64))
    picture = _picture(points, _colours(run), label, width, height, run, scale=2)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def svg(run: Run, frame: int = -1, width: int = 1200, height: int = 900) -> bytes:
    """One frame of the map as SVG: circles with their sentence as tooltip, the legend below."""
    keys = drawn_frames(run)
    xy = keys[frame].xy[:, :2].astype(np.float64)
    points, colours = _scaler([xy], width, height)(xy), _colours(run)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="Inter, sans-serif" font-size="14">',
        f'<rect width="{width}" height="{height}" fill="{GROUND}"/>',
    ]
    for (x, y), colour, sentence in zip(points, colours, run.sentences.sentences):
        text = escape(_printable(sentence.text))
        lines.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{colour}"><title>{text}</title></circle>'
        )
    x = MARGIN
    for name, colour in _legend(run):
        lines.append(f'<circle cx="{x}" cy="{height - 16}" r="5" fill="{colour}"/>')
        lines.append(f'<text x="{x + 10}" y="{height - 11}" fill="{TEXT}">{escape(_printable(name))}</text>')
        x += 26 + 8 * len(name)
    label = _label(keys[frame].step, None)
    lines.append(
        f'<text x="{width - MARGIN}" y="{height - 11}" text-anchor="end" fill="{TEXT}">{label}</text>'
    )
    return "\n".join([*lines, "</svg>"]).encode("utf-8")


class _scaler:  # noqa: N801 (a function with a memory)
    """Map coordinates to pixels, the same for all frames of a movie; both axes share one scale."""

    def __init__(self, xys: Sequence[np.ndarray], width: int, height: int) -> None:
        every = np.concatenate(xys) if len(xys[0]) else np.zeros((1, 2))
        low, high = every.min(axis=0), every.max(axis=0)
        room = np.array([width - 2 * MARGIN, height - 2 * MARGIN - FOOT], float)
        self.scale = float((room / np.maximum(high - low, 1e-6)).min())
        self.middle = (low + high) / 2
        self.centre = np.array([width / 2, (height - FOOT) / 2])

    def __call__(self, xy: np.ndarray) -> np.ndarray:
        return (xy - self.middle) * np.array([self.scale, -self.scale]) + self.centre


def _picture(
    points: np.ndarray,
    colours: Sequence[str],
    label: str,
    width: int,
    height: int,
    run: Run,
    scale: int = 1,
) -> Image.Image:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(picture)
    radius = RADIUS * scale
    for (x, y), colour in zip(points, colours):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour, outline=EDGE)
    _foot(draw, label, width, height, run, scale)
    return picture


def _foot(draw: ImageDraw.ImageDraw, label: str, width: int, height: int, run: Run, scale: int) -> None:
    x, y = float(MARGIN), height - 14 * scale
    right = width - MARGIN - lettering.length(label, scale)
    lettering.draw(draw, right, y, label, TEXT, scale)
    for name, colour in _legend(run):
        text = _printable(name)
        wide = lettering.length(text, scale)
        if x + wide + 40 * scale > right:
            return  # what does not fit is left out rather than drawn over
        r = 5 * scale
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        lettering.draw(draw, x + 10 * scale, y, text, TEXT, scale)
        x += wide + 28 * scale


def _one_palette(pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """All pictures with the colours of the first: no flicker, and a smaller file."""
    from PIL import Image

    first = pictures[0].quantize(64, method=Image.Quantize.MEDIANCUT)
    return [picture.quantize(palette=first, dither=Image.Dither.NONE) for picture in pictures]


def _legend(run: Run) -> list[tuple[str, str]]:
    names = [g for g in dict.fromkeys(run.sentences.groups) if g is not None]
    rows = [(name, PALETTE[i % len(PALETTE)]) for i, name in enumerate(names)]
    return [*rows, ("no group", NEUTRAL)] if names and None in run.sentences.groups else rows


def _colours(run: Run) -> list[str]:
    of = dict(reversed(_legend(run)))  # of two equal names the first, which is a group
    return [NEUTRAL if g is None else of[g] for g in run.sentences.groups]


def _label(step: int, loss: float | None) -> str:
    return f"step {step}" if loss is None or not np.isfinite(loss) else f"step {step}, loss {loss:.3f}"


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())
