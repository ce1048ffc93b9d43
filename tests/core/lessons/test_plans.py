"""Lesson plans: every lesson has one of 45 minutes, mistakes are told, the printed sheet is safe."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from core.lessons.plan_sheet import plans_html, usually
from core.lessons.reader import check, load_lessons, parse
from pages.lessons.teacher import TEMPLATE

LESSONS = load_lessons()[0]
PLAN = """
[plan]
surprise = "Nothing <b>much</b>"
parts = [
  { minutes = 20, text = "Ask & wait." },
  { minutes = 25, step = 2, text = "Run it." },
]
"""


def test_every_lesson_has_a_plan_that_opens_its_predictions():
    for lesson in LESSONS:
        assert lesson.plan is not None, lesson.key
        opened = {part.step for part in lesson.plan.parts}
        predicted = {i for i, step in enumerate(lesson.steps, start=1) if step.kind == "predict"}
        assert len(opened & predicted) >= 2, lesson.key
    assert any(usually(lesson, part) for lesson in LESSONS for part in lesson.plan.parts)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("minutes = 25", "minutes = 20", "the parts take 40 minutes, and a plan has 45"),
        ("step = 2", "step = 9", "the lesson has 3 steps"),
        ("surprise", "surprises", "there is no such field here"),
    ],
)
def test_a_mistake_in_a_plan_is_told(old, new, told):
    assert told in " ".join(check(TEMPLATE + PLAN.replace(old, new, 1))[1])


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [value or "" for name, value in attrs if name == "href"]


def test_the_sheet_links_to_the_steps_and_shows_texts_as_texts():
    lesson = parse(TEMPLATE + PLAN, "mine")
    html = plans_html([lesson], "https://lab.example/lessons").decode()
    page = Links()
    page.feed(html)
    assert page.found == ["https://lab.example/lessons?lesson=mine&lesson_step=2"]
    assert "b" in page.tags and "Nothing &lt;b&gt;much&lt;/b&gt;" in html and "Ask &amp; wait." in html
    assert "<th>0–20</th>" in html and "<th>20–45</th>" in html
    assert plans_html(LESSONS, "lessons").decode().count("<section>") == len(LESSONS)
