"""Cards on their way to the screen: plain text stays plain, pictures are kept, typed answers get scores."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.cards.from_run import RunCard
from core.cards.picture import MOST_FRAMES, album, from_album, picture
from core.cards.types import Card
from core.types import Frame, InputError, Run, Sentence, SentenceSet, TrainingConfig
from ui.cards.moving_picture import setting


def run_with(frames: int, points: int = 5) -> Run:
    sentences = SentenceSet(tuple(Sentence(f"s{i}", f"text {i}", "g") for i in range(points)))
    random = np.random.default_rng(1)
    drawn = tuple(
        Frame(
            step, random.normal(size=(points, 2)).astype(np.float32), np.ones(points, np.float32), None, "pca"
        )
        for step in range(frames)
    )
    return Run("r1", TrainingConfig(), sentences, (), (), frames=drawn)


def made(*steps: int) -> RunCard:
    return RunCard(Card(f"run-r1-{steps[0]}", "t", "q", "a"), "r1", steps, ("s2",))


def test_a_picture_spans_the_steps_of_its_card() -> None:
    shown = picture(run_with(40), made(3, 30))
    assert shown is not None
    assert (shown.steps[0], shown.steps[-1]) == (3, 30) and len(shown.steps) == MOST_FRAMES
    single = picture(run_with(40), made(7))
    assert single is not None and single.steps == (7,)
    assert picture(run_with(0), made(0)) is None


def test_a_kept_picture_comes_back_in_proportion() -> None:
    run = run_with(40)
    cards = [made(0, 39), made(7)]
    value = json.loads(json.dumps(album(run, cards)))
    shown = from_album(value, cards[1].card.id)
    assert shown is not None and shown.steps == (7,) and shown.marked == ("s2",)
    scale = max(float(np.abs(f.xy).max()) for f in run.frames if f.step in value["steps"])
    np.testing.assert_allclose(shown.frames[0] * scale, run.frames[7].xy, atol=scale / 1000)
    assert from_album(value, "run-r1-other") is None
    assert setting(cards[0].card.id) == setting(cards[1].card.id)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": [[1]]},
        {"steps": []},
        {"sentences": [["a"]]},
        {"cards": []},
        {"frames": "x"},
        {"steps": [0, 1]},
    ],
)
def test_a_broken_album_is_refused(change: dict[str, object]) -> None:
    value = album(run_with(3), [made(0, 2)])
    assert value is not None
    with pytest.raises(InputError):
        from_album({**value, **change}, "run-r1-0")


def test_a_typed_answer_is_scored_by_both_encoders() -> None:
    pytest.importorskip("torch")
    from core.cards.typed_answer import score

    answer = "The hardest negatives dominate the gradient."
    rivals = ("All negatives weigh alike.", "The loss becomes zero at once.")
    near = score("The most difficult negatives dominate the gradient.", answer, rivals)
    far = score("I had soup for lunch.", answer, rivals)
    assert near.rival is not None and near.answer.cosine > near.rival.cosine
    assert near.answer.cosine > far.answer.cosine
    assert near.answer.cross is not None and far.answer.cross is not None
    assert near.answer.cross > far.answer.cross
    assert score("anything", answer).rival is None
