"""What is stored comes back equal, for several learners and threads at once; bad files change nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from core.cards.parse import parse
from core.cards.schedule import StudySettings, new_state, review
from core.cards.types import Card, Confidence, Rating, StudyMode
from core.data.folders import data_folder
from core.storage import learners, schema, study, transfer
from core.storage.database import Database, database_url, put
from core.storage.learners import Learner, SavedRun
from core.storage.transfer import PROGRESS, StoredProgress
from core.types import InputError, TrainingConfig

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
DECK = parse("# D\n\n#### T\n:p q\n??x\na\nx??\n:choice c\n", "own")


# An empty database of another kind to run the data tests on as well, e.g. postgresql+psycopg://user@/name.
OTHER_DATABASE = os.environ.get("EMBEDDING_LAB_TEST_DATABASE")


@pytest.fixture(params=["sqlite", *(["other"] if OTHER_DATABASE else [])])
def url(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lab.sqlite3'}"
    assert OTHER_DATABASE
    engine = create_engine(OTHER_DATABASE)
    schema.metadata.drop_all(engine)
    engine.dispose()
    return OTHER_DATABASE


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with Database.open(url) as opened:
        yield opened


@pytest.fixture
def ada(database: Database) -> Learner:
    return learners.create(database, "Ada", learners.new_key(), NOW)


def answer(database: Database, learner: Learner, card: str, *ratings: Rating, start: datetime = NOW) -> None:
    now = start
    for rating in ratings:
        state = study.states(database, learner.id).get(card) or new_state(card, now)
        after, entry = review(state, rating, now, confidence=Confidence.CERTAIN, seconds=2.5)
        study.record(database, learner.id, entry, after)
        now = after.due


def test_the_place_of_the_file(tmp_path: Path) -> None:
    assert data_folder({"EMBEDDING_LAB_HOME": str(tmp_path)}) == tmp_path
    assert (
        database_url({"EMBEDDING_LAB_HOME": str(tmp_path)}) == f"sqlite:///{tmp_path}/embedding-lab.sqlite3"
    )
    assert database_url({"DATABASE_URL": "postgres://u:p@h/d"}) == "postgresql://u:p@h/d"
    assert data_folder({}).is_absolute()


def test_open_takes_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("EMBEDDING_LAB_HOME", str(tmp_path / "new" / "folder"))
    with Database.open():
        assert (tmp_path / "new" / "folder" / "embedding-lab.sqlite3").exists()


def test_a_commit_is_synced_to_disk(database: Database, url: str) -> None:
    if not url.startswith("sqlite"):
        pytest.skip("Only SQLite is set up by the app; a server has settings of its own.")
    with database.read() as connection:
        pragmas = [connection.exec_driver_sql(f"pragma {n}").scalar_one() for n in PRAGMAS]
    assert dict(zip(PRAGMAS, pragmas)) == PRAGMAS


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}  # 2 is FULL


def test_learners_are_told_apart_by_key_not_by_name(database: Database, tmp_path: Path) -> None:
    key1, key2 = learners.new_key(), learners.new_key()
    one = learners.create(database, "  Ada   L. ", key1, NOW)
    two = learners.create(database, "Ada L.", key2, NOW)
    assert one.name == two.name == "Ada L." and one.id != two.id
    assert (learners.find(database, key1), learners.find(database, key2)) == (one, two)
    assert learners.find(database, learners.new_key()) is None
    assert key1.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\u202eb", "a\x00b"])
def test_names_that_cannot_be_shown_are_refused(database: Database, name: str) -> None:
    with pytest.raises(InputError, match="name"):
        learners.create(database, name, learners.new_key(), NOW)


def test_answers_survive_closing(url: str) -> None:
    with Database.open(url) as database:
        ada = learners.create(database, "Ada", learners.new_key(), NOW)
        bob = learners.create(database, "Bob", learners.new_key(), NOW)
        answer(database, ada, "card", Rating.GOOD, Rating.GOOD, Rating.AGAIN)
        answer(database, bob, "card", Rating.EASY)
        before = [f(database, who.id) for who in (ada, bob) for f in (study.states, study.log)]
    with Database.open(url) as database:
        after = [f(database, who.id) for who in (ada, bob) for f in (study.states, study.log)]
    assert after == before
    assert len(after[1]) == 3 and len(after[3]) == 1
    # the log replayed gives the stored schedule, to the last bit
    state = new_state("card", after[1][0].before.due)
    for entry in after[1]:
        assert entry.before == state
        state, _ = review(state, entry.rating, entry.at)
    assert state == after[0]["card"]


def test_undo_goes_back_step_by_step(database: Database, ada: Learner) -> None:
    answer(database, ada, "a", Rating.GOOD)
    one = study.states(database, ada.id)
    answer(database, ada, "b", Rating.AGAIN)
    answer(database, ada, "a", Rating.EASY, start=NOW + timedelta(minutes=10))
    undone = study.undo(database, ada.id)
    assert undone is not None and (undone.card_id, undone.rating) == ("a", Rating.EASY)
    assert study.states(database, ada.id)["a"] == one["a"]
    assert study.undo(database, ada.id) is not None
    assert study.states(database, ada.id) == one
    assert study.undo(database, ada.id) is not None
    assert (study.states(database, ada.id), study.log(database, ada.id)) == ({}, ())
    assert study.undo(database, ada.id) is None


def test_the_same_answer_twice_counts_once(database: Database, ada: Learner) -> None:
    after, entry = review(new_state("a", NOW), Rating.GOOD, NOW)
    study.record(database, ada.id, entry, after)
    with pytest.raises(InputError, match="another tab"):
        study.record(database, ada.id, entry, after)
    assert len(study.log(database, ada.id)) == 1


def test_suspended_edits_decks_settings_lessons_runs(database: Database, ada: Learner) -> None:
    bob = learners.create(database, "Bob", learners.new_key(), NOW)
    study.suspend(database, ada.id, "a", NOW)
    study.suspend(database, ada.id, "a", NOW)
    study.suspend(database, ada.id, "b", NOW)
    study.resume(database, ada.id, "b")
    assert study.suspended(database, ada.id) == {"a"} and study.suspended(database, bob.id) == frozenset()

    card = DECK.cards[0].replace(answer="mine = 🙂")
    study.save_edit(database, ada.id, card, NOW)
    assert study.edits(database, ada.id) == {card.id: card}
    assert study.with_edits(DECK.cards, study.edits(database, ada.id)) == (card,)
    with pytest.raises(InputError, match="question"):
        study.save_edit(database, ada.id, card.replace(question=""), NOW)
    study.drop_edit(database, ada.id, card.id)
    assert study.edits(database, ada.id) == {}

    study.save_deck(database, ada.id, DECK, NOW)
    study.save_deck(database, ada.id, DECK, NOW)
    assert study.own_decks(database, ada.id) == (DECK,) and study.own_decks(database, bob.id) == ()
    study.delete_deck(database, ada.id, "own")
    assert study.own_decks(database, ada.id) == ()

    settings = StudySettings(desired_retention=0.85, four_buttons=True, utc_offset=60)
    assert learners.study_settings(database, ada.id) == StudySettings()
    learners.set_study_settings(database, ada.id, settings)
    assert (learners.study_settings(database, ada.id), learners.study_settings(database, bob.id)) == (
        settings,
        StudySettings(),
    )
    learners.set_setting(database, ada.id, "study", {"desired_retention": "high"})
    assert learners.study_settings(database, ada.id) == StudySettings()

    learners.set_lesson_progress(database, ada.id, "first", {"step": 1}, NOW)
    learners.set_lesson_progress(database, ada.id, "first", {"step": 2}, NOW)
    assert learners.lesson_progress(database, ada.id) == {"first": {"step": 2}}
    with pytest.raises(InputError, match="first"):
        learners.set_lesson_progress(database, ada.id, "first", "x" * 300_000, NOW)

    runs = [
        SavedRun(f"r{i}", f"Run {i}", NOW + timedelta(hours=i), TrainingConfig(), f"runs/r{i}", i)
        for i in (1, 2)
    ]
    for run in runs:
        learners.save_run(database, ada.id, run)
    assert learners.saved_runs(database, ada.id) == (runs[1], runs[0])
    learners.forget_run(database, ada.id, "r1")
    assert learners.saved_runs(database, ada.id) == (runs[1],)


@pytest.mark.parametrize("year", [1, 9999])
def test_what_is_stored_and_cannot_be_read_is_left_out_and_counted(
    database: Database, ada: Learner, year: int
) -> None:
    """A review of the year 1 or 9999, let in by an earlier version, closed the page for good."""
    answer(database, ada, "c", Rating.GOOD)
    (entry,), after = study.log(database, ada.id), study.states(database, ada.id)
    study.save_deck(database, ada.id, DECK, NOW)
    assert study.left_out(database, ada.id) == 0
    odd = datetime(year, 1, 2, tzinfo=UTC)
    with database.write() as connection:
        connection.execute(schema.reviews.update().values(at=odd))
        connection.execute(schema.card_states.update().values(due=odd))
        connection.execute(schema.decks.update().values(text="no deck"))
        edit = {"learner_id": ada.id, "card_id": "e", "card": "[]", "at": NOW}
        connection.execute(schema.card_edits.insert().values(**edit))
    for read in (study.states, study.log, study.edits, study.own_decks):
        assert not read(database, ada.id)
    assert study.left_out(database, ada.id) == 4
    study.record(database, ada.id, entry, after["c"])  # the card can be studied again
    assert study.states(database, ada.id) == after and study.left_out(database, ada.id) == 3


def test_settings_of_another_type_are_brought_into_form_on_their_way_in(
    database: Database, ada: Learner
) -> None:
    content = json.loads(transfer.export_progress(database, ada.id, NOW))
    content["settings"] = {"run_notes": ["no", "notes"], "study": {"new_per_day": "many"}}
    progress = transfer.read_progress(json.dumps(content).encode())
    transfer.import_progress(database, ada.id, progress, NOW)
    assert learners.run_notes(database, ada.id) == {}
    assert learners.study_settings(database, ada.id) == StudySettings()
    learners.set_setting(database, ada.id, "run_notes", {"a": 1, "b": "kept"})  # let in by an earlier version
    assert learners.run_notes(database, ada.id) == {"b": "kept"}
    learners.set_run_note(database, ada.id, "b", None)
    assert learners.run_notes(database, ada.id) == {}


def test_deleting_a_learner_deletes_everything_of_theirs(database: Database, ada: Learner) -> None:
    bob = learners.create(database, "Bob", learners.new_key(), NOW)
    for learner in (ada, bob):
        answer(database, learner, "a", Rating.GOOD)
        study.save_deck(database, learner.id, DECK, NOW)
    with database.write() as connection:  # by whoever runs the server
        connection.execute(schema.learners.delete().where(schema.learners.c.id == ada.id))
    with database.read() as connection:
        for table in schema.metadata.tables.values():
            if "learner_id" in table.c:
                rows = connection.execute(table.select()).mappings().all()
                assert {row["learner_id"] for row in rows} <= {bob.id}
    after, entry = review(new_state("b", NOW), Rating.GOOD, NOW)
    with pytest.raises(InputError, match="no longer stored"):
        study.record(database, ada.id, entry, after)


def test_thirty_learners_at_once(database: Database) -> None:
    """Thirty threads, one learner each, and two that share one: nothing is lost, nobody is refused."""
    class_ = [learners.create(database, f"L{i}", learners.new_key(), NOW) for i in range(30)]
    errors: list[BaseException] = []

    def work(learner: Learner, prefix: str) -> None:
        try:
            for i in range(5):
                answer(database, learner, f"{prefix}{i}", Rating.GOOD, Rating.AGAIN)
        except BaseException as error:
            errors.append(error)

    jobs = [(learner, "c") for learner in class_] + [(class_[0], "d")]
    threads = [threading.Thread(target=work, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [len(study.log(database, learner.id)) for learner in class_] == [20] + [10] * 29


def test_progress_travels_in_one_file(database: Database, ada: Learner, tmp_path: Path) -> None:
    answer(database, ada, "a", Rating.GOOD, Rating.AGAIN)
    answer(database, ada, "ü\n", Rating.HARD)
    study.suspend(database, ada.id, "a", NOW)
    study.save_edit(database, ada.id, DECK.cards[0], NOW)
    study.save_deck(database, ada.id, DECK, NOW)
    learners.set_study_settings(database, ada.id, StudySettings(new_per_day=3))
    learners.set_lesson_progress(database, ada.id, "first", [1, None, "x"], NOW)
    exported = transfer.export_progress(database, ada.id, NOW)

    with Database.open(f"sqlite:///{tmp_path / 'other.sqlite3'}") as other:
        eve = learners.create(other, "Eve", learners.new_key(), NOW)
        answer(other, eve, "gone", Rating.GOOD)
        progress = transfer.read_progress(exported.encode())
        assert progress.summary == "Ada: 2 cards with a schedule, 3 answers, 1 own decks, 1 lessons."
        transfer.import_progress(other, eve.id, progress, NOW)
        assert study.states(other, eve.id) == study.states(database, ada.id)
        assert study.log(other, eve.id) == study.log(database, ada.id)
        again = json.loads(transfer.export_progress(other, eve.id, NOW))
        assert again == json.loads(exported) | {"name": "Eve"}
        assert study.undo(other, eve.id) is not None


def broken(path: str, value: Any) -> bytes:
    """A valid progress file with one value changed."""
    after, entry = review(new_state("a", NOW), Rating.GOOD, NOW, mode=StudyMode.TYPED)
    progress = StoredProgress("Ada", (after,), (entry,), ("a",), (Card("a", "t", "q", "a"),))
    content: dict[str, Any] = {
        "format": "embedding-lab-progress",
        "version": 1,
        **PROGRESS.dump_python(progress, mode="json"),
        "decks": [{"key": "k", "text": "#### T\n:p q\n??x a x??"}],
        "settings": {"study": {}},
        "lessons": {"l": 1},
    }
    place: Any = content
    *parents, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    for part in parents:
        place = place[part]
    place[last] = value
    return json.dumps(content).encode()


def test_the_unbroken_file_is_fine() -> None:
    assert len(transfer.read_progress(broken("name", "Ada")).reviews) == 1


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("format", "other", "not a progress file"),
        ("version", 2, "newer version"),
        ("version", "1", "version is '1'"),
        ("name", "", "name"),
        ("states", {}, "states: it must be a list"),
        ("states.0", 3, r"states\[0\]: it must be a table of named values"),
        ("states.0.stage", "old", r"states\[0\].stage: it must be new, .* or relearning, not 'old'"),
        ("states.0.stage", ["review"], r"states\[0\].stage"),
        ("states.0.due", "tomorrow", r"states\[0\].due: it must be a moment such as 2026.*, not 'tomorrow'"),
        ("states.0.due", "2026-03-02T09:00:00", r"states\[0\].due"),
        ("states.0.due", "9999-12-31T23:59:59-12:00", r"states\[0\].due: it is outside the years"),
        ("reviews.0.at", "0001-01-01T00:00:00+14:00", r"reviews\[0\].at: it is outside the years"),
        ("states.0.due", 5, r"states\[0\].due"),
        ("states.0.stability", None, r"states\[0\].stability: it is missing; a card in stage 'learning'"),
        ("states.0.stability", -1, r"states\[0\].stability: .* from 1e-06 to 1000000, not -1"),
        ("states.0.stability", 10**400, r"states\[0\].stability"),
        ("states.0.stability", True, r"states\[0\].stability"),
        ("states.0.step", None, r"states\[0\].step: it is missing"),
        ("states.0.step", 1.5, r"states\[0\].step"),
        ("states.0.card_id", "x" * 121, r"states\[0\].card_id: it has 121 characters; at most 120"),
        ("states.0.card_id", "a\0", r"states\[0\].card_id: It holds a character"),
        ("states.0.card_id", "a\ud800", "not valid JSON: .* line 1 column"),
        ("reviews.0.rating", 7, r"reviews\[0\].rating: it must be 1, 2, 3 or 4, not 7"),
        ("reviews.0.rating", True, r"reviews\[0\].rating"),
        ("reviews.0.mode", "sung", r"reviews\[0\].mode"),
        ("reviews.0.confidence", 9, r"reviews\[0\].confidence"),
        ("reviews.0.before.card_id", "b", r"reviews\[0\]: its schedule before belongs to another card"),
        ("edits.0.question", "", r"edits\[0\].question"),
        ("edits.0.choices", [1], r"edits\[0\].choices"),
        ("decks.0.text", "#### T\n", r"decks\[0\]: Line 1"),
        ("suspended.0", 4, r"suspended\[0\]: it must be a text"),
        ("lessons", [], "lessons: it must be a table of named values"),
        ("lessons.l", "x" * 300_000, "lessons.l"),
    ],
)
def test_a_bad_file_is_refused_by_place(path: str, value: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        transfer.read_progress(broken(path, value))


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe\x00", b"{", b"[]", b"0", b'{"a": NaN}', b"[" * 100_000, b"1" * 5000, b" " * 2**25],
)
def test_what_is_no_progress_file_at_all(data: bytes) -> None:
    with pytest.raises(InputError):
        transfer.read_progress(data)


def test_states_may_not_repeat() -> None:
    content = json.loads(broken("name", "Ada"))
    content["states"] *= 2
    with pytest.raises(InputError, match=r"states\[1\].card_id: it repeats that of \[0\]"):
        transfer.read_progress(json.dumps(content).encode())


def test_a_newer_database_is_refused_in_one_sentence(url: str, database: Database) -> None:
    with database.write() as connection:
        connection.execute(schema.schema_version.update().values(version=99))
    with pytest.raises(InputError, match="format 99, made by a newer version"):
        Database.open(url)


DATA = Path(__file__).parent / "data"


def describe(url: str) -> dict[str, list[str]]:
    """Table name -> its columns with their types."""
    engine = create_engine(url)
    found = {
        table: [f"{c['name']} {c['type']} {c['nullable']}" for c in inspect(engine).get_columns(table)]
        for table in sorted(inspect(engine).get_table_names())
    }
    engine.dispose()
    return found


def test_a_database_of_the_first_release_opens_with_everything_in_it(tmp_path: Path) -> None:
    """The frozen files are what 0.1.0 wrote: a table that changed without a way from there fails here."""
    old, fresh = (f"sqlite:///{tmp_path / name}.sqlite3" for name in ("old", "fresh"))
    with closing(sqlite3.connect(tmp_path / "old.sqlite3")) as connection:
        for name in ("storage_v1.sql", "learner_v1.sql"):
            connection.executescript((DATA / name).read_text(encoding="utf-8"))
    Database.open(fresh).close()
    with Database.open(old) as database:
        assert describe(old) == describe(fresh)
        ada = learners.find(database, "a-key-that-is-long-enough")
        assert ada is not None and ada.name == "Ada"
        progress = transfer.read_progress((DATA / "progress_v1.json").read_bytes())
        assert transfer.read_progress(transfer.export_progress(database, ada.id, NOW).encode()) == progress
        assert progress.summary == "Ada: 2 cards with a schedule, 3 answers, 1 own decks, 1 lessons."
        assert [run.path for run in learners.saved_runs(database, ada.id)] == ["runs/1/r1.zip"]
        assert [entry.card_id for entry in study.log(database, ada.id)] == ["a", "a", "b"]
        assert study.undo(database, ada.id) == progress.reviews[-1]
        transfer.import_progress(database, ada.id, progress, NOW)
        assert study.log(database, ada.id) == progress.reviews


def test_two_that_open_at_once_make_one_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'race.sqlite3'}"
    errors: list[BaseException] = []

    def work() -> None:
        try:
            Database.open(url).close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Database.open(url) as database, database.read() as connection:
        assert connection.execute(schema.schema_version.select()).all() == [(schema.VERSION,)]


def test_the_tables_compile_for_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in schema.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert "CREATE INDEX" in str(CreateIndex(index).compile(dialect=dialect))


def test_an_upsert_is_one_statement_for_postgresql() -> None:
    class Recorder:
        dialect = postgresql.dialect()

        def execute(self, statement: Any) -> None:
            self.sql = str(statement.compile(dialect=self.dialect))

    recorder: Any = Recorder()
    put(recorder, schema.settings, {"learner_id": 1, "name": "n"}, {"value": "v"})
    assert "ON CONFLICT (learner_id, name) DO UPDATE SET value" in recorder.sql


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("nonsense", "not a database address"),
        ("nosuch://host/db", "driver"),
        ("sqlite://", "needs a file"),
        ("sqlite:////dev/null/x.sqlite3", "cannot be opened"),
    ],
)
def test_addresses_that_cannot_be_opened(address: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Database.open(address)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite3").write_text("hello " * 1000)
    with pytest.raises(InputError, match="not a database"):
        Database.open(f"sqlite:///{tmp_path / 'text.sqlite3'}")


def test_no_password_in_a_message() -> None:
    with pytest.raises(InputError) as caught:
        Database.open("nosuch://user:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_a_sentence_that_names_the_folder_and_loses_nothing(tmp_path: Path) -> None:
    with Database.open(f"sqlite:///{tmp_path}/lab.sqlite3") as database:
        ada = learners.create(database, "Ada", learners.new_key(), NOW)
        answer(database, ada, "a", Rating.GOOD)

        def full(connection: Any, *_: object) -> None:  # as many pages as there are, and no more
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages}")

        event.listen(database._engine, "checkout", full)
        with pytest.raises(
            InputError, match=f"The folder {tmp_path} did not take this: database or disk is full"
        ):
            learners.set_setting(database, ada.id, "a", "x" * 100_000)
        assert len(study.log(database, ada.id)) == 1
        event.remove(database._engine, "checkout", full)
        event.listen(
            database._engine, "checkout", lambda c, *_: c.execute("PRAGMA max_page_count=1000000") and None
        )
        learners.set_setting(database, ada.id, "a", "x" * 100_000)  # when there is room again
