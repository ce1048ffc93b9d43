"""Moments about the pairs that were never trained on: whether the model learned more than its own pairs."""

from __future__ import annotations

import numpy as np

from ..data.text import plural
from ..metrics.intervals import wilson
from .reading import WINDOW, Moment, Reading

FLAT = 10  # snapshots without a change of the held-out count
FEW = 20  # held-out pairs; fewer cannot show much


def memorised(at: Reading) -> Moment | None:
    """The loss is near zero and the pairs never trained on are told no better."""
    if not at.learned or len(at.right) < 2 or at.right[-1] > at.right[0]:
        return None
    return Moment(
        "memorised",
        "The loss is near zero. Has it learned?",
        f"Its own pairs, yes: the loss fell from {at.early_loss:.3f} to {at.late_loss:.3f}. Of the pairs it "
        f"never saw it gets {at.count(at.right[-1])} right, {at.right[0]} before.",
        "Give it more and more varied pairs, or train fewer layers.",
        4.0,
    )


def overfitting(at: Reading) -> Moment | None:
    """The held-out count fell from its best while the loss went on falling."""
    if len(at.right) < 2 * WINDOW or len(at.losses) < 2 * WINDOW:
        return None
    best = max(at.right)
    then = len(at.right) - 1 - at.right[::-1].index(best)
    lost = best - at.right[-1]
    before = float(np.mean(at.losses[max(0, then - WINDOW) : max(1, then)]))
    if lost < max(2, 0.05 * len(at.run.held_out)) or at.late_loss >= before:
        return None
    step = at.run.snapshots[then].step
    return Moment(
        "overfitting",
        "Is more training still better?",
        f"Step {step} was best, with {best} of {len(at.run.held_out)} unseen pairs right; now it is "
        f"{at.right[-1]}, while the loss went from {before:.3f} to {at.late_loss:.3f}.",
        f"Go back to step {step}, or train with more pairs.",
        4.2,
    )


def generalised(at: Reading) -> Moment | None:
    """The held-out count rose by more than chance explains."""
    if len(at.right) < 2 or at.right[-1] <= at.right[0]:
        return None
    low, _ = wilson(at.right[-1], len(at.run.held_out))
    if low <= at.right[0] / len(at.run.held_out):
        return None
    return Moment(
        "generalised",
        "Did it learn more than its own pairs?",
        f"Yes. Of the pairs it never saw it gets {at.count(at.right[-1])} right, {at.right[0]} before "
        "training.",
        "Type a new sentence of your own and see where it lands.",
        2.5,
    )


def finished(at: Reading) -> Moment | None:
    """Near zero, and the held-out count gained earlier and has stood still since."""
    if not at.learned or len(at.right) <= FLAT or at.right[-1] <= at.right[0]:
        return None
    if len(set(at.right[-FLAT:])) > 1:
        return None
    since = next(i for i in range(len(at.right)) if len(set(at.right[i:])) == 1)
    return Moment(
        "finished",
        "Would more steps help?",
        f"Hardly: the loss is {at.late_loss:.3f}, and the unseen pairs have stood at {at.right[-1]} of "
        f"{len(at.run.held_out)} since step {at.run.snapshots[since].step}.",
        "Stop here. Other pairs would teach it more than further steps on these.",
        3.0,
    )


def few_held_out(at: Reading) -> Moment | None:
    count = len(at.run.held_out)
    if not 0 < count < FEW or not at.right:
        return None
    return Moment(
        "few-held-out",
        "Can the held-out number be believed?",
        f"It rests on {count} {plural(count, 'pair')}: {at.count(at.right[-1])}. The range in brackets is "
        "where the true share lies in 95 of 100 such cases.",
        f"Add sentences or hold out a larger share, until at least {FEW} pairs are measured.",
        1.5,
    )


def nothing_held_out(at: Reading) -> Moment | None:
    if at.run.held_out or not at.losses:
        return None
    return Moment(
        "nothing-held-out",
        "Does it learn, or learn by heart?",
        "Nobody can say: every pair is trained on, so a falling loss only shows that it knows these pairs.",
        "Hold out a share of the sentences under Pairs.",
        1.4,
    )
