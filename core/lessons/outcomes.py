"""What a lesson may measure: one fixed table, from plain arrays to an outcome that a prediction can name.

A lesson file only names a row of MEASUREMENTS. The outcome is always computed from the embeddings of the
run at hand; no file can hold an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..metrics.measures import measure, neighbour_purity
from ..metrics.table import METRICS, Metric
from ..types import InputError
from .map_outcomes import MAP_ROWS
from .measurement import CHANGES, LEVELS, PLACES, Evidence, Limits, Measured, Measurement, level
from .model_outcomes import MODEL_ROWS

SORTED_BY = ("group", "attribute", "equal")


@dataclass(frozen=True, slots=True)
class Value:
    """One number read from embeddings. `needs` names what the lesson has to bring for it."""

    key: str
    metric: Metric
    needs: tuple[str, ...]
    read: Callable[[Evidence, bool], float | None]
    levels: tuple[float, float]  # below the first is low, above the second is high
    tolerance: float = 0.02  # a change up to this counts as none


def _metric(name: str) -> Callable[[Evidence, bool], float | None]:
    def read(evidence: Evidence, after: bool) -> float | None:
        z = evidence.after if after else evidence.before
        assert z is not None and evidence.sentences is not None
        found = measure(z, evidence.sentences, evidence.held_out, evidence.train)
        value: float | None = getattr(found, name)
        return value

    return read


def _attribute_purity(evidence: Evidence, after: bool) -> float | None:
    z = evidence.after if after else evidence.before
    assert z is not None
    return neighbour_purity(z, evidence.attributes)


def _cosine_of_texts(evidence: Evidence, after: bool) -> float | None:
    z = evidence.texts_after if after else evidence.texts_before
    assert z is not None and len(z) == 2
    return float(z[0] @ z[1])


_BY_ATTRIBUTE = Metric(
    "attribute_purity",
    "Same-topic neighbours",
    "Share of each sentence's 5 nearest neighbours with the same second label, such as the topic.",
    0.0,
    1.0,
    "Neighbours by cosine in all dimensions, not on the map",
    ".0%",
)
_OF_TEXTS = Metric(
    "cosine_of_texts",
    "Cosine of the two texts",
    "1: the same direction. 0: nothing in common. Below 0: opposite.",
    -1.0,
    1.0,
    "Computed from the two vectors",
    ".2f",
)


def _measured(key: str, needs: str, *levels: float) -> Value:
    """A number that every run measures, too."""
    return Value(key, METRICS[key], (needs,), _metric(key), (levels[0], levels[1]))


VALUES: tuple[Value, ...] = (
    _measured("held_out_accuracy", "held-out pairs", 0.6, 0.85),
    _measured("held_out_auc", "held-out pairs", 0.6, 0.85),
    _measured("alignment", "held-out pairs", 0.5, 1.2),
    _measured("uniformity", "sentences", -3.0, -1.5),
    _measured("mean_random_cosine", "sentences", 0.3, 0.7),
    _measured("neighbour_purity", "groups", 0.6, 0.85),
    Value("attribute_purity", _BY_ATTRIBUTE, ("a second label",), _attribute_purity, (0.6, 0.85)),
    Value("cosine_of_texts", _OF_TEXTS, (), _cosine_of_texts, (0.3, 0.7)),
)
BY_KEY = {value.key: value for value in VALUES}


def _number(value: Value, evidence: Evidence, after: bool) -> float:
    found = value.read(evidence, after)
    if found is None:
        raise InputError(f"{value.metric.title} cannot be measured on these sentences and pairs.")
    return found


def _level(value: Value, after: bool) -> Callable[[Evidence, Limits], Measured]:
    def compute(evidence: Evidence, limits: Limits) -> Measured:
        number = _number(value, evidence, after)
        when = "after training" if after else "before any training"
        says = f"{value.metric.title} {when}: {value.metric.text(number)}."
        row = (value.metric.title, None, number) if after else (value.metric.title, number, None)
        return Measured(level(number, limits), says, (row,))

    return compute


def _change(value: Value) -> Callable[[Evidence, Limits], Measured]:
    def compute(evidence: Evidence, limits: Limits) -> Measured:
        first, last = _number(value, evidence, False), _number(value, evidence, True)
        (tolerance,) = limits
        outcome = "stays" if abs(last - first) <= tolerance else "rises" if last > first else "falls"
        text = value.metric.text
        says = f"{value.metric.title}: {text(first)} before, {text(last)} after training."
        return Measured(outcome, says, ((value.metric.title, first, last),))

    return compute


def _closest(after: bool) -> Callable[[Evidence, Limits], Measured]:
    def compute(evidence: Evidence, limits: Limits) -> Measured:
        z = evidence.texts_after if after else evidence.texts_before
        assert z is not None and len(z) == len(evidence.texts)
        cosines = [float(c) for c in z[1:] @ z[0]]
        best = max(range(len(cosines)), key=cosines.__getitem__)
        listed = ", ".join(f"{place} {cosine:.2f}" for place, cosine in zip(PLACES, cosines))
        rows = [
            (text, None, cosine) if after else (text, cosine, None)
            for text, cosine in zip(evidence.texts[1:], cosines)
        ]
        says = f"Cosines with the text on top, in order: {listed}."
        return Measured(PLACES[best], says, tuple(rows))

    return compute


def _sorted_by(after: bool) -> Callable[[Evidence, Limits], Measured]:
    def compute(evidence: Evidence, limits: Limits) -> Measured:
        group = _number(BY_KEY["neighbour_purity"], evidence, after)
        attribute = _number(BY_KEY["attribute_purity"], evidence, after)
        (tolerance,) = limits
        equal = abs(group - attribute) <= tolerance
        outcome = "equal" if equal else "group" if group > attribute else "attribute"
        when = "After training" if after else "Before any training"
        says = (
            f"{when}, {group:.0%} of the nearest neighbours share the group and {attribute:.0%} share the "
            "second label."
        )
        rows = []
        for name, number in (("Same group", group), ("Same second label", attribute)):
            rows.append((name, None, number) if after else (name, number, None))
        return Measured(outcome, says, tuple(rows))

    return compute


def _rows() -> Iterator[Measurement]:
    moments = (("before", False), ("after", True))
    for v in VALUES:
        texts, means = (2, 2) if v.key == "cosine_of_texts" else (0, 0), v.metric.meaning
        for when, after in moments:
            key, title, level = f"{v.key}_{when}", f"{v.metric.title} {when} training", _level(v, after)
            yield Measurement(key, title, means, after, v.needs, LEVELS, v.levels, level, texts, v.key)
        key, title, limits = f"{v.key}_change", f"Change of: {v.metric.title.lower()}", (v.tolerance,)
        yield Measurement(key, title, means, True, v.needs, CHANGES, limits, _change(v), texts, v.key)
    for when, after in moments:
        means, most = "Which of the other texts has the highest cosine with the first.", 1 + len(PLACES)
        key, title = f"closest_text_{when}", f"Closest text {when} training"
        yield Measurement(key, title, means, after, (), PLACES, (), _closest(after), (3, most))
        means = "Whether nearest neighbours share the group or the second label more often."
        key, title = f"sorted_by_{when}", f"What the neighbours share {when} training"
        needs = ("groups", "a second label")
        yield Measurement(key, title, means, after, needs, SORTED_BY, (0.05,), _sorted_by(after))


MEASUREMENTS: dict[str, Measurement] = {row.key: row for row in (*_rows(), *MAP_ROWS, *MODEL_ROWS)}
