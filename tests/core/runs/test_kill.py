"""A study session is killed with SIGKILL at a moment it cannot choose: every acknowledged answer is there."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.cards.schedule import new_state, review
from core.storage import study
from core.storage.database import Database

ROOT = Path(__file__).parents[3]
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

# Answers cards without end and says so after each, as the page shows the next card after each.
SESSION = """
import sys
from datetime import UTC, datetime
from core.cards.schedule import new_state, review
from core.cards.types import Rating
from core.storage import learners, study
from core.storage.database import Database

now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
database = Database.open(sys.argv[1])
learner = learners.create(database, "Ada", learners.new_key(), now)
print("learner", learner.id, flush=True)
states = {}
for i in range(1_000_000):
    card, rating = f"card-{i % 7}", Rating(1 + i % 4)
    before = states.get(card) or new_state(card, now)
    after, entry = review(before, rating, max(now, before.due))
    study.record(database, learner.id, entry, after)
    states[card] = after
    print(card, int(rating), flush=True)
"""


@pytest.mark.parametrize("answers", [0, 1, 9, 30])
def test_nothing_acknowledged_is_lost(tmp_path: Path, answers: int) -> None:
    url = f"sqlite:///{tmp_path / 'lab.sqlite3'}"
    session = subprocess.Popen(
        [sys.executable, "-c", SESSION, url],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert session.stdout is not None
    learner = int(session.stdout.readline().split()[1])
    seen = [session.stdout.readline().split() for _ in range(answers)]
    time.sleep(0.003 * answers)  # so that the kill also falls into the middle of a write
    session.send_signal(signal.SIGKILL)
    seen += [line.split() for line in session.stdout if line.endswith("\n")]
    session.stdout.close()
    assert session.wait() == -signal.SIGKILL

    with Database.open(url) as database:
        log, states = study.log(database, learner), study.states(database, learner)
        acknowledged = [(card, int(rating)) for card, rating in seen]
        assert len(acknowledged) >= answers
        kept = [(entry.card_id, int(entry.rating)) for entry in log]
        assert kept[: len(acknowledged)] == acknowledged
        assert len(kept) <= len(acknowledged) + 1  # the one that was on its way
        # log and schedules belong together: replaying the log gives exactly the stored schedules
        replayed = {}
        for entry in log:
            before = replayed.get(entry.card_id) or new_state(entry.card_id, START)
            assert before == entry.before
            replayed[entry.card_id], _ = review(before, entry.rating, entry.at)
        assert replayed == states
    check = sqlite3.connect(tmp_path / "lab.sqlite3")
    assert check.execute("pragma integrity_check").fetchone() == ("ok",)
    check.close()
