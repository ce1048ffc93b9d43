"""Cards made from the run on the page: asked with the run's own frames, and kept in a deck of one's own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from core.cards import picture as pictures
from core.cards.from_run import RunCard, cards_from_run
from core.cards.moments import as_card
from core.cards.reading import Moment
from core.cards.types import Card, Deck
from core.storage import learners, study
from core.types import FloatArray, InputError, Run
from pages.train_live import keys
from ui import learner, state
from ui.cards import display, moving_picture
from ui.inputs import OWN
from ui.learner import database, now
from ui.training_data import TrainingData, set_key
from ui.widgets import button, row

DECK = "my-runs"
TITLE = "From my runs"
DECK_TEXT = "Cards made from your own runs; the newest come first."
SETUP: tuple[state.Key[Any], ...] = (state.PAIR_MODE, state.PAIR_COUNT, state.PAIR_SEED, state.HELD_OUT)
SHORTEST_LINKED = 4000  # characters; typed text that makes a longer link is left out of it


def of_run(data: TrainingData, run: Run | None, base: FloatArray) -> None:
    """The panel: one card at a time, after the run."""
    if run is None or len(run.snapshots) < 2:
        st.caption("Train first. Then this asks you about your own run.")
        return
    if run.is_active:
        st.caption("Cards are made from this run as soon as it has finished or is paused.")
        return
    made = _made(run)
    if not made:
        st.caption("This run holds nothing to ask about yet. A few more steps, or some pairs, change that.")
        return
    st.markdown(
        f"**{len(made)} cards from this run.** Questions about what just happened; every number in the "
        "answers was computed from its snapshots."
    )
    at = state.get(keys.RUN_CARD) % len(made)
    _one(data, run, made[at], at, len(made))
    _keeping(data, run, made)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={Run: lambda run: (run.id, run.step)})
def _made(run: Run) -> tuple[RunCard, ...]:
    return cards_from_run(run)


def _one(data: TrainingData, run: Run, made: RunCard, at: int, count: int) -> None:
    card = made.card
    flipped = state.get(keys.RUN_CARD_FLIPPED) == card.id
    left, right = st.columns([0.5, 0.5], gap="large")
    with left, st.container(border=True):
        display.question(card, f"{at + 1} of {count}")
        if flipped:
            display.answer(card)
        else:
            flip = state.setter(keys.RUN_CARD_FLIPPED, card.id)
            button("Show the answer", flip, key="run_card_flip", type="primary")
        with row():
            for label, step, icon in (("Previous", -1, "arrow_back"), ("Next", 1, "arrow_forward")):
                go = state.setter(keys.RUN_CARD, (at + step) % count)
                button(label, go, key=f"run_card_{label}", icon=icon, type="tertiary")
    with right:
        shown = pictures.picture(run, made)
        if shown is not None:
            moving_picture.draw(shown, key="run_card_map", flipped=flipped)


def _keeping(data: TrainingData, run: Run, made: tuple[RunCard, ...]) -> None:
    who = learner.current()
    if who is None:
        st.markdown("To keep these cards and meet them again, choose a name first.")
        learner.choose_name("run_name")
        return
    deck = next((deck for deck in study.own_decks(database(), who.id) if deck.key == DECK), None)
    kept = {card.id for card in deck.cards} if deck is not None else set()
    missing = [card for card in made if card.card.id not in kept]
    with row():
        if missing:
            keep = partial(_keep, who.id, data, run, tuple(missing))
            says = f"Puts them into your deck “{TITLE}”."
            button("Make cards from this run", keep, key="keep_run_cards", icon="library_add", help=says)
        else:
            st.caption(f"These cards are in your deck “{TITLE}”.")
        learner.study_link("Study your cards")


def _keep(learner_id: int, data: TrainingData, run: Run, made: tuple[RunCard, ...]) -> None:
    """Add the cards to the learner's deck of runs, each with a picture and a link that repeats the run."""
    before = next((deck for deck in study.own_decks(database(), learner_id) if deck.key == DECK), None)
    cards = () if before is None else before.cards
    new = tuple(with_setup(m.card, data, run) for m in made)
    try:
        study.save_deck(database(), learner_id, Deck(DECK, TITLE, (*new, *cards), DECK_TEXT), now())
        if (album := pictures.album(run, made)) is not None:
            learners.set_setting(database(), learner_id, moving_picture.setting(made[0].card.id), album)
    except InputError as error:
        state.put(state.MESSAGE, str(error))


def keep_moment(learner_id: int, data: TrainingData, run: Run, moment: Moment) -> None:
    """Add the card of the moment to the learner's deck of runs, and say so."""
    before = next((deck for deck in study.own_decks(database(), learner_id) if deck.key == DECK), None)
    cards = () if before is None else before.cards
    new = with_setup(as_card(moment, run), data, run)
    if new.id in {card.id for card in cards}:
        return
    try:
        study.save_deck(database(), learner_id, Deck(DECK, TITLE, (new, *cards), DECK_TEXT), now())
        state.put(state.MESSAGE, f"Kept in your deck “{TITLE}”.")
    except InputError as error:
        state.put(state.MESSAGE, str(error))


def with_setup(card: Card, data: TrainingData, run: Run) -> Card:
    """The card with a live link that also names sentences and pairs, where the page still shows the run's."""
    if run.sentences != data.sentences:
        return card
    key = set_key()
    values: dict[str, object] = {state.SET.name: key}
    values |= {k.name: value for k in SETUP if (value := state.get(k)) not in (k.default, None)}
    texts = {k.name: state.get(k) for k in (state.TEXT, state.PAIR_TEXT) if state.get(k)}
    if key != OWN:
        texts.pop(state.TEXT.name, None)
    if texts:
        word = state.pack(texts)
        if len(word) > SHORTEST_LINKED:
            return card
        values[state.PACKED] = word
    return replace(card, live=f"{card.live}&{urlencode(values)}")
