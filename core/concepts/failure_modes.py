"""The experiments of "Fine-tuning gone wrong", one row each; failures.py holds what they share."""

from __future__ import annotations

from . import failures as g
from .failures import FailureMode

FAILURE_MODES: dict[str, FailureMode] = {
    row.key: row
    for row in (
        FailureMode(
            key="collapse",
            title="Positives only",
            set_key="collapse",
            about="The contrastive loss is given similar pairs only, up to forty. Beside it runs the same "
            "training with as many dissimilar pairs added.",
            question="After 40 steps without a single dissimilar pair: what is the mean cosine of sentences "
            "from different groups?",
            options=g.COLLAPSE,
            broken_name="similar pairs only",
            sound_name="similar and dissimilar pairs",
            broken=g.positives_only,
            sound=g.both_kinds,
            shown=("apart", "unpaired", "probe"),
            judge=g.judge_collapse,
            number="Mean cosine of different groups at the end",
            why="Nothing ever pushed. The cheapest way to make all given pairs similar is to make "
            "everything similar: the vectors collapse into one direction, and the loss is content.",
            remedy="Give the loss something that pushes: dissimilar pairs, or in-batch negatives.",
            usual=g.COLLAPSE[2],
        ),
        FailureMode(
            key="negatives",
            title="False negatives",
            set_key="bank_intents",
            about="Every sentence is paired with one other of its group, and in-batch negatives do the rest: "
            "whatever else is in the batch counts as a wrong answer. The broken run does not know the "
            "groups, so sentences of the same group are pushed apart when they meet in a batch. The other "
            "run knows the groups and leaves them out.",
            question="What will happen to sentences of one group that were never paired?",
            options=g.MOVES,
            broken_name="groups unknown",
            sound_name="groups known",
            broken=g.false_negatives,
            sound=g.true_negatives,
            shown=("unpaired", "apart", "probe"),
            judge=g.judge_negatives,
            number="Change of the mean cosine of unpaired sentences of one group",
            why="A negative that means the same as the anchor is a lie, and the loss believes it. The more "
            "alike two sentences are, the harder this loss pushes.",
            remedy="Know the duplicates and leave them out, make the groups in a batch differ, or use "
            "explicit negatives.",
            usual=g.MOVES[0],
        ),
        FailureMode(
            key="rate",
            title="A rate too high",
            set_key="bank_intents",
            about="The same pairs and steps at two learning rates: 0.01, and a hundredth of it, 0.0001.",
            question="At a rate of 0.01: how well are held-out pairs told apart after training?",
            options=g.FARES,
            broken_name="rate 0.01",
            sound_name="rate 0.0001",
            broken=g.fast,
            sound=g.at_usual_rate,
            shown=("held_out_auc", "apart", "probe"),
            judge=g.judge_rate,
            number="Change of the AUC on held-out pairs",
            why="Each step moves the weights so far that what the layers had learned is overwritten. The "
            "vectors crowd together, and later steps find little left to work with.",
            remedy="Lower the rate by powers of ten until the curves are calm; warm up slowly.",
            usual=g.FARES[0],
        ),
        FailureMode(
            key="forgetting",
            title="Forgetting",
            set_key="sentiment",
            about="Every model is also asked about forty everyday pairs that have nothing to do with the "
            "task, graded by hand from 0 to 5: the probe. One run trains all six layers at a rate of "
            "0.0003, the other only the top layer at 0.00005.",
            question="By how much does the rank correlation with the probe's grades drop when all layers "
            "learn?",
            options=g.DROPS,
            broken_name="six layers, rate 0.0003",
            sound_name="one layer, rate 0.00005",
            broken=g.all_layers,
            sound=g.gently,
            shown=("probe", "held_out_auc", "apart"),
            judge=g.judge_forgetting,
            number="Rank correlation lost",
            why="The loss asks for one distinction and for nothing else, so whatever else the vectors knew "
            "may be paid for it. Nothing in the loss or in the held-out pairs shows it: only sentences "
            "from outside the task do.",
            remedy="Train fewer layers, fewer steps, at a lower rate; mix in general pairs; and always "
            "keep a probe.",
            usual=g.DROPS[2],
        ),
        FailureMode(
            key="overfitting",
            title="Ten pairs by heart",
            set_key="sentiment",
            about="One run learns ten pairs, the other as many as the sentences give, up to 240. Both are "
            "measured on pairs of sentences that neither has seen.",
            question="After training on ten pairs: how much higher is the AUC on those ten than on held-out "
            "pairs?",
            options=g.GAPS,
            broken_name="10 pairs",
            sound_name="up to 240 pairs of the same sentences",
            broken=g.by_heart,
            sound=g.many_pairs,
            shown=("held_out_auc", "train_auc", "probe"),
            judge=g.judge_overfitting,
            number="AUC on the training pairs minus AUC on held-out pairs",
            why="Ten pairs can be told apart in countless ways, and almost none of them is the one that was "
            "meant. A perfect score on the training pairs says nothing about new ones. Two hundred more "
            "pairs of the same few sentences help surprisingly little. Where the model nearly knows the "
            "distinction already, ten pairs can be enough: try groups of different topics.",
            remedy="More different sentences, not only more pairs of the same ones; fewer steps; and belief "
            "in held-out pairs only.",
            usual=g.GAPS[2],
        ),
    )
}
