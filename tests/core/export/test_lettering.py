"""Names in pictures have letters, not boxes, in every script."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from core.export import lettering

GROUPS = (
    "café",
    "天气",
    "опоздание",
    "Ελλάδα",
    "Việt Nam",
    "हिन्दी",
    "ภาษาไทย",
    "한국어",
    "مرحبا",
    "שלום",
    "😀",
    "①→½",
)


def drawn(text: str) -> bytes:
    picture = Image.new("L", (400, 60), 255)
    lettering.draw(ImageDraw.Draw(picture), 10, 30, text, "#000000")
    return picture.tobytes()


@pytest.mark.parametrize("text", GROUPS)
def test_every_letter_has_a_shape_of_its_own(text):
    box = drawn(lettering.MISSING)
    assert all(drawn(c) != box for c in text if not c.isspace())
    assert 0 < lettering.length(text) < 400 and drawn(text) != drawn("")


def test_the_apps_own_font_comes_first():
    own = [font.path for _, font in lettering._runs("café опоздание", 1)]
    assert {path.name for path in own} <= {path.name for path in lettering.OWN}
    assert len(lettering._runs("hello 天气 hello", 1)) == 2


def test_what_is_written_from_right_to_left_is_ordered_as_one_line():
    (only,) = lettering._runs("مرحبا, שלום!", 1)
    assert only[0] == "مرحبا, שלום!"
