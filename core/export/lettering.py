"""Words in pictures, in any script: the app's own font, and where it lacks a letter one with wide coverage.

Apart from core/export/movie.py because Pillow writes a text in one font, with boxes for letters it lacks.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.assets import ASSETS

if TYPE_CHECKING:
    from PIL import ImageDraw

INTER = ASSETS.parent / "static" / "fonts"
OWN = tuple(
    INTER / f"inter-{part}.woff2" for part in ("latin", "latin-ext", "vietnamese", "greek", "cyrillic")
)
WIDE = (ASSETS / "fonts" / "unifont.woff2", ASSETS / "fonts" / "unifont-upper.woff2")
OWN_SIZE, WIDE_SIZE = 13, 16  # pixels at scale 1; Unifont is drawn on a grid of 16
MISSING = "\U0010fff0"  # a character that no font has


def draw(canvas: ImageDraw.ImageDraw, x: float, y: float, text: str, fill: str, scale: int = 1) -> None:
    """Write one line of text from `x` on, its small letters about as much above `y` as below."""
    for part, font in _runs(text, scale):
        canvas.text((x, y + 5 * scale), part, fill=fill, font=font, anchor="ls")
        x += font.getlength(part)


def length(text: str, scale: int = 1) -> float:
    """Pixels that `draw` needs."""
    return sum(font.getlength(part) for part, font in _runs(text, scale))


def _runs(text: str, scale: int) -> list[tuple[str, Any]]:
    """The text in parts, each with the font that has its characters.

    A text with letters written from right to left stays in one part: only within a part they are ordered.
    """
    paths: list[Path] = []
    rightwards = any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)
    for c in text:
        usual = WIDE[:1] if rightwards else (*paths[-1:], *OWN, *WIDE)
        paths.append(next((path for path in usual if _has(path, c)), WIDE[0]))
    parts: list[tuple[str, Path]] = []
    for c, path in zip(text, paths):
        if parts and parts[-1][1] == path:
            parts[-1] = (parts[-1][0] + c, path)
        else:
            parts.append((c, path))
    return [(part, _font(path, scale)) for part, path in parts]


@lru_cache(maxsize=32)
def _font(path: Path, scale: int) -> Any:
    """The font, or Pillow's own where its FreeType cannot unpack WOFF2."""
    from PIL import ImageFont

    size = (OWN_SIZE if path in OWN else WIDE_SIZE) * scale
    try:
        return ImageFont.truetype(path, size)
    except OSError:
        return ImageFont.load_default(size)


@lru_cache(maxsize=20_000)
def _has(path: Path, character: str) -> bool:
    """Whether the font has a shape of its own for the character."""
    return _shape(path, character) != _shape(path, MISSING)


def _shape(path: Path, character: str) -> tuple[Any, bytes]:
    mask = _font(path, 1).getmask(character)
    return mask.size, bytes(mask)
