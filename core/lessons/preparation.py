"""What a lesson trains, and what it measures: its sentences, pairs and settings made ready for a run.

Apart from the lesson's steps, so that a notebook can run a lesson's experiment as the page does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from ..data import sentence_sets, sentences
from ..data.schema import Between, Line, Table, refuse
from ..data.split import make_split
from ..training import controls
from ..types import InputError, Pair, SentenceSet, TrainingConfig


def _without_seed(settings: dict[str, Any]) -> dict[str, Any]:
    if "seed" in settings:
        refuse((("seed",), "the seed is chosen on the page, so leave it out here"))
    return settings


Settings = Annotated[dict[str, Any], AfterValidator(_without_seed)]


class Experiment(Table):
    """The [experiment] of a lesson: a built-in set or own sentences, own pairs or pairs from groups."""

    set: Line | None = None
    sentences: str | None = None
    pairs: str = ""
    pair_count: Annotated[int, Between(1, 2000)] | None = None
    similar_share: Annotated[float, Between(0, 1)] | None = None
    held_out: Annotated[float, Between(0, 0.8)] = 0.25
    settings: Settings = Field({})

    @model_validator(mode="after")
    def _can_be_prepared(self) -> Self:
        if (self.set is None) == (self.sentences is None):
            refuse(((), 'give either set = "name of a built-in set" or sentences = "..."'))
        try:
            prepare(self)
        except InputError as error:
            about = [f for f in ("set", "pairs", "sentences") if f in str(error) and getattr(self, f)]
            refuse((tuple(about[:1]), str(error)))
        return self


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
        if len({pair.is_similar for pair in (*self.train, *self.held_out)}) == 2:
            found.add("pairs of both kinds")
        if self.sentences.has_groups:
            found.add("groups")
        if len({a for a in self.attributes if a is not None}) > 1:
            found.add("a second label")
        return frozenset(found)


def configure(experiment: Experiment, changes: Mapping[str, Any], seed: int) -> TrainingConfig:
    """The settings of a run: the set's suggestions, then the lesson's, then the step's, and the seed.

    Raises InputError naming the setting that does not fit.
    """
    suggested = sentence_sets.load_set(experiment.set).settings if experiment.set else {}
    config = TrainingConfig.from_mapping({**suggested, **experiment.settings, **changes, "seed": seed})
    controls.check(config)
    return config


def prepare(experiment: Experiment, changes: Mapping[str, Any] | None = None, seed: int = 7) -> Prepared:
    """Everything a run needs. Raises InputError for sentences, pairs or settings that cannot be used."""
    config = configure(experiment, changes or {}, seed)
    attributes: tuple[str | None, ...] = ()
    own: tuple[Pair, ...] | None = None
    count, share = experiment.pair_count or 120, 0.5
    if experiment.set:
        known = sentence_sets.load_set(experiment.set)
        chosen, own, attributes = known.sentence_set, known.pairs, known.attributes
        count, share = experiment.pair_count or known.pair_count, known.similar_share
    else:
        chosen = sentences.parse_sentences(experiment.sentences or "").sentence_set
    if experiment.pairs.strip():
        parsed = sentences.parse_pairs(experiment.pairs, chosen)
        added = len(parsed.sentence_set) - len(chosen)
        attributes = (*attributes, *(None,) * added) if attributes else ()
        chosen, own = parsed.sentence_set, parsed.pairs
    if experiment.similar_share is not None:
        share = experiment.similar_share
    split = make_split(chosen, count, experiment.held_out, 7, pairs=own or None, similar_share=share)
    if not split.train:
        raise InputError("No pairs are left to train on: bring more sentences, or hold fewer out.")
    return Prepared(config, chosen, split.train, split.held_out, attributes)
