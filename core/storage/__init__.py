"""What outlives a session: learners, schedules, answers, edits, own decks, settings, lessons, saved runs.

Tables and how to read and write them belong here; what a schedule or a card is stands in core/cards.
"""

from __future__ import annotations

from .database import database_url
from .learners import Learner, SavedRun, new_key
from .store import Store
from .study import with_edits
from .transfer import Progress, read_progress

__all__ = [
    "Learner",
    "Progress",
    "SavedRun",
    "Store",
    "database_url",
    "new_key",
    "read_progress",
    "with_edits",
]
