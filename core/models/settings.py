"""What a model folder says of itself besides its weights: pooling, prompts, length, normalisation.

Apart from core/models/weights.py because the pages' process asks for it too, and has no torch. The files are
those of sentence-transformers; what they ask for and this app does not do is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..types import InputError

POOLINGS = ("mean", "cls", "max")
OWN = "own"  # in place of a pooling: the one that the model was made with
KNOWN_MODULES = ("Transformer", "Pooling", "Normalize", "StaticEmbedding")
UNBOUNDED = 1_000_000  # tokens; transformers writes numbers far beyond for "no limit"
# The names that pooling had in 1_Pooling/config.json before there was one name for each.
FORMER_NAMES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model wants to be used. `prompts` are texts that stand before a text, by name."""

    pooling: str = "mean"
    normalize: bool = True  # vectors leave the model with length 1
    prompts: Mapping[str, str] = field(default_factory=dict)
    default_prompt: str | None = None  # the name of the prompt that every text gets

    @property
    def prompt(self) -> str:
        """What stands before a text where nothing else is asked for."""
        return self.prompts.get(self.default_prompt or "", "")

    def prompt_of(self, *names: str) -> str:
        """The first of these prompts that the model has, else the usual one."""
        return next(filter(None, map(self.prompts.get, names)), self.prompt)

    def pooling_named(self, how: str) -> str:
        """The pooling meant by `how`. Raises InputError when there is none of this name."""
        if how not in (OWN, *POOLINGS):
            raise InputError(f"Unknown pooling {how!r}. Choose one of {', '.join((OWN, *POOLINGS))}.")
        return self.pooling if how == OWN else how


USUAL = ModelSettings()


def read_settings(folder: Path) -> ModelSettings:
    """The settings of a model folder; one without modules.json is pooled by its mean, as others read it too.

    Raises InputError for damaged files and for what this app does not do.
    """
    kinds = [(_kind(module), folder / module["path"]) for module in modules_of(folder)]
    for kind, _ in kinds:
        if kind not in KNOWN_MODULES:
            raise InputError(f"{folder.name} has a {kind} layer, which this app does not run.")
    found = read_json(folder / "config_sentence_transformers.json", needed=False)
    prompts = {str(name): str(text) for name, text in (found.get("prompts") or {}).items() if text}
    part = next((part for kind, part in kinds if kind == "Pooling"), folder / "1_Pooling")
    pooling = read_json(part / "config.json", needed=False)
    if prompts and not pooling.get("include_prompt", True):
        raise InputError(f"{folder.name} leaves its prompts out of pooling, which this app does not do.")
    return ModelSettings(
        _pooling(pooling, folder.name),
        any(kind == "Normalize" for kind, _ in kinds),
        prompts,
        found.get("default_prompt_name"),
    )


def modules_of(folder: Path) -> list[dict[str, str]]:
    """The rows of modules.json, each with type and path; none where there is no such file."""
    file = folder / "modules.json"
    if not file.is_file():
        return []
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return [{"type": str(row["type"]), "path": str(row.get("path", ""))} for row in found]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"modules.json of {folder.name} cannot be read; save the model again.") from error


def transformer_part(folder: Path) -> Path:
    """Where config.json, tokenizer and weights lie: the folder itself, in older models one below it."""
    paths = [row["path"] for row in modules_of(folder) if _kind(row) == "Transformer"]
    return folder / paths[0] if paths else folder


def max_tokens(part: Path, most: int) -> int:
    """The longest text, in tokens, as sentence-transformers wrote it before and since its version 6;
    `most` where it says nothing or more."""
    said = read_json(part / "sentence_bert_config.json", needed=False).get("max_seq_length")
    said = said or read_json(part / "tokenizer_config.json", needed=False).get("model_max_length") or most
    return min(int(min(said, UNBOUNDED)), most)


def read_json(file: Path, needed: bool = True) -> dict[str, Any]:
    """The settings in a file. Raises InputError when it holds none, or is `needed` and missing."""
    if not file.is_file():
        if not needed:
            return {}
        raise InputError(f"{file.parent.name} has no {file.name}; it is not a model folder.")
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{file.name} of {file.parent.name} is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise InputError(f"{file.name} of {file.parent.name} does not hold settings.")
    return value


def _kind(module: Mapping[str, str]) -> str:
    return module["type"].rsplit(".", 1)[-1]


def _pooling(config: Mapping[str, Any], name: str) -> str:
    said = config.get("pooling_mode")
    if said is None:
        said = [how for key, how in FORMER_NAMES.items() if config.get(key)] or "mean"
    modes = [said] if isinstance(said, str) else list(said)
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise InputError(
            f"{name} pools by {' and '.join(map(str, modes))}; this app does by one of {', '.join(POOLINGS)}."
        )
    return str(modes[0])
