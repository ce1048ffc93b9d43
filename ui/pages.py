"""The one table of pages: what there is, where it lives, what one line says about it.

The sidebar, the URLs and the cards on Home are all made from it. A row whose file does not exist is left
out, so a page is added by writing its file and its row here, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import Page as StreamlitPage

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = ("Start", "Understand", "Practise", "Tools")


@dataclass(frozen=True, slots=True)
class Page:
    """One row: a folder in pages/, its name, its URL path, the section it stands in, icon and summary."""

    folder: str
    title: str
    url_path: str
    section: str
    icon: str  # a Material Symbols name
    summary: str  # one sentence, shown on Home

    @property
    def path(self) -> Path:
        return ROOT / "pages" / self.folder / "page.py"

    @property
    def material(self) -> str:
        return f":material/{self.icon}:"


HOME = Page("home", "Home", "", "Start", "home", "Where to begin.")
TRAIN = Page(
    "train_live",
    "Train live",
    "train",
    "Start",
    "play_circle",
    "Type sentences, say which belong together, and watch the map move while a model learns.",
)
COMPARE = Page(
    "compare",
    "Compare runs",
    "compare",
    "Tools",
    "splitscreen_right",
    "Two models side by side on one map: what moved, and what was forgotten.",
)
LESSONS = Page(
    "lessons",
    "Lessons",
    "lessons",
    "Start",
    "school",
    "Guided experiments: predict first, then run it and compare.",
)

CLASS = Page(
    "classroom",
    "Class",
    "class",
    "Start",
    "groups",
    "A room for a class: collect sentences, vote, watch one run together, on every phone.",
)

PAGES: tuple[Page, ...] = (
    HOME,
    TRAIN,
    LESSONS,
    CLASS,
    Page(
        "text_to_vector",
        "From text to vector",
        "text-to-vector",
        "Understand",
        "text_fields",
        "Follow one sentence from word pieces through every layer to its 384 numbers.",
    ),
    Page(
        "similarity",
        "Similarity",
        "similarity",
        "Understand",
        "compare_arrows",
        "Cosine, dot product and distance on the same sentences, and where the model is wrong.",
    ),
    Page(
        "high_dimensions",
        "High dimensions",
        "high-dimensions",
        "Understand",
        "view_in_ar",
        "What happens to distances as dimensions grow, and what a flat map has to leave out.",
    ),
    Page(
        "losses",
        "Losses and forces",
        "losses",
        "Understand",
        "open_with",
        "Drag points on a circle and see how each loss pulls and pushes them.",
    ),
    Page(
        "contrast",
        "Contrast",
        "contrast",
        "Understand",
        "difference",
        "Why P and not Q: the words that move the similarity, and what hard negatives teach.",
    ),
    Page(
        "bi_vs_cross",
        "Bi-encoder vs cross-encoder",
        "bi-vs-cross",
        "Understand",
        "join_inner",
        "Compare two vectors, or read both sentences at once: accuracy against cost.",
    ),
    Page(
        "sbert",
        "SBERT's objective",
        "sbert",
        "Understand",
        "call_split",
        "Two passes through one network, and what the classifier on top gets to see.",
    ),
    Page(
        "word2vec",
        "Word2Vec",
        "word2vec",
        "Understand",
        "spellcheck",
        "Train word vectors on your own text and watch neighbours find each other.",
    ),
    Page(
        "classification",
        "Classification",
        "classification",
        "Practise",
        "category",
        "Sort sentences into classes from a handful of labelled examples.",
    ),
    Page(
        "failures",
        "Fine-tuning gone wrong",
        "gone-wrong",
        "Practise",
        "report",
        "Break a model on purpose, by collapse, forgetting or overfitting, and measure it.",
    ),
    Page(
        "study",
        "Study cards",
        "study",
        "Practise",
        "style",
        "Flashcards that come back when you are about to forget them.",
    ),
    Page(
        "search",
        "Search",
        "search",
        "Tools",
        "search",
        "Retrieve with one model, re-rank with another, and see what moved.",
    ),
    COMPARE,
    Page(
        "glossary",
        "Glossary",
        "glossary",
        "Tools",
        "menu_book",
        "Every term in one sentence, with its formula and where to see it.",
    ),
)


@cache
def existing() -> tuple[Page, ...]:
    """The rows whose file is there, in the order of the table."""
    return tuple(page for page in PAGES if page.path.is_file())


def navigation() -> dict[str, list[StreamlitPage]]:
    """What st.navigation takes: section -> its pages. Sections without a page are left out."""
    sections = {
        section: [_streamlit_page(page) for page in existing() if page.section == section]
        for section in SECTIONS
    }
    return {section: pages for section, pages in sections.items() if pages}


def link(page: Page, label: str | None = None, query: dict[str, str] | None = None) -> None:
    """A link to a page of the table with URL parameters, or nothing while that page does not exist."""
    if page.path.is_file():
        st.page_link(page.path, label=label or page.title, icon=page.material, query_params=query)


def _streamlit_page(page: Page) -> StreamlitPage:
    return st.Page(
        page.path,
        title=page.title,
        icon=page.material,
        url_path=page.url_path or None,
        default=page is HOME,
    )
