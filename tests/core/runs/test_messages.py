"""What a run's messages hold, against the run itself."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import replace

import numpy as np
import pytest

from core.runs import messages
from core.runs.encoding import unpack
from core.types import (
    Forces,
    Frame,
    Metrics,
    Pair,
    Run,
    RunStatus,
    Sentence,
    SentenceSet,
    Snapshot,
    TrainingConfig,
    Turn,
)

N, D = 6, 8
SET = SentenceSet(tuple(Sentence(f"s{i}", f"text {i}") for i in range(N)))
PAIRS = (Pair("s0", "s1", 1.0), Pair("s0", "s2", 0.0), Pair("s3", "s4", 1.0))
HELD_OUT = (Pair("s4", "s5", 0.0),)


def embeddings(step: int) -> np.ndarray:
    raw = np.random.default_rng(step).normal(size=(N, D)).astype(np.float32)
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def snapshot(step: int) -> Snapshot:
    forces = Forces(np.array([[0, 1], [2, 3]]), np.array([0.25, -0.5], np.float32))
    loss = math.nan if step == 0 else 1 / step
    return Snapshot(step, loss, embeddings(step), forces, Metrics(held_out_auc=step / 100), step / 4)


def frame(step: int) -> Frame:
    return Frame(step, embeddings(step)[:, :2], np.full(N, 0.5, np.float32), None, "equilibrium")


def run_at(step: int, **changes: object) -> Run:
    run = Run("id", TrainingConfig(steps=40), SET, PAIRS, HELD_OUT, status=RunStatus.RUNNING)
    run = replace(
        run,
        snapshots=tuple(snapshot(s) for s in range(step + 1)),
        frames=tuple(frame(s) for s in range(step + 1)),
    )
    return replace(run, **changes)


def test_a_frame_says_where_the_run_is_and_where_its_points_are():
    run = run_at(3)
    header, arrays = unpack(messages.message(run, "t"))
    assert (header["kind"], header["topic"], header["status"], header["phase"]) == (
        "frame",
        "t",
        "running",
        "active",
    )
    assert (header["step"], header["steps"], header["drawn"], header["seconds"]) == (3, 40, 3, 0.75)
    assert header["loss"] == pytest.approx(1 / 3) and "loss 0.333" in header["line"]
    np.testing.assert_array_equal(arrays["xy"], run.frames[-1].xy)
    np.testing.assert_array_equal(arrays["trust"], run.frames[-1].trust)
    np.testing.assert_allclose(arrays["moved"], 1 - (embeddings(0) * embeddings(3)).sum(axis=1), atol=1e-6)
    np.testing.assert_array_equal(arrays["forceRows"], [[2, 3], [0, 1]])  # the strongest first
    np.testing.assert_array_equal(arrays["forceValues"], np.float32([-0.5, 0.25]))


def test_the_header_is_json_that_a_browser_reads():
    """Python would write NaN, which is none, for the loss that step 0 does not have."""
    data = messages.message(run_at(0), "t")
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length], parse_constant=lambda name: pytest.fail(name))
    assert header["loss"] is None


def test_the_pairs_shown_are_the_models_worst_and_carry_both_cosines():
    _, arrays = unpack(messages.message(run_at(5), "t"))
    rows, labels = arrays["pairRows"], arrays["pairLabels"]
    first, last = embeddings(0), embeddings(5)
    before = np.array([first[a] @ first[b] for a, b in rows])
    np.testing.assert_allclose(arrays["cosinesBefore"], before, atol=1e-6)
    np.testing.assert_allclose(arrays["cosines"], [last[a] @ last[b] for a, b in rows], atol=1e-6)
    wrong = np.abs(labels - before)
    assert (np.diff(wrong) <= 1e-6).all(), "the hardest first"
    held_out = [tuple(row) for row, held in zip(rows.tolist(), arrays["pairHeldOut"]) if held]
    assert held_out == [(4, 5)] and len(rows) == 4


def test_of_many_pairs_few_are_shown_and_half_of_them_are_held_out():
    pairs = tuple(Pair(f"s{a}", f"s{b}", float(a % 2)) for a in range(N) for b in range(N) if a != b)
    shown = messages.ShownPairs.of(run_at(1, pairs=pairs, held_out=pairs))
    assert len(shown.rows) == messages.PAIRS and shown.held_out.sum() == messages.PAIRS // 2
    few = messages.ShownPairs.of(run_at(1, pairs=(), held_out=pairs))
    assert len(few.rows) == messages.PAIRS and few.held_out.all()
    assert len(messages.ShownPairs.of(run_at(1, pairs=(), held_out=())).rows) == 0


def test_a_frame_repeats_the_newest_snapshots_and_the_history_has_them_all():
    run = run_at(30)
    for history, first in ((False, 31 - messages.TAIL), (True, 0)):
        header, arrays = unpack(messages.message(run, "t", history=history))
        table = dict(zip(header["columns"], arrays["series"].T))
        np.testing.assert_array_equal(table["step"], np.arange(first, 31))
        np.testing.assert_allclose(table["held_out_auc"], np.arange(first, 31) / 100, rtol=1e-6)
        assert np.isnan(table["held_out_accuracy"]).all()
        assert header["kind"] == ("history" if history else "frame")


def test_all_frames_come_on_request_and_only_then():
    run = run_at(4)
    assert "frames" not in unpack(messages.message(run, "t", history=True))[1]
    header, arrays = unpack(messages.message(run, "t", history=True, frames=True))
    assert header["drawnSteps"] == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(arrays["frames"], np.stack([f.xy for f in run.frames]))


def test_a_run_of_which_nothing_is_known_yet_has_a_message_too():
    run = Run("id", TrainingConfig(), SET, PAIRS, HELD_OUT, turn=Turn(3, 0, None))
    header, arrays = unpack(messages.message(run, "t", frames=True))
    assert (header["drawn"], header["step"], header["loss"], header["place"]) == (-1, 0, None, 3)
    assert "number 3 in line" in header["line"]
    assert arrays["series"].shape == (0, len(messages.COLUMNS)) and set(arrays) == {"series"}


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"status": RunStatus.WAITING}, "active"),
        ({"status": RunStatus.STARTING}, "active"),
        ({"status": RunStatus.FINISHED}, "rest"),
        ({"status": RunStatus.PAUSED, "frames": (frame(0), frame(1))}, "drawing"),
        ({"status": RunStatus.FAILED, "snapshots": (), "frames": ()}, "rest"),
    ],
)
def test_the_phase_is_what_the_buttons_depend_on(changes, phase):
    assert messages.phase(run_at(2, **changes)) == phase


def test_a_message_is_small():
    sentences = SentenceSet(tuple(Sentence(f"s{i}", f"text {i}") for i in range(48)))
    xy = np.zeros((48, 2), np.float32)
    drawn = Frame(40, xy, np.zeros(48, np.float32), None, "equilibrium")
    vectors = np.tile(embeddings(0)[:1], (48, 1))
    shots = tuple(replace(snapshot(s), embeddings=vectors) for s in range(41))
    run = run_at(0, sentences=sentences, frames=(drawn,), snapshots=shots)
    assert len(messages.message(run, "x" * 32)) < 3500


@pytest.mark.parametrize(
    ("status", "turn", "says"),
    [
        (RunStatus.WAITING, Turn(2, 5, 4.2), "number 2 in line, estimated 4 s. 5 other runs in training"),
        (RunStatus.WAITING, Turn(1, 1, 0.1), "next in line, estimated 1 s. 1 other run in training"),
        (RunStatus.RUNNING, Turn(None, 3, 47.0), "in turns with 3 other runs · about 50 s left"),
        (RunStatus.RUNNING, Turn(None, 1, 200.0), "in turns with 1 other run · about 3 min left"),
        (RunStatus.RUNNING, Turn(None, 1, None), "in turns with 1 other run"),
    ],
)
def test_the_line_says_who_else_is_at_it_and_how_long_that_takes(status, turn, says):
    run = run_at(2, status=status, turn=turn)
    line = messages.status_line(run)
    assert says in line and "None" not in line
    header, _ = unpack(messages.message(run, "t"))
    assert (header["place"], header["others"], header["wait"]) == (turn.place, turn.others, turn.seconds)


def test_a_run_that_trains_alone_says_nothing_of_others():
    assert "turns" not in messages.status_line(run_at(2, status=RunStatus.RUNNING, turn=Turn(None, 0, 9.0)))


def test_a_replay_does_not_take_the_speed_of_the_training_for_its_own():
    run = run_at(2, status=RunStatus.RUNNING)
    speed = messages.status_line(run).rsplit(" · ", 1)[1]
    assert speed.endswith("steps a second")
    assert messages.status_line(replace(run, replayed=True)).endswith(f" · trained at {speed}")


def test_what_happened_on_the_way_ends_the_line():
    run = run_at(2, status=RunStatus.RUNNING, turn=Turn(None, 0, 9.0))
    waits = replace(run, status=RunStatus.WAITING, turn=Turn(2, 1, 9.0))
    for now in (run, waits):
        line = messages.status_line(replace(now, note="It went on elsewhere."))
        assert line == f"{messages.status_line(now).rstrip('.')}. It went on elsewhere."
