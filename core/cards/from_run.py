"""Cards made from a run that has just happened: questions whose answers are numbers of its snapshots.

Each maker reads the run and gives one card, or None where the run does not hold what it asks about.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlencode

import numpy as np

from ..data.text import plural
from ..types import Run, Snapshot, TrainingConfig
from ..vectors import pair_cosines, row_cosines
from .types import Card

MAX_SHOWN = 70  # characters of a sentence within a card
STILL = 1e-4  # a change of cosine below this is no change worth asking about
_WINDOW = 5  # single batches jump, so a loss is compared as the mean of a few steps


@dataclass(frozen=True, slots=True)
class RunCard:
    """A card with what to draw beside it: the steps of the frames and the sentences to mark."""

    card: Card
    run_id: str
    steps: tuple[int, ...]
    sentences: tuple[str, ...] = ()


def cards_from_run(run: Run) -> tuple[RunCard, ...]:
    """Every card that this run can answer, in the order of a lesson; empty before the first step."""
    if len(run.snapshots) < 2:
        return ()
    made = (maker(run) for maker in MAKERS)
    return tuple(card for card in made if card is not None)


def moved_most(run: Run) -> RunCard | None:
    """Which sentence's embedding turned furthest from where it began."""
    first, last = run.snapshots[0], run.snapshots[-1]
    stayed = row_cosines(first.embeddings, last.embeddings)  # (n,) cosine with its own beginning
    order = np.argsort(stayed, kind="stable")
    if len(order) < 3 or stayed[order[-1]] - stayed[order[0]] < STILL:
        return None
    top = int(order[0])
    return _card(
        run,
        "moved-most",
        "Which sentence moved most?",
        f"In this run ({_settings(run.config)}), which sentence ended furthest from where it began?",
        f"{_text(run, top)} The cosine with its own beginning fell to {stayed[top]:.3f}; the mean of all "
        f"sentences is {stayed.mean():.3f}.",
        "A point that travels far on the map need not have moved most. This compares all "
        f"{first.embeddings.shape[1]} dimensions; the map shows two.",
        tuple(_text(run, int(row)) for row in order[[-1, len(order) // 2, 1]]),
        (first, last),
        (top,),
    )


def held_out(run: Run) -> RunCard | None:
    """Whether accuracy on pairs never trained on rose."""
    first, last = run.snapshots[0], run.snapshots[-1]
    before, after = first.metrics.held_out_accuracy, last.metrics.held_out_accuracy
    if before is None or after is None or not run.held_out:
        return None
    options = ("It rose.", "It fell.", "It stayed the same.")
    right = 2 if math.isclose(before, after, abs_tol=1e-9) else int(after < before)
    return _card(
        run,
        "held-out",
        "What did the unseen pairs say?",
        f"After {last.step} steps ({_settings(run.config)}): did the accuracy on held-out pairs rise?",
        f"{options[right]} It went from {before:.1%} to {after:.1%} on {len(run.held_out)} held-out "
        f"{plural(len(run.held_out), 'pair')}, so one pair counts {1 / len(run.held_out):.1%}.",
        "A falling training loss does not decide this. The held-out pairs were never trained on, and only "
        "they show whether the model learned more than its own pairs.",
        tuple(option for i, option in enumerate(options) if i != right),
        (first, last),
    )


def strongest_pull(run: Run) -> RunCard | None:
    return _strongest(run, "pull")


def strongest_push(run: Run) -> RunCard | None:
    return _strongest(run, "push")


def _strongest(run: Run, kind: str) -> RunCard | None:
    """The pair with the largest force of a kind, at the step where it was largest."""
    sign = -1.0 if kind == "pull" else 1.0
    trained = [s for s in run.snapshots if s.step > 0 and len(s.forces.values)]
    if not trained:
        return None
    snapshot = max(trained, key=lambda s: float((sign * s.forces.values).max()))
    force: dict[tuple[int, int], float] = {}  # a pair may stand in a batch twice: its forces add up
    for (left, right), value in zip(snapshot.forces.rows.tolist(), snapshot.forces.values.tolist()):
        pair = (min(left, right), max(left, right))
        force[pair] = force.get(pair, 0.0) + value
    order = sorted((p for p in force if p[0] != p[1]), key=lambda p: -sign * force[p])
    if len(order) < 2 or sign * force[order[0]] <= 0 or force[order[0]] == force[order[1]]:
        return None
    top = order[0]
    verb = {"pull": "pulled together", "push": "pushed apart"}[kind]
    return _card(
        run,
        f"strongest-{kind}",
        f"Which pair {verb} hardest?",
        f"At step {snapshot.step} ({_settings(run.config)}), which pair of the batch was {verb} hardest?",
        f"{pair_text(run, top)} The loss changes by {force[top]:+.3f} per unit of its cosine; the next pair "
        f"has {force[order[1]]:+.3f}.",
        "The pair that looks most wrong need not get the largest force. Temperature, margin and the other "
        "pairs of the batch weigh in too.",
        tuple(pair_text(run, pair) for pair in (order[1], *order[:1:-1])[:3]),
        (snapshot,),
        top,
    )


def random_cosine(run: Run) -> RunCard | None:
    """Whether the whole cloud of embeddings narrowed or spread."""
    first, last = run.snapshots[0], run.snapshots[-1]
    before, after = first.metrics.mean_random_cosine, last.metrics.mean_random_cosine
    if before is None or after is None or abs(after - before) < STILL:
        return None
    rose = after > before
    return _card(
        run,
        "random-cosine",
        "Did the cloud narrow or spread?",
        f"Over this run ({_settings(run.config)}), what happened to the mean cosine of random pairs?",
        f"It {'rose' if rose else 'fell'}. It went from {before:.3f} to {after:.3f}: all embeddings together "
        f"{'moved into a narrower cone' if rose else 'spread further over the sphere'}.",
        "A high cosine means little by itself. It has to be read against the cosine that any two sentences "
        "have; near 1 for all of them is collapse.",
        (f"It {'fell' if rose else 'rose'}.", "It stayed the same: only the trained pairs moved."),
        (first, last),
    )


def loss_path(run: Run) -> RunCard | None:
    """How far the training loss fell, and why single steps do not tell."""
    steps = [s for s in run.snapshots if s.step > 0 and math.isfinite(s.loss)]
    if len(steps) < 2 * _WINDOW:
        return None
    begin = sum(s.loss for s in steps[:_WINDOW]) / _WINDOW
    end = sum(s.loss for s in steps[-_WINDOW:]) / _WINDOW
    up = sum(b.loss > a.loss for a, b in pairwise(steps))
    if begin == end:
        return None
    fell = end < begin
    return _card(
        run,
        "loss-path",
        "How did the loss go?",
        f"In this run ({_settings(run.config)}), take the mean loss of the first and of the last {_WINDOW} "
        "recorded steps. Which is lower?",
        f"The {'last' if fell else 'first'} steps. The mean went from {begin:.4f} to {end:.4f}, and yet "
        f"the loss rose at {up} of {len(steps) - 1} recorded steps.",
        "Each step sees another batch, so one loss is not comparable with the next. A rise between two "
        "steps is not a failure.",
        (f"The {'first' if fell else 'last'} steps.", "Neither: the loss of a good run is constant."),
        (steps[0], steps[-1]),
    )


def temperature_weight(run: Run) -> RunCard | None:
    """What this run's temperature means for two negatives: a ratio of weights, exactly."""
    from ..losses import LOSSES

    temperature = run.config.temperature
    if "temperature" not in LOSSES[run.config.loss].uses or run.config.loss == "cosent":
        return None

    def ratio(scale: float) -> str:
        value = math.exp(min(0.1 / scale, 700.0))
        return f"{value:,.0f} times" if 100 <= value < 1e6 else f"{value:.3g} times"

    wrong = {ratio(temperature * factor) for factor in (2.0, 0.5)} | {"1.1 times"}
    return _card(
        run,
        "temperature-weight",
        "What did the temperature do?",
        f"With temperature {temperature:g}: one negative has a cosine with the anchor that is 0.1 higher "
        "than another's. How much harder is it pushed?",
        f"{ratio(temperature)} as hard. In a softmax over cosines divided by the temperature the weights "
        f"stand as exp(0.1 / {temperature:g}).",
        "The push does not grow in proportion to the cosine. It grows exponentially, and the temperature "
        "sets how steeply.",
        tuple(f"{text} as hard." for text in sorted(wrong - {ratio(temperature)})),
        (run.snapshots[-1],),
    )


def pair_gained(run: Run) -> RunCard | None:
    """Which trained similar pair came closest together."""
    rows = run.sentences.row()
    pairs = [p for p in dict.fromkeys((p.left, p.right) for p in run.pairs if p.is_similar) if p[0] != p[1]]
    first, last = run.snapshots[0], run.snapshots[-1]
    if len(pairs) < 2:
        return None
    index = np.array([(rows[a], rows[b]) for a, b in pairs])  # (p, 2)
    before, after = pair_cosines(first.embeddings, index), pair_cosines(last.embeddings, index)
    order = np.argsort(before - after, kind="stable")
    top = int(order[0])
    if after[top] - before[top] < STILL or (after - before)[order[0]] == (after - before)[order[1]]:
        return None
    return _card(
        run,
        "pair-gained",
        "Which similar pair gained most?",
        f"Of the pairs labelled similar, which gained the most cosine in {last.step} steps?",
        f"{pair_text(run, tuple(index[top]))} Its cosine went from {before[top]:.3f} to {after[top]:.3f}.",
        "Pairs that were close at the start have little left to gain, and most losses pull them least.",
        tuple(pair_text(run, tuple(index[int(i)])) for i in (order[-1], order[len(order) // 2], order[1])),
        (first, last),
        tuple(int(i) for i in index[top]),
    )


def uniformity(run: Run) -> RunCard | None:
    """Alignment against uniformity, before and after."""
    first, last = run.snapshots[0].metrics, run.snapshots[-1].metrics
    values = (first.alignment, last.alignment, first.uniformity, last.uniformity)
    if any(value is None for value in values):
        return None
    a0, a1, u0, u1 = (float(value) for value in values if value is not None)
    said = {True: "improved", False: "did not improve"}
    right = (a1 < a0, u1 < u0)

    def option(alignment: bool, spread: bool) -> str:
        return f"Alignment {said[alignment]}, uniformity {said[spread]}."

    return _card(
        run,
        "alignment-uniformity",
        "Closer pairs, or a better spread?",
        f"Over this run ({_settings(run.config)}), what happened to alignment and uniformity? Lower is "
        "better for both.",
        f"{option(*right)} Alignment: {a0:.3f} to {a1:.3f}. Uniformity: {u0:.3f} to {u1:.3f}.",
        "One can be bought with the other: pulling everything together helps alignment and ruins uniformity.",
        tuple(option(a, u) for a in (True, False) for u in (True, False) if (a, u) != right),
        (run.snapshots[0], run.snapshots[-1]),
    )


MAKERS: tuple[Callable[[Run], RunCard | None], ...] = (
    moved_most,
    held_out,
    strongest_pull,
    strongest_push,
    pair_gained,
    random_cosine,
    loss_path,
    temperature_weight,
    uniformity,
)


def _card(
    run: Run,
    kind: str,
    title: str,
    question: str,
    answer: str,
    wrong: str,
    choices: tuple[str, ...],
    snapshots: tuple[Snapshot, ...],
    rows: tuple[int, ...] = (),
) -> RunCard:
    card = Card(
        id=f"run-{re.sub(r'[^A-Za-z0-9]', '', run.id)[:32]}-{kind}",
        title=title,
        question=question,
        answer=answer,
        source="Computed from your own run",
        wrong=wrong,
        live=f"train?{live_query(run.config)}",
        choices=tuple(c for c in dict.fromkeys(choices) if not answer.startswith(c)),
    )
    steps = tuple(dict.fromkeys(s.step for s in snapshots))
    return RunCard(card, run.id, steps, tuple(run.sentences.ids[row] for row in rows))


def live_query(config: TrainingConfig) -> str:
    """The settings as URL parameters, leaving out what stands at its default."""
    default = TrainingConfig()
    changed = {
        f.name: getattr(config, f.name)
        for f in dataclasses.fields(config)
        if f.name in ("loss", "steps", "seed") or getattr(config, f.name) != getattr(default, f.name)
    }
    return urlencode(changed)


def _settings(config: TrainingConfig) -> str:
    from ..losses import LOSSES

    loss = LOSSES[config.loss]
    used = [f"{name} {getattr(config, name):g}" for name in ("temperature", "margin") if name in loss.uses]
    return ", ".join([loss.title, *used, f"learning rate {config.learning_rate:g}"])


def quoted(run: Run, row: int) -> str:
    """A sentence in quotation marks, shortened."""
    text = " ".join(run.sentences.texts[row].split()).replace("“", '"').replace("”", '"')
    return f"“{text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + '…'}”"


def _text(run: Run, row: int) -> str:
    """The same as a sentence of its own, so that it can be an answer or an option."""
    text = quoted(run, row)
    return text if text[-2] in ".!?" else f"{text}."


def pair_text(run: Run, rows: Sequence[int]) -> str:
    """Both sentences of a pair of rows, quoted."""
    return f"{quoted(run, rows[0])} with {_text(run, rows[1])}"
