"""Home: one idea, one button that leads to Train live, and where else to go."""

from __future__ import annotations

import streamlit as st

from ui import pages

READING_WIDTH = 720  # pixels; a line longer than this is hard to follow
CARDS_IN_A_ROW = 3

STEPS = (
    ("1. Type sentences", "One a line, or start from a set that is already there."),
    ("2. Say what belongs together", "Mark pairs as similar or dissimilar, or let group names make them."),
    ("3. Press Train", "Every step changes the model a little; the map shows where each sentence is now."),
)

with st.container(width=READING_WIDTH, gap="medium"):
    st.title("Watch a model learn what belongs together", anchor=False)
    st.markdown(
        "An embedding model turns a sentence into a list of numbers: a point in space. "
        "Sentences it takes to be alike lie close together. "
        "Show it a few pairs that you find alike or different, and the points move."
    )
    if pages.TRAIN.path.is_file() and st.button(
        "Train a model now", type="primary", icon=pages.TRAIN.material, key="home_train"
    ):
        st.switch_page(pages.TRAIN.path)

st.space("small")
for column, (title, text) in zip(st.columns(len(STEPS), gap="medium"), STEPS, strict=True):
    with column:
        st.subheader(title, anchor=False)
        st.markdown(text)

others = [page for page in pages.existing() if page not in (pages.HOME, pages.TRAIN)]
if others:
    st.space("small")
    st.header("Then look closer", anchor=False)
for start in range(0, len(others), CARDS_IN_A_ROW):
    for column, page in zip(st.columns(CARDS_IN_A_ROW), others[start : start + CARDS_IN_A_ROW], strict=False):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            pages.link(page)
            st.caption(page.summary)

st.space("small")
with st.container(width=READING_WIDTH):
    st.caption(
        "The model is all-MiniLM-L6-v2: six layers, 22.7 million parameters, 384 numbers a sentence. "
        "It runs on the computer that serves this page, every figure is computed as you watch, "
        "and what you type is sent nowhere else."
    )
