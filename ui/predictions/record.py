"""What was predicted and what came out: with a learner in the database, else for this visit.

The first guess at a question counts, and only if the answer had not been seen before.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.storage import learners
from core.storage.learners import Prediction
from ui import learner, messages, state
from ui.keys import Key

VISIT = Key[Any]("predictions", None, visit=True)  # name -> Prediction, in pairs


def name(key: str, options: Any) -> str:
    """What a question is kept under: other options make it another question."""
    return f"{key} {zlib.crc32(repr(list(options)).encode()):08x}"


def guessed(asked: str, question: str, key: Key[str | None], title: Callable[[str], str]) -> None:
    """A guess was made; a callback."""
    known, guess = everything().get(asked), state.get(key)
    if guess is not None and (known is None or (known.guess and known.outcome is None)):
        _keep(asked, Prediction(messages.unwritten(question), title(guess), None, learner.now()))


def looked(asked: str, question: str) -> None:
    """The answer is seen without a guess: what is guessed from now on is no prediction."""
    if asked not in everything():
        _keep(asked, Prediction(messages.unwritten(question), None, None, learner.now()))


def settle(asked: str, outcome: str) -> None:
    """The answer was measured. Only the first one counts."""
    known = everything().get(asked)
    if known is not None and known.guess and known.outcome is None:
        _keep(asked, replace(known, outcome=outcome))


def everything() -> dict[str, Prediction]:
    """All that this learner, or this visit, predicted or saw."""
    who = learner.current()
    stored = {} if who is None else learners.predictions(learner.database(), who.id)
    return stored | dict(state.get(VISIT) or ())


def opens(asked: str) -> bool:
    """Whether the question was met before by somebody who wants to see such answers at once."""
    who = learner.current()
    wants = who is not None and learners.opens_revealed(learner.database(), who.id)
    return wants and asked in everything()


def so_far() -> str:
    """How often the guesses were right, in a sentence; "" before there is one."""
    told = [p for p in everything().values() if p.guess and p.outcome]
    right = sum(p.is_right for p in told)
    return f"So far {right} of {len(told)} agreed." if len(told) > 1 else ""


def _keep(asked: str, prediction: Prediction) -> None:
    here = {**dict(state.get(VISIT) or ()), asked: prediction}
    state.put(VISIT, tuple(here.items()))
    who = learner.current()
    if who is not None:  # what was guessed in this visit before a name was chosen comes along
        learners.add_predictions(learner.database(), who.id, here)
