"""Tables as every page shows them: rounded numbers, texts as texts, and a CSV no spreadsheet can run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.data.separated import csv_bytes

DECIMALS = 3
LONG = 24  # characters; a column with a longer text comes first and wraps
ROOM = 640  # pixels of a table beside the cards in a window of 1366; wider ones have room to spare
CHARACTER, LINE, PADDING = 7.5, 20, 16  # pixels
NARROWEST, MOST_LINES = 150, 6
WRAPS = 66  # pixels; Streamlit wraps texts in rows higher than 4 rem only


def safe_table(
    columns: Mapping[str, Any],
    *,
    key: str,
    name: str,
    height: int | None = None,
    formats: Mapping[str, str] | None = None,
    room: int = ROOM,
    first: Sequence[str] = (),
) -> None:
    """A sortable table of equally long columns, with a download whose cells no spreadsheet will execute.

    Long texts stand first and wrap, after the columns of `first`, which a phone shows at once. User
    text reaches the browser as plain cell text; it is never read as Markdown or HTML. `formats` are printf
    formats of columns whose numbers three decimals would hide, `room` the pixels that the table has at least.
    """
    import pandas as pd

    frame = pd.DataFrame(dict(columns))
    formats = formats or {}
    longest = {c: _longest(frame[c]) for c in frame.columns}
    texts = [c for c in frame.columns if longest[c] > LONG]
    others = [c for c in frame.columns if c not in texts]
    taken = sum(CHARACTER * max(len(c), longest[c]) + 2 * PADDING for c in others)
    width = int(max(NARROWEST, (room - taken) / max(1, len(texts))))
    configuration = {
        c: _column(c, frame[c].dtype, formats.get(c), width if c in texts else None) for c in frame.columns
    }
    lines = max((math.ceil(CHARACTER * longest[c] / (width - PADDING)) for c in texts), default=1)
    row = max(WRAPS, PADDING + LINE * min(lines, MOST_LINES)) if lines > 1 else PADDING + LINE
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        column_config=configuration,
        column_order=dict.fromkeys((*first, *texts, *others)),
        row_height=row if lines > 1 else None,
        height=height or min(420, 38 + row * max(1, len(frame))),
    )
    st.download_button(
        "Download as CSV",
        data=lambda: to_csv(columns),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"{key}_csv",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )


def folded_table(columns: Mapping[str, Any], *, title: str = "The same as a table", **more: Any) -> None:
    """`safe_table` folded away below a figure: its numbers, to read, to sort, to take along."""
    with st.expander(title, icon=":material/table:"):
        safe_table(columns, **more)


def _longest(column: Any) -> int:
    """Characters of the longest text of a column; of a number as it is shown, about so many."""
    if column.dtype.kind in "biuf":
        return 7
    return max((len(str(value)) for value in column), default=0)


def _column(name: str, dtype: Any, shown: str | None, width: int | None) -> Any:
    """Numbers sort as numbers; everything else is text."""
    import pandas as pd

    if pd.api.types.is_float_dtype(dtype):
        return st.column_config.NumberColumn(name, format=shown or f"%.{DECIMALS}f")
    if pd.api.types.is_integer_dtype(dtype):
        return st.column_config.NumberColumn(name, format="%d")
    return st.column_config.TextColumn(name, width=width)


def to_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheets read every script; formula cells are defused."""
    return csv_bytes(tuple(columns), (map(_number, row) for row in zip(*columns.values())))


def _number(value: Any) -> Any:
    return float(f"{float(value):.6g}") if isinstance(value, (float, np.floating)) else value
