"""The part of an encoder that learns in a run, and the cached part that does not.

The frozen lower layers see the same few sentences at every step: they run once and their output is
kept. Of the word embeddings only the rows of tokens that occur are copied and optimised; the others
would get a gradient of zero, so without weight decay the result is the same as training the full table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from ..models.device import numbers
from ..models.encoder import Encoder, Packing
from ..types import FloatArray, InputError, IntArray, TrainingConfig
from .checkpoints import Checkpoint
from .gradient import array_of

CHUNK_TOKENS = 8192  # embedded at once outside training; bounds the memory that a large set takes
TABLES = {"embeddings.word": "word", "embeddings.position": "position"}  # those that are cut to what occurs


class TrainableEncoder:
    """A copy of an encoder whose top layers learn, fed with one set of sentences.

    `parameters` names what learns. Dropout applies to the learning layers only: the rest is cached.
    """

    def __init__(
        self, encoder: Encoder, texts: Sequence[str], config: TrainingConfig, resume: Checkpoint | None
    ) -> None:
        self.config = config
        self.resume = resume
        self.base = encoder if resume is None else with_checkpoint(encoder, resume, config)
        self.first = max(0, len(encoder.layers) - config.trained_layers)  # the lowest layer that learns
        learning = range(self.first, len(encoder.layers))
        self.model = self.base.copy(learning, embeddings=False)
        tokens = encoder.tokenize(texts)
        self.lengths = tokens.lengths  # (n,)
        self.starts = self.lengths.cumsum(0) - self.lengths  # (n,) where each sentence begins in (t, ...)
        self.ids = tokens.ids[tokens.mask]  # (t,)
        self.words: IntArray | None = None if resume is None else resume.words
        self.parameters: dict[str, nn.Parameter] = {}
        self.cache: Tensor | None = None  # (t, d), what enters the first learning layer
        words_learn = config.train_word_embeddings or not encoder.layers
        if words_learn:
            self._cut_embeddings()
            self._learn("embeddings", self.model.embeddings)
        for i in learning:
            self._learn(f"layers.{i}", self.model.layers[i])
        if not words_learn:
            self.cache = self._run_frozen_layers()

    @property
    def dim(self) -> int:
        return self.model.dim

    @property
    def device(self) -> torch.device:
        return self.base.device

    def indices(self, rows: IntArray) -> Tensor:
        """Row numbers where the model is."""
        return torch.from_numpy(rows).to(self.device)

    def _learn(self, prefix: str, module: nn.Module) -> None:
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(True)
            self.parameters[f"{prefix}.{name}"] = parameter

    def _cut_embeddings(self) -> None:
        """Replace the tables by the rows that occur, and the token ids by places among those rows."""
        occurring = numbers(self.ids)
        self.words = np.union1d(occurring, occurring if self.words is None else self.words)
        self.ids = self.indices(np.searchsorted(self.words, occurring))
        length = int(self.lengths.max()) + self.model.shape.first_position
        if self.resume is not None and "embeddings.position" in self.resume.parameters:
            length = max(length, len(self.resume.parameters["embeddings.position"]))
        self.model.embeddings = self.base.embeddings.cut(self.indices(self.words), length)

    def _run_frozen_layers(self) -> Tensor:
        cache: Tensor = torch.empty(len(self.ids), self.dim, device=self.device)
        with torch.no_grad():
            for rows in self.chunks():
                index, packing = self._tokens_of(self.indices(rows))
                x = self.model.embeddings(self.ids[index], packing)
                cache[index] = self.model.run(x, packing, stop=self.first)
        return cache

    # ---- embedding ---------------------------------------------------------------------------

    def hidden(self, rows: IntArray, dropout: float) -> tuple[Tensor, Packing]:
        """The last layer's output for these sentences, laid end to end (t, d), and each token's place."""
        index, packing = self._tokens_of(self.indices(rows))
        if self.cache is not None:
            x = self.cache.index_select(0, index)
        else:
            x = self.model.embeddings(self.ids.index_select(0, index), packing, dropout)
            x = self.model.run(x, packing, stop=self.first)
        return self.model.run(x, packing, start=self.first, dropout=dropout), packing

    def _tokens_of(self, rows: Tensor) -> tuple[Tensor, Packing]:
        """Which of all tokens belong to these sentences, (t,), in the order of `rows`."""
        lengths = self.lengths[rows]
        packing = Packing.of(lengths)
        return self.starts[rows].repeat_interleave(lengths) + packing.columns, packing

    def chunks(self, rows: IntArray | None = None) -> Iterator[IntArray]:
        """These rows, or all, short sentences first, in portions of at most CHUNK_TOKENS padded tokens."""
        lengths = numbers(self.lengths)
        rows = np.arange(len(lengths)) if rows is None else rows
        order = rows[np.argsort(lengths[rows], kind="stable")]
        start = 0
        for end in range(1, len(order) + 1):
            full = end < len(order) and int(lengths[order[end]]) * (end + 1 - start) > CHUNK_TOKENS
            if full or end == len(order):
                yield order[start:end]
                start = end

    # ---- saving and going on -----------------------------------------------------------------

    def complete(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with what the encoder brought along: layers tuned before and frozen now, words."""
        before = {} if self.resume is None else dict(self.resume.parameters)
        return replace(checkpoint, parameters=before | dict(checkpoint.parameters), words=self.words)

    def rows_of(self, name: str, resume: Checkpoint) -> Tensor | slice:
        """Where the checkpoint's rows of this parameter stand now; a set with new words has more rows."""
        if name == "embeddings.word":
            assert resume.words is not None and self.words is not None
            return self.indices(np.searchsorted(self.words, resume.words))
        return slice(len(resume.first[name]))

    def tuned(self) -> Encoder:
        """The whole encoder with what was learned, independent of this run."""
        learned = {name: array_of(p) for name, p in self.parameters.items()}
        return with_parameters(self.base, learned, self.words)


def with_checkpoint(encoder: Encoder, resume: Checkpoint, config: TrainingConfig) -> Encoder:
    """The encoder as it was at the checkpoint. Raises InputError when it belongs to another model."""
    if resume.config.base_model != config.base_model:
        raise InputError(
            f"A run of {resume.config.base_model!r} cannot go on with {config.base_model!r}: keep "
            "the base model."
        )
    if config.base_model == "blank" and resume.config.seed != config.seed:
        raise InputError("The blank model's weights come from the seed: keep the seed to go on from here.")
    return with_parameters(encoder, resume.parameters, resume.words)


def with_parameters(
    encoder: Encoder, parameters: Mapping[str, FloatArray], words: IntArray | None
) -> Encoder:
    """A frozen copy of the encoder with these weights in it; what has none stays shared.

    `words` are the token ids of the rows of "embeddings.word". Raises InputError for weights that do not
    fit the encoder.
    """
    names = [name for name in parameters if not name.startswith("head.")]
    touched = {int(name.split(".")[1]) for name in names if name.startswith("layers.")}
    twin = encoder.copy(sorted(touched), embeddings=any(name.startswith("embeddings.") for name in names))
    own = dict(twin.named_parameters())
    for name in names:
        value = torch.from_numpy(np.ascontiguousarray(parameters[name])).to(encoder.device)
        target = own[name].detach() if name in own else None
        cut = name in TABLES
        if target is None or target.shape[cut:] != value.shape[cut:] or len(value) > len(target):
            raise InputError(f"The checkpoint's weights {name} do not fit this model.")
        rows = torch.arange(len(value), device=encoder.device)
        if name == "embeddings.word":
            rows = torch.from_numpy(words).to(encoder.device) if words is not None else rows
            if len(rows) != len(value) or int(rows.max()) >= len(target) or int(rows.min()) < 0:
                raise InputError("The checkpoint's word embeddings do not fit this model.")
        target[rows] = value
    return twin.requires_grad_(False)
