"""From text to vector: one sentence followed from word pieces through every layer to its numbers."""

from __future__ import annotations

import streamlit as st

from core.concepts.anatomy import MOVED, Anatomy
from pages.text_to_vector import anatomy, keys
from ui import kit, widgets
from ui.predictions.gate import predict


def word_pieces(found: Anatomy) -> None:
    st.markdown(
        "The model has a fixed list of pieces. A frequent word is one piece; a rare one is cut until every "
        "part is known. `##` marks a piece that goes on where the last one ended."
    )
    question = "Into how many pieces does the longest word of your text fall?"
    gate = predict(keys.GUESS_PIECES, question, anatomy.PIECES, "Longest: with most letters.", height=480)
    anatomy.pieces(found)
    gate.tell(
        anatomy.longest_word(found),
        "What counts is how often a word appeared when the list was made, not how long it is. No word is "
        "refused: at worst it falls into single letters, or becomes [UNK], if it has over a hundred letters "
        "or one that is not in the list.",
    )
    st.subheader("How much is read", anchor=False)
    st.markdown(
        "A text has to fit. What comes after the limit is cut off without a word from the model, and the "
        "vector looks like any other."
    )
    anatomy.limit(found)


def layers(found: Anatomy) -> None:
    st.markdown(
        "Each token enters as a row of a table, so at the input a word has one vector wherever it stands, "
        "but for its position. Every layer lets the tokens look at each other and adds what they found."
    )
    question = "Are the tokens of your text more alike after the last layer than at the input?"
    gate = predict(
        keys.GUESS_LAYERS, question, ("Yes", "No"), "Yes: their mean cosine is higher.", height=760
    )
    anatomy.layers(found)
    first, last = float(found.alike[0]), float(found.alike[-1])
    gate.tell(
        "Yes" if last > first else "No",
        f"The mean cosine between two tokens goes from {first:.2f} at the input to {last:.2f} at the end. "
        + (
            "All tokens have read the same sentence, so all of them come to carry some of it."
            if last > first
            else "Reading the same sentence need not make tokens alike: that depends on the weights, and "
            "this model's keep yours apart."
        ),
    )


def pooling(found: Anatomy) -> None:
    st.markdown(
        "The last layer leaves one vector a token. Pooling makes one of them. MiniLM was trained with the "
        "mean; choose another above to see what it does without practice."
    )
    question = "Which token adds most to the result?"
    rule = "A token adds as much as its part reaches in the direction of the result."
    gate = predict(keys.GUESS_POOLING, question, anatomy.CARRIERS, rule, height=560)
    anatomy.pooling(found)
    gate.tell(
        anatomy.carrier(found),
        "A token's share is how far its part reaches in the direction of the result; the shares sum to 1. "
        "The special tokens take part: they too have read the whole sentence. By the mean every token adds "
        "its vector once, by CLS only the first counts, by max each number comes from its largest token.",
    )


def numbers(found: Anatomy) -> None:
    st.markdown(
        "The pooled vector is scaled to length 1. Only its direction is kept, and a dot product of two such "
        "vectors is their cosine."
    )
    options = ("Under a third", "Between one and two thirds", "Over two thirds")
    question = "What share of the numbers is below zero?"
    gate = predict(keys.GUESS_NUMBERS, question, options, f"Counted over all {len(found.vector)} numbers.")
    anatomy.numbers(found)
    gate.tell(
        anatomy.below_zero(found, options),
        "No number means anything by itself: training only asked for the right cosines, and those stay the "
        "same when all directions are turned together. Meaning is in the angles between vectors.",
    )


def change(found: Anatomy) -> None:
    st.markdown(
        "Change one word and see where it is felt. At the input the change stays where it was made; then "
        "attention carries it on."
    )
    compared = anatomy.change(found)
    question = "Which unchanged tokens end with another vector after the last layer?"
    rule = f"Another vector: turned by more than {MOVED:g}, as 1 − cosine."
    gate = predict(keys.GUESS_CHANGE, question, anatomy.CHANGES, rule, height=640)
    anatomy.moved(compared)
    gate.tell(
        anatomy.who_moved(compared),
        "A token that did not change still looks at one that did. How much it moves tells how much it took "
        "from there: a word that gets its meaning from the changed one moves more than the rest.",
    )
    st.subheader("In one batch: the attention mask", anchor=False)
    st.markdown(
        "Texts are computed together as a rectangle. Shorter ones are filled up with padding, and the mask "
        "says which places are real, so that attention and pooling leave the rest out."
    )
    anatomy.in_one_batch(found)


VIEWS = {
    "Word pieces": word_pieces,
    "Layers": layers,
    "Pooling": pooling,
    "The numbers": numbers,
    "Change a word": change,
}

kit.opening(
    "text-to-vector",
    "A model cannot read letters. It cuts a text into **pieces**, gives each a vector, lets the vectors look "
    "at each other in **layers**, and **pools** them into one. Follow a text of your own.",
)
main, _ = kit.columns("text-to-vector")
with main, kit.sentences_not_tracebacks():
    found = anatomy.text_and_model()
    VIEWS[widgets.view(keys.VIEW, "What to look at", VIEWS)](found)
