"""Tables as every page shows them: rounded numbers, texts as texts, and a CSV no spreadsheet can run."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.data.sentences import safe_cell

DECIMALS = 3


def safe_table(
    columns: Mapping[str, Any],
    *,
    key: str,
    name: str,
    height: int | None = None,
    formats: Mapping[str, str] | None = None,
) -> None:
    """A sortable table of equally long columns, with a download whose cells no spreadsheet will execute.

    User text reaches the browser as plain cell text; it is never read as Markdown or HTML. `formats` are
    printf formats of columns whose numbers three decimals would hide.
    """
    import pandas as pd

    frame = pd.DataFrame(dict(columns))
    formats = formats or {}
    configuration = {c: _column(c, frame[c].dtype, formats.get(c)) for c in frame.columns}
    tall = height or min(420, 38 + 35 * max(1, len(frame)))
    st.dataframe(frame, key=key, hide_index=True, column_config=configuration, height=tall)
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


def _column(name: str, dtype: Any, shown: str | None) -> Any:
    """Numbers sort as numbers; everything else is text."""
    import pandas as pd

    if pd.api.types.is_float_dtype(dtype):
        return st.column_config.NumberColumn(name, format=shown or f"%.{DECIMALS}f")
    if pd.api.types.is_integer_dtype(dtype):
        return st.column_config.NumberColumn(name, format="%d")
    return st.column_config.TextColumn(name)


def to_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheets read every script; formula cells are defused."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns.keys())
    for row in zip(*columns.values()):
        writer.writerow([safe_cell(v) if isinstance(v, str) else _number(v) for v in row])
    return out.getvalue().encode("utf-8-sig")


def _number(value: Any) -> Any:
    return f"{float(value):.6g}" if isinstance(value, (float, np.floating)) else value
