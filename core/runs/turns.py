"""Whose turn it is: runs take turns of about half a second on the processes, so that everybody's points move.

No process and no clock in here. The pool says what happened; `Turns` says who is next, where, and how
long it will take. Owners share the machine first, then the runs of one owner: many tabs get no more than one.
(Start-time fair queueing by owner: whoever had least time is next, and who comes new begins where the one
with the least stands. Source: Goyal, Vin & Cheng, Start-Time Fair Queueing, SIGCOMM 1996.)
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from ..types import Turn

TURN = 0.5  # seconds; a turn ends after the step in which they are over
CHANGES = 10.0  # a turn is at least so many times as long as it took to take up the run from its file
# A run that waits for a busy process moves to an idle one that would otherwise go on with a run so far ahead.
AHEAD = 2.0  # seconds
FIRST_TURN = 1.0  # seconds, a guess, until one was measured


@dataclass(slots=True, eq=False)
class Entry:
    """A run that wants to be trained. `used` counts its owners' seconds of turns from where it began."""

    id: str
    number: int
    owners: Sequence[str]
    used: float
    place: Any = None  # the process that has it in memory, or did
    on: bool = False  # it is having its turn
    moving: bool = False  # on its way out of `place`
    stops: float | None = None  # on its way to rest, for which it has until then
    begun: bool = False  # it has had a turn, and so has made a step
    charged: float = 0.0  # seconds of the turn that it is having, as expected
    length: float = TURN
    left: float | None = None  # seconds of training until its end, as measured so far


class Turns:
    """Not locked: the pool calls everything here with its own lock held. Places are any hashable values."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._entries: dict[str, Entry] = {}
        self._spent: dict[str, float] = {}  # seconds of turns, by owner
        self._first = FIRST_TURN

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._entries

    # ---- what happens ------------------------------------------------------------------------

    def enter(self, run_id: str, owners: Sequence[str]) -> None:
        """A run wants to be trained; its owners begin where the one with the least time stands."""
        least = min(self._spent.values(), default=0.0)
        for owner in owners:
            self._spent.setdefault(owner, least)
        same = [e.used for e in self._entries.values() if set(e.owners) & set(owners)]
        self._entries[run_id] = Entry(run_id, next(self._numbers), owners, min(same, default=0.0))

    def share(self, run_id: str, owners: Sequence[str]) -> None:
        """Somebody has joined the run, or left it to the others."""
        if (entry := self._entries.get(run_id)) is not None:
            least = min(self._spent.values(), default=0.0)
            for owner in owners:
                self._spent.setdefault(owner, least)
            entry.owners = owners

    def leave(self, run_id: str) -> None:
        """It has come to its end, or rests."""
        self._entries.pop(run_id, None)
        present = {owner for e in self._entries.values() for owner in e.owners}
        self._spent = {owner: spent for owner, spent in self._spent.items() if owner in present}

    def place(self, run_id: str) -> Any:
        """The process that has the run, or None."""
        entry = self._entries.get(run_id)
        return None if entry is None else entry.place

    def stop(self, run_id: str, by: float = math.inf) -> Any:
        """It is to rest, `by` then: the process that has to be told and will say when it does, or None."""
        entry = self._entries.get(run_id)
        if entry is None or entry.place is None:
            self.leave(run_id)
            return None
        entry.stops = by if entry.stops is None else entry.stops
        return entry.place

    def overdue(self, now: float) -> dict[str, Any]:
        """Those that were to rest before `now` and have not said that they do, with their processes."""
        return {e.id: e.place for e in self._entries.values() if e.stops is not None and e.stops < now}

    def begin(self, run_id: str, place: Hashable) -> float:
        """Its turn begins in that process. How many seconds it lasts: 0 is one step, for the first turn."""
        entry = self._entries[run_id]
        entry.on, entry.place = True, place
        entry.charged = entry.length if entry.begun else self._first
        return entry.length if entry.begun else 0.0

    def end(self, run_id: str, seconds: float, change: float, left: float | None = None) -> None:
        """Its turn took that long, and taking it up again `change` seconds, which nobody is charged for."""
        if (entry := self._entries.get(run_id)) is None:
            return
        entry.used += seconds
        for owner in entry.owners:
            self._spent[owner] += seconds / len(entry.owners)
        if not entry.begun:
            self._first += 0.3 * (seconds + change - self._first)
        else:
            entry.length = max(TURN, CHANGES * change)
        entry.on, entry.begun, entry.left = False, True, left

    def move(self, run_id: str) -> Any:
        """It shall leave the process that it is in: which that is."""
        self._entries[run_id].moving = True
        return self._entries[run_id].place

    def moved(self, run_id: str) -> None:
        """Any process may take it up now."""
        if (entry := self._entries.get(run_id)) is not None:
            entry.place, entry.moving, entry.on = None, False, False

    def lost(self, place: Any) -> list[str]:
        """That process has ended. Those that wait for another turn go elsewhere; those are returned that were
        to rest, and leave."""
        here = [entry for entry in self._entries.values() if entry.place == place]
        for entry in here:
            self.moved(entry.id) if entry.stops is None else self.leave(entry.id)
        return [entry.id for entry in here if entry.stops is not None]

    # ---- who is next -------------------------------------------------------------------------

    def waiting(self) -> list[Entry]:
        """Those who are not having a turn, next first."""
        return sorted((e for e in self._entries.values() if not e.on and e.stops is None), key=self._order)

    def new(self) -> list[str]:
        """Those who wait for their first turn, next first."""
        return [entry.id for entry in self.waiting() if not entry.begun]

    def _order(self, entry: Entry) -> tuple[float, float, int]:
        return min(map(self._time, entry.owners)), entry.used, entry.number

    def _time(self, owner: str) -> float:
        """What it had, and the turns that go on as long as they are expected to last: its second run does not
        come before another owner's first."""
        now = (e.charged / len(e.owners) for e in self._entries.values() if e.on and owner in e.owners)
        return self._spent[owner] + sum(now)

    def choose(self, idle: Collection[Any]) -> tuple[str, Any] | None:
        """The next run and who of the idle takes it up: the process that has it in memory, for a new run the
        one that has fewest. None when those who wait had better wait for the processes they are in."""
        order = self.waiting()
        held = Counter(entry.place for entry in self._entries.values())
        for entry in order if idle else ():
            if entry.moving or (entry.place is not None and entry.place not in idle):
                continue
            if entry is not order[0] and self._is_ahead(entry, order[0]):
                return None
            return entry.id, entry.place or min(idle, key=lambda place: held[place])
        return None

    def _is_ahead(self, entry: Entry, other: Entry) -> bool:
        mine, theirs = self._order(entry), self._order(other)
        same = set(entry.owners) & set(other.owners)
        return (mine[1] - theirs[1] if same else mine[0] - theirs[0]) > AHEAD

    def stranded(self) -> str | None:
        """The run that should move while a process is idle, because the one that has it is busy."""
        order = self.waiting()
        return None if not order or any(e.moving for e in order) else order[0].id

    # ---- how long it takes -------------------------------------------------------------------

    def turn(self, run_id: str, workers: int) -> Turn | None:
        """Where the run stands among those that share `workers` processes; None for one that wants nothing.

        Until its first turn `seconds` is the time until then, guessed from other first turns. After it, the
        time until its end: all go on alike, so by then each has had what it or what this one still needs.
        """
        entry = self._entries.get(run_id)
        if entry is None:
            return None
        others = len(self._entries) - 1
        if entry.on and not entry.begun:
            return Turn(None, others, None)
        if not entry.begun:
            ahead = [e for e in self.waiting() if self._order(e) < self._order(entry)]
            busy = sum(e.on for e in self._entries.values())
            before = sum(e.length if e.begun else self._first for e in ahead)
            wait = 0.0 if busy < workers else (before + busy * self._first / 2) / workers
            return Turn(len(ahead) + 1, others, wait)
        if entry.left is None:
            return Turn(None, others, None)
        known = [e.left for e in self._entries.values() if e.left is not None]
        usual = sum(known) / len(known)
        needed = [min(entry.left, usual if e.left is None else e.left) for e in self._entries.values()]
        return Turn(None, others, max(entry.left, sum(needed) / workers))
