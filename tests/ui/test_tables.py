"""Tables: long texts come first and wrap, numbers are rounded, and a CSV runs nothing in a spreadsheet."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest

SENTENCE = "Reception found us a better room without being asked, and the bed was so soft that we overslept."


def drawn(**columns: list[Any]) -> Any:
    """The table as Streamlit is told to draw it."""

    def script(columns: dict[str, list[object]]) -> None:
        from ui.tables import safe_table

        safe_table(columns, key="rows", name="rows")

    app = AppTest.from_function(script, kwargs={"columns": columns}).run()
    assert not app.exception
    return app.dataframe[0].proto


def test_long_texts_stand_first_and_wrap_in_rows_that_hold_them():
    proto = drawn(place=[1, 2], label=["similar", "other"], left=[SENTENCE, "short"], cosine=[0.1234, 0.5])
    assert list(proto.column_order) == ["left", "place", "label", "cosine"]
    width = json.loads(proto.columns)["left"]["width"]
    lines = len(SENTENCE) * 7 / width
    assert 150 <= width <= 640 and lines > 1
    assert proto.row_height > 64, "Streamlit wraps in rows above 4 rem only"
    assert proto.row_height >= 20 * lines


def test_a_table_without_long_texts_keeps_its_order_and_its_rows():
    proto = drawn(place=[1, 2], word=["king", "queen"], cosine=[0.1234, 0.5])
    assert list(proto.column_order) == ["place", "word", "cosine"]
    assert not proto.row_height
