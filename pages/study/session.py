"""The study session: one card on the table, asked in one of three ways, answered and at once on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import streamlit as st

from core import storage
from core.cards import schedule
from core.cards.plan import StudyPlan
from core.cards.quiz import multiple_choice
from core.cards.types import Card, CardState, Confidence, Rating, StudyMode
from pages.study import keyboard, keys, preferences, typed_answer
from pages.study.collection import ALL, Collection, in_words
from ui import messages, state, widgets
from ui.cards import display, moving_picture
from ui.learner import database, now
from ui.messages import as_written
from ui.widgets import button, row

MODES: dict[str, str] = {
    StudyMode.FLIP.value: "Flip",
    StudyMode.TYPED.value: "Type the answer",
    StudyMode.CHOICE.value: "Multiple choice",
}
CONFIDENCES = {
    Confidence.GUESS: "Guess",
    Confidence.FAIRLY_SURE: "Fairly sure",
    Confidence.CERTAIN: "Certain",
}
FOUR_LABELS = {Rating.AGAIN: "Again", Rating.HARD: "Hard", Rating.GOOD: "Good", Rating.EASY: "Easy"}
TWO_LABELS = {Rating.AGAIN: "Again", Rating.GOOD: "Got it"}
MORE = 10  # new cards on request
CARD_WIDTH = 860  # pixels; longer lines are hard to follow
PICTURE_HEIGHT = 220  # pixels, so that the ratings below it are on the screen
LONGEST_PAUSE = 300.0  # seconds; who took longer was away, and the time says nothing
SURE = (
    "Say how sure you are before you see the answer. What you were certain about and got wrong comes back "
    "first: such errors are corrected best when they are met again soon (Butterfield and Metcalfe 2001)."
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One card on the table, from its question to its rating. `name` changes with every answer given."""

    name: str
    card_id: str
    shown_at: float
    flipped: bool = False
    confidence: Confidence | None = None
    typed: str = ""
    picked: int | None = None

    @property
    def begun(self) -> bool:
        return self.flipped or self.confidence is not None


def study(kept: Collection) -> None:
    """The whole Study view."""
    deck_key, mode = _choose(kept)
    plan = kept.plan(deck_key)
    _counts(plan)
    card = _next_card(kept, plan)
    if card is None:
        _nothing_left(kept, plan, deck_key)
    else:
        trial = _trial(card, kept)
        with st.container(border=True, key="card", width=CARD_WIDTH, gap="xsmall"):
            _face(card, trial, mode, kept)
        keyboard.belong_to_card(f"{mode.value} {state.get(keys.SURE)} {deck_key} {trial.name}")
    _tools(kept, card)
    preferences.form(kept)


def _choose(kept: Collection) -> tuple[str, StudyMode]:
    titles = {ALL: "All decks"} | {deck.key: deck.title for deck in kept.decks}
    with row():
        deck = widgets.selectbox(keys.DECK, "Deck", titles, label_visibility="collapsed", width=250)
        mode = widgets.segmented_control(keys.MODE, "How to be asked", MODES, label_visibility="collapsed")
        widgets.toggle(keys.SURE, "Ask how sure I am", help=SURE)
    return deck, StudyMode(mode)


def _counts(plan: StudyPlan) -> None:
    """What is left of today, as one row."""
    counts: tuple[tuple[int, str, Literal["orange", "violet", "green", "blue"]], ...] = (
        (len(plan.confident_errors), "confident errors", "orange"),
        (len(plan.learning) + len(plan.soon), "in learning", "violet"),
        (len(plan.due), "due", "green"),
        (len(plan.new), "new", "blue"),
    )
    with row("counts"):
        st.markdown("**Today**")
        for count, name, colour in counts:
            if count or name in ("due", "new"):
                st.badge(f"{count} {name}", color=colour)


def _next_card(kept: Collection, plan: StudyPlan) -> Card | None:
    """After an undo its card comes back first; a card once begun stays on the table until it is answered."""
    forced = kept.card(state.get(keys.NEXT))
    if forced is not None and forced.id not in kept.suspended:
        return forced
    trial: Trial | None = state.get(state.STUDY_TRIAL)
    if trial and trial.begun and trial.name == _name(trial.card_id, kept) and trial.card_id in plan.order:
        return kept.card(trial.card_id)
    return kept.card(plan.next_card)


def _name(card_id: str, kept: Collection) -> str:
    return f"{card_id}:{len(kept.log)}"


def _trial(card: Card, kept: Collection) -> Trial:
    trial: Trial | None = state.get(state.STUDY_TRIAL)
    if trial is None or trial.name != _name(card.id, kept):
        trial = Trial(_name(card.id, kept), card.id, kept.moment.timestamp())
        state.put(state.STUDY_TRIAL, trial)
    return trial


def _face(card: Card, trial: Trial, mode: StudyMode, kept: Collection) -> None:
    deck = kept.deck_of(card.id)
    display.question(card, deck.title if deck is not None else "")
    moving_picture.kept(card, kept.learner.id, trial.flipped, height=PICTURE_HEIGHT)
    if not trial.flipped:
        _ASK[mode](card, trial, kept)
        return
    suggested = None
    if mode is StudyMode.TYPED and trial.typed.strip():
        suggested = typed_answer.compare(card, trial.typed)
    elif mode is StudyMode.CHOICE and trial.picked is not None:
        suggested = _picked(card, trial, kept)
    display.body(card.answer)
    _ratings(card, trial, mode, kept, suggested)  # before the reasons: on the screen however long these are
    display.reasons(card)


def _ask_flip(card: Card, trial: Trial, kept: Collection) -> None:
    if state.get(keys.SURE):
        _ask_confidence(trial)
    flip = partial(change, trial.name, flipped=True)
    button("Show the answer", flip, key=f"flip {trial.name}", type="primary", shortcut="Space")


def _ask_confidence(trial: Trial) -> None:
    """Three buttons that name the confidence and flip the card at once."""
    st.caption("How sure are you? Your choice flips the card.")
    with row():
        for confidence, label in CONFIDENCES.items():
            number, flip = int(confidence), partial(change, trial.name, confidence=confidence, flipped=True)
            button(label, flip, key=f"sure {number} {trial.name}", shortcut=str(number))


def _ask_typed(card: Card, trial: Trial, kept: Collection) -> None:
    field = f"typed {trial.name}"
    if state.get(keys.SURE):
        _confidence_first(trial)
    with st.form(f"form {trial.name}", border=False):
        st.text_input("Your answer", key=field, max_chars=typed_answer.LONGEST, autocomplete="off")
        st.form_submit_button(
            "Check", type="primary", on_click=_check, args=(trial.name, field), key=f"check {trial.name}"
        )


def _check(name: str, field: str) -> None:
    change(name, typed=state.widget_value(field) or "", flipped=True)


def _confidence_first(trial: Trial) -> None:
    """Where the flip takes its own gesture: name the confidence, then answer."""
    with row():
        st.caption("How sure are you?")
        for confidence, label in CONFIDENCES.items():
            act = partial(change, trial.name, confidence=confidence)
            key = f"sure {int(confidence)} {trial.name}"
            if trial.confidence is confidence:
                button(label, act, key=key, icon="check")
            else:
                button(label, act, key=key, type="tertiary")


def _ask_choice(card: Card, trial: Trial, kept: Collection) -> None:
    quiz = multiple_choice(card, kept.cards(), seed=len(kept.log))
    if quiz is None:
        st.caption("This card has no wrong options to choose from, so it is flipped.")
        _ask_flip(card, trial, kept)
        return
    if state.get(keys.SURE):
        _confidence_first(trial)
    for i, option in enumerate(quiz.options):
        pick, key = partial(change, trial.name, picked=i, flipped=True), f"option {i} {trial.name}"
        button(as_written(option), pick, key=key, shortcut=str(i + 1), width="stretch", wrap=True)


_ASK: dict[StudyMode, Callable[[Card, Trial, Collection], None]] = {
    StudyMode.FLIP: _ask_flip,
    StudyMode.TYPED: _ask_typed,
    StudyMode.CHOICE: _ask_choice,
}


def _picked(card: Card, trial: Trial, kept: Collection) -> Rating | None:
    """Say whether the chosen option was the right one; the same seed gives the same options again."""
    quiz = multiple_choice(card, kept.cards(), seed=len(kept.log))
    if quiz is None or trial.picked is None or trial.picked >= len(quiz.options):
        return None
    right = quiz.is_right(trial.picked)
    st.markdown("**That is the right option.**" if right else "**That is not the right option.** You chose:")
    if not right:
        messages.plain(quiz.options[trial.picked])
        st.caption("The card says:")
    return Rating.GOOD if right else Rating.AGAIN


def _ratings(card: Card, trial: Trial, mode: StudyMode, kept: Collection, suggested: Rating | None) -> None:
    """The learner's verdict: two or four buttons, each with its key and when the card would come back."""
    settings = kept.settings
    before = kept.states.get(card.id) or schedule.new_state(card.id, kept.moment)
    waits = schedule.preview(before, kept.moment, settings.buttons, settings.desired_retention)
    labels = FOUR_LABELS if settings.four_buttons else TWO_LABELS
    primary = suggested or Rating.GOOD
    with row("ratings"):
        for place, rating in enumerate(settings.buttons, start=1):
            act = partial(
                answer, kept.learner.id, trial.name, before, rating, mode, settings.desired_retention
            )
            more: dict[str, Any] = {"type": "primary"} if rating is primary else {}
            more |= {"shortcut": str(place), "help": f"Comes back in {in_words(waits[rating])}"}
            button(labels[rating], act, key=f"rate {int(rating)} {trial.name}", **more)
        display.live_link(card, key=f"live {trial.name}")
    told = ", ".join(f"{labels[rating]}: {in_words(wait)}" for rating, wait in waits.items())
    st.caption(f"Comes back in: {told}.")


def change(name: str, **changes: Any) -> None:
    """Change the trial on the table; a click that was meant for an earlier one does nothing."""
    trial: Trial | None = state.get(state.STUDY_TRIAL)
    if trial is not None and trial.name == name:
        state.put(state.STUDY_TRIAL, replace(trial, **changes))


def answer(
    learner_id: int, name: str, before: CardState, rating: Rating, mode: StudyMode, retention: float
) -> None:
    """Rate the card on the table. The answer is on disk when this returns, before the next card is drawn."""
    trial: Trial | None = state.get(state.STUDY_TRIAL)
    if trial is None or trial.name != name or not trial.flipped:
        return
    moment = now()
    seconds = min(max(0.0, moment.timestamp() - trial.shown_at), LONGEST_PAUSE)
    more: dict[str, Any] = {"mode": mode, "confidence": trial.confidence, "seconds": round(seconds, 1)}
    after, review = schedule.review(before, rating, moment, desired_retention=retention, **more)
    with messages.kept_in(state.STUDY_SAID):
        storage.study.record(database(), learner_id, review, after)
    state.put(state.STUDY_TRIAL, None)
    state.put(keys.NEXT, None)


def undo(learner_id: int) -> None:
    """Take the last answer back, exactly; its card is on the table again."""
    taken = storage.study.undo(database(), learner_id)
    state.put(state.STUDY_TRIAL, None)
    state.put(keys.NEXT, None if taken is None else taken.card_id)
    state.put(
        state.STUDY_SAID, "There is no answer to undo." if taken is None else "The last answer is undone."
    )


def suspend(learner_id: int, card_id: str) -> None:
    """Keep a card out of the plan until it is resumed in Browse."""
    storage.study.suspend(database(), learner_id, card_id, now())
    state.put(state.STUDY_TRIAL, None)
    state.put(keys.NEXT, None)
    state.put(state.STUDY_SAID, "The card is suspended. Browse has it, and can bring it back.")


def edit(card_id: str) -> None:
    """Open a card in Browse."""
    state.put(keys.CARD, card_id)
    state.put(keys.SEARCH, "")
    state.put(keys.VIEW, "Browse")


def _tools(kept: Collection, card: Card | None) -> None:
    who, quiet = kept.learner.id, partial(button, type="tertiary")
    with row("tools"):
        quiet("Undo", undo, who, key="undo", icon="undo", shortcut="U", disabled=not kept.log)
        if card is not None:
            says = "Leave this card out until you bring it back in Browse."
            quiet("Suspend", suspend, who, card.id, key="suspend", icon="pause_circle", help=says)
            quiet("Edit", edit, card.id, key="edit", icon="edit")


def _nothing_left(kept: Collection, plan: StudyPlan, deck_key: str) -> None:
    with st.container(border=True, key="done"):
        st.markdown("#### Done for today")
        if plan.next_due is not None:
            st.markdown(f"The next card comes in {in_words(plan.next_due - kept.moment)}.")
        fresh = sum(c.id not in kept.states and c.id not in kept.suspended for c in kept.cards(deck_key))
        if fresh:
            more = min(MORE, fresh)
            # What was asked for before a reload has been begun, and is counted no longer.
            extra = max(state.get(keys.EXTRA), plan.begun - kept.settings.new_per_day)
            learn = state.setter(keys.EXTRA, extra + more)
            button(f"Learn {more} more new cards", learn, key="more")
