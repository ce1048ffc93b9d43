"""Home: a recorded run moves, three sentences lead to a live one, and a calm list of where else to go."""

from __future__ import annotations

import streamlit as st

from pages.home import keys
from pages.home.recording import recording
from ui import inputs, messages, pages, state
from ui.boards import moving_map

READING_WIDTH = 760  # pixels; a line longer than this is hard to follow
MAP_HEIGHT = 330  # pixels: with all that belongs to it inside the smallest window
COLUMNS = 3
EXAMPLE = "weather | It will rain all day.\nweather | The sun is out.\nfood | This soup is too salty."

with st.container(width=READING_WIDTH, gap="xsmall"):
    st.title("Watch a model learn what belongs together", anchor=False)
    st.markdown(
        "An embedding model turns a sentence into numbers: a point in space. Show it pairs that you find "
        "alike or different, and the points move."
    )

start, picture = st.columns([0.42, 0.58], gap="medium")
with start, st.container(border=True, gap="small"):
    inputs.own_text(
        keys.FIRST,
        "Your first three sentences, one a line",
        EXAMPLE,
        height=104,
        help="A name in front puts a sentence into a group: food | This soup is too salty. Pairs are "
        "made from groups; without them you mark pairs on the map.",
    )
    if st.button("Train with these", type="primary", icon=pages.TRAIN.material, key="home_train"):
        state.put(state.HANDED, state.get(keys.FIRST))
        st.switch_page(pages.TRAIN.path)
    pages.link(pages.TRAIN, "Or with a set of sentences that is ready")
    pages.link(pages.LESSONS, "Or with a lesson: predict first, then look")
with picture:
    recorded = recording()
    moving_map.board(
        key="recording",
        sentence_set=recorded.sentences,
        xy=recorded.xy[-1],
        frames=recorded.xy,
        steps=recorded.steps,
        space=recorded.layout,
        held_out=recorded.held_out,
        named=recorded.named,
        labels=False,
        height=MAP_HEIGHT,
        can_mark=False,
        plays=True,
    )
    st.caption(messages.as_written(recorded.about))

others = [p for p in pages.existing() if p not in (pages.HOME, pages.TRAIN, pages.LESSONS)]
st.header("Then look closer", anchor=False)
for first in range(0, len(others), COLUMNS):
    for column, page in zip(st.columns(COLUMNS, gap="medium"), others[first : first + COLUMNS], strict=False):
        with column, st.container(gap=None):
            pages.link(page)
            st.caption(page.summary)

with st.container(width=READING_WIDTH):
    st.caption(
        "The model is all-MiniLM-L6-v2: six layers, 22.7 million parameters, 384 numbers a sentence. "
        "It runs on the computer that serves this page, every figure but the recording's is computed as you "
        "watch, and what you type is sent nowhere else."
    )
