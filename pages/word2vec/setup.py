"""What the Word2Vec page learns from and how: the text, the settings, and which words are shown."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from core.data.assets import ASSETS
from core.training.word2vec import Settings, grammar
from core.training.word2vec.text import FUNCTION_WORDS, LONGEST_TEXT, TokenizedText
from pages.word2vec import keys
from ui import state, widgets

SUBSAMPLES = (0.0, 0.0001, 0.001, 0.003, 0.01, 0.03)
SUBSAMPLING = "A word whose share f of the text is above this is kept with chance √(t/f) only."
RATES = (0.01, 0.025, 0.05, 0.1, 0.2)
TEXT_FILE = ASSETS / "corpus_text" / "harbour.txt"
SOURCES = {"grammar": "Sentences of a small grammar", "text": "A story about a harbour", "own": "My own text"}
EPOCHS = {"grammar": 20, "text": 100, "own": 100}  # a short text has to be read more often
FIRST_WORD = {"grammar": "king", "text": "herring"}
FIRST_ANALOGY = {"grammar": "france paris japan", "text": "anna blue tom"}


def choose() -> None:
    """Which text, and how it is read."""
    left, right = st.columns(2, gap="large")
    with left:
        source = widgets.selectbox(keys.SOURCE, "Text", SOURCES, on_change=_source_changed)
        if source == "own":
            widgets.text_area(keys.TEXT, "Your text", height=200, max_chars=LONGEST_TEXT)
        else:
            with st.expander("Read it"):
                st.text("\n".join(text().splitlines()[:40]))
    with right:
        widgets.slider(keys.WINDOW, "Window", help="How far, in words, a neighbour may stand at most.")
        says = "Random words that each true pair is told apart from. 0 leaves only attraction."
        widgets.slider(keys.NEGATIVES, "Negatives", help=says)
        with st.expander("More settings"):
            widgets.slider(keys.DIMENSIONS, "Dimensions", help="Numbers in each word's vector.")
            more: dict[str, Any] = {"format_func": lambda v: f"{v:g}" if v else "off", "help": SUBSAMPLING}
            widgets.select_slider(keys.SUBSAMPLE, "Subsampling", SUBSAMPLES, **more)
            widgets.slider(keys.EPOCHS, "Epochs", help="How often the whole text is read.")
            widgets.select_slider(keys.RATE, "Learning rate", RATES)
            widgets.number_input(keys.SEED, "Seed")
            says = "The most frequent, function words aside."
            widgets.slider(keys.SHOWN, "Words on the map", help=says)


def _source_changed() -> None:
    state.put(keys.EPOCHS, EPOCHS[state.get(keys.SOURCE)])


@cache
def _built_in(source: str) -> str:
    return grammar.text() if source == "grammar" else TEXT_FILE.read_text(encoding="utf-8")


def text() -> str:
    """The chosen text, or what was typed."""
    source = state.get(keys.SOURCE)
    return _built_in(source) if source != "own" else state.get(keys.TEXT)


def settings() -> Settings:
    """The settings as they stand on the page."""
    return Settings(
        dimensions=state.get(keys.DIMENSIONS),
        window=state.get(keys.WINDOW),
        negatives=state.get(keys.NEGATIVES),
        subsample=state.get(keys.SUBSAMPLE),
        epochs=state.get(keys.EPOCHS),
        rate=state.get(keys.RATE),
        seed=state.get(keys.SEED),
    )


def content_rows(corpus: TokenizedText) -> tuple[int, ...]:
    """Rows of the words that are not function words, the most frequent first."""
    return tuple(i for i, word in enumerate(corpus.vocabulary) if word not in FUNCTION_WORDS)


def kinds() -> dict[str, str]:
    """Word -> kind where the text has known ones; they colour the map."""
    return grammar.groups() if state.get(keys.SOURCE) == "grammar" else {}


def shown(corpus: TokenizedText) -> tuple[int, ...]:
    """Rows of the words on the map."""
    known, content = kinds(), content_rows(corpus)
    first = [i for i in content if corpus.vocabulary[i] in known]  # the grammar's own words come first
    others = [i for i in content if corpus.vocabulary[i] not in known]
    return tuple([*first, *([] if known else others)][: state.get(keys.SHOWN)])
