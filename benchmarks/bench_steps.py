"""How many steps each built-in set needs: held-out AUC and loss over a long run, and where learning is over.

Every set is trained as it opens, for three seeds (of the split and of the training), for `--steps` steps.
`choice` makes of the means over the seeds what `steps` in the set's file says; a file that says something
else is marked. Then it is trained for that many: the rate rises over a tenth of a run, so a short one is no
beginning of a long one.

    python -m benchmarks.bench_steps [--steps 100] [--sets sentiment negation]
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from numpy.typing import NDArray

from core.data.sentence_sets import BuiltInSet, list_sets
from core.data.split import make_split
from core.models import registry
from core.training.bi_trainer import train

SEEDS = (7, 8, 9)
EVERY = 5  # steps are chosen in fives
NEAR = 0.02  # of the best mean AUC: less than a few dozen held-out pairs can tell
LEARNED = 0.1  # of the first step's loss
FEWEST = 20  # a run that is over sooner cannot be followed with the eyes

Curve = NDArray[np.float64]


def curves(known: BuiltInSet, steps: int) -> tuple[Curve, Curve]:
    """Loss and held-out AUC at steps 0..steps, each (seeds, steps + 1). The loss of step 0 is step 1's."""
    found = []
    for seed in SEEDS:
        config = known.config().replace(steps=steps, seed=seed)
        split = make_split(
            known.sentence_set,
            known.pair_count,
            0.25,
            seed,
            pairs=known.pairs,
            similar_share=known.similar_share,
        )
        encoder = registry.load(config.base_model)
        run = list(train(encoder, known.sentence_set, split.train, config, split.held_out))
        losses = [one.loss for one in (run[1], *run[1:])]
        found.append((losses, [one.metrics.held_out_auc for one in run]))
    both = np.array(found, float)  # (seeds, 2, steps + 1)
    return both[:, 0], both[:, 1]


def choice(loss: Curve, auc: Curve) -> int:
    """The first step (in fives, from 20) after which the mean AUC gains at most 0.02, where the mean loss
    is below a tenth of the first one; the last step where that never happens."""
    mean, left = np.nanmean(auc, axis=0), loss.mean(axis=0) / loss[:, 0].mean()
    for step in range(FEWEST, len(mean) - 1, EVERY):
        lasting = mean[step:].max() - mean[step] <= NEAR
        if lasting and np.median(left[step - EVERY + 1 : step + 1]) <= LEARNED:
            return step
    return len(mean) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--sets", nargs="+", default=[known.key for known in list_sets()])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    shown = range(0, asked.steps + 1, 10)
    print(
        f"{'':14} {'':4} "
        + " ".join(f"{step:>5}" for step in shown)
        + "   steps, and AUC after a run of them"
    )
    for known in list_sets():
        if known.key in asked.sets:
            loss, auc = curves(known, asked.steps)
            chosen, written = choice(loss, auc), known.config().steps
            after = curves(known, chosen)[1][:, -1].mean()
            note = "" if written == chosen else f" (its file says {written} steps)"
            for name, curve, end in (("loss", loss, ""), ("AUC", auc, f"{chosen:5} {after:5.3f}{note}")):
                values = " ".join(f"{curve[:, step].mean():5.3f}" for step in shown)
                print(f"{known.key:14} {name:4} {values}  {end}", flush=True)


if __name__ == "__main__":
    main()
