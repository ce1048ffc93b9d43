"""Widgets of "From text to vector": the text, and what happens to it on its way to 384 numbers.

Each function draws one thing and is called by the page, which says why it is there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st

from core.concepts import anatomy
from core.concepts.anatomy import LONGEST_TEXT, MOVED, Anatomy, Change, Token, check_text
from core.models.settings import OWN, POOLINGS
from core.training.controls import own_pooling_title
from pages.text_to_vector import keys
from ui import inputs, kit, state, widgets
from ui.charts import chart
from ui.figures import vectors
from ui.tables import folded_table, safe_table
from ui.widgets import button, row

EXAMPLES = {
    "A made-up word": "A flurbicious penguin tripled its stroopwafels.",
    "Other scripts": "Crème brûlée, пожалуйста, 猫 and 🐈.",
    "Two meanings": "She sat on the bank of the river and called her bank.",
}
ONLY, SOME, ALL, NONE = "Only the changed ones", "Some of the others too", "All of them", "None"
CHANGES = (ONLY, SOME, ALL, NONE)
SHORT = "Good morning."  # beside two texts of about equal length, so that there is padding to see
PIECES = ("1", "2", "3", "4 or more")
FIRST, LAST, WORD = "The first special token", "The last special token", "A piece of a word"
CARRIERS = (FIRST, LAST, WORD)
TITLES = {"mean": "Mean of all tokens", "cls": "First token (CLS)", "max": "Largest value (max)"}


def text_and_model() -> Anatomy:
    """What is typed, with which model, and everything that follows from it. Raises InputError."""
    text = widgets.text_area(keys.TEXT, "Your text", height=90)
    with row():
        for name, example in EXAMPLES.items():
            button(name, state.setter(keys.TEXT, example), key=f"{keys.TEXT.name} {name}")
    with st.expander("Model and pooling"):
        base_model, seed = inputs.base_model(keys.MODEL, keys.SEED)
        titles = {OWN: own_pooling_title(base_model)} | TITLES
        how = widgets.segmented_control(keys.POOLING, "Pooling", titles)
    return kit.ask(anatomy.dissect, check_text(text), base_model, seed, how, busy="Reading the text")


def _model() -> tuple[str, int]:
    return state.get(keys.MODEL), state.get(keys.SEED)


# --- Word pieces ---------------------------------------------------------------------------------


def longest_word(found: Anatomy) -> str:
    """How many pieces the longest word falls into, as one of PIECES."""
    count = max(found.words(), key=lambda word: len(word[0]), default=("", 1))[1]
    return PIECES[min(count, 4) - 1]


def pieces(found: Anatomy) -> None:
    """The pieces in a row, as counts and as a table."""
    words, tokens = st.columns(2)
    words.metric("Words and marks typed", len(found.words()))
    tokens.metric("Tokens read", len(found.tokens), help="With the special tokens at both ends.")
    st.code(" ".join(found.pieces), language=None, wrap_lines=True)
    columns = {
        "place": range(len(found.tokens)),
        "piece": found.pieces,
        "id": [token.id for token in found.tokens],
        "stands for": [token.text for token in found.tokens],
        "characters": [_span(token) for token in found.tokens],
    }
    safe_table(columns, key="ttv_pieces", name="word-pieces")


def _span(token: Token) -> str:
    """Which characters of the text, counted from 1."""
    if token.word is None:
        return ""
    first, last = token.start + 1, token.end
    return str(first) if first == last else f"{first}–{last}"


def limit(found: Anatomy) -> None:
    """How much of the text fits, and what the rest is worth: nothing."""
    used = len(found.tokens)
    st.progress(min(1.0, used / found.max_length), text=f"{used} of at most {found.max_length} tokens")
    if found.dropped:
        st.warning(
            f"{found.dropped} tokens do not fit and are not read. The cosine between the vector of the whole "
            f"text and that of the part that is read: {found.unread_cosine:.6f}.",
            icon=":material/content_cut:",
        )
        st.caption("The part that no number of this page depends on:")
        st.code(found.text[found.read_to :], language=None, wrap_lines=True, height=120)
        return
    per_copy = len(found.tokens) - 2
    copies = math.ceil((found.max_length + 20) / max(per_copy, 1))
    longer = " ".join([found.text] * copies)
    label, repeat = "Repeat the text until it no longer fits", state.setter(keys.TEXT, longer)
    button(label, repeat, key="ttv_repeat", icon="repeat", disabled=len(longer) > LONGEST_TEXT)


# --- Layers --------------------------------------------------------------------------------------


def layers(found: Anatomy) -> None:
    """The vectors after one layer, and how far each token has come from its input vector."""
    meaning = "0 is the input: word, position and type, added and scaled."
    number = widgets.slider(keys.LAYER, "After layer", high=found.layers, help=meaning)
    hidden = kit.ask(anatomy.layer, found.text, number, *_model())
    chart(
        vectors.token_vectors(hidden, found.pieces),
        "ttv_hidden",
        f"Heat map: {len(hidden)} tokens by {hidden.shape[1]} numbers after layer {number}.",
    )
    if len(found.tokens) > len(hidden):
        st.caption(f"The first {len(hidden)} of {len(found.tokens)} tokens.")
    st.markdown("**How far each token has turned away from its vector at the input**, as 1 − cosine:")
    chart(
        vectors.token_layers(found.turned, found.pieces, "1 − cosine"),
        "ttv_turned",
        "Heat map: how far each token's vector has turned after each layer. The table below has the values.",
    )
    columns = {f"layer {k}": found.turned[k].astype(float) for k in range(found.layers + 1)}
    folded_table({"piece": found.pieces, **columns}, key="ttv_layers", name="layers")


# --- Pooling -------------------------------------------------------------------------------------


def carrier(found: Anatomy) -> str:
    """Which kind of token adds most to the pooled vector."""
    top = int(found.shares.argmax())
    if found.tokens[top].word is not None:
        return WORD
    return FIRST if top == 0 else LAST


def pooling(found: Anatomy) -> None:
    """What each token adds, and how much the three ways of pooling agree."""
    chart(
        vectors.token_shares(found.shares, found.pieces),
        "ttv_shares",
        "Bars: the share of each token in the pooled vector. The table below has the values.",
    )
    shares = {"piece": found.pieces, "share": found.shares.astype(float)}
    shares |= {"largest in so many dimensions": found.won}
    folded_table(shares, key="ttv_pooling", name="pooling")
    st.markdown("**Cosines between the results of the three ways**, for this text:")
    names = [TITLES[how] for how in POOLINGS]
    columns = {name: found.poolings[:, i].astype(float) for i, name in enumerate(names)}
    safe_table({"": names, **columns}, key="ttv_poolings", name="poolings")


# --- The numbers ---------------------------------------------------------------------------------


def numbers(found: Anatomy) -> None:
    """Length before and after, and every number of the result."""
    before, after, below = st.columns(3)
    before.metric("Length as pooled", f"{found.length:.3f}")
    after.metric("Length at the end", f"{np.linalg.norm(found.vector):.3f}")
    below.metric("Numbers below zero", f"{(found.vector < 0).sum()} of {len(found.vector)}")
    chart(
        vectors.strip(found.vector),
        "ttv_strip",
        f"The {len(found.vector)} numbers of the vector as coloured cells. The table below has them all.",
    )
    columns = {"number": range(len(found.vector)), "as pooled": found.pooled.astype(float)}
    columns |= {"at length 1": found.vector.astype(float)}
    folded_table(columns, key="ttv_numbers", name="vector")


def below_zero(found: Anatomy, options: tuple[str, str, str]) -> str:
    share = float((found.vector < 0).mean())
    return options[0] if share < 1 / 3 else options[1] if share <= 2 / 3 else options[2]


# --- Change a word -------------------------------------------------------------------------------


def change(found: Anatomy) -> Change:
    """The second text beside the first. Raises InputError."""
    other = widgets.text_area(keys.OTHER, "The same text with something changed", height=90)
    copy = state.setter(keys.OTHER, found.text)
    button("Start again from my text", copy, key="ttv_copy", icon="content_copy")
    second = check_text(other, "The second text")
    return kit.ask(anatomy.compare, found.text, second, *_model(), state.get(keys.POOLING))


def who_moved(compared: Change) -> str:
    """Which tokens that are the same piece in both texts end with another vector, as one of CHANGES."""
    same = compared.moved[-1, compared.same_piece] > MOVED
    replaced = len(compared.same_piece) < max(len(compared.first), len(compared.second))
    if not same.any():
        return ONLY if replaced else NONE
    return ALL if same.all() else SOME


def moved(compared: Change) -> None:
    """Token by token and layer by layer: where a change is felt; then the two vectors' difference."""
    same = compared.moved[:, compared.same_piece]
    left, right = st.columns(2)
    left.metric("Cosine of the two vectors", f"{compared.cosine:.4f}")
    share = f"{int((same[-1] > MOVED).sum())} of {same.shape[1]}"
    meaning = "Tokens that are the same piece in both texts, with another vector after the last layer."
    right.metric("Unchanged tokens that moved", share, help=meaning)
    grid = np.full((len(compared.moved), len(compared.second)), np.nan)
    grid[:, compared.matched[:, 1]] = compared.moved
    chart(
        vectors.token_layers(grid, compared.second, "1 − cosine", float(same.max(initial=0.0))),
        "ttv_moved",
        "Heat map: how far each token of the changed text moved after each layer. The table has the values.",
    )
    st.caption(
        "Rows are the tokens of the changed text. Colours reach up to the unchanged token that moved most; "
        "what was replaced moved more. An empty row has no counterpart in the first text."
    )
    columns = {f"layer {k}": row.astype(float) for k, row in enumerate(grid)}
    folded_table({"piece": compared.second, **columns}, key="ttv_change", name="change")
    st.markdown("**What the change did to the result**, number by number (changed minus first):")
    chart(
        vectors.strip(compared.difference, "difference"),
        "ttv_difference",
        f"The differences in all {len(compared.difference)} numbers as coloured cells.",
    )


def in_one_batch(found: Anatomy) -> None:
    """Both texts and a short one as the rectangle that goes through the model, with its mask."""
    other = check_text(state.get(keys.OTHER), "The second text")
    together = kit.ask(anatomy.padded_batch, (found.text, other, SHORT), *_model())
    names = ("yours", "changed", "a short one")
    chart(
        vectors.mask(together.mask, together.pieces, names),
        "ttv_mask",
        "The attention mask of the texts: how many places of each row hold a token, and how many padding.",
    )
    st.caption(
        f"Largest difference between a vector computed in this batch and computed alone: "
        f"{together.drift.max():.1e}."
    )
    columns: dict[str, Any] = {"place": range(together.ids.shape[1])}
    for what, values in (("piece", together.pieces), ("id", together.ids), ("mask", together.mask)):
        columns |= {f"{name}: {what}": values[i] for i, name in enumerate(names)}
    folded_table(columns, key="ttv_batch", name="batch")
