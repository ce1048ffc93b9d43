"""Lessons as data: one TOML file each, read into frozen steps, or refused with file, line, field and reason.

The format is described in assets/lessons/README.md. A lesson holds words and settings only; what a
prediction is compared with is computed by core/lessons/outcomes.py from the learner's own run.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..cards.shipped import all_cards
from ..data.assets import ASSETS
from ..types import InputError
from .fields import Fields, found
from .lines import lines_of_fields
from .outcomes import MEASUREMENTS, Measurement
from .preparation import Experiment, configure, prepare
from .types import Cards, Explain, Lesson, Look, Predict, Read, Step

LESSONS = ASSETS / "lessons"
LONGEST_FILE = 100_000  # characters
SHOWS = ("numbers", "cosines", "map")
PREDICT_FIELDS = (
    "kind", "title", "text", "question", "measure", "options", "after", "because", "texts", "editable",
    "limits", "also", "settings",
)  # fmt: skip


def load_lessons(folder: Path = LESSONS) -> tuple[tuple[Lesson, ...], tuple[str, ...]]:
    """(the lessons in their order, a sentence for each file that cannot be read)."""
    lessons, problems = [], []
    for path in sorted(folder.glob("*.toml")):
        try:
            lessons.append(parse(path.read_text(encoding="utf-8"), path.stem, path.name))
        except (InputError, UnicodeDecodeError) as error:
            problems.append(str(error))
    return tuple(sorted(lessons, key=lambda lesson: (lesson.order, lesson.key))), tuple(problems)


def parse(text: str, key: str, name: str = "") -> Lesson:
    """Read a lesson. Raises InputError with the first thing to mend; `problems_of` lists all of them."""
    lesson, problems = check(text, key, name)
    if lesson is None:
        raise InputError(problems[0])
    return lesson


def check(text: str, key: str = "own", name: str = "") -> tuple[Lesson | None, tuple[str, ...]]:
    """(the lesson, ()) or (None, every problem found), each problem one sentence that says where."""
    name = name or "The lesson"
    if len(text) > LONGEST_FILE:
        return None, (f"{name} has {len(text):,} characters; at most {LONGEST_FILE:,} are read.",)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, (f"{name} is not valid TOML: {error}. Texts stand in quotes, lists in [ ].",)
    reader = _Reader(name, lines_of_fields(text))
    lesson = reader.lesson(key, data)
    return (None, tuple(reader.problems)) if reader.problems else (lesson, ())


class _Reader(Fields):
    """Turns parsed TOML into a Lesson."""

    experiment_is_sound = True  # where it is not, steps are not blamed for what it fails to bring

    def lesson(self, key: str, data: Mapping[str, Any]) -> Lesson:
        self.known(data, ("title", "summary", "minutes", "order", "experiment", "step"))
        title, summary = self.text(data, "title", line=True), self.text(data, "summary", line=True)
        minutes = self.number(data, "minutes", 10, 1, 240, True)
        order = self.number(data, "order", 1000, 0, 100_000, True)
        experiment = self.experiment(data)
        raw = data.get("step", [])
        steps = raw if isinstance(raw, list) else []
        if not steps:
            self.refuse("step", "a lesson needs at least one [[step]]")
        read = [self.step(i, step, experiment) for i, step in enumerate(steps, start=1)]
        return Lesson(
            key, title, summary, minutes, order, experiment, tuple(s for s in read if s is not None)
        )

    def experiment(self, data: Mapping[str, Any]) -> Experiment | None:
        if "experiment" not in data:
            return None
        self.at, self.where = ("experiment",), "[experiment]"
        table, before = self.table(data, "experiment"), len(self.problems)
        fields = ("set", "sentences", "pairs", "pair_count", "similar_share", "held_out", "settings")
        self.known(table, fields)
        if ("set" in table) == ("sentences" in table):
            self.refuse("", 'give either set = "name of a built-in set" or sentences = "..."')
        made = Experiment(
            self.text(table, "set", "", line=True) or None,
            table["sentences"] if isinstance(table.get("sentences"), str) else "",
            table["pairs"] if isinstance(table.get("pairs"), str) else "",
            self.number(table, "pair_count", None, 1, 2000, True),
            self.number(table, "similar_share", None, 0, 1, False),
            self.number(table, "held_out", 0.25, 0, 0.8, False),
            self.settings(table),
        )
        if len(self.problems) == before:
            try:
                prepare(made)
            except InputError as error:
                about = [field for field in ("set", "pairs", "sentences") if field in str(error)]
                self.refuse(about[0] if about and about[0] in table else "", str(error).rstrip("."))
        self.at, self.where = (), ""
        self.experiment_is_sound = len(self.problems) == before
        return made if len(self.problems) == before else None

    def settings(self, table: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
        values = self.table(table, "settings")
        if "seed" in values:
            self.refuse("settings.seed", "the seed is chosen on the page, so leave it out here")
        return tuple(sorted(values.items()))

    def step(self, number: int, step: Any, experiment: Experiment | None) -> Step | None:
        kinds: dict[str, Callable[[Mapping[str, Any], Experiment | None], Step | None]] = {
            "read": self.read, "look": self.look, "predict": self.predict, "explain": self.explain,
            "cards": self.cards,
        }  # fmt: skip
        self.at, self.where = ("step", number), f"step {number}"
        kind = step.get("kind") if isinstance(step, dict) else None
        made: Step | None = None
        if kind not in kinds:
            self.refuse("kind", f"it must be one of {', '.join(kinds)}, not {found(kind)}")
        else:
            self.where = f"step {number} ({kind})"
            made = kinds[kind](step, experiment)
        self.at, self.where = (), ""
        return made

    def read(self, step: Mapping[str, Any], _: Experiment | None) -> Read:
        self.known(step, ("kind", "title", "text"))
        return Read(self.text(step, "title", line=True), self.text(step, "text"))

    def look(self, step: Mapping[str, Any], experiment: Experiment | None) -> Look:
        self.known(step, ("kind", "title", "text", "show", "sentences"))
        show = self.text(step, "show", line=True)
        if show and show not in SHOWS:
            self.refuse("show", f"it must be one of {', '.join(SHOWS)}, not {show!r}")
        if show == "map" and experiment is None and self.experiment_is_sound:
            self.refuse("show", "a map needs sentences: add an [experiment] to the lesson")
        least, most = {"numbers": (1, 1), "cosines": (2, 12)}.get(show, (0, 12))
        sentences = self.texts(step, "sentences", least, most, [])
        return Look(self.text(step, "title", line=True), self.text(step, "text"), show, sentences)

    def predict(self, step: Mapping[str, Any], experiment: Experiment | None) -> Predict | None:
        self.known(step, PREDICT_FIELDS)
        title, text = self.text(step, "title", line=True), self.text(step, "text", "")
        question, after = self.text(step, "question", line=True), self.text(step, "after")
        key = self.text(step, "measure", line=True)
        if key not in MEASUREMENTS:
            if key:
                near = ", ".join(get_close_matches(key, MEASUREMENTS, 3, 0.0))
                self.refuse("measure", f"there is no measurement {key!r}. Closest are {near}")
            return None
        row = MEASUREMENTS[key]
        texts = self.texts(step, "texts", *row.texts, [])
        options = self._by_outcome(step, "options", row, texts)
        if missing := [o for o in row.possible(len(texts)) if o not in dict(options)]:
            self.refuse("options", f"{missing[0]} is missing; {row.key} can come out as "
                        f"{', '.join(row.possible(len(texts)))}, and each needs its words")  # fmt: skip
        because = self._by_outcome(step, "because", row, texts)
        editable = step.get("editable", False)
        if not isinstance(editable, bool):
            self.refuse("editable", f"it must be true or false, not {found(editable)}")
        also = self.texts(step, "also", 0, 6, [])
        settings = self.settings(step)
        self._fits(row, also, settings, experiment)
        limits = self._limits(step, row)
        return Predict(title, text, question, key, options, after, because, texts, editable is True, limits,
                       also, settings)  # fmt: skip

    def _by_outcome(
        self, step: Mapping[str, Any], field: str, row: Measurement, texts: tuple[str, ...]
    ) -> tuple[tuple[str, str], ...]:
        words = self.table(step, field)
        possible = row.possible(len(texts))
        for outcome, word in words.items():
            if outcome not in possible:
                self.refuse(f"{field}.{outcome}", f"{row.key} can only come out as {', '.join(possible)}")
            elif not isinstance(word, str) or not word.strip():
                self.refuse(f"{field}.{outcome}", "it must be a text in quotes")
        return tuple((o, w.strip()) for o, w in words.items() if isinstance(w, str))

    def _limits(self, step: Mapping[str, Any], row: Measurement) -> tuple[float, ...]:
        value = step.get("limits", list(row.limits))
        numbers = isinstance(value, list) and all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in value
        )
        if not numbers or len(value) != len(row.limits) or value != sorted(value):
            example = list(row.limits) or "none at all"
            self.refuse(
                "limits", f"{row.key} takes {len(row.limits)} numbers in rising order, e.g. {example}"
            )
            return row.limits
        return tuple(float(v) for v in value)

    def _fits(
        self,
        row: Measurement,
        also: tuple[str, ...],
        settings: tuple[tuple[str, Any], ...],
        experiment: Experiment | None,
    ) -> None:
        """Everything that is measured can be measured with what the lesson brings."""
        rows = [("measure", row)]
        for key in also:
            if key not in MEASUREMENTS or MEASUREMENTS[key].texts != (0, 0):
                self.refuse("also", f"{key!r} is no measurement that can be shown beside another")
            elif MEASUREMENTS[key].trains and not row.trains:
                self.refuse("also", f"{key} needs training, and {row.key} trains nothing")
            else:
                rows.append(("also", MEASUREMENTS[key]))
        wanted = [(field, r) for field, r in rows if r.trains or r.needs]
        if wanted and experiment is None and self.experiment_is_sound:
            self.refuse("measure", f"{row.key} needs an [experiment] with sentences; the lesson has none")
        if experiment is None:
            return
        try:
            configure(experiment, settings, 7)
        except InputError as error:
            self.refuse("settings", str(error).rstrip("."))
            return
        brings = prepare(experiment, settings).brings
        for field, r in wanted:
            if lacking := [need for need in r.needs if need not in brings]:
                self.refuse(field, f"{r.key} needs {lacking[0]}, which the experiment does not bring")

    def explain(self, step: Mapping[str, Any], _: Experiment | None) -> Explain:
        self.known(step, ("kind", "title", "text", "hint"))
        return Explain(
            self.text(step, "title", line=True), self.text(step, "text"), self.text(step, "hint", "")
        )

    def cards(self, step: Mapping[str, Any], _: Experiment | None) -> Cards:
        self.known(step, ("kind", "title", "text", "cards"))
        ids = self.texts(step, "cards", 1, 12, [])
        existing = {card.id for card in all_cards()}
        for card in ids:
            if card not in existing:
                self.refuse("cards", f"there is no card {card!r}; ids stand after :id in assets/decks")
        return Cards(self.text(step, "title", line=True), self.text(step, "text", ""), ids)
