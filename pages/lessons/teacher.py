"""Where a teacher writes a lesson: paste or upload, see what is to be mended, look at it, hand it out."""

from __future__ import annotations

import streamlit as st

from core.lessons.reader import LESSONS, LONGEST_FILE
from core.lessons.types import Lesson, Look, Predict
from pages.lessons import catalogue, keys, record
from pages.lessons.steps import prose
from ui import messages, state, widgets
from ui.messages import as_written
from ui.widgets import button, download, row

TEMPLATE = '''title = "My first lesson"
summary = "One sentence that says what it is about."
minutes = 10

[experiment]
set = "sentiment"

[[step]]
kind = "read"
title = "What this is about"
text = """
A first paragraph.

A second paragraph.
"""

[[step]]
kind = "predict"
title = "Train it"
question = "What will the test on unseen sentences say after the training?"
measure = "held_out_auc_change"
after = "What holds, whatever came out."

[step.settings]
steps = 60
loss = "contrastive"

[step.options]
rises = "It goes up"
stays = "It stays the same"
falls = "It goes down"

[[step]]
kind = "explain"
title = "In your own words"
text = "Why was it measured on unseen sentences?"
'''


def workshop() -> None:
    """The whole For teachers view."""
    st.markdown(
        "A lesson is one file of words and settings. It names what is measured; the answer is always "
        "computed from the learner's own run. Paste one below or start from the one that stands there."
    )
    if not state.get(keys.TEXT):
        state.put(keys.TEXT, TEMPLATE)
    left, right = st.columns([0.55, 0.45], gap="large")
    with left:
        _write()
    lesson, problems = catalogue.checked(state.get(keys.TEXT))
    with right:
        if lesson is None:
            _problems(problems)
        else:
            _ready(lesson)
    with st.expander("How a lesson is written, and what it can measure"):
        st.markdown((LESSONS / "README.md").read_text(encoding="utf-8"))


def _write() -> None:
    widgets.upload("Upload a lesson file", ["toml"], key="lesson_file", megabytes=1, act=_take_file)
    messages.warning(state.get(keys.ERROR))
    widgets.text_area(keys.TEXT, "The lesson", height=520)
    with row():
        st.caption("Press Ctrl and Enter to check what you changed.")
        if state.get(keys.BEFORE):
            label = "Back to what stood here before the upload"
            button(label, _take_back, key="lesson_undo", icon="undo", type="tertiary")


def _take_file() -> None:
    """Put the uploaded file's text into the text area; a callback."""
    file = state.widget_value("lesson_file")
    state.put(keys.ERROR, None)
    if file is None:
        return
    if file.size > 4 * LONGEST_FILE:
        state.put(keys.ERROR, f"{file.name} is too large for a lesson; at most {LONGEST_FILE:,} characters.")
        return
    try:
        text = file.getvalue().decode("utf-8-sig")
    except UnicodeDecodeError:
        state.put(keys.ERROR, f"{file.name} is not a text in UTF-8. Save it as UTF-8 and upload it again.")
        return
    before = state.get(keys.TEXT)
    state.put(keys.BEFORE, "" if before == TEMPLATE else before)
    state.put(keys.TEXT, text.replace("\r\n", "\n"))


def _take_back() -> None:
    """Exchange the text and the one before it, so that this too can be undone."""
    before, now = state.get(keys.BEFORE), state.get(keys.TEXT)
    state.put(keys.TEXT, before)
    state.put(keys.BEFORE, now)


def _problems(problems: tuple[str, ...]) -> None:
    count = len(problems)
    st.subheader("1 thing to mend" if count == 1 else f"{count} things to mend", anchor=False)
    for problem in problems:
        st.warning(as_written(problem), icon=":material/edit:")
    st.caption("The preview appears here when there is nothing left to mend.")


def _ready(lesson: Lesson) -> None:
    st.subheader("Preview", anchor=False)
    with row():
        button("Try it as a learner", _try, key="lesson_try", type="primary")
        file, more = "lesson.toml", {"key": "lesson_download", "mime": "text/plain"}
        download("Download the file", state.get(keys.TEXT), file, **more)
    st.caption(
        "Saved as a file in assets/lessons, it stands among the lessons of this server. The address of the "
        "page you get with Try it as a learner carries the whole lesson: send it to your class."
    )
    st.markdown(f"**{as_written(lesson.title)}** · about {lesson.minutes} minutes")
    st.markdown(as_written(lesson.summary))
    for number, step in enumerate(lesson.steps, start=1):
        with st.container(border=True, gap="xsmall"):
            st.caption(f"Step {number}: {step.kind}")
            st.markdown(f"**{as_written(step.title)}**")
            prose(step.text)
            if isinstance(step, Look):
                st.text("\n".join(step.sentences))
            elif isinstance(step, Predict):
                _preview_question(lesson, step)


def _preview_question(lesson: Lesson, step: Predict) -> None:
    st.markdown(as_written(step.question))
    options = (f"- {as_written(w)}  \n  _if it comes out as {name}_" for name, w in step.options.items())
    st.markdown("\n".join(options))
    row = step.measurement
    limits = f", limits {', '.join(f'{v:g}' for v in step.limits)}" if step.limits else ""
    st.caption(as_written(f"Measured: {row.title}{limits}. {row.meaning}"))
    if row.trains:
        c = lesson.prepared(step).config
        st.caption(
            as_written(f"Trains {c.base_model} for {c.steps} steps with {c.loss}, rate {c.learning_rate:g}.")
        )


def _try() -> None:
    state.put(keys.LESSON, record.OWN)
    state.put_in_link(keys.LESSON, record.OWN)


def keep_link() -> None:
    """Let the address carry the teacher's own lesson while it is open or being written."""
    own = state.get(keys.LESSON) == record.OWN
    writing = state.get(keys.VIEW) == "For teachers" and state.get(keys.TEXT) != TEMPLATE
    if not (own or writing):
        return
    if not state.write_link(keys.TEXT):
        st.caption("This lesson is too long for a link. Hand it out as a file instead.")
