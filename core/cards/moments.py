"""Cards of the moment: what a run shows right now, one condition each, measured on its snapshots.

A condition reads the run and gives a moment, whose question, answer and advice are about this run's own
numbers, or None where it does not hold. `most_telling` chooses the one to show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..types import Run
from .from_run import live_query, pair_text, quoted
from .reading import WINDOW, Moment, Reading
from .types import Card
from .unseen import few_held_out, finished, generalised, memorised, nothing_held_out, overfitting

NARROW, NARROWED = 0.6, 0.2  # mean cosine of all pairs, and its rise, that count as collapse
AGAINST = 0.05  # cosine that a pair moved against its label
STILL = 0.002  # 1 - cosine with its own beginning: nothing has moved
PATIENT = 5  # steps before "nothing moves" is worth saying
MISPLACED = 0.5  # trust of a point on the map
FORGOTTEN = 0.05  # rank correlation with everyday pairs
LOW, HIGH = 0.3, 0.7  # a cross-encoder's score that contradicts a label
CHANGE = 1.5  # another moment takes the place of the shown one when it is so much more telling
HOLD = 8  # snapshots that a moment stays at least, while it holds


def collapse(at: Reading) -> Moment | None:
    before, now = (at.run.snapshots[i].metrics.mean_random_cosine for i in (0, -1))
    if before is None or now is None or now < NARROW or now - before < NARROWED:
        return None
    return Moment(
        "collapse",
        "Why do all points move to one place?",
        f"The mean cosine of any two sentences rose from {before:.2f} to {now:.2f}; at 1 all of them are one "
        "vector. Being similar is cheap when everything is.",
        "Add dissimilar pairs, choose a loss with in-batch negatives, or lower the learning rate.",
        5 * now,
    )


def climbing(at: Reading) -> Moment | None:
    if len(at.losses) < 2 * WINDOW or at.late_loss < 1.5 * at.early_loss:
        return None
    return Moment(
        "climbing",
        "Why does the loss climb?",
        f"The mean of the first {WINDOW} recorded losses is {at.early_loss:.3f}, of the last {WINDOW} it is "
        f"{at.late_loss:.3f}. Each step overshoots what it aims for.",
        f"Lower the learning rate (now {at.run.config.learning_rate:g}).",
        4.5,
    )


def against_label(at: Reading) -> Moment | None:
    """The training pair that moved furthest against its label."""
    rows, labels, before, now = at.pairs
    if not len(rows):
        return None
    wrong = np.where(labels >= 0.5, before - now, now - before)
    top = int(np.argmax(wrong))
    if wrong[top] < AGAINST:
        return None
    similar = labels[top] >= 0.5
    return Moment(
        "against-label",
        "A pair moves the wrong way. Which?",
        f"{pair_text(at.run, rows[top])} They are labelled {'similar' if similar else 'dissimilar'}, and "
        f"their cosine went from {before[top]:.2f} to {now[top]:.2f}: other pairs pull harder.",
        "Look for pairs with the same words and the other label, or for a wrong label.",
        2.0 + 4 * float(wrong[top]),
        tuple(rows[top].tolist()),
    )


def largest_mover(at: Reading) -> Moment | None:
    """The sentence that moved most, with the pair whose forces on it were largest in sum."""
    top = int(np.argmax(at.moved))
    if at.moved[top] < 10 * STILL:
        return None
    sums: dict[int, float] = {}
    for snapshot in at.run.snapshots:
        met, values = snapshot.forces.rows, snapshot.forces.values
        at_top = (met == top).any(axis=1) & (met[:, 0] != met[:, 1])
        for (a, b), value in zip(met[at_top].tolist(), values[at_top].tolist()):
            other = b if a == top else a
            sums[other] = sums.get(other, 0.0) + value
    why = "It is in no pair of the recorded batches: the layers it shares with the others moved it."
    rows: tuple[int, ...] = (top,)
    if sums:
        other = max(sums, key=lambda row: abs(sums[row]))
        verb = "pulled towards" if sums[other] < 0 else "pushed away from"
        why, rows = f"In the recorded batches it was {verb} {quoted(at.run, other)} hardest.", (top, other)
    return Moment(
        "largest-mover",
        "Which sentence moved most, and why?",
        f"{quoted(at.run, top)}: its cosine with its own beginning is {1 - at.moved[top]:.2f}. {why}",
        "Click the point and look at its neighbours before and now.",
        1.0 + float(at.moved[top]),
        rows,
    )


def nothing_moves(at: Reading) -> Moment | None:
    if at.run.step < PATIENT or float(at.moved.max()) >= STILL or at.learned:
        return None
    return Moment(
        "nothing-moves",
        "Why does nothing move?",
        f"After {at.run.step} steps no sentence has turned by more than {float(at.moved.max()):.4f} (1 minus "
        "the cosine with its beginning). At a learning rate of "
        f"{at.run.config.learning_rate:g} a step is tiny.",
        "Raise the learning rate tenfold, or train more layers.",
        3.5,
    )


def false_negative(at: Reading) -> Moment | None:
    """Two sentences that the last batch pushed apart, though they share a group or the cross-encoder finds
    them alike, and no label says that they differ."""
    forces, groups = at.run.snapshots[-1].forces, at.run.sentences.groups
    if not len(forces.values):
        return None
    rows, labels, _, _ = at.pairs
    apart = {frozenset(pair) for pair, label in zip(rows.tolist(), labels) if label < 0.5}
    least = 0.1 * float(np.abs(forces.values).max())
    pushed: list[tuple[float, int, int, str]] = []
    for (a, b), value in zip(forces.rows.tolist(), forces.values.tolist()):
        if a == b or value <= least or frozenset((a, b)) in apart:
            continue
        if groups[a] is not None and groups[a] == groups[b]:
            pushed.append((value, a, b, f"Both are of the group {groups[a]}"))
        elif at.score(a, b) >= HIGH:
            pushed.append((value, a, b, f"The cross-encoder scores them {at.score(a, b):.2f}"))
    if not pushed:
        return None
    value, a, b, alike = max(pushed)
    return Moment(
        "false-negative",
        "Why are these two pushed apart?",
        f"{pair_text(at.run, (a, b))} {alike}, but they met in one batch as if they did not belong together "
        f"(force {value:+.3f}): a false negative.",
        "Use a smaller batch or a loss that reads labels, such as contrastive.",
        2.2,
        (a, b),
    )


def cross_disagrees(at: Reading) -> Moment | None:
    """A pair whose label the cross-encoder contradicts most."""
    rows, labels, _, _ = at.pairs
    found: list[tuple[float, int, float]] = []
    for i, (a, b) in enumerate(rows.tolist()):
        score = at.score(a, b)
        if (labels[i] >= 0.5 and score <= LOW) or (labels[i] < 0.5 and score >= HIGH):
            found.append((abs(float(labels[i]) - score), i, score))
    if not found:
        return None
    _, i, score = max(found)
    similar = labels[i] >= 0.5
    return Moment(
        "cross-disagrees",
        "Label and cross-encoder disagree. Who is right?",
        f"{pair_text(at.run, rows[i])} Labelled {'similar' if similar else 'dissimilar'}, score {score:.2f}; "
        f"{len(found)} of {len(rows)} pairs are like this. The score asks whether two texts mean the same; "
        "your labels may ask for something else.",
        "Decide what similar means here. The bi-encoder learns your labels, whatever they are.",
        1.8,
        tuple(rows[i].tolist()),
    )


def hardest_pair(at: Reading) -> Moment | None:
    """Before any training: the pair that the base model has most wrong."""
    rows, labels, before, _ = at.pairs
    if not len(rows):
        return None
    top = int(np.argmax(np.abs(labels - before)))
    similar = labels[top] >= 0.5
    return Moment(
        "hardest-pair",
        "Which pair has the model most wrong before it learns?",
        f"{pair_text(at.run, rows[top])} Labelled {'similar' if similar else 'dissimilar'}, their cosine is "
        f"{before[top]:.2f}.",
        "Press Train and watch this pair: will it move as its label says?",
        1.0,
        tuple(rows[top].tolist()),
    )


def misplaced(at: Reading) -> Moment | None:
    """The point whose neighbours on the map are least those of the model."""
    if not at.run.frames or len(at.run.sentences) < 8:
        return None
    frame = at.run.frames[-1]
    trust = np.asarray(frame.trust)
    snapshot = next((s for s in reversed(at.run.snapshots) if s.step == frame.step), None)
    top = int(np.argmin(trust))
    if snapshot is None or trust[top] >= MISPLACED:
        return None
    cosines = snapshot.embeddings @ snapshot.embeddings[top]
    distances = np.linalg.norm(frame.xy - frame.xy[top], axis=1)
    cosines[top], distances[top] = -np.inf, np.inf
    near, drawn = int(np.argmax(cosines)), int(np.argmin(distances))
    if near == drawn:
        return None
    return Moment(
        "misplaced",
        "Is the nearest point the nearest sentence?",
        f"Not for {quoted(at.run, top)}: on the map it stands beside {quoted(at.run, drawn)} (cosine "
        f"{cosines[drawn]:.2f}), for the model {quoted(at.run, near)} is nearest ({cosines[near]:.2f}).",
        "A flat map cannot keep all neighbours. Colour the points by trust to see which to doubt.",
        1.2 + float(MISPLACED - trust[top]),
        (top, drawn, near),
    )


def forgetting(at: Reading) -> Moment | None:
    if at.everyday is None or at.everyday[0] - at.everyday[1] < FORGOTTEN:
        return None
    before, now = at.everyday
    return Moment(
        "forgetting",
        "What did it cost?",
        f"Rank correlation with graded everyday pairs fell from {before:.2f} to {now:.2f}: "
        "the model got worse at what it was not asked to learn.",
        "Train fewer layers or steps, or mix everyday pairs into yours.",
        3.2,
    )


def satisfied(at: Reading) -> Moment | None:
    """The loss asks nothing more of the last batch, though the planned steps are not done."""
    forces = at.run.snapshots[-1].forces.values
    if not len(forces) or float(np.abs(forces).max()) > 1e-6 or at.run.step >= at.run.config.steps:
        return None
    return Moment(
        "satisfied",
        "Why has everything come to rest?",
        "Every pair of the last batch is where the loss wants it, so none pulls or pushes: the largest force "
        f"is {float(np.abs(forces).max()):.1g}.",
        "A larger margin or harder pairs would give it something to learn.",
        2.8,
    )


CONDITIONS: tuple[Callable[[Reading], Moment | None], ...] = (
    collapse,
    climbing,
    overfitting,
    memorised,
    nothing_moves,
    forgetting,
    finished,
    satisfied,
    generalised,
    false_negative,
    against_label,
    cross_disagrees,
    few_held_out,
    nothing_held_out,
    misplaced,
    largest_mover,
)


def moments(at: Reading) -> tuple[Moment, ...]:
    """All that hold now, the most telling first; before the first step what the base model shows."""
    if not at.run.snapshots:
        return ()
    if len(at.run.snapshots) < 2:
        early = (cross_disagrees(at), hardest_pair(at))
        return tuple(moment for moment in early if moment is not None)
    found = [moment for condition in CONDITIONS if (moment := condition(at)) is not None]
    return tuple(sorted(found, key=lambda moment: -moment.weight))


@dataclass(frozen=True, slots=True)
class Shown:
    """The moment on the screen and the snapshot's number at which it came."""

    moment: Moment
    since: int


def most_telling(at: Reading, shown: Shown | None = None) -> Shown | None:
    """The moment to show now. It changes seldom: the shown one stays while it holds, for HOLD snapshots at
    least, until another is CHANGE times as telling; its numbers stay as they were when it came."""
    found, now = moments(at), len(at.run.snapshots)
    if not found:
        return None
    if shown is not None:
        same = next((moment for moment in found if moment.key == shown.moment.key), None)
        young = now - shown.since < HOLD
        if same is not None and (young or found[0].weight < CHANGE * same.weight):
            return shown
    return Shown(found[0], now)


def as_card(moment: Moment, run: Run) -> Card:
    """The moment as a study card, which says of which step it speaks."""
    return Card(
        id=f"moment-{run.id}-{run.step}-{moment.key}",
        title=moment.question,
        question=f"At step {run.step} of {max(run.config.steps, run.step)}: {moment.question}",
        answer=f"{moment.answer} {moment.advice}",
        source="Measured on your own run",
        live=f"train?{live_query(run.config)}",
    )
