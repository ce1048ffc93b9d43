"""The experiments that go wrong: their plans hold what they claim, and their readings are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from core.concepts import failures
from core.concepts.failure_modes import FAILURE_MODES
from core.concepts.failures import Readings, partners, read
from core.data import sentence_sets
from core.metrics.measures import spearman
from core.metrics.probe import graded_pairs
from core.types import Forces, InputError, Metrics, SentenceSet, Snapshot
from tests.tiny import tiny_encoder, tiny_set

SEED = 7


def given(key: str) -> SentenceSet:
    return sentence_sets.load_set(FAILURE_MODES[key].set_key).sentence_set


@pytest.mark.parametrize("key", FAILURE_MODES)
def test_both_plans_can_be_made_and_train_on_no_probe_sentence(key):
    row = FAILURE_MODES[key]
    probe = {text for p in graded_pairs() for text in (p.left, p.right)}
    for make in (row.broken, row.sound):
        plan = make(given(key), SEED)
        texts = {s.id: s.text for s in plan.sentences.sentences}
        assert probe <= set(texts.values())
        named = {texts[end] for p in (*plan.train, *plan.held_out) for end in (p.left, p.right)}
        assert not named & probe
        assert len(plan.groups) == len(plan.sentences)
    assert row.usual in row.options and set(row.shown) <= set(failures.READINGS)


def test_each_experiment_differs_where_it_says():
    made = {
        key: (row.broken(given(key), SEED), row.sound(given(key), SEED)) for key, row in FAILURE_MODES.items()
    }
    broken, sound = made["collapse"]
    assert all(p.is_similar for p in broken.train) and not all(p.is_similar for p in sound.train)
    assert broken.config == sound.config
    broken, sound = made["negatives"]
    assert broken.train == sound.train and broken.config == sound.config
    assert not broken.sentences.has_groups and sound.sentences.has_groups
    assert broken.groups == sound.groups
    broken, sound = made["rate"]
    assert broken.config == sound.config.replace(learning_rate=broken.config.learning_rate)
    assert broken.config.learning_rate == 100 * sound.config.learning_rate
    broken, sound = made["forgetting"]
    assert broken.config.trained_layers == 6 and sound.config.trained_layers == 1
    broken, sound = made["overfitting"]
    assert len(broken.train) == 10 and len(sound.train) > 100 and broken.held_out == sound.held_out


def test_partners_share_no_sentence_and_stay_in_their_group():
    sentences = given("negatives")
    pairs = partners(sentences, SEED)
    ends = [end for p in pairs for end in (p.left, p.right)]
    assert len(ends) == len(set(ends))
    group = {s.id: s.group for s in sentences.sentences}
    assert all(group[p.left] == group[p.right] for p in pairs)


def test_readings_of_chosen_vectors():
    """Two groups at right angles, and one group whose unpaired sentences are opposite."""
    plan = failures.both_kinds(tiny_set(), SEED)
    n = len(plan.sentences)
    z = np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32)
    z[:5], z[5:10] = np.eye(8)[0], np.eye(8)[1]
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    found = read(plan, Snapshot(0, 0.0, z, Forces.none(), Metrics()))
    assert found.apart == pytest.approx(0.0, abs=1e-6)
    assert found.train_auc == 1.0 and found.held_out_auc is None
    row = {s.text: i for i, s in enumerate(plan.sentences.sentences)}
    cosines = [float(z[row[p.left]] @ z[row[p.right]]) for p in graded_pairs()]
    assert found.probe == pytest.approx(spearman(cosines, [p.grade for p in graded_pairs()]))


def test_unpaired_leaves_the_trained_pairs_out():
    plan = failures.false_negatives(tiny_set(), SEED)
    z = np.zeros((len(plan.sentences), 40), np.float32)
    z[:, 20:] = 1.0
    z[:10] = np.eye(40)[:10]
    row = plan.sentences.row()
    for p in plan.train:
        z[row[p.right]] = z[row[p.left]]
    found = read(plan, Snapshot(0, 0.0, z, Forces.none(), Metrics()))
    assert found.unpaired == 0.0 and found.apart == 0.0


def test_the_usual_answers_follow_from_the_numbers():
    start = Readings(0.1, 0.4, 0.5, 0.8, 0.9)
    assert FAILURE_MODES["collapse"].judge(start, Readings(0.95, 0.9, None, None, 0.8))[0] == "Above 0.7"
    assert FAILURE_MODES["negatives"].judge(start, Readings(0.0, 0.2, None, None, 0.8))[0].endswith("apart")
    assert FAILURE_MODES["rate"].judge(start, Readings(1.0, 1.0, 0.5, 0.5, 0.0))[0].startswith("Worse")
    assert FAILURE_MODES["forgetting"].judge(start, Readings(0.1, 0.1, 1.0, 0.9, 0.3))[0] == "More than 0.2"
    assert FAILURE_MODES["overfitting"].judge(start, Readings(0.1, 0.1, 1.0, 0.8, 0.3))[1] == pytest.approx(
        0.2
    )


def test_too_few_sentences_are_refused_in_a_sentence():
    few = SentenceSet(tiny_set().sentences[:1] + tiny_set().sentences[5:6])
    for row in FAILURE_MODES.values():
        with pytest.raises(InputError):
            row.broken(few, SEED)


def test_a_plan_trains_and_is_read_at_every_snapshot():
    from core.training.bi_trainer import train

    plan = failures.positives_only(tiny_set(), SEED)
    config = plan.config.replace(steps=10, learning_rate=3e-3)
    found = [read(plan, s) for s in train(tiny_encoder(), plan.sentences, plan.train, config, plan.held_out)]
    assert found[-1].apart > found[0].apart + 0.1
