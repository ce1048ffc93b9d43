"""The rooms on the push channel: one small message, "changed, version n", to all pages of a room.

The topic's name stands in the database, so that a page that listens finds it again after a restart.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from ..runs.channel import Broadcast
from ..runs.encoding import pack
from ..storage.database import Database
from ..types import InputError
from . import rooms

KEPT_TOPICS = 100


class RoomTopic(Broadcast):
    """One room's messages: header {topic, kind: "room", version, news}, no arrays."""

    def __init__(self, database: Database, name: str) -> None:
        super().__init__(name)
        self._database = database

    def now(self, history: bool = False, frames: bool = False) -> bytes:
        room = rooms.by_topic(self._database, self.name)
        if room is None:
            raise InputError("This room was deleted.")
        return pack({"topic": self.name, "kind": "room", "version": room.version, "news": room.news}, {})


class RoomHub:
    """The topics of all rooms, made when somebody asks for one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()  # pages say that rooms have changed on threads of their own
        self._topics: OrderedDict[str, RoomTopic] = OrderedDict()

    def find(self, name: str) -> RoomTopic | None:
        """The topic of this name; None where no room has it."""
        with self._lock:
            topic = self._topics.get(name)
            if topic is not None and not topic.ended:
                return topic
        if rooms.by_topic(self._database, name) is None:
            return None
        with self._lock:
            topic = self._topics[name] = RoomTopic(self._database, name)
            surplus = len(self._topics) - KEPT_TOPICS
            for old in [n for n, t in self._topics.items() if not t.listeners][: max(0, surplus)]:
                del self._topics[old]
        return topic

    def changed(self, name: str | None) -> None:
        """Say so to all who listen; nobody else has to hear of it. None: any room may have."""
        with self._lock:
            topics = list(self._topics.values()) if name is None else [self._topics.get(name)]
        for topic in topics:
            if topic is not None:
                topic.changed()
