"""A typed answer beside the card's: two scores from the app's own encoders, and what they suggest."""

from __future__ import annotations

import streamlit as st

from core.cards.quiz import short_answer
from core.cards.typed_answer import LONGEST, TypedScore, score
from core.cards.types import Card, Rating
from ui import kit, messages

__all__ = ["LONGEST", "compare"]


def compare(card: Card, typed: str) -> Rating | None:
    """Show what was typed and its scores; the rating they suggest, None when they are not to be had."""
    st.caption("You wrote")
    messages.plain(typed)
    with kit.sentences_not_tracebacks():
        found = kit.ask(
            score,
            typed,
            short_answer(card),
            card.choices,
            busy="Both encoders are reading",
        )
        _scores(found)
        return found.suggestion.rating
    return None


def _scores(found: TypedScore) -> None:
    rival = found.rival
    rows = {
        "Your answer against": ["the card's answer"],
        "Bi-encoder cosine": [f"{found.answer.cosine:.2f}"],
        "Cross-encoder score": [f"{found.answer.cross or 0:.2f}"],
    }
    if rival is not None:
        rows["Your answer against"].append("its closest wrong option")
        rows["Bi-encoder cosine"].append(f"{rival.cosine:.2f}")
        rows["Cross-encoder score"].append(f"{rival.cross or 0:.2f}")
    st.table(rows, border="horizontal", hide_index=True)
    st.caption(f"{found.suggestion.text} The scores measure closeness, not truth: your own verdict counts.")
