"""What a lesson trains, and what it measures: its sentences, pairs and settings made ready for a run.

Apart from the file format, so that a notebook can run a lesson's experiment as the page does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..data import sentence_sets, sentences
from ..data.split import make_split
from ..training import controls
from ..types import InputError, Pair, SentenceSet, TrainingConfig


@dataclass(frozen=True, slots=True)
class Experiment:
    """The [experiment] table of a lesson: a built-in set or own sentences, own pairs or pairs from groups."""

    set_key: str | None = None
    sentence_text: str = ""
    pair_text: str = ""
    pair_count: int | None = None
    similar_share: float | None = None
    held_out: float = 0.25
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """Ready to run. `attributes` are the second labels of the sentences, row by row; empty without any."""

    config: TrainingConfig
    sentences: SentenceSet
    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    attributes: tuple[str | None, ...] = ()

    @property
    def brings(self) -> frozenset[str]:
        """What a measurement may need of it, in the words of core/lessons/outcomes.py."""
        found = {"sentences"} if len(self.sentences) > 1 else set()
        if len({pair.is_similar for pair in self.held_out}) == 2:
            found.add("held-out pairs")
        if self.sentences.has_groups:
            found.add("groups")
        if len({a for a in self.attributes if a is not None}) > 1:
            found.add("a second label")
        return frozenset(found)


def configure(experiment: Experiment, changes: tuple[tuple[str, Any], ...], seed: int) -> TrainingConfig:
    """The settings of a run: the set's suggestions, then the lesson's, then the step's, and the seed.

    Raises InputError naming the setting that does not fit.
    """
    suggested = sentence_sets.load_set(experiment.set_key).info.settings if experiment.set_key else ()
    values = {**dict(suggested), **dict(experiment.settings), **dict(changes), "seed": seed}
    config = TrainingConfig.from_mapping(values)
    controls.check(config)
    return config


def prepare(experiment: Experiment, changes: tuple[tuple[str, Any], ...] = (), seed: int = 7) -> Prepared:
    """Everything a run needs. Raises InputError for sentences, pairs or settings that cannot be used."""
    config = configure(experiment, changes, seed)
    attributes: tuple[str | None, ...] = ()
    own: tuple[Pair, ...] | None = None
    count, share = experiment.pair_count or 120, 0.5
    if experiment.set_key:
        known = sentence_sets.load_set(experiment.set_key)
        chosen, own, attributes = known.sentence_set, known.pairs, known.attributes
        count, share = experiment.pair_count or known.info.pair_count, known.info.similar_share
    else:
        chosen = sentences.parse_sentences(experiment.sentence_text).sentence_set
    if experiment.pair_text.strip():
        parsed = sentences.parse_pairs(experiment.pair_text, chosen)
        if len(parsed.sentence_set) > len(chosen):
            attributes = (
                (*attributes, *(None,) * (len(parsed.sentence_set) - len(chosen))) if attributes else ()
            )
        chosen, own = parsed.sentence_set, parsed.pairs
    if experiment.similar_share is not None:
        share = experiment.similar_share
    split = make_split(chosen, count, experiment.held_out, 7, pairs=own or None, similar_share=share)
    if not split.train:
        raise InputError("No pairs are left to train on: bring more sentences, or hold fewer out.")
    return Prepared(config, chosen, split.train, split.held_out, attributes)
