"""Every condition of the moment holds for a real run that was made so, and not for its opposite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.cards.moments import CONDITIONS, as_card, moments, most_telling
from core.cards.reading import Reading
from core.maps import layouts
from core.training import train
from core.types import Forces, Pair, Run, RunStatus, Sentence, SentenceSet, TrainingConfig
from tests.tiny import tiny_encoder, tiny_pairs, tiny_set

HELD = (Pair("a3", "a4", 1.0), Pair("m3", "m4", 1.0), Pair("a3", "m3", 0.0), Pair("a4", "m4", 0.0))
TRAIN = tuple(p for p in tiny_pairs() if not {p.left, p.right} & {"a3", "a4", "m3", "m4"})


def run(pairs=TRAIN, held_out=HELD, sentences=None, **settings) -> Run:
    """A real run of a tiny random encoder."""
    config = TrainingConfig(**({"loss": "contrastive", "steps": 40, "learning_rate": 1e-3} | settings))
    chosen = sentences or tiny_set()
    snapshots = tuple(train(tiny_encoder(), chosen, pairs, config, held_out))
    return Run("r", config, chosen, tuple(pairs), tuple(held_out), snapshots, status=RunStatus.FINISHED)


def keys(found: Run, **beside) -> set[str]:
    return {moment.key for moment in moments(Reading(found, **beside))}


def many(count: int) -> SentenceSet:
    words = ["cat", "dog", "bird", "runs", "sleeps", "sings", "good", "bad", "very", "film"]
    money = ["bank", "river", "money", "food", "was", "is", "not", "and", "in", "on"]
    return SentenceSet(
        tuple(
            Sentence(f"{group}{i}", f"the {names[i % 10]} {names[(3 * i + 1 + i // 10) % 10]} {extra}", group)
            for group, names, extra in (("a", words, "the cat"), ("m", money, "the bank"))
            for i in range(count)
        )
    )


def split(count: int, held: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Pairs of the first sentences of both groups, and `held` pairs of the last."""
    a, m = ([f"{g}{i}" for i in range(count)] for g in "am")
    known, unseen = (lambda ids: ids[: count // 2]), (lambda ids: ids[count // 2 :])

    def made(xs, ys, n):
        same = [Pair(xs[i], xs[(i + 1) % len(xs)], 1.0) for i in range(len(xs))]
        other = [Pair(xs[i], ys[i], 0.0) for i in range(len(xs))]
        return tuple([p for both in zip(same, other) for p in both][:n])

    return made(known(a), known(m), count), made(unseen(a), unseen(m), held)


@pytest.fixture(scope="module")
def sound() -> Run:
    """Learns groups that differ in their words: 24 held-out pairs."""
    train_pairs, held = split(24, 24)
    return run(train_pairs, held, many(24), steps=60)


def test_a_sound_run_learns_more_than_its_pairs(sound):
    found = keys(sound)
    assert not found & {
        "collapse",
        "climbing",
        "nothing-moves",
        "nothing-held-out",
        "few-held-out",
        "forgetting",
    }
    assert "largest-mover" in found


def test_collapse(sound):
    alone = tuple(Pair(p.left, p.right, 1.0) for p in tiny_pairs())
    assert "collapse" in keys(run(alone, (), loss="contrastive", steps=60, learning_rate=3e-3))
    assert "collapse" not in keys(sound)


def test_climbing(sound):
    losses = np.linspace(1, 3, len(sound.snapshots))
    risen = replace(sound, snapshots=tuple(replace(s, loss=v) for s, v in zip(sound.snapshots, losses)))
    assert "climbing" in keys(risen) and "climbing" not in keys(sound)


def test_nothing_moves(sound):
    assert "nothing-moves" in keys(run(learning_rate=1e-6, steps=6))
    assert "nothing-moves" not in keys(sound)


def test_what_is_held_out(sound):
    assert "nothing-held-out" in keys(run(held_out=(), steps=3))
    few = run(steps=3)
    assert "few-held-out" in keys(few) and "of 4 (" in next(
        m.answer for m in moments(Reading(few)) if m.key == "few-held-out"
    )
    assert not keys(sound) & {"nothing-held-out", "few-held-out"}


def counts(sound: Run, right: list[int], losses: list[float]) -> Run:
    """The real run with other held-out counts and losses: what only long training would give."""
    n = len(sound.held_out)
    made = tuple(
        replace(s, loss=loss, metrics=replace(s.metrics, held_out_accuracy=c / n))
        for s, c, loss in zip(sound.snapshots, right, losses, strict=True)
    )
    return replace(sound, snapshots=made)


def test_what_the_unseen_pairs_say(sound):
    size = len(sound.snapshots)
    falling = [float("nan"), *np.geomspace(1, 1e-3, size - 1)]
    flat = counts(sound, [12] * size, falling)
    risen = counts(sound, [12] * 10 + [22] * (size - 10), falling)
    fallen = counts(sound, [12] * 10 + [22] * (size - 30) + [14] * 20, falling)
    assert "memorised" in keys(flat) and not keys(flat) & {"finished", "generalised", "overfitting"}
    assert {"finished", "generalised"} <= keys(risen) and "memorised" not in keys(risen)
    assert "overfitting" in keys(fallen) and "overfitting" not in keys(risen)
    answer = next(m.answer for m in moments(Reading(risen)) if m.key == "generalised")
    assert "22 of 24" in answer and "12 before" in answer


def test_a_pair_against_its_label():
    wrong = (*TRAIN, *(Pair(p.left, p.right, 1.0 - p.label) for p in TRAIN[:1] for _ in range(1)))
    torn = run(wrong, (), steps=40, learning_rate=3e-3)
    assert "against-label" in keys(torn)
    agreed = run(tuple(p for p in TRAIN if p.is_similar)[:2], (), loss="cosine", steps=20)
    assert "against-label" not in keys(agreed)


def test_false_negatives_of_a_batch(sound):
    """In-batch negatives of sentences without groups: nobody said that they belong together."""
    loose = SentenceSet(tuple(replace(s, group=None) for s in tiny_set().sentences))
    similar = tuple(p for p in tiny_pairs() if p.is_similar)
    pushed = run(similar, (), loose, loss="mnrl", steps=2, batch_size=6)
    forces = pushed.snapshots[-1].forces
    a, b = forces.rows[int(np.argmax(forces.values))].tolist()
    assert "false-negative" in keys(pushed, cross={(b, a): 0.9})
    assert "false-negative" not in keys(pushed, cross={(b, a): 0.2}) | keys(pushed)
    labelled = run(tiny_pairs(), (), steps=2)  # this loss pushes pairs that are labelled dissimilar only
    assert "false-negative" not in keys(labelled)


def test_where_the_cross_encoder_contradicts_a_label(sound):
    rows = sound.sentences.row()
    scores = {(rows[p.left], rows[p.right]): 0.05 for p in sound.pairs}
    assert "cross-disagrees" in keys(sound, cross=scores)
    agreeing = {(rows[p.left], rows[p.right]): p.label for p in sound.pairs}
    assert "cross-disagrees" not in keys(sound, cross=agreeing) | keys(sound)


def test_forgetting_and_rest(sound):
    assert "forgetting" in keys(sound, everyday=(0.83, 0.70))
    assert "forgetting" not in keys(sound, everyday=(0.83, 0.82))
    resting = run(steps=60, margin=0.05, learning_rate=3e-3)
    cut = replace(resting, config=resting.config.replace(steps=100))
    last = cut.snapshots[-1]
    still = replace(last, forces=Forces(last.forces.rows, np.zeros_like(last.forces.values)))
    assert "satisfied" in keys(replace(cut, snapshots=(*cut.snapshots[:-1], still)))
    assert "satisfied" not in keys(sound)


def test_a_point_beside_the_wrong_neighbour(sound):
    z = sound.snapshots[-1].embeddings
    frame = layouts.layout_all("pca", [z])[0]
    frame = replace(frame, step=sound.snapshots[-1].step)
    turned = replace(frame, xy=frame.xy[::-1].copy(), trust=np.full(len(z), 0.1, np.float32))
    assert "misplaced" in keys(replace(sound, frames=(turned,)))
    believed = replace(frame, trust=np.ones(len(z), np.float32))
    assert "misplaced" not in keys(replace(sound, frames=(believed,)))


def test_the_card_changes_seldom_and_is_about_this_run(sound):
    shown, changes = None, 0
    for n in range(2, len(sound.snapshots) + 1):
        part = replace(sound, snapshots=sound.snapshots[:n])
        now = most_telling(Reading(part), shown)
        changes += now is not shown
        shown = now
    assert shown is not None and changes <= 8
    card = as_card(shown.moment, sound)
    assert card.question.startswith(f"At step {sound.step} of {sound.config.steps}")


def test_before_the_first_step_the_base_model_is_asked_about(sound):
    begun = replace(sound, snapshots=sound.snapshots[:1])
    assert keys(begun) == {"hardest-pair"} and "hardest-pair" not in keys(sound)
    assert moments(Reading(replace(sound, snapshots=()))) == ()


def test_each_condition_has_its_own_name(sound):
    made = moments(Reading(sound))
    assert len({m.key for m in made}) == len(made) <= len(CONDITIONS)
