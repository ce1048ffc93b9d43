"""Gathers what a measurement looks at: embeddings, maps, other models, each only where it is needed.

The work is done by `ask`, which a page hands on to worker processes and a notebook or benchmark calls
directly, so that all of them measure the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..maps import layouts
from ..models import cross_encoder
from ..models.embedding import embed
from ..training import tuned
from ..types import FloatArray, InputError, TrainingConfig
from .measurement import MOST_COMPARED, Evidence
from .preparation import Prepared
from .types import Predict, Projection

Ask = Callable[..., Any]  # ask(function, *arguments, lane=..., busy=...): what the function returns
READING, DRAWING = "The model is reading", "Drawing the map"


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A finished run: its embeddings (n, d) at both ends, and the file of its last step, if that is kept."""

    config: TrainingConfig
    before: FloatArray
    after: FloatArray
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class _Request:
    step: Predict
    prepared: Prepared | None
    texts: tuple[str, ...]
    seed: int
    ask: Ask
    trained: Trained | None

    @property
    def sentences(self) -> tuple[str, ...]:
        assert self.prepared is not None
        return self.prepared.sentences.texts


def direct(function: Callable[..., Any], *args: Any, lane: str = "", busy: str = "") -> Any:
    """An `ask` that calls the function here and now."""
    return function(*args)


def base(prepared: Prepared, ask: Ask) -> FloatArray:
    """Embeddings (n, d) of the experiment's sentences before any training."""
    c = prepared.config
    found: FloatArray = ask(embed, c.base_model, c.seed, c.pooling, prepared.sentences.texts, busy=READING)
    return found


def gather(
    step: Predict,
    prepared: Prepared | None,
    texts: tuple[str, ...],
    seed: int,
    ask: Ask,
    trained: Trained | None = None,
) -> Evidence:
    """Everything that the step's measurement needs. `trained` is the run of a step that trains.

    Raises InputError where a model is no longer there.
    """
    row, asked = step.measurement, _Request(step, prepared, texts, seed, ask, trained)
    found = Evidence(texts=texts, seed=seed, sample=step.sample)
    if prepared is not None:
        p = prepared
        found = replace(
            found, sentences=p.sentences, attributes=p.attributes, train=p.train, held_out=p.held_out
        )
    if row.trains:
        assert trained is not None
        found = replace(found, before=trained.before, after=trained.after)
    elif prepared is not None and row.needs:
        found = replace(found, before=base(prepared, ask))
    if texts:
        found = replace(found, **_texts(asked))
    if row.gathers:
        found = replace(found, **GATHERERS[row.gathers](asked))
    return found


def project(
    projections: Sequence[Projection], embeddings: FloatArray, seed: int, ask: Ask
) -> tuple[tuple[FloatArray, ...], tuple[FloatArray, ...]]:
    """(maps (n, 2), what each was drawn of (n, d)) of the projections, in their order."""
    maps, mapped = [], []
    for projection in projections:
        z = embeddings
        if projection.of == "random":
            shape = (projection.count or len(z), z.shape[1])
            z = np.random.default_rng(seed + projection.seed).normal(size=shape).astype(np.float32)
        settings = layouts.LayoutSettings(projection.neighbours, seed + projection.seed)
        frame = ask(layouts.first_frame, projection.layout, z, settings, lane="layout", busy=DRAWING)
        maps.append(frame.xy)
        mapped.append(z)
    return tuple(maps), tuple(mapped)


def after_use(
    base_model: str, seed: int, texts: tuple[str, ...], others: tuple[str, ...]
) -> tuple[FloatArray, FloatArray]:
    """Embeddings (m, d) of the texts before and after the model has read the others. Runs in a worker."""
    before = embed(base_model, seed, "mean", texts)
    embed(base_model, seed, "mean", others)
    return before, embed(base_model, seed, "mean", texts)


def seconds_of_all_pairs(texts: tuple[str, ...]) -> tuple[float, float]:
    """Seconds for the bi-encoder and the cross-encoder to compare all pairs of texts. Runs in a worker."""
    pairs = [(left, right) for i, left in enumerate(texts) for right in texts[:i]]
    embed("minilm-l6", 0, "mean", texts[:2]), cross_encoder.score(pairs[:1])  # loads both
    began = time.perf_counter()
    z = embed("minilm-l6", 0, "mean", texts)
    z @ z.T
    between = time.perf_counter()
    cross_encoder.score(pairs)
    return between - began, time.perf_counter() - between


def _texts(asked: _Request) -> dict[str, Any]:
    if not asked.step.measurement.trains:
        model = asked.step.models[0] if asked.step.models else TrainingConfig().base_model
        return {"texts_before": asked.ask(embed, model, asked.seed, "mean", asked.texts, busy=READING)}
    config, checkpoint = _trained_model(asked)
    before, after = (
        asked.ask(tuned.embed, config, file, asked.texts, busy=READING) for file in (None, checkpoint)
    )
    return {"texts_before": before, "texts_after": after}


def _trained_model(asked: _Request) -> tuple[TrainingConfig, str]:
    assert asked.trained is not None
    if asked.trained.checkpoint is None:
        raise InputError("The trained model of this run is no longer kept. Run it again to measure it.")
    return asked.trained.config, asked.trained.checkpoint


def _maps(asked: _Request) -> dict[str, Any]:
    assert asked.prepared is not None
    maps, mapped = project(asked.step.projections, base(asked.prepared, asked.ask), asked.seed, asked.ask)
    return {"maps": maps, "mapped": mapped}


def _models(asked: _Request) -> dict[str, Any]:
    models, texts = asked.step.models, asked.sentences
    return {"by_model": tuple(asked.ask(embed, m, asked.seed, "mean", texts, busy=READING) for m in models)}


def _use(asked: _Request) -> dict[str, Any]:
    model = TrainingConfig().base_model
    before, again = asked.ask(after_use, model, asked.seed, asked.texts, asked.sentences, busy=READING)
    return {"texts_before": before, "texts_again": again}


def _probe(asked: _Request) -> dict[str, Any]:
    config, checkpoint = _trained_model(asked)
    scores = [asked.ask(tuned.probe, config, file, busy=READING) for file in (None, checkpoint)]
    return {"probe": tuple(score.spearman for score in scores)}


def _cross_encoder(asked: _Request) -> dict[str, Any]:
    assert asked.prepared is not None
    p = asked.prepared
    text = dict(zip(p.sentences.ids, p.sentences.texts))
    pairs = tuple((text[pair.left], text[pair.right]) for pair in (*p.train, *p.held_out))
    return {"joint": asked.ask(cross_encoder.score, pairs, busy="The cross-encoder is reading").logits}


def _cost(asked: _Request) -> dict[str, Any]:
    texts = asked.sentences[:MOST_COMPARED]
    return {"seconds": asked.ask(seconds_of_all_pairs, texts, busy="Both encoders are reading")}


GATHERERS: dict[str, Callable[[_Request], dict[str, Any]]] = {
    "maps": _maps,
    "models": _models,
    "use": _use,
    "probe": _probe,
    "cross-encoder": _cross_encoder,
    "cost": _cost,
}
