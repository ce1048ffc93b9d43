"""Lesson plans as one HTML page to print: every part of the 45 minutes, with a link that opens its step.

Nothing is fetched, and every text of a lesson is escaped: a lesson may come from anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from ..data.assets import ASSETS
from .types import Lesson, PlanPart, Predict

TEMPLATE = ASSETS / "export" / "lesson_plans.html"


def address_of(page: str, lesson: Lesson, part: PlanPart) -> str:
    """The address that opens the part's step; `page` is that of the lessons, without parameters."""
    return f"{page}?{urlencode({'lesson': lesson.key, 'lesson_step': part.step or 1})}"


def usually(lesson: Lesson, part: PlanPart) -> tuple[str, str] | None:
    """(the question of the part's prediction, the answer that usually comes out), None without one."""
    step = lesson.steps[part.step - 1] if part.step else None
    if not isinstance(step, Predict) or step.usual is None:
        return None
    return step.question, step.options[step.usual]


def plans_html(lessons: Sequence[Lesson], page: str) -> bytes:
    """The plans of these lessons, each on a page of its own, UTF-8. Lessons without a plan are left out."""
    plans = "\n".join(_plan(lesson, page) for lesson in lessons if lesson.plan is not None)
    return TEMPLATE.read_text(encoding="utf-8").replace("__PLANS__", plans, 1).encode("utf-8")


def _plan(lesson: Lesson, page: str) -> str:
    assert lesson.plan is not None
    rows, begin = [], 0
    for part in lesson.plan.parts:
        end = begin + part.minutes
        what = f"<p>{escape(part.text)}</p>"
        if found := usually(lesson, part):
            question, answer = map(escape, found)
            what += f"<p class='asked'>{question}<br>Usually: {answer}</p>"
        if part.step:
            link = escape(address_of(page, lesson, part))
            title = escape(lesson.steps[part.step - 1].title)
            what += f'<p class="link"><a href="{link}">Step {part.step}: {title}</a></p>'
        rows.append(f"<tr><th>{begin}–{end}</th><td>{what}</td></tr>")
        begin = end
    return (
        f"<section><h1>{escape(lesson.title)}</h1><p>{escape(lesson.summary)}</p>"
        f"<p><b>What usually surprises.</b> {escape(lesson.plan.surprise)}</p>"
        f"<table><thead><tr><th>Minutes</th><th>What to do and to ask</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></section>"
    )
