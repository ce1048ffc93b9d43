"""What outlives a session: learners, schedules, answers, edits, own decks, settings, lessons, saved runs."""

from __future__ import annotations

from core.storage.database import data_folder, database_url
from core.storage.learners import Learner, SavedRun, new_key
from core.storage.store import Store
from core.storage.study import with_edits
from core.storage.transfer import Progress, read_progress

__all__ = [
    "Learner",
    "Progress",
    "SavedRun",
    "Store",
    "data_folder",
    "database_url",
    "new_key",
    "read_progress",
    "with_edits",
]
