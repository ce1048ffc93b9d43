"""What outlives a session: learners, schedules, answers, edits, own decks, settings, lessons, saved runs.

Tables and how to read and write them belong here; what a schedule or a card is stands in core/cards.
"""

from . import learners, study, transfer

__all__ = ["learners", "study", "transfer"]
