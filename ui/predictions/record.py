"""What was predicted and what came out: with a learner in the database, else for this visit.

The first guess at a question counts, and only if the answer had not been seen before.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core.storage import learners
from core.storage.learners import Prediction
from ui import learner, messages, state
from ui.keys import Key

Predictions = Mapping[str, Prediction]  # by what each is kept under
# name -> Prediction, in pairs
VISIT = Key[Any]("predictions", None, visit=True, kind=tuple[tuple[str, Prediction], ...])


def name(key: str, options: Any) -> str:
    """What a question is kept under: other options make it another question."""
    return f"{key} {zlib.crc32(repr(list(options)).encode()):08x}"


def guessed(asked: str, question: str, key: Key[str | None], title: Callable[[str], str]) -> None:
    """A guess was made; a callback."""
    known, guess = everything().get(asked), state.get(key)
    if guess is not None and (known is None or (known.guess and known.outcome is None)):
        _keep(asked, Prediction(messages.unwritten(question), title(guess), None, learner.now()))


def looked(asked: str, question: str, known: Predictions) -> None:
    """The answer is seen without a guess: what is guessed from now on is no prediction."""
    if asked not in known:
        _keep(asked, Prediction(messages.unwritten(question), None, None, learner.now()))


def settle(asked: str, outcome: str, known: Predictions) -> Predictions:
    """The answer was measured. Only the first one counts. Returns what is known from now on."""
    one = known.get(asked)
    if one is None or not one.guess or one.outcome is not None:
        return known
    settled = replace(one, outcome=outcome)
    _keep(asked, settled)
    return {**known, asked: settled}


def everything() -> Predictions:
    """All that this learner, or this visit, predicted or saw. It may ask the database: once is enough."""
    who = learner.current()
    stored = {} if who is None else learners.predictions(learner.database(), who.id)
    return stored | dict(state.get(VISIT) or ())


def opens(asked: str, known: Predictions) -> bool:
    """Whether the question was met before by somebody who wants to see such answers at once."""
    who = learner.current()
    return asked in known and who is not None and learners.opens_revealed(learner.database(), who.id)


def so_far(known: Predictions) -> str:
    """How often the guesses were right, in a sentence; "" before there is one."""
    told = [p for p in known.values() if p.guess and p.outcome]
    right = sum(p.is_right for p in told)
    return f"So far {right} of {len(told)} agreed." if len(told) > 1 else ""


def _keep(asked: str, prediction: Prediction) -> None:
    here = {**dict(state.get(VISIT) or ()), asked: prediction}
    state.put(VISIT, tuple(here.items()))
    who = learner.current()
    if who is not None:  # what was guessed in this visit before a name was chosen comes along
        learners.add_predictions(learner.database(), who.id, here)
