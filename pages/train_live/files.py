"""The files that a learner brings: what would be read from each, a click to change it, and only then its text
in place of the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data import sentences
from core.data.columns import AS_FOUND, Choice, Columns, named_columns
from core.data.pair_files import ParsedPairs, parse_pair_table
from core.data.sentences import Parsed
from core.data.tables import open_table, uploaded
from core.types import InputError, SentenceSet
from pages.train_live import keys, setup
from ui import messages, state, training_data, widgets
from ui.inputs import OWN
from ui.widgets import button

ENDINGS = ("csv", "tsv", "txt", "jsonl", "ndjson", "json", "parquet")
FORMS = f"CSV, TSV, JSON Lines, Parquet or text, up to {sentences.MAX_UPLOAD_MB} MB"
UPLOADS = {"replace": "replaces sentences and pairs", "add": "adds its pairs to these"}
SHOWN_ROWS = 5
NONE = -1  # instead of a column


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is read for, and in which words: `roles` are the parts of a row, of which it must have the
    first `needed`."""

    key: str
    title: str
    label: str
    roles: tuple[str, ...]
    needed: int
    read: Callable[[bytes, str, Choice], Parsed | ParsedPairs]


def _pairs(data: bytes, name: str, choice: Choice) -> ParsedPairs:
    return parse_pair_table(data, name, SentenceSet((), PurePath(name).stem, name), choice)


TEXTS, SIDES = ("Sentence", "Group"), ("First text", "Second text", "Label or negative")
SENTENCES = Kind(
    "sentence_file", "Sentences", f"A file of sentences: {FORMS}", TEXTS, 1, sentences.parse_table
)
PAIRS = Kind("pair_file", "Pairs", f"Or a file of pairs: {FORMS}", SIDES, 2, _pairs)
KINDS = {kind.key: kind for kind in (SENTENCES, PAIRS)}


def sentence_file() -> None:
    """A file instead of typing, and the way back to what it replaced."""
    _uploader(SENTENCES)
    if state.get(keys.EARLIER_TEXT):
        says = "The text that stood here before. Press again to return to this one."
        button("Bring back the earlier text", setup.swap_text, key="earlier", icon="undo", help=says)


def pair_file() -> None:
    """A file of pairs, in place of all that is there or beside it."""
    _uploader(PAIRS)


def _uploader(kind: Kind) -> None:
    most = sentences.MAX_UPLOAD_MB
    file = widgets.upload(kind.label, ENDINGS, key=kind.key, megabytes=most, act=partial(_look_at, kind.key))
    if file is not None:
        button("Look at it again", _look_at, kind.key, key=f"look_{kind.key}", icon="visibility")


def _look_at(key: str) -> None:
    """Open the dialog about an uploaded file, in place of the popover that it was uploaded in."""
    state.put(keys.LOOKED_AT, key if state.widget_value(key) is not None else "")
    state.put(keys.FILE_OPEN, False)
    state.put(keys.PAIRS_OPEN, False)


def look() -> None:
    """What would be read of the file that was just uploaded, until it is taken or put away."""
    if kind := KINDS.get(state.get(keys.LOOKED_AT)):
        away = state.setter(keys.LOOKED_AT, "")
        st.dialog(kind.title, width="medium", icon=":material/upload_file:", on_dismiss=away)(_dialog)(kind)


def _dialog(kind: Kind) -> None:
    upload: UploadedFile | None = state.widget_value(kind.key)
    if upload is None or not state.get(keys.LOOKED_AT):  # taken: the whole page is drawn again, without this
        st.rerun()
    data, name = upload.getvalue(), upload.name
    try:
        columns = _columns(data, name, None)
        choice = AS_FOUND if columns is None else _chosen(kind, upload, columns)
        found = _read(kind.key, data, name, choice.header, choice.columns)
    except InputError as error:
        messages.error(messages.at(name, str(error)))
        return
    messages.notices(found.notices, name)
    if isinstance(found, Parsed):
        rows = found.sentence_set.sentences[:SHOWN_ROWS]
        _preview({"group": [s.group or "" for s in rows], "sentence": [s.text for s in rows]})
        label = f"Use these {len(found.sentence_set):,} sentences"
        button(label, _take_sentences, name, found, key="take_sentences", type="primary")
    else:
        text = {s.id: s.text for s in found.sentence_set.sentences}
        pairs = found.pairs[:SHOWN_ROWS]
        sides = {"first": [text[p.left] for p in pairs], "second": [text[p.right] for p in pairs]}
        _preview({"label": [f"{p.label:g}" for p in pairs]} | sides)  # first, or a phone hides it
        widgets.segmented_control(keys.PAIR_UPLOAD, "The file", UPLOADS)
        label = f"Use these {len(found.pairs):,} pairs"
        button(label, _take_pairs, upload, choice, found, key="take_pairs", type="primary")


def _chosen(kind: Kind, upload: UploadedFile, columns: Columns) -> Choice:
    """What the menus say; where nobody touched them, that is what the reader found."""
    data, name, key = upload.getvalue(), upload.name, f"{kind.key}_{upload.file_id}"
    header: bool | None = None
    if not columns.named or columns.is_header:
        header = st.toggle("The first row names the columns", columns.is_header, key=f"{key}_header")
        if header != columns.is_header:
            columns, key = _columns(data, name, header) or columns, f"{key}_other"
        else:
            header = None
    try:
        reading = _read(kind.key, data, name, header, ()).columns
        found = [] if reading is None else list(reading.roles.values())
    except InputError:  # said below, where these menus can mend it
        found = []
    names = [*columns.names, "none"]  # which NONE is the place of
    places = st.columns(len(kind.roles))
    touched, picked = False, []
    for number, (role, place) in enumerate(zip(kind.roles, places)):
        options = [*range(len(columns.names)), *([] if number < kind.needed else [NONE])]
        default = min(number, len(columns.names) - 1) if number < kind.needed else NONE
        index = options.index(found[number] if number < len(found) else default)
        picked.append(place.selectbox(role, options, index, names.__getitem__, key=f"{key}_{number}"))
        touched = touched or picked[-1] != options[index]
    return Choice(header, tuple(str(i + 1) for i in picked if i != NONE) if touched else ())


def _preview(columns: dict[str, list[str]]) -> None:
    st.dataframe(columns, hide_index=True, row_height=36)


@st.cache_resource(max_entries=16, show_spinner=False)
def _columns(data: bytes, name: str, header: bool | None) -> Columns | None:
    """The names of a table's columns; None for a text that is no table."""
    table = open_table(uploaded(data, name))
    return None if table.is_text else named_columns(table, Choice(header))


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(
    kind: str, data: bytes, name: str, header: bool | None, columns: tuple[str, ...]
) -> Parsed | ParsedPairs:
    return KINDS[kind].read(data, name, Choice(header, columns))


def _take_sentences(name: str, found: Parsed) -> None:
    """Put the uploaded sentences into the text area, so that they can be seen and edited."""
    if training_data.set_key() != OWN:
        setup.remember_pairs()
        state.put(state.SET, OWN)
        state.put(keys.PAIR_SET, OWN)
        state.put(state.PAIR_TEXT, "")  # earlier pairs are about other sentences
    setup.replace_text(sentences.to_text(found.sentence_set))
    setup.text_changed()
    state.put(state.OWN_TITLE, found.sentence_set.title)
    state.put(state.TOLD, tuple(notice.said(name) for notice in found.notices))
    state.put(keys.LOOKED_AT, "")


def _take_pairs(upload: UploadedFile, choice: Choice, found: ParsedPairs) -> None:
    """Let the uploaded pairs and their sentences take the place of what is there, or add them to it."""
    adds = state.get(keys.PAIR_UPLOAD) == "add"
    if adds:
        chosen, _, _ = training_data.chosen_now()
        found = parse_pair_table(upload.getvalue(), upload.name, chosen, choice)
    lines = sentences.pairs_to_text(found.pairs, found.sentence_set)
    told = tuple(notice.said(upload.name) for notice in found.notices)
    state.put(keys.LOOKED_AT, "")
    if adds:
        state.put(state.PAIR_TEXT, f"{state.get(state.PAIR_TEXT).rstrip()}\n{lines}".lstrip("\n"))
        state.put(state.TOLD, (*state.get(state.TOLD), *told))
        return
    setup.remember_pairs()
    setup.replace_text(sentences.to_text(found.sentence_set))
    setup.text_changed()
    state.put(state.TOLD, told)
    state.put(state.OWN_TITLE, found.sentence_set.title)
    state.put(state.SET, OWN)
    state.put(keys.PAIR_SET, OWN)
    state.put(state.PAIR_TEXT, lines)
    state.put(state.PAIR_MODE, "typed")
