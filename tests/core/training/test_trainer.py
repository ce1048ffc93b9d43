"""The one loop: what is reported when, where one can stop, and who may advance a trainer."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from core.training.trainer import Trainer, iterate

ROOT = Path(__file__).parents[3]


class Counter(Trainer[str]):
    """Learns nothing and says where it is."""

    def __init__(self, steps: int, snapshot_every: int) -> None:
        self.steps, self.snapshot_every = steps, snapshot_every

    def advance(self) -> None:
        self.step += 1

    def snapshot(self) -> str:
        return f"at {self.step}"

    def save(self, file: Path) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("steps", "every", "until", "due"),
    [
        (12, 5, None, [0, 1, 5, 10, 12]),
        (12, 5, 7, [0, 1, 5, 7]),
        (3, 1, None, [0, 1, 2, 3]),
        (3, 100, None, [0, 1, 3]),
        (3, 2, 6, [0, 1, 2, 3, 4, 6]),
        (3, 2, 0, [0]),
    ],
)
def test_the_loop_looks_up_after_every_step_and_reports_what_is_due(steps, every, until, due):
    trainer = Counter(steps, every)
    found = []
    for snapshot in iterate(trainer, until):
        found.append((trainer.step, snapshot))
    assert [step for step, _ in found] == list(range((steps if until is None else until) + 1))
    assert [(step, told) for step, told in found if told] == [(step, f"at {step}") for step in due]


def test_a_loop_left_behind_is_taken_up_where_it_stood():
    trainer = Counter(6, 2)
    for _ in iterate(trainer):
        if trainer.step == 3:
            break
    assert list(iterate(trainer)) == ["at 4", None, "at 6"], "the start is not reported twice"
    assert list(iterate(trainer)) == []


def test_only_the_loop_advances_trainers_and_a_race_its_own_two():
    """`x.advance()` without arguments stands nowhere else in the product."""
    found = set()
    for folder in ("core", "ui", "pages"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                if called and node.func.attr == "advance" and not node.args and not node.keywords:
                    found.add((file.relative_to(ROOT).as_posix(), ast.unparse(node)))
    assert found == {
        ("core/training/trainer.py", "trainer.advance()"),
        ("core/training/race.py", "self.last.advance()"),
    }
