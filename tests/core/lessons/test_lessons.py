"""Lessons: shipped files are sound, bad ones are refused where they are wrong, outcomes come from numbers."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.schema import lines_of_fields
from core.lessons.measurement import Evidence
from core.lessons.outcomes import MEASUREMENTS, VALUES
from core.lessons.progress import Answer, LessonProgress, from_json
from core.lessons.reader import LESSONS, check, load_lessons, parse
from core.metrics.measures import auc, neighbour_purity
from core.types import InputError, Pair, Sentence, SentenceSet
from core.vectors import pair_cosines
from pages.lessons.teacher import TEMPLATE

README = (LESSONS / "README.md").read_text(encoding="utf-8")


def test_all_shipped_lessons_can_be_read():
    lessons, problems = load_lessons()
    assert problems == ()
    assert len(lessons) >= 9 and lessons[0].key == "what_is_an_embedding"
    assert len({lesson.order for lesson in lessons}) == len(lessons), "two lessons stand at one place"
    assert all(8 <= lesson.minutes <= 15 for lesson in lessons)


@pytest.mark.parametrize("lesson", load_lessons()[0], ids=lambda lesson: lesson.key)
def test_every_lesson_predicts_explains_and_ends_with_cards(lesson):
    kinds = [step.kind for step in lesson.steps]
    assert kinds[-1] == "cards" and "predict" in kinds and "explain" in kinds
    for step in lesson.steps:
        if step.kind == "predict":  # words for whatever comes out
            assert set(dict(step.because)) == set(step.measurement.possible(len(step.texts)))
            assert step.usual is None or step.usual != step.misbelief, "nobody would be surprised"


def test_the_template_and_the_example_of_the_readme_are_lessons():
    assert check(TEMPLATE)[1] == ()
    blocks = README.split("```toml\n")[1:]
    assert check("\n".join(block.split("```")[0] for block in blocks))[1] == ()


def test_the_readme_names_every_measurement_with_its_limits():
    for value in VALUES:
        row = next(line for line in README.splitlines() if line.startswith(f"| `{value.key}`"))
        assert "{:g}, {:g}".format(*value.levels) in row
    for name in MEASUREMENTS:
        family = name.rsplit("_", 1)[0]
        assert f"`{family}`" in README or f"`{name}`" in README


def problems(old: str, new: str) -> tuple[str, ...]:
    assert old in TEMPLATE
    return check(TEMPLATE.replace(old, new, 1), name="mine.toml")[1]


def line_of(text: str, needle: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), start=1) if needle in line)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('measure = "held_out_auc_change"', 'measure = "magic"', "no measurement 'magic'"),
        ('kind = "explain"', 'kind = "sing"', "must be one of read, look, predict"),
        ('set = "sentiment"', 'set = "nothing"', "There is no sentence set 'nothing'"),
        ("minutes = 10", "minutes = 9999", "a whole number from 1 to 240, not 9999"),
        ('stays = "It stays the same"\n', "", "stays is missing"),
        ('stays = "It stays the same"', 'stays = "It stays"\nsinks = "No"', "can only come out as"),
        ("steps = 60", "steps = -3", "-3 is outside 1 to 2000"),
        ('loss = "contrastive"', "seed = 3", "the seed is chosen on the page"),
        ('after = "What holds, whatever came out."', "after = 3", "must be a text in quotes, not 3"),
        ('text = "Why was it', 'colour = "red"\ntext = "Why was it', "there is no such field here"),
        ("[experiment]\nset", "[experiment]\nheld_out = 0\nset", "needs held-out pairs"),
    ],
)
def test_every_mistake_is_told_with_file_line_and_field(old, new, told):
    found = problems(old, new)
    assert len(found) == 1 and told in found[0]
    changed = TEMPLATE.replace(old, new, 1)
    assert found[0].startswith("mine.toml, line ")
    line = int(found[0].removeprefix("mine.toml, line ").split(",")[0])
    assert 1 <= line <= len(changed.splitlines())
    if (
        "missing" not in told
        and "held-out" not in told
        and "outside" not in told
        and "no sentence" not in told
    ):
        assert line == line_of(changed, new.splitlines()[0 if "sinks" not in new else 1])


def test_all_mistakes_are_told_at_once_and_parse_raises_the_first():
    text = TEMPLATE.replace("minutes = 10", "minutes = 0").replace('kind = "explain"', 'kind = "x"')
    assert len(check(text)[1]) == 2
    with pytest.raises(InputError, match="minutes"):
        parse(text, "x", "x.toml")


def test_text_that_is_not_toml_is_refused_with_its_line():
    assert "at line 2" in check('title = "a"\nsummary = oops')[1][0]
    assert "at least one" in " ".join(check('title = "a"\nsummary = "b"')[1])


def test_lines_are_not_taken_from_inside_a_long_text():
    text = 'a = """\n[[step]]\nkind = "no"\n"""\n[[step]]\nkind = "yes"\n[step.options]\nx = "1"\n'
    found = lines_of_fields(text)
    assert found[("step", 1)] == 5 and found[("step", 1, "kind")] == 6
    assert found[("step", 1, "options", "x")] == 8


# ---- outcomes ------------------------------------------------------------------------------------

SET = SentenceSet(tuple(Sentence(f"s{i}", f"text {i}", "ab"[i % 2]) for i in range(8)))
MIXED = np.random.default_rng(3).normal(size=(8, 6)).astype(np.float32)
MIXED /= np.linalg.norm(MIXED, axis=1, keepdims=True)
SORTED = np.eye(6, dtype=np.float32)[[i % 2 for i in range(8)]]
HELD = (Pair("s0", "s2", 1.0), Pair("s1", "s3", 1.0), Pair("s0", "s1", 0.0), Pair("s2", "s3", 0.0))
ATTRIBUTES = tuple("xxxxyyyy")


def outcome(name: str, before=MIXED, after=SORTED, limits=None):
    row = MEASUREMENTS[name]
    evidence = Evidence(SET, ATTRIBUTES, (), HELD, before, after)
    return row.compute(evidence, row.limits if limits is None else limits)


def test_a_change_is_told_from_both_ends_of_the_run():
    rows = [[0, 2], [1, 3], [0, 1], [2, 3]]
    expected = auc(pair_cosines(MIXED, rows), [True, True, False, False])
    found = outcome("held_out_auc_change")
    assert found.rows[0][1:] == (pytest.approx(expected), 1.0)
    assert outcome("neighbour_purity_change").outcome == "rises"
    assert outcome("neighbour_purity_change", SORTED, MIXED).outcome == "falls"
    assert outcome("neighbour_purity_change", SORTED, SORTED).outcome == "stays"
    assert outcome("neighbour_purity_change", limits=(1.0,)).outcome == "stays"


def test_a_level_is_told_by_its_limits():
    assert outcome("neighbour_purity_after").outcome == "high"
    assert outcome("neighbour_purity_after", after=MIXED, limits=(0.99, 1.0)).outcome == "low"
    purity = neighbour_purity(MIXED, SET.groups)
    assert outcome("neighbour_purity_before").rows[0][1] == pytest.approx(purity)


def test_what_neighbours_share_is_compared():
    by_attribute = np.eye(6, dtype=np.float32)[[i // 4 for i in range(8)]]
    assert outcome("sorted_by_after").outcome == "group"
    assert outcome("sorted_by_after", after=by_attribute).outcome == "attribute"


def test_texts_are_compared_with_the_first():
    z = np.array([[1, 0], [0, 1], [0.8, 0.6]], np.float32)
    row = MEASUREMENTS["closest_text_before"]
    found = row.compute(Evidence(texts=("a", "b", "c"), texts_before=z), ())
    assert found.outcome == "second" and row.possible(3) == ("first", "second")
    cosine = MEASUREMENTS["cosine_of_texts_before"]
    assert cosine.compute(Evidence(texts=("a", "b"), texts_before=z[:2]), cosine.limits).outcome == "low"


def test_what_cannot_be_measured_says_so():
    row = MEASUREMENTS["held_out_auc_change"]
    with pytest.raises(InputError, match="cannot be measured"):
        row.compute(Evidence(SET, (), (), (), MIXED, SORTED), row.limits)


# ---- progress ------------------------------------------------------------------------------------


def test_progress_survives_json_and_changed_lessons():
    done = (
        LessonProgress()
        .at(3)
        .with_answer(1, Answer("rises", "falls", "0.5 before"))
        .with_explanation(2, "words")
    )
    assert from_json(done.to_json(), 5) == done
    assert not done.answer(1).is_right
    assert from_json(done.to_json(), 2).step == 1 and from_json(done.to_json(), 2).explanation(2) == ""
    assert from_json("rubbish", 4) == LessonProgress()
    assert done.with_answer(1, None).answer(1) is None
