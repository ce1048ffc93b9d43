"""The class room without a browser: codes, keys, votes, texts; and every bad input in one clear sentence."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.cards.parse import parse
from core.classroom import activities, entries, rooms, stage, take_home
from core.classroom.activities import (
    CollectActivity,
    ExplainActivity,
    PredictActivity,
    RunActivity,
    SittingActivity,
)
from core.classroom.entries import Status
from core.classroom.rooms import Room
from core.classroom.stage import Phase
from core.classroom.topics import RoomHub
from core.data.sentences import parse_sentences
from core.export import run_file
from core.lessons.inventory import inventory
from core.lessons.reader import load_lessons
from core.lessons.sittings import InventoryRecord
from core.runs.encoding import unpack
from core.storage.database import Database
from core.types import Forces, InputError, Metrics, Run, Snapshot

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
KEY, OTHER = "the-teachers-own-key", "another-teachers-key"
CLOSER = PredictActivity(title="Will these two come closer?", options=("Yes", "No", "They stay"))
COLLECT = CollectActivity(title="Send two sentences", groups=("happy", "sad"), most=2)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(f"sqlite:///{tmp_path / 'room.sqlite3'}") as opened:
        yield opened


@pytest.fixture
def room(database) -> Room:
    return rooms.open_room(database, "Monday", KEY, 2, NOW)


def on(database: Database, room: Room, content: activities.AnyActivity) -> int:
    """The activity's number, where the room now stands."""
    (number,) = stage.add(database, room.id, [content])
    stage.move_to(database, room.id, number, NOW)
    return number


def joined(database: Database, room: Room, count: int) -> list[int]:
    return [rooms.join(database, room.id, f"learner {i:012}", "", NOW).number for i in range(count)]


def refused(call, *args) -> str:
    """The sentence with which it is refused."""
    with pytest.raises(InputError) as error:
        call(*args)
    said = str(error.value)
    assert len(said) < 200 and said.endswith("."), said
    return said


def test_a_code_has_letters_that_nobody_confuses_and_is_found_however_it_is_typed(database, room):
    assert re.fullmatch(r"[ACDEFGHJKLMNPQRTUVWXY]{5}", room.code)
    assert rooms.find(database, f" {room.code[:2].lower()} {room.code[2:].lower()} ") == room
    assert "There is no room" in refused(rooms.find, database, room.code + "A")


@pytest.mark.parametrize("code", ["", "AAAAA", "<b>", "A" * 1_000_000, "é\x00 \ud800"])
def test_a_code_that_does_not_exist_is_told_in_a_sentence(database, code):
    said = refused(rooms.find, database, code)
    assert said.startswith("There is no room") and "<" not in said


def test_codes_cannot_be_guessed_at_speed(database, room):
    for _ in range(rooms.TRIES):
        refused(rooms.look_up, database, "AAAAA", "10.0.0.9", NOW)
    assert "Too many wrong codes" in refused(rooms.look_up, database, room.code, "10.0.0.9", NOW)
    assert rooms.look_up(database, room.code, "10.0.0.8", NOW) == room, "others are not kept out"
    later = NOW + rooms.TRIES_WITHIN + timedelta(seconds=1)
    assert rooms.look_up(database, room.code, "10.0.0.9", later) == room


def test_two_teachers_keys_open_two_rooms_and_never_each_others(database, room):
    theirs = rooms.open_room(database, "Tuesday", OTHER, 2, NOW)
    assert rooms.taught_by(database, room.code, KEY) == room
    assert "does not have the teacher's key" in refused(rooms.taught_by, database, room.code, OTHER)
    assert rooms.of_teacher(database, OTHER) == (theirs,)
    with database.read() as connection:
        stored = str(connection.exec_driver_sql("select * from lab_rooms").all())
    assert KEY not in stored and OTHER not in stored


def test_a_link_moves_the_key_once(database, room):
    token = rooms.moving_token(database, room.id, NOW)
    rooms.move(database, room.code, token, OTHER, NOW)
    assert rooms.taught_by(database, room.code, OTHER).id == room.id
    assert "teacher's key" in refused(rooms.taught_by, database, room.code, KEY)
    assert "has been used" in refused(rooms.move, database, room.code, token, KEY, NOW)
    late = rooms.moving_token(database, room.id, NOW)
    refused(rooms.move, database, room.code, late, KEY, NOW + rooms.MOVING)


def test_who_comes_back_is_the_same_member(database, room):
    first = rooms.join(database, room.id, KEY, "Ada", NOW)
    assert rooms.join(database, room.id, KEY, "", NOW) == replace(first, nickname="")
    assert rooms.member(database, room.id, KEY) == replace(first, nickname="")
    assert rooms.member(database, room.id, OTHER) is None
    assert len(rooms.members(database, room.id)) == 1


def test_a_full_room_says_so_and_lets_those_in_who_are(database, room):
    joined(database, room, rooms.CAPACITY)
    assert "full" in refused(rooms.join, database, room.id, "one too many, sorry", "", NOW)
    assert rooms.join(database, room.id, f"learner {3:012}", "Bo", NOW).number == 4


@pytest.mark.parametrize("nickname", ["x" * 1_000_000, "x" * 31, "a\u202eb"])
def test_a_nickname_is_bounded(database, room, nickname):
    assert "nickname" in refused(rooms.join, database, room.id, KEY, nickname, NOW)


def test_markup_in_a_nickname_is_kept_as_written(database, room):
    assert rooms.join(database, room.id, KEY, "<b>**x**</b>\n", NOW).nickname == "<b>**x**</b>"


def test_a_room_ends_by_itself_and_is_deleted_later(database, room):
    number = on(database, room, CLOSER)
    (who,) = joined(database, room, 1)
    over = room.ends
    assert room.is_over(over) and not room.is_over(NOW)
    for call, args in (
        (rooms.join, (KEY, "")),
        (stage.vote, (who, number, 0)),
        (entries.send, (who, number, "x", "")),
    ):
        assert "over" in refused(call, database, room.id, *args, over)
    rooms.open_room(database, "", OTHER, 1, over + rooms.KEPT)
    assert rooms.find(database, room.code)
    rooms.open_room(database, "", OTHER, 1, over + rooms.KEPT + timedelta(seconds=1))
    refused(rooms.find, database, room.code)


def test_two_hundred_votes_of_one_browser_count_once(database, room):
    number = on(database, room, CLOSER)
    (who,) = joined(database, room, 1)
    for i in range(200):
        stage.vote(database, room.id, who, number, i % 3, NOW)
    cast = stage.votes(database, room.id, number)
    assert cast == {1: {who: 1.0}}
    assert stage.tally(CLOSER, cast).bars.tolist() == [[0, 1, 0]]


def test_votes_are_taken_only_while_it_is_open_and_on(database, room):
    number = on(database, room, CLOSER)
    (who,) = joined(database, room, 1)
    for value in (3, -1, 0.5, float("nan")):
        assert "none of the answers" in refused(stage.vote, database, room.id, who, number, value, NOW)
    stage.set_phase(database, room.id, number, Phase.CLOSED)
    assert "closed" in refused(stage.vote, database, room.id, who, number, 0, NOW)
    on(database, room, ExplainActivity(title="Why?"))
    assert "moved on" in refused(stage.vote, database, room.id, who, number, 0, NOW)
    assert stage.votes(database, room.id, number) == {}


def test_the_second_round_shows_who_changed(database, room):
    number = on(database, room, CLOSER)
    who = joined(database, room, 4)
    for one, value in zip(who, (0, 0, 1, 2)):
        stage.vote(database, room.id, one, number, value, NOW)
    stage.second_round(database, room.id, number)
    for one, value in zip(who[:3], (0, 1, 1)):
        stage.vote(database, room.id, one, number, value, NOW)
    found = stage.tally(CLOSER, stage.votes(database, room.id, number))
    assert found.bars.tolist() == [[2, 1, 1], [1, 2, 0]]
    assert found.changes is not None and found.changes.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert found.changed == (1, 3)
    assert stage.own_votes(database, room.id, number, who[1]) == {1: 0.0, 2: 1.0}


def test_a_number_is_asked_within_its_bounds(database, room):
    content = PredictActivity(title="How many of 80?", low=0, high=80)
    number = on(database, room, content)
    who = joined(database, room, 3)
    for one, value in zip(who, (0, 41, 80)):
        stage.vote(database, room.id, one, number, value, NOW)
    assert "between 0 and 80" in refused(stage.vote, database, room.id, who[0], number, 81, NOW)
    found = stage.tally(content, stage.votes(database, room.id, number))
    assert found.bars.tolist() == [[1, 0, 0, 0, 1, 0, 0, 1]] and found.labels[-1] == "70 to 80"


def test_the_list_is_ordered_and_bounded(database, room):
    numbers = stage.add(database, room.id, [CLOSER, COLLECT, CLOSER])
    stage.shift(database, room.id, numbers[2], -1)
    stage.shift(database, room.id, numbers[0], -1)
    assert [one.number for one in stage.activities(database, room.id)] == [1, 3, 2]
    stage.move_to(database, room.id, 3, NOW)
    assert "is on" in refused(stage.take_away, database, room.id, 3)
    stage.take_away(database, room.id, 1)
    assert "no longer in the list" in refused(stage.move_to, database, room.id, 1, NOW)
    assert "at most 60" in refused(stage.add, database, room.id, [CLOSER] * 60)
    assert len(stage.activities(database, room.id)) == 2


def test_sentences_come_with_a_group_and_no_more_than_allowed(database, room):
    number = on(database, room, COLLECT)
    who = joined(database, room, 2)
    for text in ("I won.", "We laughed."):
        assert entries.send(database, room.id, who[0], number, text, "happy", NOW).status is Status.SHOWN
    assert "the most" in refused(entries.send, database, room.id, who[0], number, "More.", "sad", NOW)
    assert "groups" in refused(entries.send, database, room.id, who[1], number, "x", "angry", NOW)
    assert "empty" in refused(entries.send, database, room.id, who[1], number, " \u200b\n", "sad", NOW)
    assert "at most 200" in refused(entries.send, database, room.id, who[1], number, "x" * 10**6, "sad", NOW)
    stage.set_phase(database, room.id, number, Phase.CLOSED)
    assert "closed" in refused(entries.send, database, room.id, who[1], number, "Late.", "sad", NOW)


def test_a_teacher_hides_approves_edits_and_merges(database, room):
    rooms.set_approval(database, room.id, True)
    number = on(database, room, COLLECT)
    who = joined(database, room, 3)
    ids = [
        entries.send(database, room.id, one, number, text, "sad", NOW).id
        for one, text in zip(who, ("I lost.", "I LOST!", "rude"))
    ]
    shown = lambda: entries.sentence_set(entries.entries(database, room.id), "Class").texts  # noqa: E731
    assert shown() == ()
    entries.set_status(database, room.id, ids, Status.SHOWN)
    entries.set_status(database, room.id, ids[2:], Status.HIDDEN)
    entries.merge(database, room.id, ids[:2])
    entries.edit(database, room.id, ids[0], "I lost it.", "happy")
    assert shown() == ("I lost it.",)
    assert entries.entries(database, room.id)[0].group == "happy"


def test_an_explanation_is_shown_only_when_the_teacher_chooses_it(database, room):
    number = on(database, room, ExplainActivity(title="Why?"))
    (who,) = joined(database, room, 1)
    sent = entries.send(database, room.id, who, number, "Because they pull.", "happy", NOW)
    assert (sent.status, sent.group) == (Status.WAITING, "")
    assert "the most" in refused(entries.send, database, room.id, who, number, "Again.", "", NOW)


def test_the_run_of_the_class_needs_two_groups_of_two(database, room):
    content = RunActivity(title="Train", steps=20, seed=11)
    number = on(database, room, replace_most(COLLECT, 20))
    (who,) = joined(database, room, 1)
    texts = ("I won.", "We sing.", "What joy.", "I lost.", "We cry.", "What a loss.")
    for i, text in enumerate(texts[:4]):
        entries.send(database, room.id, who, number, text, ("happy", "sad")[i // 3], NOW)
    few = entries.sentence_set(entries.entries(database, room.id), "Class")
    assert "two groups" in refused(entries.run_request, content, few)
    for text in texts[4:]:
        entries.send(database, room.id, who, number, text, "sad", NOW)
    request = entries.run_request(content, entries.sentence_set(entries.entries(database, room.id), "Class"))
    assert request.sentences.texts == texts and request.pairs
    assert (request.config.steps, request.config.seed) == (20, 11)


def replace_most(content: CollectActivity, most: int) -> CollectActivity:
    return content.model_copy(update={"most": most})


def test_every_lesson_and_plan_becomes_a_list_that_is_stored_and_can_run(database, room):
    for lesson in load_lessons()[0]:
        for found in (activities.from_lesson(lesson), activities.from_plan(lesson)):
            assert found
            numbers = stage.add(database, room.id, found)
            stored = stage.activities(database, room.id)
            assert [one.content for one in stored] == list(found)
            for one in stored:
                if isinstance(one.content, RunActivity):
                    assert entries.run_request(one.content, entries.sentence_set((), "")).pairs
            for number in numbers:
                stage.take_away(database, room.id, number)
    assert any(one.note.startswith("Minutes 0 to") for one in found)


def test_sittings_are_kept_without_names(database, room):
    (who,) = joined(database, room, 1)
    record = InventoryRecord().begin("b")
    item = inventory().items[0].key
    assert record.open is not None
    record = record.changed(record.open.with_answer(item, "right"))
    entries.keep_sittings(database, room.id, who, record, NOW)
    assert entries.own_sittings(database, room.id, who) == record
    assert entries.all_sittings(database, room.id) == (record,)


def test_everything_of_a_room_is_deleted_with_it(database, room):
    number = on(database, room, COLLECT)
    (who,) = joined(database, room, 1)
    entries.send(database, room.id, who, number, "I won.", "happy", NOW)
    stage.vote(database, room.id, who, on(database, room, CLOSER), 1, NOW)
    entries.keep_sittings(database, room.id, who, InventoryRecord().begin("a"), NOW)
    rooms.delete_room(database, room.id)
    with database.read() as connection:
        for table in ("rooms", "room_activities", "room_members", "room_votes", "room_entries", "room_tests"):
            assert not connection.exec_driver_sql(f"select * from lab_{table}").all(), table


def test_changes_are_told_to_all_who_listen_and_the_topic_outlives_a_restart(database, room):
    async def watch() -> list[tuple[int, int]]:
        heard = []
        hub = RoomHub(database)
        topic = hub.find(room.topic)
        assert topic is not None and hub.find(room.topic) is topic
        async with aclosing(topic.listen()) as messages:
            async for data in messages:
                header, _ = unpack(data)
                if header["kind"] == "alive":
                    continue
                heard.append((header["version"], header["news"]))
                if len(heard) == 1:
                    stage.add(database, room.id, [CLOSER])  # the teacher's business alone
                elif len(heard) == 2:
                    stage.move_to(database, room.id, 1, NOW)
                else:
                    return heard
                hub.changed(room.topic)
        return heard

    assert asyncio.run(watch()) == [(1, 1), (1, 2), (2, 3)]
    after_a_restart = RoomHub(database)
    assert after_a_restart.find(room.topic) is not None
    assert after_a_restart.find("nobody's") is None


def test_what_is_taken_home_names_nobody_and_can_be_read_again(database, room):
    stage.add(database, room.id, [SittingActivity(title="Before")])
    number = on(database, room, replace_most(COLLECT, 20))
    who = [rooms.join(database, room.id, f"learner {i:012}", "Zebedee", NOW).number for i in range(3)]
    for text, group in (("I won | all.", "happy"), ("=1+1", "happy"), ("I lost.", "sad"), ("We cry.", "sad")):
        entries.send(database, room.id, who[0], number, text, group, NOW)
    question = on(database, room, CLOSER)
    stage.vote(database, room.id, who[1], question, 2, NOW)
    record = InventoryRecord().begin("a")
    assert record.open is not None
    entries.keep_sittings(
        database,
        room.id,
        who[2],
        record.changed(record.open.with_answer(inventory().items[0].key, "right")),
        NOW,
    )
    found = entries.sentence_set(entries.entries(database, room.id), "Class")
    request = entries.run_request(RunActivity(title="Train"), found)
    z = np.eye(4, 8, dtype=np.float32)
    shots = tuple(Snapshot(i, 0.5, z, Forces.none(), Metrics()) for i in (0, 1))
    run = Run("r", request.config, found, request.pairs, request.held_out, shots)
    data = take_home.zipped(database, room, {9: run}, NOW)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert not [name for name, content in files.items() if b"Zebedee" in content]
    assert parse_sentences(files["sentences.txt"].decode()).sentence_set.texts == found.texts
    assert b"They stay" in files["votes.csv"] and b"'=1+1" in files["texts.csv"]
    assert b"right" in files["tests.csv"] and b"They stay: 1" in files["what_happened.txt"]
    assert run_file.unpack(files["run-9.zip"]).run.sentences == found
    assert parse(files["cards.md"].decode(), "class").cards
