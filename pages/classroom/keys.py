"""The keys of the page Class."""

from __future__ import annotations

from ui.keys import Key

ROOM = Key("room", "", url=True)  # the code of the room that is open here
ROLE = Key("as", "", url=True)  # "teacher", "screen" for the projector, "" for who joins
TAKE = Key("take", "")  # in the address: the token of a one-time link
FOUND = Key("class_found", "")  # the code that this tab has looked up already
TEACHER = Key("class_teacher", "")  # the keys where no cookie holds them
SELF = Key("class_self", "")
MOVING = Key("class_moving", "")  # the one-time link, once it was asked for
CARD = Key("class_card", 0)
FLIPPED = Key("class_flipped", False)
QUESTION = Key("class_question", 0)  # of the test
KIND = Key("class_kind", "collect")  # of the activity that is being made
SOURCE = Key("class_source", "")  # of a list that is being added
EDITED = Key[int | None]("class_edited", None)
