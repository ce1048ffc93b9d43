"""What a lesson may measure on whole models: a borrowed threshold, word arithmetic, use, forgetting, samples,
and a cross-encoder beside the bi-encoder.
"""

from __future__ import annotations

import numpy as np

from ..data.split import held_out_rows
from ..metrics.comparison import movement
from ..metrics.intervals import wilson
from ..metrics.measures import auc, best_threshold, scored
from ..types import FloatArray, InputError
from ..vectors import cosine_matrix
from .measurement import CHANGES, LEVELS, MOST_COMPARED, Evidence, Limits, Measured, Measurement, level

DRAWS = 5_000  # samples; enough for one percent
SAME_NUMBERS = 1e-6  # vectors that differ by less in every number are the same: the rest is rounding
MOST_WORDS = 80
USED, EXPECTED, OTHER = "used", "expected", "other"


def _scored(found: Evidence, z: FloatArray | None) -> tuple[FloatArray, np.ndarray]:
    """Cosines of the training and held-out pairs in embeddings (n, d), and which are similar, (m,) each."""
    assert found.sentences is not None and z is not None
    return scored(z, found.sentences, found.pairs)


def _threshold(cosines: FloatArray, similar: np.ndarray) -> float:
    best = best_threshold(cosines, similar)
    if best is None:
        raise InputError("A threshold needs similar pairs and dissimilar ones.")
    return best


def _borrowed(found: Evidence, limits: Limits) -> Measured:
    (first, similar), (second, _) = (_scored(found, z) for z in found.by_model[:2])
    lent, own = _threshold(first, similar), _threshold(second, similar)

    def right(cosines: FloatArray, threshold: float) -> float:
        return float(((cosines >= threshold) == similar).mean())

    share = right(second, lent)
    says = (
        f"The first model's threshold is {lent:.2f}; with it, the first model is right on "
        f"{right(first, lent):.0%} of the pairs and the second on {share:.0%}. With its own threshold, "
        f"{own:.2f}, the second is right on {right(second, own):.0%}."
    )
    table = (
        ("Threshold of the first model", lent, None),
        ("Threshold of the second model", own, None),
        ("First model, its own threshold", right(first, lent), None),
        ("Second model, its own threshold", right(second, own), None),
        ("Second model, the first one's threshold", share, None),
    )
    return Measured(level(share, limits), says, table)


def _analogy(leave_out: bool, found: Evidence, limits: Limits) -> Measured:
    """Texts a, b, c, the expected one, and any others: which is nearest to a - b + c?"""
    z = found.texts_before
    assert z is not None
    cosines = cosine_matrix((z[0] - z[1] + z[2])[None], z)[0]
    order = [i for i in np.argsort(-cosines, kind="stable").tolist() if not (leave_out and i < 3)]
    outcome = USED if order[0] < 3 else EXPECTED if order[0] == 3 else OTHER
    a, b, c = found.texts[:3]
    nearest = ", ".join(f"{found.texts[i]} {cosines[i]:.2f}" for i in order[:3])
    says = f"Nearest to {a} - {b} + {c}: {nearest}."
    return Measured(outcome, says, tuple((found.texts[i], float(cosines[i]), None) for i in order[:8]))


def _of_all(found: Evidence, limits: Limits) -> Measured:
    return _analogy(False, found, limits)


def _of_the_others(found: Evidence, limits: Limits) -> Measured:
    return _analogy(True, found, limits)


def _use(found: Evidence, limits: Limits) -> Measured:
    before, again = found.texts_before, found.texts_again
    assert before is not None and again is not None and found.sentences is not None
    largest = float(np.abs(before - again).max())
    says = (
        f"Between the two times the model read {len(found.sentences)} other sentences. The largest "
        f"difference between two of the {before.shape[1]} numbers: {largest:.6f}."
    )
    outcome = "stays" if largest <= SAME_NUMBERS else "moves"
    return Measured(outcome, says, (("Largest difference of two numbers", largest, None),))


def _unseen_movement(found: Evidence, limits: Limits) -> Measured:
    assert found.sentences is not None and found.before is not None and found.after is not None
    moved = movement(found.before, found.after)
    trained = np.unique(found.sentences.rows_of(found.train))
    seen = float(moved[trained].mean())
    unseen = float(moved[held_out_rows(found.sentences, found.held_out)].mean())
    share = unseen / seen if seen else 0.0
    says = (
        f"Trained sentences turned by {seen:.3f} on average (1 - cosine), the others by {unseen:.3f}: "
        f"{share:.0%} as far."
    )
    rows = (("Trained on: 1 - cosine", None, seen), ("Never trained on: 1 - cosine", None, unseen))
    return Measured(level(share, limits), says, rows)


def _probe(found: Evidence, limits: Limits) -> Measured:
    first, last = found.probe
    if first is None or last is None:
        raise InputError("The model gives all everyday pairs the same cosine, so they have no order.")
    (tolerance,) = limits
    outcome = "stays" if abs(last - first) <= tolerance else CHANGES[0] if last > first else CHANGES[2]
    says = f"Agreement with people on 40 everyday pairs: {first:.2f} before, {last:.2f} after training."
    return Measured(outcome, says, (("Rank correlation on everyday pairs", first, last),))


def _perfect_samples(found: Evidence, limits: Limits) -> Measured:
    cosines, similar = _scored(found, found.before)
    right = (cosines >= _threshold(cosines, similar)) == similar  # (m,)
    random, size = np.random.default_rng(found.seed), min(found.sample, len(right))
    share = float(np.mean([right[random.permutation(len(right))[:size]].all() for _ in range(DRAWS)]))
    says = (
        f"The model is right on {right.mean():.0%} of all {len(right)} pairs. Of {DRAWS:,} samples of {size} "
        f"pairs, {share:.0%} had no mistake."
    )
    table = (("Right on all pairs", float(right.mean()), None), ("Samples without a mistake", share, None))
    return Measured(level(share, limits), says, table)


def _sure_share(found: Evidence, limits: Limits) -> Measured:
    low, high = wilson(found.sample, found.sample)
    says = f"After {found.sample} of {found.sample} the 95% interval (Wilson) is {low:.0%} to {high:.0%}."
    return Measured(level(low, limits), says, (("Lower end", low, None), ("Upper end", high, None)))


def _cross_auc(found: Evidence, limits: Limits) -> Measured:
    assert found.joint is not None
    cosines, similar = _scored(found, found.before)
    cross, bi = auc(found.joint, similar), auc(cosines, similar)
    if cross is None or bi is None:
        raise InputError("An AUC needs similar pairs and dissimilar ones.")
    says = (
        f"On {len(similar)} pairs, the cross-encoder's AUC is {cross:.2f} and the bi-encoder's {bi:.2f}. "
        "Guessing gives 0.5."
    )
    return Measured(
        level(cross, limits), says, (("Cross-encoder, AUC", cross, None), ("Bi-encoder, AUC", bi, None))
    )


def _cross_cost(found: Evidence, limits: Limits) -> Measured:
    assert found.sentences is not None
    n, (bi, cross) = min(MOST_COMPARED, len(found.sentences)), found.seconds
    passes = n * (n - 1) // 2
    says = (
        f"{n} sentences have {passes:,} pairs. The bi-encoder read {n} sentences in {bi:.2f} s, the "
        f"cross-encoder {passes:,} pairs in {cross:.1f} s: {cross / bi:.0f} times as long."
    )
    table = (("Bi-encoder, seconds", bi, None), ("Cross-encoder, seconds", cross, None))
    return Measured(level(cross / bi, limits), says, table)


_PAIRS, _SENTENCES, _WORDS = ("pairs of both kinds",), ("sentences",), (5, MOST_WORDS)
MODEL_ROWS = (
    Measurement(
        "borrowed_threshold_accuracy",
        "Right with another model's threshold",
        "Share of the pairs that the second model gets right with the best threshold of the first.",
        False,
        _PAIRS,
        LEVELS,
        (0.65, 0.85),
        _borrowed,
        gathers="models",
        models=2,
    ),
    Measurement(
        "analogy_before",
        "Nearest text to a - b + c",
        "Which of all texts, the three of the sum included, has the highest cosine with the sum.",
        False,
        (),
        (USED, EXPECTED, OTHER),
        (),
        _of_all,
        _WORDS,
    ),
    Measurement(
        "analogy_left_out_before",
        "Nearest text to a - b + c, the three left out",
        "Which of the other texts has the highest cosine with the sum.",
        False,
        (),
        (EXPECTED, OTHER),
        (),
        _of_the_others,
        _WORDS,
    ),
    Measurement(
        "vector_after_use",
        "The vector after the model was used",
        "Whether a text gets the same numbers after the model has read all sentences.",
        False,
        _SENTENCES,
        ("stays", "moves"),
        (),
        _use,
        (1, 1),
        gathers="use",
    ),
    Measurement(
        "unseen_movement",
        "Movement of sentences never trained on",
        "How far these sentences turned, divided by how far the trained ones did.",
        True,
        ("held-out pairs",),
        LEVELS,
        (0.1, 0.5),
        _unseen_movement,
    ),
    Measurement(
        "probe_change",
        "Change of: agreement with people on everyday pairs",
        "Rank correlation of the cosines of 40 everyday pairs with grades that people gave them.",
        True,
        _SENTENCES,
        CHANGES,
        (0.02,),
        _probe,
        gathers="probe",
    ),
    Measurement(
        "perfect_samples",
        "Samples without a mistake",
        "Share of random samples in which the model gets every pair right.",
        False,
        _PAIRS,
        LEVELS,
        (0.1, 0.25),
        _perfect_samples,
        sample=1,
    ),
    Measurement(
        "sure_share",
        "What a sample without a mistake makes sure of",
        "The lower end of the 95% interval for the share that is right.",
        False,
        (),
        LEVELS,
        (0.6, 0.9),
        _sure_share,
        sample=1,
    ),
    Measurement(
        "cross_encoder_auc",
        "AUC of the cross-encoder",
        "Chance that a similar pair gets a higher score than a dissimilar one; 0.5 is guessing.",
        False,
        _PAIRS,
        LEVELS,
        (0.6, 0.85),
        _cross_auc,
        gathers="cross-encoder",
    ),
    Measurement(
        "cross_encoder_seconds_factor",
        "Time of the cross-encoder, as a factor",
        "The cross-encoder's time for all pairs of the sentences, divided by the bi-encoder's.",
        False,
        _SENTENCES,
        LEVELS,
        (3.0, 10.0),
        _cross_cost,
        gathers="cost",
    ),
)
