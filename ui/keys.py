"""What a key is, and the session-state and URL keys that two pages share. A page's own are in its keys.py.

ui/state.py reads and writes them all and passes these on, so that pages say `state.SET`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.training.controls import CONTROLS
from ui.boards.moving_map import ColorBy

T = TypeVar("T")


@dataclass(frozen=True)
class Key(Generic[T]):
    """One value that outlives a script run. `default` is shared, so it is never a mutable value.

    `url`: it also stands in the address. `visit`: it belongs to the browser, so a reload and a second tab
    find it too; no widget may own such a key. `low` and `high` bound a number, also in the address.
    """

    name: str
    default: T
    url: bool = False
    low: T | None = None
    high: T | None = None
    visit: bool = False
    kind: Any = tuple[str, ...]  # of a visit's value, so that it can be written as JSON

    @property
    def bounds(self) -> tuple[T, T]:
        """(lowest, highest), for the slider or field that sets this number."""
        assert self.low is not None and self.high is not None, f"{self.name} has no bounds"
        return self.low, self.high


# The experiment and the run on the page
SET = Key("set", "sentiment", url=True)
TEXT = Key("text", "")  # the sentences, when they were typed; packed into the link
HANDED = Key("handed", "")  # sentences typed on Home, for Train live's text box
OWN_TITLE = Key("own_title", "")  # what one's own sentences are called: the uploaded file's name
TOLD = Key[tuple[str, ...]]("told", ())  # what was noticed in the file that these come from
PAIR_TEXT = Key("pair_text", "")  # typed and marked pairs; packed into the link
PAIR_MODE = Key("pairs", "groups", url=True)
PAIR_COUNT = Key("pair_count", 120, url=True, low=2, high=5000)
PAIR_SEED = Key("pair_seed", 7, url=True, low=0, high=99_999)
HELD_OUT = Key("held_out", 0.25, url=True, low=0.0, high=0.5)
LAYOUT = Key("layout", "equilibrium", url=True)
COLOUR = Key[ColorBy]("colour", "group", url=True)
FORCES = Key("forces", False, url=True)
# Its id in the address opens a run only for whoever's RUN_IDS hold it: others can neither see nor steer it.
RUN_ID = Key[str | None]("run_id", None, url=True)
RUN_IDS = Key[tuple[str, ...]]("run_ids", (), visit=True)
OTHER_RUN_IDS = Key[tuple[str, ...]]("other_run_ids", (), visit=True)  # the same for those of all other pages
PROBLEM = Key[str | None]("problem", None)  # what a click could not do, for the top of the next page
MESSAGE = Key[str | None]("message", None)
MARKED = Key("marked", "")  # pairs just marked on the map, which the next run adds to the typed ones
MINED = Key("mined", "")  # mined pairs as rows of the set; packed into the link
REWIND_OPEN = Key("rewind_open", False)
# (the run that got worse, the one that tries a remedy)
TRIED = Key[tuple[str, ...]]("tried", (), visit=True)
TRYING = Key("trying", "")  # the run of a remedy until it is put on the maps
REVEALED = Key("revealed", False, url=True)  # a link that asks for no prediction, for a talk

# Who is studying
LEARNER = Key("learner", "")  # the learner's own key, where no cookie holds it, and in their link
LEARNER_LINK = Key("learner_link", "")  # in the address: what such a link came to, "other" or "unknown"
LEARNER_LINK_OPEN = Key("learner_link_open", False)
STUDY_TRIAL = Key[Any]("study_trial", None)  # the card on the table: pages/study/session.py's Trial
STUDY_SAID = Key[str | None]("study_said", None)

CONFIG = {c.field: Key(c.field, c.default, url=True, low=c.least, high=c.most) for c in CONTROLS}

# A change of one of these is a step of the browser's history (ui/visits/history.js): the chosen set, the run
# on the page, the open lesson and the step in it.
PLACES = (SET.name, RUN_ID.name, "lesson", "lesson_step")
