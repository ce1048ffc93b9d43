"""What changed from A to B: how many neighbours each sentence kept, and groups that changed together.

What is pressed here is selected on the maps above, and listed below.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.data.text import plural
from core.metrics import comparison, suggestions
from core.metrics.comparison import NeighbourChange
from core.metrics.suggestions import ChangedGroup
from pages.compare import keys, plots
from pages.compare.models import NEAR, Both
from ui import kit, state
from ui.charts import chart
from ui.messages import as_written
from ui.tables import safe_table
from ui.widgets import button, row

BARS = "cmp_overlaps"


def what_changed(both: Both) -> None:
    changes = comparison.neighbour_changes(both.before, both.after, NEAR)
    _overlaps(both, changes)
    _groups(both)
    _table(both, changes)


def _overlaps(both: Both, changes: Sequence[NeighbourChange]) -> None:
    """How many sentences kept how many of their neighbours. A bar selects them."""
    kept = [len(change.kept) for change in changes]
    of = max((len(change.kept) + len(change.gained) for change in changes), default=0)
    st.markdown(f"**How many of its {of} nearest neighbours a sentence kept.** Press a bar to select them.")
    pick = partial(_pick_bar, tuple(zip(both.sentences.ids, kept)))
    counts = [kept.count(number) for number in range(of + 1)]
    told = (f"{count} {plural(count, 'sentence')} kept {i}" for i, count in enumerate(counts))
    says = f"Bars: {', '.join(told)}"
    chart(plots.overlaps(counts), BARS, says, on_select=pick, selection_mode="points")


def _pick_bar(kept: tuple[tuple[str, int], ...]) -> None:
    bars = {point["x"] for point in state.widget_value(BARS)["selection"]["points"]}
    state.put(keys.SELECTED, tuple(identifier for identifier, count in kept if count in bars))


def _groups(both: Both) -> None:
    """Sentences whose neighbourhoods changed together, named by their own words."""
    found = kit.ask(suggestions.suggest, both.before, both.after, both.sentences.texts, NEAR)
    st.markdown("**Changed together**")
    if not found:
        st.caption(f"No {suggestions.FEWEST} sentences gained and lost the same neighbours.")
    for number, group in enumerate(found):
        with st.container(border=True, gap="xsmall"):
            with row():
                ids = tuple(both.sentences.ids[i] for i in group.rows)
                st.markdown(f"**{as_written(_name(both, group))}**", width="content")
                show = state.setter(keys.SELECTED, ids)
                button("Select", show, key=f"cmp_group_{number}", icon="select", type="tertiary")
            moved = [
                f"{verb}: {as_written(', '.join(words))}."
                for verb, words in (("Came near", group.came), ("Went away", group.went))
                if words
            ]
            count, kept = len(group.rows), f"{group.overlap:.0%}"
            st.caption(f"{count} sentences that kept {kept} of their neighbours. {' '.join(moved)}")


def _name(both: Both, group: ChangedGroup) -> str:
    """Its telling words, or its first sentence where it has none."""
    return ", ".join(group.words) or both.sentences.texts[group.rows[0]]


def _table(both: Both, changes: Sequence[NeighbourChange]) -> None:
    """Which nearest neighbours came and went: of the selected sentences, or of all."""
    texts, ids = both.sentences.texts, both.sentences.ids
    selected = state.get(keys.SELECTED)
    chosen = set(selected)
    rows = [i for i, identifier in enumerate(ids) if identifier in chosen] or list(range(len(texts)))
    with row():
        what = (
            f"The {len(rows)} selected sentences" if len(rows) < len(texts) else f"All {len(texts)} sentences"
        )
        st.markdown(f"**{what}**", width="content")
        if chosen:
            button("Select none", state.setter(keys.SELECTED, ()), key="cmp_none", type="tertiary")
    order = sorted(rows, key=lambda i: (changes[i].overlap, i))

    def named(near: tuple[int, ...]) -> str:
        return " / ".join(texts[r] for r in near)

    columns = {
        "sentence": [texts[i] for i in order],
        "group": [both.sentences.groups[i] or "" for i in order],
        "kept": [f"{len(changes[i].kept)} of {len(changes[i].kept) + len(changes[i].gained)}" for i in order],
        "gained under B": [named(changes[i].gained) for i in order],
        "lost from A": [named(changes[i].lost) for i in order],
    }
    safe_table(columns, key="cmp_neighbours", name="neighbours")
