"""What Lessons remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from typing import Any

from core.lessons.progress import LessonProgress
from core.lessons.sittings import InventoryRecord
from ui.keys import Key

LESSON = Key("lesson", "", url=True)  # the open lesson; "" is the list, "own" the teacher's pasted one
STEPS_OPEN = Key("lesson_steps_open", False)  # a list that a click on one of its steps closes
STEP = Key("lesson_step", "")  # from 1; where the learner stands, in the address of an open lesson
VIEW = Key("lesson_view", "Lessons", url=True)
SEED = Key("lesson_seed", 7, url=True, low=0, high=9999)  # of every run of a lesson
TEXT = Key("lesson_text", "")  # a lesson file as a teacher wrote it; packed into the link
BEFORE = Key("lesson_before", "")  # what an uploaded lesson file took the place of
ERROR = Key[str | None]("lesson_error", None)
# lesson -> its progress, and (lesson, step) -> run id, both in pairs
KEPT = Key[Any]("lesson_kept", None, visit=True, kind=tuple[tuple[str, LessonProgress], ...])
RUNS = Key[Any]("lesson_runs", None, visit=True, kind=tuple[tuple[tuple[str, int], str], ...])
TEST = Key[Any]("lesson_test", None, visit=True, kind=InventoryRecord)
PLAN = Key("lesson_plan", "what_is_an_embedding", url=True)  # the lesson whose plan is shown
SAID = Key[str | None]("lesson_said", None)
