"""The phone: one thing on the screen, where the room stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

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
from core.classroom.entries import MAX_EXPLANATION, MAX_SENTENCE, Status
from core.classroom.rooms import Member, Room
from core.classroom.stage import Phase, Staged
from pages.classroom import acts, bars, doors, own_pace, running
from pages.classroom.choices import choices
from ui import messages, state
from ui.learner import database, now
from ui.messages import as_written
from ui.widgets import button

WAITS = {
    Status.WAITING: " (waits for your teacher)",
    Status.HIDDEN: " (not shown)",
    Status.SHOWN: "",
}


def view(room: Room) -> None:
    """The whole phone."""
    me = rooms.member(database(), room.id, acts.my_key())
    if me is None:
        doors.enter(room)
        return
    staged = stage.activity(database(), room.id, room.activity)
    who = f" · {as_written(me.nickname)}" if me.nickname else ""
    st.caption(f"{as_written(room.title)} · {room.code}{who}")
    collects = staged is not None and isinstance(staged.content, CollectActivity)
    if room.is_over(now()):
        messages.info(rooms.OVER)
        button("To the doors", acts.go, "", key="class_doors")
    elif staged is None:
        st.subheader("You are in.", anchor=False)
        st.write("Your teacher begins in a moment. Keep this page open: it changes by itself.")
        _name(room, me)
    else:
        st.markdown(f"### {as_written(staged.content.title)}")
        if staged.content.body:
            messages.plain(staged.content.body)
        DRAWN[type(staged.content)](room, me, staged)
    acts.listen(room, answers=collects, gap=acts.SENTENCES_GAP)


def _name(room: Room, me: Member) -> None:
    with st.expander("Nickname"), st.form("class_rename", border=False):
        st.text_input("Nickname", me.nickname, key="class_renamed", max_chars=rooms.MAX_NICKNAME)
        _submit("Keep", partial(_rename, room))
    button("Another room", acts.go, "", key="class_leave", type="tertiary")


def _rename(room: Room) -> None:
    rooms.join(database(), room.id, acts.my_key(), state.widget_value("class_renamed") or "", now())


def _submit(label: str, act: Callable[[], object], **more: Any) -> None:
    more = {"type": "primary", "width": "stretch"} | more
    st.form_submit_button(label, on_click=messages.refusals_kept, args=(act,), **more)


# ---- what is written -----------------------------------------------------------------------------------


def _collect(room: Room, me: Member, staged: Staged) -> None:
    content = staged.content
    assert isinstance(content, CollectActivity)
    found = entries.entries(database(), room.id, staged.number)
    mine = [sent for sent in found if sent.member == me.number]
    if staged.phase is not Phase.OPEN:
        st.info("Collecting is closed.", icon=":material/lock:")
    elif len(mine) < content.most:
        group, text = f"class_group {staged.number}", f"class_text {staged.number}"
        with st.form(f"class_send {staged.number}", border=False, clear_on_submit=True):
            titles = dict(zip(content.groups, map(as_written, content.groups)))
            more: dict[str, Any] = {"format_func": titles.__getitem__, "default": content.groups[0]}
            st.pills("Group", content.groups, key=group, required=True, **more)
            st.text_area("Your sentence", key=text, max_chars=MAX_SENTENCE, height=90)
            _submit(
                f"Send ({len(mine)} of {content.most} sent)", partial(_send, room, me, staged, text, group)
            )
    else:
        st.success(f"You have sent {len(mine)}. Thank you.", icon=":material/check:")
    for sent in mine:
        messages.plain(f"{sent.group}: {sent.text}{WAITS[sent.status]}")
    running.collected_map(running.shown_only(found), room, "phone", "learner")


def _send(room: Room, me: Member, staged: Staged, text: str, group: str) -> None:
    said, chosen = state.widget_value(text) or "", (state.widget_value(group) or "") if group else ""
    entries.send(database(), room.id, me.number, staged.number, said, chosen, now())
    acts.tell(room)


def _explain(room: Room, me: Member, staged: Staged) -> None:
    found = entries.entries(database(), room.id, staged.number)
    mine = [sent for sent in found if sent.member == me.number]
    if mine:
        st.success(
            "Sent. Only your teacher reads it, unless it is shown without a name.", icon=":material/check:"
        )
        messages.plain(mine[0].text)
    elif staged.phase is not Phase.OPEN:
        st.info("Writing is closed.", icon=":material/lock:")
    else:
        text = f"class_text {staged.number}"
        with st.form(f"class_send {staged.number}", border=False):
            st.text_area("In your own words", key=text, max_chars=MAX_EXPLANATION, height=160)
            _submit("Send", partial(_send, room, me, staged, text, ""))
    for sent in running.shown_only(found):
        with st.container(border=True):
            messages.plain(sent.text)


# ---- what is voted on -----------------------------------------------------------------------------------


def _predict(room: Room, me: Member, staged: Staged) -> None:
    content = staged.content
    assert isinstance(content, PredictActivity)
    own = stage.own_votes(database(), room.id, staged.number, me.number)
    mine = own.get(staged.round)
    if staged.phase is Phase.REVEALED:
        found = stage.tally(content, stage.votes(database(), room.id, staged.number))
        last = own.get(2, own.get(1))
        place = None if last is None else content.place(last)
        bars.bars("learner bars", found, bars.outcome_of(staged), "phone", place)
        if said := bars.who_changed(found):
            st.caption(said)
        return
    if staged.round == 2:
        before = content.words(own[1]) if 1 in own else "nothing"
        st.caption(f"Second round, after talking. The first time you said: {as_written(before)}.")
    if staged.phase is Phase.CLOSED:
        said = "nothing" if mine is None else content.words(mine)
        st.info(f"Voting is closed. You said: {as_written(said)}.", icon=":material/lock:")
        return
    if content.options:
        key, place = f"class_vote {staged.number} {staged.round}", None if mine is None else int(mine)
        choices(key, content.title, content.options, place, partial(_vote, room, me, staged))
    else:
        field = f"class_number {staged.number} {staged.round}"
        middle = (content.low + content.high) / 2 if mine is None else mine
        with st.form(f"class_guess_number {staged.number}", border=False):
            st.number_input(
                f"From {content.low:g} to {content.high:g}", content.low, content.high, middle, key=field
            )
            _submit("Send", lambda: _vote(room, me, staged, float(state.widget_value(field))))
    kept = "Nobody sees the answers until your teacher shows them."
    st.caption(kept if mine is None else f"Your answer is in: {as_written(content.words(mine))}. {kept}")


def _vote(room: Room, me: Member, staged: Staged, value: float) -> None:
    stage.vote(database(), room.id, me.number, staged.number, value, now())
    acts.tell(room)


def _run(room: Room, me: Member, staged: Staged) -> None:
    run = running.current(room, staged)
    if run is None:
        st.write("Your teacher starts the training. Everybody sees the same run.")
    else:
        running.draw(run, "phone", "learner")


DRAWN: Mapping[type, Callable[[Room, Member, Staged], None]] = {
    CollectActivity: _collect,
    PredictActivity: _predict,
    RunActivity: _run,
    ExplainActivity: _explain,
    SittingActivity: own_pace.sitting,
    CardsActivity: own_pace.cards,
}
