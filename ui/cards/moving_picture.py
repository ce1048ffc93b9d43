"""The picture of a card made from a run: its frames on a small moving map."""

from __future__ import annotations

import streamlit as st

from core.cards import picture as pictures
from core.cards.types import Card
from core.storage import learners
from core.types import InputError
from ui.boards import moving_map
from ui.learner import database

HEIGHT = 340


def draw(shown: pictures.Picture, key: str, flipped: bool, height: int = HEIGHT) -> None:
    """Draw it; the sentences of the answer are marked only when the card is flipped."""
    replay = len(shown.steps) > 1
    moving_map.board(
        key=key,
        sentence_set=shown.sentences,
        xy=shown.frames[-1],
        step=shown.steps[-1],
        space=f"{key} {shown.steps} {shown.sentences.ids[0]}",
        labels=False,
        selected=shown.marked if flipped else (),
        height=height,
        frames=shown.frames if replay else None,
        steps=shown.steps if replay else None,
        can_mark=False,
    )
    marked = " The sentences of the answer are marked." if flipped and shown.marked else ""
    st.caption(
        f"Steps {shown.steps[0]} to {shown.steps[-1]} of that run, press play.{marked}"
        if replay
        else f"Step {shown.steps[0]} of that run.{marked}"
    )


def setting(card_id: str) -> str:
    """The name of the learner's setting that keeps the pictures of this card's run."""
    return "pictures." + "-".join(card_id.split("-")[:2])


def kept(card: Card, learner_id: int, flipped: bool, height: int = HEIGHT) -> None:
    """The picture kept with a card from a run; nothing for any other card."""
    if not card.id.startswith("run-"):
        return
    album = learners.settings(database(), learner_id).get(setting(card.id))
    try:
        shown = None if album is None else pictures.from_album(album, card.id)
    except InputError as error:
        st.caption(str(error))
        return
    if shown is not None:
        draw(shown, key=f"picture {card.id}", flipped=flipped, height=height)
