"""The teacher's panel: the list of activities, what the one that is on needs next, what learners wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from core.classroom import entries, rooms, stage, take_home
from core.classroom.activities import (
    CardsActivity,
    CollectActivity,
    ExplainActivity,
    PredictActivity,
    RunActivity,
    SittingActivity,
    step_of,
)
from core.classroom.entries import Sent, Status
from core.classroom.rooms import Room
from core.classroom.stage import Phase, Staged
from core.data.text import shown
from core.types import RunStatus
from pages.classroom import acts, bars, doors, joining, keys, prepare, running
from ui import messages, state
from ui.learner import database, now
from ui.messages import as_written
from ui.tables import safe_table
from ui.widgets import button, row

ICONS = {
    "collect": "edit_note",
    "predict": "how_to_vote",
    "run": "play_circle",
    "explain": "chat",
    "test": "quiz",
    "cards": "style",
}


def view(room: Room) -> None:
    """The whole panel; for a browser without the teacher's key one sentence (InputError)."""
    rooms.taught_by(database(), room.code, acts.teacher_key())
    joined = rooms.members(database(), room.id)
    listed = stage.activities(database(), room.id)
    _bar(room, len(joined))
    if room.is_over(now()):
        messages.info("This room is over. Nobody can join or answer any more.")
    left, right = st.columns([0.42, 0.58], gap="large")
    with left:
        _list(room, listed)
        prepare.adding()
    with right:
        on = next((one for one in listed if one.number == room.activity), None)
        if on is None:
            st.subheader("Nobody sees an activity yet", anchor=False)
            st.write("Learners who join wait. Lead them to the first activity when all are in.")
            joining.told(room)
        else:
            _on(room, on, len(joined))
    acts.listen(room, answers=True)


def _bar(room: Room, joined: int) -> None:
    with row("class_bar"):
        st.markdown(f"**{as_written(room.title)}** · code **{room.code}** · {joined} joined")
        address = f"{joining.page_address()}?{keys.ROOM.name}={room.code}&{keys.ROLE.name}=screen"
        st.link_button("Presenter view", address, icon=":material/present_to_all:", key="class_screen")
        with st.popover("Join link", icon=":material/qr_code_2:"):
            joining.told(room)
        with st.popover("Room", icon=":material/settings:"):
            _settings(room)


def _settings(room: Room) -> None:
    switch = partial(acts.teach, rooms.set_approval, not room.approval)
    label = "Show sentences at once" if room.approval else "Approve sentences before anybody sees them"
    button(label, switch, key="class_approval", icon="visibility" if room.approval else "rule")
    st.caption(f"Ends by itself at {room.ends:%H:%M} UTC on {room.ends:%d %B}.")
    with st.expander("Who has joined"):
        names = [member.nickname or "(no nickname)" for member in rooms.members(database(), room.id)]
        messages.plain("\n".join(names) or "Nobody yet.")
    button("A one-time link for another browser", _moving, room, key="class_moving_link", icon="devices")
    if state.get(keys.MOVING):
        st.code(doors.moving_link(room, state.get(keys.MOVING)), language=None, wrap_lines=True)
        st.caption(
            "Good for fifteen minutes and once. That browser then teaches the room; this one no longer."
        )
    st.download_button(
        "Take everything home",
        partial(_zip, room),
        f"class-{room.code.lower()}.zip",
        key="class_home",
        icon=":material/download:",
        on_click="ignore",
        help="Votes and tests without names, the sentences, the runs, cards about them, and what happened.",
    )
    button("All my rooms", acts.go, "", key="class_leave", icon="meeting_room")
    if not room.is_over(now()):
        button("End the room", acts.teach, rooms.end, now(), key="class_end", icon="logout")
    with st.expander("Delete everything"):
        st.write("Everything that anybody wrote or answered in this room is deleted. There is no way back.")
        button("Delete everything", _delete, room, key="class_delete", icon="delete", type="primary")


def _moving(room: Room) -> None:
    rooms.taught_by(database(), room.code, acts.teacher_key())
    state.put(keys.MOVING, rooms.moving_token(database(), room.id, now()))


def _zip(room: Room) -> bytes:
    listed = stage.activities(database(), room.id)
    runs = {one.number: run for one in listed if (run := running.current(room, one)) is not None}
    return take_home.zipped(database(), room, runs, now())


def _delete(room: Room) -> None:
    acts.teach(rooms.delete_room)
    acts.go("")


# ---- the list ------------------------------------------------------------------------------------------


def _list(room: Room, listed: Sequence[Staged]) -> None:
    st.subheader("Activities", anchor=False)
    if not listed:
        st.caption("Add some below: from a lesson, from its plan of 45 minutes, or your own.")
    for place, one in enumerate(listed, start=1):
        here = one.number == room.activity
        title, more = st.columns([0.84, 0.16], gap="xsmall", vertical_alignment="center")
        with title:
            lead = partial(acts.teach, stage.move_to, one.number, now())
            label = as_written(f"{place}. {shown(one.content.title)}")
            wide: dict[str, Any] = {"width": "stretch", "type": "primary" if here else "secondary"}
            button(label, lead, key=f"class_to {one.number}", icon=ICONS[one.content.kind], **wide)
        with (
            more,
            st.popover("", icon=":material/more_vert:", type="tertiary", key=f"class_more {one.number}"),
        ):
            for words, act, icon in (
                ("Up", partial(acts.teach, stage.shift, one.number, -1), "arrow_upward"),
                ("Down", partial(acts.teach, stage.shift, one.number, 1), "arrow_downward"),
                ("Take away", partial(acts.teach, stage.take_away, one.number), "delete"),
            ):
                button(words, act, key=f"class_{words} {one.number}", icon=icon)


def _on(room: Room, on: Staged, joined: int) -> None:
    st.subheader(as_written(on.content.title), anchor=False)
    if on.content.note:
        st.caption(as_written(on.content.note))
    DRAWN[type(on.content)](room, on, joined)


def _phase(on: Staged, *named: tuple[Phase, str, str]) -> None:
    """A button for each phase that comes next; the first one is filled."""
    for i, (phase, label, icon) in enumerate(named):
        act = partial(acts.teach, stage.set_phase, on.number, phase)
        key = f"class_{phase} {on.number}"
        button(label, act, key=key, icon=icon, type="secondary" if i else "primary")


def _open_or_close(on: Staged) -> None:
    """Take no more answers, or take them again."""
    if on.phase is Phase.OPEN:
        _phase(on, (Phase.CLOSED, "Close", "lock"))
    else:
        _phase(on, (Phase.OPEN, "Open again", "lock_open"))


# ---- what is written -----------------------------------------------------------------------------------


def _texts(room: Room, on: Staged, joined: int) -> None:
    found = entries.entries(database(), room.id, on.number)
    with row():
        _open_or_close(on)
        st.markdown(f"{len(found)} from {len({sent.member for sent in found})} of {joined}")
    waiting = [sent.id for sent in found if sent.status is Status.WAITING and sent.group]
    if waiting:
        show = partial(acts.teach, entries.set_status, waiting, Status.SHOWN)
        button(f"Show all {len(waiting)} that wait", show, key="class_show_all", icon="done_all")
    chosen = [sent for sent in found if state.widget_value(f"class_pick {sent.id}")]
    if len(chosen) > 1:
        ids = [sent.id for sent in chosen]
        button(f"Merge {len(ids)} into the first", _merge, ids, key="class_merge", icon="merge")
    with st.container(height=420 if len(found) > 6 else "content", border=bool(found)):
        for sent in reversed(found):
            _text(sent, on)
    if isinstance(on.content, CollectActivity):
        running.collected_map(running.shown_only(found), room, "phone", "teacher")


def _merge(ids: list[int]) -> None:
    acts.teach(entries.merge, ids)


def _text(sent: Sent, on: Staged) -> None:
    visible = sent.status is Status.SHOWN
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if sent.group:
            st.checkbox("Choose", key=f"class_pick {sent.id}", label_visibility="collapsed")
        act = partial(acts.teach, entries.set_status, [sent.id], Status.HIDDEN if visible else Status.SHOWN)
        label, icon = ("Hide", "visibility_off") if visible else ("Show", "visibility")
        button(label, act, key=f"class_status {sent.id}", icon=icon)
        text = f"{sent.group}: {sent.text}" if sent.group else sent.text
        with st.container(width="stretch"):
            messages.plain(text if visible else f"({sent.status}) {text}")
        edit = state.setter(keys.EDITED, None if state.get(keys.EDITED) == sent.id else sent.id)
        button("", edit, key=f"class_edit {sent.id}", icon="edit", type="tertiary", help="Edit")
    if state.get(keys.EDITED) == sent.id:
        with st.form(f"class_editing {sent.id}", border=False):
            st.text_input("Text", sent.text, key=f"class_edited_text {sent.id}")
            if isinstance(on.content, CollectActivity):
                groups = list(dict.fromkeys((*on.content.groups, sent.group)))
                at = groups.index(sent.group)
                st.selectbox("Group", groups, at, as_written, key=f"class_edited_group {sent.id}")
            keep = partial(_edit, sent)
            st.form_submit_button("Keep", on_click=messages.refusals_kept, args=(keep,))


def _edit(sent: Sent) -> None:
    text = state.widget_value(f"class_edited_text {sent.id}") or ""
    group = state.widget_value(f"class_edited_group {sent.id}") or ""
    acts.teach(entries.edit, sent.id, text, group)
    state.put(keys.EDITED, None)


# ---- what is voted on ----------------------------------------------------------------------------------


def _predict(room: Room, on: Staged, joined: int) -> None:
    assert isinstance(on.content, PredictActivity)
    cast = stage.votes(database(), room.id, on.number)
    with row():
        if on.phase is Phase.OPEN:
            _phase(on, (Phase.CLOSED, "Close the vote", "lock"), (Phase.REVEALED, "Reveal", "bar_chart"))
        elif on.phase is Phase.CLOSED:
            _phase(on, (Phase.REVEALED, "Reveal", "bar_chart"), (Phase.OPEN, "Open again", "lock_open"))
        else:
            _phase(on, (Phase.CLOSED, "Hide again", "visibility_off"))
        if on.round == 1:
            again = partial(acts.teach, stage.second_round, on.number)
            button("Second round", again, key=f"class_second {on.number}", icon="forum")
    st.markdown(f"Round {on.round}: **{len(cast.get(on.round, {}))} of {joined}** have answered.")
    found = stage.tally(on.content, cast)
    if on.phase is not Phase.REVEALED:
        st.caption("Only you see these bars. The class sees them when you reveal them.")
    bars.bars("teacher bars", found, bars.outcome_of(on), "phone")
    if (said := bars.who_changed(found)) is not None:
        st.markdown(said)
        safe_table(bars.changes(found), key="class_changes", name="who-changed")
    _outcome(on)


def _outcome(on: Staged) -> None:
    """What came out: measured where a lesson asks, said by the teacher else."""
    content = on.content
    assert isinstance(content, PredictActivity)
    if content.lesson is not None:
        _, step = step_of(content.lesson, content.step)
        if step.measurement.trains:
            if on.outcome is None:
                st.caption("What comes out is measured when the run of this question has finished.")
        elif on.outcome is None:
            button("Measure it now", _measure, on, key=f"class_measure {on.number}", icon="straighten")
        return
    with st.expander("What came out"):
        if content.options:
            for i, option in enumerate(content.options):
                act = partial(acts.teach, stage.set_outcome, on.number, i)
                button(as_written(option), act, key=f"class_outcome {on.number} {i}", width="stretch")
        else:
            field = f"class_outcome {on.number}"
            with st.form(f"class_outcome_form {on.number}", border=False):
                st.number_input("Number", content.low, content.high, key=field)
                keep = lambda: acts.teach(stage.set_outcome, on.number, state.widget_value(field))  # noqa: E731
                st.form_submit_button("Keep", on_click=messages.refusals_kept, args=(keep,))


def _measure(on: Staged) -> None:
    running.measure(on, None)


def _run(room: Room, on: Staged, joined: int) -> None:
    assert isinstance(on.content, RunActivity)
    run = running.current(room, on)
    if run is None:
        if on.content.source == "class":
            found = entries.sentence_set(entries.entries(database(), room.id), room.title)
            st.write(f"It learns from the {len(found)} sentences of the class that are shown.")
        act = partial(running.begin, room, on.number)
        button(
            "Start the run for everybody",
            act,
            key=f"class_run {on.number}",
            icon="play_arrow",
            type="primary",
        )
        running.prepare(room, on.content)
        return
    if run.status in (RunStatus.FINISHED, RunStatus.STOPPED, RunStatus.FAILED):
        running.settle(room, run, on)
    with row():
        again = partial(acts.teach, stage.set_phase, on.number, Phase.OPEN)
        button(
            "Back to before the run", again, key=f"class_rerun {on.number}", icon="replay", type="tertiary"
        )
        asked = running.question_of(room, on)
        if asked is not None and asked.outcome is not None:
            show = partial(_votes_beside, asked.number)
            button(
                "The votes beside what came out", show, key="class_beside", icon="bar_chart", type="primary"
            )
    running.draw(run, "phone", "teacher", beside=False)


def _votes_beside(number: int) -> None:
    acts.teach(stage.move_to, number, now())
    acts.teach(stage.set_phase, number, Phase.REVEALED)


def _sittings(room: Room, on: Staged, joined: int) -> None:
    records = entries.all_sittings(database(), room.id)
    assert isinstance(on.content, SittingActivity)
    which = on.content.sitting
    done = sum(len(record.done) >= which for record in records)
    with row():
        _open_or_close(on)
        st.markdown(f"**{done} of {joined}** have handed in.")
    both = [record.done for record in records if len(record.done) == 2]
    if both:
        before, after = (sum(done[i].right for done in both) / len(both) for i in (0, 1))
        st.markdown(f"Right on average, of those with both sittings: {before:.1f} before, {after:.1f} after.")


def _cards(room: Room, on: Staged, joined: int) -> None:
    assert isinstance(on.content, CardsActivity)
    st.write(f"{len(on.content.cards)} cards. Everybody reads them at their own pace and can keep them.")


DRAWN: Mapping[type, Callable[[Room, Staged, int], None]] = {
    CollectActivity: _texts,
    ExplainActivity: _texts,
    PredictActivity: _predict,
    RunActivity: _run,
    SittingActivity: _sittings,
    CardsActivity: _cards,
}
