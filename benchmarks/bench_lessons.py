"""Every prediction of every lesson with three seeds: what is expected, what is measured, holds or not."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from core.lessons import evidence
from core.lessons.evidence import Trained
from core.lessons.preparation import Prepared
from core.lessons.reader import load_lessons
from core.lessons.types import Lesson, Predict
from core.runs.request import RunRequest
from core.training.trainer import iterate

SEEDS = (7, 8, 9)


def trained(prepared: Prepared, folder: Path) -> Trained:
    """The run that the page would make of it, from beginning to end, without what it shows in between."""
    config = replace(prepared.config, snapshot_every=prepared.config.steps)
    request = RunRequest(config, prepared.sentences, prepared.train, prepared.held_out)
    trainer = request.trainer()
    snapshots = [snapshot for snapshot in iterate(trainer) if snapshot is not None]
    file = folder / f"{prepared.config.seed}.npz"
    trainer.save(file)
    return Trained(prepared.config, snapshots[0].embeddings, snapshots[-1].embeddings, str(file))


def measured(lesson: Lesson, step: Predict, seed: int) -> tuple[str, str]:
    """(outcome, what the learner is told) of one prediction."""
    prepared = lesson.prepared(step, seed) if lesson.experiment is not None else None
    with tempfile.TemporaryDirectory() as folder:
        run = None
        if step.measurement.trains:
            assert prepared is not None
            run = trained(prepared, Path(folder))
        found = evidence.gather(step, prepared, step.texts, seed, evidence.direct, run)
    result = step.measurement.compute(found, step.limits)
    return result.outcome, result.says


def main() -> None:
    lessons, problems = load_lessons()
    assert not problems, problems
    count = failed = 0
    for lesson in lessons:
        print(f"### {lesson.title}\n", flush=True)
        for number, step in enumerate(lesson.steps, start=1):
            if not isinstance(step, Predict):
                continue
            results = [measured(lesson, step, seed) for seed in SEEDS]
            outcomes = [outcome for outcome, _ in results]
            expected = step.usual or "(nothing expected)"
            holds = step.usual is None or set(outcomes) == {step.usual}
            count, failed = count + 1, failed + (not holds)
            verdict = "holds" if holds else "DOES NOT HOLD"
            print(f"Step {number}, {step.measure}: expected {expected}, {verdict}: {', '.join(outcomes)}")
            for seed, (_, says) in zip(SEEDS, results):
                print(f"    seed {seed}: {says}", flush=True)
        print()
    print(f"{count - failed} of {count} hold with all of the seeds {', '.join(map(str, SEEDS))}.")
