"""Any cross-encoder of the Hugging Face hub, or in a folder, that whoever starts the server allows.

Apart from the packaged one because it needs transformers, and because such a model says in its own config
how many labels it has and which function belongs on its logit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ..types import FloatArray, InputError
from . import registry
from .device import chosen, numbers
from .pair_model import JointAttention, TextPair

LONGEST = 512  # tokens of a pair, where the tokenizer's config names no limit or an absurd one


class HubPairModel:
    """A transformers model for pairs, as a PairModel."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModelForSequenceClassification.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation="eager",
        ).eval()
        self.model.to(chosen())
        self.max_tokens = min(int(self.tokenizer.model_max_length), LONGEST)

    def logits(self, pairs: Sequence[TextPair]) -> tuple[FloatArray, list[bool]]:
        inputs = self._inputs(pairs)
        lengths = [len(ids) for ids in self.tokenizer(*map(list, zip(*pairs)), verbose=False)["input_ids"]]
        with torch.no_grad():
            found: FloatArray = numbers(self.model(**inputs).logits[:, 0])
        return found, [length > self.max_tokens for length in lengths]

    def attention(self, left: str, right: str) -> JointAttention:
        inputs = self._inputs([(left, right)])
        with torch.no_grad():
            layers = self.model(**inputs, output_attentions=True).attentions
        tokens = self.tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist())
        owner = self.tokenizer([left], [right], truncation="longest_first", max_length=self.max_tokens)
        segments = _segments(owner.sequence_ids(0))
        return JointAttention(tuple(tokens), segments, np.stack([numbers(layer[0]) for layer in layers]))

    def _inputs(self, pairs: Sequence[TextPair]) -> Any:
        left, right = map(list, zip(*pairs))
        limit = {"truncation": "longest_first", "max_length": self.max_tokens}
        return self.tokenizer(left, right, padding=True, return_tensors="pt", **limit).to(chosen())


def _segments(owners: Sequence[int | None]) -> tuple[int, ...]:
    """Special tokens, which belong to no text, count to the text before them."""
    segments: list[int] = []
    for owner in owners:
        segments.append(owner if owner is not None else (segments[-1] if segments else 0))
    return tuple(segments)


def read_hub(model: str) -> tuple[HubPairModel, str, str]:
    """The model under this hub id or in this folder, its name, and what its config puts on the logit.

    Raises InputError when it is not allowed, cannot be reached, holds no safetensors weights, or gives
    another number of labels than one.
    """
    if model not in registry.available() or model in registry.BASE_MODELS:
        raise InputError(
            f"The cross-encoder {model!r} is not allowed here; whoever starts the server can add it to "
            f"{registry.ALLOWED}."
        )
    folder = registry.available()[model].folder()
    config = read_config(folder, model)
    labels = label_count(config)
    if labels != 1:
        raise InputError(f"{model} gives {labels} labels for a pair; a score needs a model with one.")
    try:
        return HubPairModel(folder), model, activation(config)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"{model} cannot be loaded: {str(error).splitlines()[0]}") from error


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """config.json. Raises InputError when it is missing, unreadable, or asks to run code of its own."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{name} has no readable config.json; it is not a model folder.") from error
    if "auto_map" in config:
        raise InputError(f"{name} brings program code of its own, which this app does not run.")
    return config


def label_count(config: dict[str, Any]) -> int:
    """As transformers reads it: num_labels, else the number of named labels, else 2."""
    return int(config.get("num_labels") or len(config.get("id2label") or (0, 1)))


def activation(config: dict[str, Any]) -> str:
    """The function the model's config puts on the logit, in lower case: "sigmoid" or "identity".

    sentence-transformers writes a Python path, such as torch.nn.modules.linear.Identity, under one of two
    names; where it writes none, a model with one label gets a sigmoid.
    """
    named = config.get("sentence_transformers") or {}
    path = named.get("activation_fn") or config.get("sbert_ce_default_activation_function") or "Sigmoid"
    return str(path).rsplit(".", 1)[-1].lower()
