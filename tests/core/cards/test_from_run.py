"""Cards from a run say what its snapshots hold, number by number, and stay silent where nothing is known."""

from __future__ import annotations

import math
import re
from urllib.parse import parse_qsl

import numpy as np
import pytest

from core.cards.from_run import MAKERS, RunCard, cards_from_run, live_query
from core.cards.parse import parse, write
from core.cards.quiz import multiple_choice, short_answer
from core.cards.types import Deck
from core.types import Forces, Metrics, Pair, Run, Sentence, SentenceSet, Snapshot, TrainingConfig

TEXTS = ("Good. Really?", "Fine food.", "Bad <b>food</b>", "Awful", "Rain " * 40)


def at(*degrees: float) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def snapshot(
    step: int, degrees: tuple[float, ...], loss: float, forces: Forces | None, **metrics: float
) -> Snapshot:
    return Snapshot(step, loss, at(*degrees), forces or Forces.none(), Metrics(**metrics))


def force(*triples: tuple[int, int, float]) -> Forces:
    rows = np.array([t[:2] for t in triples], np.int64)
    return Forces(rows, np.array([t[2] for t in triples], np.float32))


START = {"held_out_accuracy": 0.5, "mean_random_cosine": 0.2, "alignment": 1.0, "uniformity": -1.0}
END = {"held_out_accuracy": 0.75, "mean_random_cosine": 0.1, "alignment": 0.5, "uniformity": -0.5}
MIDDLE = [
    snapshot(
        i, (0, 40, 90, 180, 270), 2.0 - 0.1 * i + (0.3 if i == 5 else 0), force((0, 1, -0.1), (0, 2, 0.1))
    )
    for i in range(1, 11)
]
MIDDLE[6] = snapshot(
    7, (0, 40, 90, 180, 270), 1.3, force((0, 1, -0.3), (1, 0, -0.2), (2, 3, -0.4), (0, 3, 0.6), (1, 2, 0.2))
)
RUN = Run(
    id="abc/1",
    config=TrainingConfig(loss="mnrl", temperature=0.05, steps=11, seed=3),
    sentences=SentenceSet(tuple(Sentence(f"s{i}", text) for i, text in enumerate(TEXTS))),
    pairs=(Pair("s0", "s1", 1.0), Pair("s2", "s3", 1.0), Pair("s0", "s3", 0.0)),
    held_out=tuple(Pair("s0", f"s{i}", 0.0) for i in (1, 2, 3, 4)),
    snapshots=(
        snapshot(0, (0, 60, 90, 180, 270), math.nan, None, **START),
        *MIDDLE,
        snapshot(11, (0, 10, 100, 185, 270), 0.5, None, **END),
    ),
)


def cards() -> dict[str, RunCard]:
    return {c.card.id.removeprefix("run-abc1-"): c for c in cards_from_run(RUN)}


def test_every_maker_makes_a_card_here() -> None:
    assert len(cards()) == len(MAKERS)


@pytest.mark.parametrize(
    ("kind", "numbers", "steps", "sentences"),
    [
        ("moved-most", ["0.643", "0.925"], (0, 11), ("s1",)),  # cos 50 degrees; the mean of five cosines
        ("held-out", ["50.0%", "75.0%", "4 held-out pairs", "25.0%"], (0, 11), ()),
        ("strongest-pull", ["-0.500", "-0.400"], (7,), ("s0", "s1")),  # both directions of the pair add up
        ("strongest-push", ["+0.600", "+0.200"], (7,), ("s0", "s3")),
        ("pair-gained", ["0.500", "0.985"], (0, 11), ("s0", "s1")),  # cos 60, cos 10
        ("random-cosine", ["It fell", "0.200", "0.100"], (0, 11), ()),
        ("loss-path", ["The last steps", "1.7600", "1.0200", "1 of 10"], (1, 11), ()),
        ("temperature-weight", ["7.39 times", "0.05"], (11,), ()),
        ("alignment-uniformity", ["Alignment improved, uniformity did not improve", "-0.500"], (0, 11), ()),
    ],
)
def test_numbers_steps_and_sentences(
    kind: str, numbers: list[str], steps: tuple[int, ...], sentences: tuple[str, ...]
) -> None:
    made = cards()[kind]
    for number in numbers:
        assert number in made.card.answer
    assert (made.run_id, made.steps, made.sentences) == ("abc/1", steps, sentences)


def test_each_card_can_be_asked_studied_and_kept() -> None:
    made = [c.card for c in cards_from_run(RUN)]
    for card in made:
        assert card.source and card.wrong and card.live.startswith("train?loss=mnrl&")
        quiz = multiple_choice(card, [], 0)
        assert quiz is not None and short_answer(card) not in card.choices
    assert short_answer(cards()["moved-most"].card) == "“Fine food.”"
    assert short_answer(cards()["strongest-pull"].card).startswith("“Good. Really?” with “Fine")
    deck = Deck("run", "Run", tuple(made))
    assert parse(write(deck), "run") == deck


def test_long_sentences_are_shortened_and_angles_stay_text() -> None:
    texts = " ".join(c.card.answer + " ".join(c.card.choices) for c in cards_from_run(RUN))
    assert "…" in texts and "<b>food</b>" in texts
    assert all(len(quoted) <= 72 for quoted in re.findall("“[^”]*”", texts))


def test_nothing_is_asked_that_the_run_does_not_know() -> None:
    short = Run("r", RUN.config, RUN.sentences, (), (), RUN.snapshots[:1])
    assert cards_from_run(short) == ()
    still = tuple(snapshot(i, (0, 60, 90, 180, 270), 1.0, None) for i in range(3))
    nothing = Run("r", TrainingConfig(loss="contrastive"), RUN.sentences, RUN.pairs, RUN.held_out, still)
    assert cards_from_run(nothing) == ()


def test_the_live_link_repeats_the_run() -> None:
    default = TrainingConfig()
    config = default.replace(loss="softmax", concatenation="|u-v|,u*v", learning_rate=3e-5, dropout=0.25)
    query = dict(parse_qsl(live_query(config), strict_parsing=True))
    assert set(query) == {"loss", "steps", "seed", "concatenation", "learning_rate", "dropout"}
    values = {name: type(getattr(default, name))(value) for name, value in query.items()}
    assert default.replace(**values) == config
