"""How each measure is shown: its title, what it means for a student, which way is good, its source.

Apart from the measures themselves, so that core/metrics/measures.py reads as mathematics.
"""

from __future__ import annotations

from dataclasses import dataclass

NEIGHBOURS = 5  # whose groups neighbour purity looks at


@dataclass(frozen=True, slots=True)
class Metric:
    """How to show one measure. `low` and `high` bound its values; `format` is a Python format spec."""

    key: str  # a field of Metrics
    title: str
    meaning: str
    low: float
    high: float | None
    source: str
    format: str

    def text(self, value: float | None) -> str:
        """The value as it is shown; a dash where the data cannot define it."""
        return "–" if value is None else format(value, self.format)


_ROWS = (
    Metric(
        key="held_out_accuracy",
        title="Held-out accuracy",
        meaning="Share of pairs never trained on that fall on the right side of a cosine threshold.",
        low=0.0,
        high=1.0,
        source="Threshold chosen on the training pairs",
        format=".0%",
    ),
    Metric(
        key="held_out_auc",
        title="Held-out AUC",
        meaning="Chance that a similar held-out pair beats a dissimilar one in cosine; 0.5 is guessing.",
        low=0.0,
        high=1.0,
        source="Area under the ROC curve, Hanley & McNeil 1982",
        format=".3f",
    ),
    Metric(
        key="alignment",
        title="Alignment",
        meaning="Mean squared distance between the two sentences of a similar held-out pair.",
        low=0.0,
        high=4.0,
        source="Wang & Isola 2020",
        format=".3f",
    ),
    Metric(
        key="uniformity",
        title="Uniformity",
        meaning="How evenly the embeddings spread on the sphere: 0 is one point, about -4 an even spread.",
        low=-8.0,
        high=0.0,
        source="Wang & Isola 2020",
        format=".3f",
    ),
    Metric(
        key="mean_random_cosine",
        title="Mean cosine of random pairs",
        meaning="Near 0 when the embeddings use all directions; near 1 when they have collapsed into one.",
        low=-1.0,
        high=1.0,
        source="Ethayarajh 2019 (anisotropy)",
        format=".3f",
    ),
    Metric(
        key="neighbour_purity",
        title="Same-group neighbours",
        meaning=f"Share of each sentence's {NEIGHBOURS} nearest neighbours that belong to its own group.",
        low=0.0,
        high=1.0,
        source="Neighbours by cosine in all dimensions, not on the map",
        format=".0%",
    ),
)
METRICS: dict[str, Metric] = {row.key: row for row in _ROWS}
