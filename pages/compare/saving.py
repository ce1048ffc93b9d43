"""Saving a run, opening one, the gallery of one's own, and everything one can take home.

A run is one file (core.export.run_file). The gallery's files lie in the data folder, one folder a learner;
their list is in the database. Work that needs the model is done by a worker, which writes files we hand
over.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVarTuple

import streamlit as st

from core.data.folders import data_folder, own_folder
from core.export import (
    model_folder,
    movie,
    replay_page,
    run_file,
    run_file_json,
    run_file_weights,
    script,
    table_files,
)
from core.storage import learners
from core.storage.learners import Learner, SavedRun
from core.types import InputError, Run
from pages.compare import keys
from pages.compare.models import RUN, given_titles, known_runs, run_title
from ui import learner, messages, resources, state, widgets
from ui.widgets import button, download, row

Ts = TypeVarTuple("Ts")
Typed = SimpleQueue[tuple[int, str, str]]  # number, title and note of each click on Download

MODEL_LOADS = "Loads with SentenceTransformer(path)."
MB = 1_000_000
MOST_SAVED = 60  # runs a learner may keep on the server, so that a class does not fill its disk
DONE, WRONG = "done", "wrong"
LONGEST_RERUN = 60  # seconds until a click's callback is called, at most: a rerun may hold it up


def say_what_happened() -> None:
    """The one sentence that the last save, open or delete left behind."""
    kind, text = state.get(keys.KEEP_SAID) or (DONE, "")
    state.put(keys.KEEP_SAID, None)
    (messages.success if kind == DONE else messages.warning)(text)


def _guarded(action: Callable[[], str]) -> None:
    """Do it; its sentence, or what went wrong in one, is shown on the next run of the page."""
    try:
        state.put(keys.KEEP_SAID, (DONE, action()))
    except (InputError, RuntimeError, TimeoutError) as error:
        state.put(keys.KEEP_SAID, (WRONG, str(error) or "This took too long. Please try again."))
    except OSError as error:
        state.put(keys.KEEP_SAID, (WRONG, f"The disk refused: {error.strerror or error}."))


def _checkpoint(run: Run) -> str | None:
    """The weights of the run's last step, None where they were not kept."""
    return resources.executor().checkpoint_path(run.id, run.step)


# ---- one run: save, download, take home ----------------------------------------------------------


def exports(run: Run) -> None:
    """Everything that can be made from a run. Nothing is made before its button is pressed."""
    sentences, last, checkpoint = run.sentences, run.snapshots[-1].embeddings, _checkpoint(run)
    name, write = f"run-{run.id}", table_files
    model, data, picture = st.columns(3, gap="medium")
    with model:
        st.markdown("**The model**")
        if checkpoint is None:
            st.caption("The weights of this run's last step were not kept, so there is no model to take.")
        else:
            folder, says = partial(_made_file, model_folder.model_zip, run, checkpoint, name), MODEL_LOADS
            _download("Model folder", f"{name}-model.zip", folder, says)
            _as_base(run, checkpoint)
        says = "Repeats the run with sentence-transformers."
        _download("Python script", f"{name}.py", lambda: script.script(run).encode(), says)
    with data:
        st.markdown("**The data**")
        says = "Two files for the TensorFlow Embedding Projector."
        projector = partial(write.projector_zip, sentences, last)
        pairs = partial(write.pairs_csv, sentences, run.pairs, run.held_out)
        for ending, word in ((".csv", "CSV"), (".parquet", "Parquet"), (".npz", "npz")):
            table = partial(write.embeddings, ending, sentences, last)
            _download(f"Embeddings, {word}", f"{name}{ending}", table)
        _download("Projector, TSV", f"{name}-projector.zip", projector, says)
        _download("Pairs, CSV", f"{name}-pairs.csv", pairs)
    with picture:
        st.markdown("**The movement**")
        if not run.frames:
            st.caption("This run has no map yet.")
            return
        replay = partial(replay_page.replay_html, run, run_title(run, given_titles().get(run.id)))
        _download("Replay, HTML", f"{name}.html", replay, "One file that plays in any browser, offline.")
        _download("Movie, GIF", f"{name}.gif", partial(movie.gif, run))
        _download("Last map, SVG", f"{name}.svg", partial(movie.svg, run))
        _download("Last map, PNG", f"{name}.png", partial(movie.png, run))


def _download(label: str, file: str, make: Callable[[], bytes], says: str | None = None) -> None:
    download(label, make, file, key=f"take {label}", help=says, type="tertiary")


def _made_file(function: Callable[[*Ts, str], object], *args: *Ts) -> bytes:
    """Let a worker write a file, and read it."""
    with tempfile.TemporaryDirectory(dir=own_folder()) as folder:
        path = Path(folder) / "made"
        resources.anew(function, *args, str(path))
        return path.read_bytes()


def _as_base(run: Run, checkpoint: str) -> None:
    """Put the tuned model into every page's list of base models."""
    with widgets.popover(keys.KEEP_BASE_OPEN, "Use as base model", "model_training", type="tertiary"):
        st.text_input("Name", max_chars=60, key="keep_model_name", placeholder="my-model")
        button("Keep the model", _keep_model, run, checkpoint, key="keep_model")
        st.caption("It appears among the base models of every page, for everybody on this server.")


def _keep_model(run: Run, checkpoint: str) -> None:
    def keep() -> str:
        name = state.widget_value("keep_model_name") or ""
        key = resources.anew(model_folder.keep_model, run, checkpoint, name)
        return f"Kept. Choose {key} as base model on any page."

    state.put(keys.KEEP_BASE_OPEN, False)  # it would cover the answer
    _guarded(keep)


def save_form(run: Run) -> None:
    """Title and note, then into the gallery or onto one's own disk."""
    title_key, note_key = _form_keys(run)
    st.text_input("Title", run.sentences.title[:80], max_chars=run_file_json.MAX_TITLE, key=title_key)
    st.text_area("Note", height=80, max_chars=run_file_json.MAX_NOTE, key=note_key)
    messages.notices(run.sentences.notices)
    with row():
        who = learner.current()
        if who is not None:
            button("Save in my gallery", _save, run, who, key="keep_save", icon="bookmark", type="primary")
        clicks, typed = state.get(keys.KEEP_TYPED) or (0, SimpleQueue())  # one queue for the session
        state.put(keys.KEEP_TYPED, (clicks, typed))
        says = "One file with sentences, pairs, settings, maps, scores and the tuned weights."
        download(
            "Download the run",
            partial(_run_bytes, run, typed, clicks),
            f"run-{run.id}.zip",
            key="keep_download",
            on_click=partial(_clicked, run, typed, clicks + 1),
            mime="application/zip",
            help=says,
        )


def _clicked(run: Run, typed: Typed, number: int) -> None:
    state.put(keys.KEEP_TYPED, (number, typed))
    typed.put((number, *_title_and_note(run)))


def _run_bytes(run: Run, typed: Typed, clicks: int) -> bytes:
    """The run as a file. It is made outside the script, so what was typed last comes from the click's
    callback: the one sends what the other waits for. A click before the last drawing, whose file was not
    fetched, is passed over."""
    number = 0
    while number <= clicks:
        number, title, note = typed.get(timeout=LONGEST_RERUN)
    created = learner.now().isoformat(timespec="seconds")
    return _made_file(run_file_weights.save, run, _checkpoint(run), title, note, created)


def _form_keys(run: Run) -> tuple[str, str]:
    return f"keep_title {run.id}", f"keep_note {run.id}"


def _title_and_note(run: Run) -> tuple[str, str]:
    """For a callback: what was typed last arrives together with the click, after the button was drawn."""
    title, note = (state.widget_value(key) or "" for key in _form_keys(run))
    return title, note


def _save(run: Run, who: Learner) -> None:
    _guarded(lambda: _store_run(run, who, *_title_and_note(run)))


def _store_run(run: Run, who: Learner, title: str, note: str) -> str:
    """Write the run's file into the gallery, and its entry. Returns what to say."""
    now = learner.now()
    if len(learners.saved_runs(learner.database(), who.id)) >= MOST_SAVED:
        raise InputError(f"Your gallery holds {MOST_SAVED} runs. Delete one, or download this one.")
    _remove_unlisted(who)
    path = _gallery(who) / f"{run.id}.zip"
    created = now.isoformat(timespec="seconds")
    size = resources.anew(run_file_weights.save, run, _checkpoint(run), title, note, created, str(path))
    where = str(path.relative_to(data_folder()))
    learners.save_run(
        learner.database(),
        who.id,
        SavedRun(run.id, title.strip() or "Untitled", now, run.config, where, size),
    )
    learners.set_run_note(learner.database(), who.id, run.id, note)
    return f"Saved in your gallery, {size / MB:.0f} MB."


def _remove_unlisted(who: Learner) -> None:
    """Remove files that no entry names: a server was killed between writing one and its entry."""
    listed = {data_folder() / saved.path for saved in learners.saved_runs(learner.database(), who.id)}
    for file in _gallery(who).glob("*.zip"):
        if file not in listed and time.time() - file.stat().st_mtime > run_file_weights.ABANDONED:
            file.unlink(missing_ok=True)


def _gallery(who: Learner) -> Path:
    return data_folder() / "runs" / str(who.id)


# ---- opening -----------------------------------------------------------------------------------------


def open_file() -> None:
    """The uploader of run files."""
    most = run_file.MAX_FILE // MB
    widgets.upload("Open a run file", ["zip"], key="keep_upload", megabytes=most, act=_open_upload)


def _open_upload() -> None:
    upload = state.widget_value("keep_upload")
    if upload is not None:
        _guarded(lambda: open_bytes(upload.getvalue(), upload.name))


def open_bytes(data: bytes, name: str) -> str:
    """Take in a run file: it becomes a run of this session, and both sides of the comparison. Returns what
    to say. Raises InputError when it is refused."""
    kept = run_file.unpack(data, name, with_weights=False)
    engine = resources.executor()
    run_id, checkpoint = engine.adopt(kept.run, state.get(state.LAYOUT), resources.session_is_open())
    state.put(state.RUN_IDS, (run_id, *state.get(state.RUN_IDS)))
    state.put(keys.KEEP_TITLES, (*state.get(keys.KEEP_TITLES), (run_id, kept.title or name)))
    for side, moment, step in (
        (keys.A, keys.A_STEP, kept.run.snapshots[0].step),
        (keys.B, keys.B_STEP, kept.run.step),
    ):
        state.put(side, RUN + run_id)
        state.put(moment, step)
        state.once(f"{moment.name} {run_id}")
    try:
        with tempfile.TemporaryDirectory(dir=own_folder()) as folder:
            path = Path(folder) / "opened.zip"
            path.write_bytes(data)
            resources.anew(run_file_weights.restore, str(path), checkpoint)
    except InputError as error:
        return f"The run is open, but without its model: {error}"
    engine.adopted(run_id)
    return "The run is open, and its model is ready: nothing had to be trained again."


# ---- the gallery -------------------------------------------------------------------------------------


def gallery() -> None:
    """The learner's saved runs with their notes; without a learner the form that makes one."""
    who = learner.from_link()
    if who is None:
        st.write("Choose a name to keep runs on this server.")
        learner.choose_name("keep_name")
        return
    found = learners.saved_runs(learner.database(), who.id)
    if not found:
        st.caption("Nothing is saved yet.")
    notes = learners.run_notes(learner.database(), who.id)
    for saved in found:
        _entry(who, saved, notes.get(saved.id, ""))
    st.caption(learner.where_kept())


def _entry(who: Learner, saved: SavedRun, note: str) -> None:
    with st.container(border=True):
        messages.plain(saved.title)
        st.caption(
            f"{saved.created:%Y-%m-%d %H:%M} UTC · {saved.config.loss} · seed {saved.config.seed} · "
            f"{saved.size / MB:.0f} MB"
        )
        field = f"gallery_note {saved.id}"
        changed: dict[str, Any] = {"on_change": _note_changed, "args": (who, saved.id, field)}
        st.text_area("Note", note, key=field, height=68, max_chars=run_file_json.MAX_NOTE, **changed)
        with row():
            button("Open this run", _open_saved, saved, key=f"gallery_open {saved.id}")
            button("Delete", _delete, who, saved, key=f"gallery_delete {saved.id}", type="tertiary")


def _note_changed(who: Learner, run_id: str, field: str) -> None:
    learners.set_run_note(learner.database(), who.id, run_id, state.widget_value(field))


def _open_saved(saved: SavedRun) -> None:
    def read() -> str:
        try:
            data = (data_folder() / saved.path).read_bytes()
        except OSError as error:
            raise InputError("The file of this run is gone. Delete the entry.") from error
        return open_bytes(data, saved.title)

    _guarded(read)


def _delete(who: Learner, saved: SavedRun) -> None:
    def delete() -> str:
        (data_folder() / saved.path).unlink(missing_ok=True)
        learners.forget_run(learner.database(), who.id, saved.id)
        learners.set_run_note(learner.database(), who.id, saved.id, None)
        return "Deleted from your gallery."

    _guarded(delete)


def kept_run() -> Run | None:
    """The run that saving and taking home are about: the one on side B, else on A, else the newest."""
    runs = {RUN + run.id: run for run in known_runs()}
    for key in (keys.B, keys.A):
        if state.get(key) in runs:
            return runs[state.get(key)]
    return next(iter(runs.values()), None)
