"""The situations the sandbox opens with: settings, a question, and how the answer is measured."""

from __future__ import annotations

from dataclasses import dataclass

from .. import sandbox
from . import OUTCOMES, Floats, Objective

# What the loss hears of the colours: a short name and a sentence.
TOLD = {
    "true": ("The colours", "Same colour: similar. Different colour: dissimilar."),
    "one": ("All alike", "Every pair is said to be similar, whatever its colours."),
    "split": ("Half colours", "Each colour is told as two groups, so its two halves count as dissimilar."),
}
REACHES = ("It reaches 0", "It stays above 0")
ZERO = 1e-3  # a loss below this is drawn as 0.00


@dataclass(frozen=True, slots=True)
class Preset:
    """One situation. `told` names a row of TOLD. `expected` is the answer measured with the settings as
    they come; the page measures again, since everything can be changed and dragged."""

    title: str
    about: str
    question: str
    options: tuple[str, ...]
    expected: str
    why: str
    loss: str
    told: str = "true"
    margin: float = 0.5
    temperature: float = 0.1
    rate: float = 1.0
    points: int = 12
    group_count: int = 3
    space: str = "circle"
    patience: int = 400  # steps after which the answer stands

    def objective(self) -> Objective:
        true = sandbox.groups(self.points, self.group_count)
        told = told_groups(true, self.told)
        return sandbox.objective_of(self.loss, told, True, self.margin, self.temperature)

    def truth(self, z: Floats, loss: float) -> str:
        """The option that is true of these points (n, d) and this loss."""
        if self.options == REACHES:
            return REACHES[0] if loss < ZERO else REACHES[1]
        return sandbox.outcome(z, sandbox.groups(len(z), self.group_count))


def told_groups(true: tuple[int, ...], told: str) -> tuple[int, ...]:
    """What the loss hears of the true groups (n,); `told` names a row of TOLD."""
    if told == "one":
        return (0,) * len(true)
    return sandbox.split_groups(true) if told == "split" else true


PRESETS = {
    "start": Preset(
        "Three meanings",
        "Twelve points stand for twelve sentences of three meanings, one colour each. Nothing but the loss "
        "moves them.",
        "Where will the points be when the loss comes to rest?",
        OUTCOMES,
        OUTCOMES[1],
        "Similar pairs pull until they meet. Dissimilar pairs push only until they are as far apart as the "
        "margin asks; then they are left in peace.",
        loss="contrastive",
        rate=2.0,
    ),
    "collapse": Preset(
        "Positives only",
        "The loss is given similar pairs only: nothing ever pushes. The colours still show three meanings, "
        "but the loss is not told.",
        "Where will the points be when the loss comes to rest?",
        OUTCOMES,
        OUTCOMES[0],
        "This is collapse. If only similar pairs count, putting everything in one place makes the loss 0, "
        "and nothing is left to tell meanings apart. In a network all sentences share the same weights, so "
        "positives alone drag even unpaired sentences together.",
        loss="contrastive",
        told="one",
        rate=2.0,
    ),
    "false": Preset(
        "False negatives",
        "Half of each colour is not known to mean the same. In-batch negatives then treat a paraphrase as a "
        "wrong answer, as happens when two pairs of a batch share a meaning.",
        "Where will the points be when the loss comes to rest?",
        OUTCOMES,
        OUTCOMES[2],
        "The loss believes what it is told. Points of one colour that are not paired push each other away "
        "just as strongly as real negatives do, so a meaning is torn in two.",
        loss="mnrl",
        told="split",
        temperature=0.1,
        rate=0.1,
    ),
    "margin": Preset(
        "Too large a margin",
        "The margin is 2: every dissimilar pair should be on opposite ends. Three colours cannot all be "
        "opposite each other.",
        "What will the loss do?",
        REACHES,
        REACHES[1],
        "A cosine distance of 2 means opposite, and a circle has only one opposite for each point. The "
        "pushes end in a stalemate: they never stop, they only cancel. A margin must leave room for all "
        "groups; with three groups on a circle that is at most 1.5.",
        loss="contrastive",
        margin=2.0,
        rate=2.0,
    ),
}
