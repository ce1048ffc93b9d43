"""What Contrast remembers of a visit: name, default and bounds of each key (ui/keys.py)."""

from __future__ import annotations

from dataclasses import dataclass

from ui.keys import Key


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished comparison: what it was made from, and the held-out AUCs it ended with."""

    sentences: str
    pairs: int
    steps: int
    seed: int
    held_out: int
    before: float
    random: float
    hard: float


VIEW = Key("con", "Words", url=True)
P = Key("con_p", "The nurse gave the patient a painkiller.", url=True)
Q = Key("con_q", "The nurse refused the patient a painkiller.", url=True)
TRIPLETS = Key(
    "con_triplets",
    "How do I reset my PIN? | I forgot my PIN and need a new one. | How do I change my address?\n"
    "The match was cancelled. | They called the game off. | The match was not cancelled.\n"
    "A dog bit a man. | A man was bitten by a dog. | A man bit a dog.",
    url=True,
)
SET = Key("con_set", "bank_intents", url=True)
TEXT = Key("con_text", "")  # the learner's own grouped sentences; packed into the link
COUNT = Key("con_count", 48, url=True, low=8, high=200)
STEPS = Key("con_steps", 40, url=True, low=10, high=200)
SEED = Key("con_seed", 7, url=True, low=0, high=10_000)
RUNS = Key[tuple[str, ...]]("con_runs", (), url=True)  # run ids: random negatives, hard negatives
OUTCOMES = Key[tuple[Outcome, ...]]("con_outcomes", (), visit=True, kind=tuple[Outcome, ...])
GUESSES = {
    name: Key[str | None](f"con_guess_{name}", None, url=True) for name in ("words", "triplets", "hard")
}
