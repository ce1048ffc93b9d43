"""The gate: a question, and what answers it hidden until it is answered or somebody looks anyway.

Every page with a prediction asks it like this, and there is no other way:

    with kit.sentences_not_tracebacks():
        gate = predict(keys.GUESS, question, options, rule)
        truth = ...draw the figure...
        gate.tell(truth, why)

While the question is open, `predict` draws a frame in the figure's place and ends the block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import messages, state, widgets
from ui.keys import Key
from ui.messages import as_written
from ui.predictions import record
from ui.predictions.record import Predictions
from ui.widgets import Options, button

HEIGHT = 380  # pixels kept for what is hidden: a figure with its words
AGREES = "Your prediction agrees with the measurement."


class UnansweredError(Exception):
    """What follows would answer a question that is still open."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A question that was asked; true once its answer may be seen."""

    asked: str
    guess: str | None
    is_open: bool
    title: Callable[[str], str]
    beside: DeltaGenerator
    known: Predictions  # when it was asked
    shows_guess: bool = True  # among the answers that one could choose

    def __bool__(self) -> bool:
        return self.is_open

    def tell(self, outcome: str, why: str) -> None:
        """What was measured, beside the guess; and here, below the figure, why it is so."""
        self.compare(outcome)
        with st.container(border=True):
            st.markdown(why)

    def compare(self, outcome: str, says: str = "") -> None:
        """What was measured, beside the guess; `says` in numbers, as written."""
        known = record.settle(self.asked, self.title(outcome), self.known)
        with self.beside, st.container(gap="xsmall"):  # no taller than the question: nothing is to jump
            said = f"You said: {as_written(self.title(self.guess))}." if self.guess else ""
            far = record.so_far(known)
            if self.guess == outcome:
                st.markdown(f"**{AGREES}** {'' if self.shows_guess else said} {far}")
            else:
                st.markdown(f"**Measured: {as_written(self.title(outcome))}.**")
                st.markdown(f"{said or 'You looked without a guess.'} {far}")
            if says:
                st.markdown(as_written(says))


def ask(
    key: Key[str | None],
    question: str,
    options: Options[str],
    rule: str,
    *,
    narrow: bool = False,
    locked: bool = False,
) -> Gate:
    """The question, for what has its own way to wait for the answer. `rule` says when which option is true.
    A guess can be changed until it is `locked`; the first one counts. `narrow`: the outcome stands below."""
    asked, title = record.name(key.name, options), widgets.titles_of(options)
    with st.container(border=True):
        left, beside = (st.container(), st.container()) if narrow else st.columns([0.6, 0.4], gap="medium")
        with left:
            st.markdown(f"**Predict first.** {question}")
            told = partial(messages.refusals_kept, record.guessed, asked, question, key, title)
            guess = widgets.radio(key, question, options, on_change=told, disabled=locked)
            st.caption(rule)
    return Gate(asked, guess, guess is not None, title, beside, record.everything())


def settled(key: Key[str | None], question: str, options: Options[str]) -> Gate:
    """The question alone, where it is measured and its place is needed; `compare` then says the guess too."""
    asked, guess = record.name(key.name, options), state.get(key)
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**You predicted.** {question}")
        beside = st.container()
    return Gate(asked, guess, True, widgets.titles_of(options), beside, record.everything(), False)


def predict(
    key: Key[str | None],
    question: str,
    options: Options[str],
    rule: str,
    *,
    height: int = HEIGHT,
    hides: bool = True,
) -> Gate:
    """Ask for a guess, and keep so many pixels below for what is hidden. Raises UnansweredError while it is
    open, but where there is nothing to hide before somebody starts it."""
    gate = ask(key, question, options, rule)
    if gate:
        return gate
    looked = Key(f"{key.name}_shown", False, url=True)
    state.write_address(looked)
    if state.get(looked) or state.get(state.REVEALED) or record.opens(gate.asked, gate.known):
        record.looked(gate.asked, question, gate.known)
        return replace(gate, is_open=True)
    with gate.beside:
        st.caption("Choose an answer, and the measured one appears here.")
        show, name = state.setter(looked, True), f"{looked.name}_button"
        button("Show anyway", show, key=name, icon="visibility", type="tertiary")
    if hides:
        _hidden(question, height)
        raise UnansweredError
    return gate


def _hidden(question: str, height: int) -> None:
    """The place of what answers the question: a frame with the question's own words."""
    middle: dict[str, Any] = {"horizontal_alignment": "center", "vertical_alignment": "center"}
    with st.container(border=True, height=height, **middle):
        st.markdown(f":material/visibility_off: {question}", width="content")
        st.caption("Hidden until you have chosen an answer.", width="content")
