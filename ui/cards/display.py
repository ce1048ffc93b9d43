"""Cards on the screen: their texts exactly as written, never read as Markdown or HTML.

Bodies are plain text and code blocks; headings and button labels, which Streamlit always reads as
Markdown, get text in which nothing is left to read.
"""

from __future__ import annotations

import streamlit as st

from core.cards.built_in import live_target
from core.cards.decks.fences import segments
from core.cards.types import Card
from ui import pages
from ui.messages import as_written, plain


def body(text: str) -> None:
    """Text of any number of lines, with fenced code as code."""
    for kind, content in segments(text):
        if kind == "code":
            st.code(content, language=None, wrap_lines=True)
        else:
            plain(content)


def question(card: Card, where: str = "") -> None:
    """The side that is shown first."""
    head = " · ".join(part for part in (where, card.title) if part)
    if head:
        st.caption(as_written(head))
    if card.background:
        body(card.background)
    if "\n" in card.question:
        body(card.question)
    else:
        st.markdown(f"### {as_written(card.question)}")


def answer(card: Card) -> None:
    """The other side: the answer, and the reasons."""
    body(card.answer)
    reasons(card)


def reasons(card: Card) -> None:
    """Why the tempting answer is wrong, and who says so."""
    if card.wrong:
        with st.container(border=True, gap="xsmall"):
            st.caption("Why the tempting answer is wrong")
            body(card.wrong)
    if card.source:
        st.caption(f"Source: {as_written(card.source)}")


def live_address(card: Card) -> str | None:
    """Where the card's experiment opens, relative to any page; None without an existing page."""
    path, _ = live_target(card)
    known = {page.url_path for page in pages.existing()}
    return card.live if path in known and path else None


def live_link(card: Card, key: str) -> None:
    """Opens the card's experiment in a new tab: a fresh session, so that the link alone sets it up."""
    if (address := live_address(card)) is not None:
        st.link_button("See it live", address, icon=":material/open_in_new:", type="tertiary", key=key)
