"""What a browser did on one page server, read on another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.storage import schema, visits
from core.storage.bell import ring
from core.storage.database import Database, several_servers

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_visit_is_read_by_its_key_only_and_goes_after_two_days(tmp_path: Path) -> None:
    with Database.open(f"sqlite:///{tmp_path / 'lab.sqlite3'}") as database:
        visits.write(database, "ada", "run_ids", '["a"]', NOW)
        visits.write(database, "ada", "run_ids", '["b"]', NOW)
        visits.write(database, "grace", "run_ids", '["c"]', NOW)
        assert visits.read(database, "ada") == {"run_ids": '["b"]'} and visits.read(database, "lin") == {}
        with database.read() as connection:
            assert "ada" not in {row.key_hash for row in connection.execute(schema.visits.select())}
        visits.write(database, "grace", "told", "[]", NOW + visits.KEPT + timedelta(seconds=1))
        assert visits.read(database, "ada") == {} and visits.read(database, "grace") == {"told": "[]"}


def test_several_servers_are_those_that_share_postgresql(tmp_path: Path) -> None:
    assert several_servers({"DATABASE_URL": "postgres://u@h/d"})
    assert not several_servers({"EMBEDDING_LAB_HOME": str(tmp_path)})
    with Database.open(f"sqlite:///{tmp_path / 'lab.sqlite3'}") as database, database.write() as connection:
        ring(connection, schema.rooms.c.topic, schema.rooms.c.id == 1)  # SQLite knows no NOTIFY
