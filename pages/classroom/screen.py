"""The presenter view: large type for a projector, nothing to press, nothing that learners must not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.classroom import entries, rooms, stage
from core.classroom.activities import (
    CardsActivity,
    CollectActivity,
    ExplainActivity,
    PredictActivity,
    RunActivity,
    SittingActivity,
)
from core.classroom.rooms import Room
from core.classroom.stage import Phase, Staged
from pages.classroom import acts, bars, joining, running
from ui.learner import database, now

SHOWN_TEXTS = 6  # explanations that a projector has room for


def view(room: Room) -> None:
    """The whole screen."""
    joined = len(rooms.members(database(), room.id))
    staged = stage.activity(database(), room.id, room.activity)
    if room.is_over(now()):
        bars.large("screen over", "The room is over. Thank you.")
    elif staged is None:
        _welcome(room, joined)
    else:
        bars.large("screen title", staged.content.title)
        if staged.content.body and staged.phase is Phase.OPEN:
            bars.large("screen body", staged.content.body, "text")
        DRAWN[type(staged.content)](room, staged, joined)
        st.caption(f"Room {room.code} · {joined} joined")
    acts.listen(room, answers=True, gap=1.0)


def _welcome(room: Room, joined: int) -> None:
    left, right = st.columns([0.4, 0.6], gap="large", vertical_alignment="center")
    with left:
        st.image(joining.qr_code(joining.link(room)), width="stretch")
    with right:
        bars.large("screen title", room.title)
        bars.large("screen code", room.code, "code")
        bars.large("screen link", joining.link(room).split("?")[0], "text")
        bars.large("screen joined", f"{joined} joined", "text")


def _count(done: int, joined: int, what: str) -> None:
    bars.large("screen count", f"{done} of {joined} {what}", "text")


def _predict(room: Room, staged: Staged, joined: int) -> None:
    content = staged.content
    assert isinstance(content, PredictActivity)
    cast = stage.votes(database(), room.id, staged.number)
    if staged.phase is Phase.REVEALED:
        found = stage.tally(content, cast)
        bars.bars("screen bars", found, bars.outcome_of(staged), "screen")
        if said := bars.who_changed(found):
            bars.large("screen changed", said, "text")
        return
    if content.options:
        bars.large("screen options", "\n".join(f"–  {option}" for option in content.options), "text")
    again = "Talk, then vote again. " if staged.round == 2 else ""
    closed = " Voting is closed." if staged.phase is Phase.CLOSED else ""
    counted = f"{len(cast.get(staged.round, {}))} of {joined} have answered."
    bars.large("screen count", again + counted + closed, "text")


def _collect(room: Room, staged: Staged, joined: int) -> None:
    found = running.shown_only(entries.entries(database(), room.id, staged.number))
    _count(len({sent.member for sent in found}), joined, f"have sent {len(found)} sentences")
    running.collected_map(found, room, "screen", "screen")


def _explain(room: Room, staged: Staged, joined: int) -> None:
    found = entries.entries(database(), room.id, staged.number)
    _count(len({sent.member for sent in found}), joined, "have written")
    for sent in running.shown_only(found)[:SHOWN_TEXTS]:
        with st.container(border=True):
            bars.large(f"screen text {sent.id}", sent.text, "text")


def _run(room: Room, staged: Staged, joined: int) -> None:
    run = running.current(room, staged)
    if run is None:
        bars.large("screen count", "The training begins in a moment.", "text")
    else:
        running.draw(run, "screen", "screen")


def _sittings(room: Room, staged: Staged, joined: int) -> None:
    assert isinstance(staged.content, SittingActivity)
    records = entries.all_sittings(database(), room.id)
    _count(sum(len(r.done) >= staged.content.sitting for r in records), joined, "have handed in")


def _cards(room: Room, staged: Staged, joined: int) -> None:
    bars.large("screen count", "Cards on your own screen, at your own pace.", "text")


DRAWN: Mapping[type, Callable[[Room, Staged, int], None]] = {
    CollectActivity: _collect,
    PredictActivity: _predict,
    ExplainActivity: _explain,
    RunActivity: _run,
    SittingActivity: _sittings,
    CardsActivity: _cards,
}
